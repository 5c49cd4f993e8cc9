"""What the tab key offers for an option: values that begin like what was typed.

Where nothing is offered the shell offers files, as for the path of an encoding. Each function imports what
it needs when it is called, as a person waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import typer


def formats(incomplete: str) -> list[str]:
    """Formats of a result."""
    from royaltycli.report.formats import FORMATS

    return _beginning(incomplete, FORMATS)


def trace_formats(incomplete: str) -> list[str]:
    """Formats of a traced text."""
    from royaltycli.report.formats import FORMATS

    return _beginning(incomplete, (*FORMATS, "html"))


def statement_formats(incomplete: str) -> list[str]:
    """Formats of a statement; several have commas between, of which text is none."""
    before, comma, last = incomplete.rpartition(",")
    files = ("html", "pdf", "json")
    return [f"{before}{comma}{kind}" for kind in _beginning(last, files if comma else ("text", *files))]


def encodings(incomplete: str) -> list[str]:
    """The public encodings."""
    from royaltycli.tokens.encodings import PUBLIC

    return _beginning(incomplete, PUBLIC)


def engines(incomplete: str) -> list[str]:
    """Counting engines, installed or not."""
    return _beginning(incomplete, ("gigatoken", "tiktoken", "tokenizers"))


def duplicates(incomplete: str) -> list[str]:
    """The ways with a text that occurs more than once."""
    from royaltycli.manifest.model import DUPLICATES

    return _beginning(incomplete, DUPLICATES)


def places(incomplete: str) -> list[str]:
    """Where a scan may count."""
    return _beginning(incomplete, ("local", "ray", "ray://"))


def currencies(incomplete: str) -> list[str]:
    """The codes of currencies that can be paid in."""
    from royaltycli.payout.currency import payable

    return _beginning(incomplete, payable())


def methods(incomplete: str) -> list[str]:
    """The methods of attribution."""
    return _beginning(incomplete, ("text", "verbatim", "network", "all"))


def draws(incomplete: str) -> list[str]:
    """What may be drawn anew for intervals."""
    return _beginning(incomplete, ("outputs", "accounts", "prompts"))


def corpora(incomplete: str) -> list[str]:
    """The published corpora."""
    from royaltycli.mixtures import mixtures

    return _beginning(incomplete, (mixture.name for mixture in mixtures()))


def bases(incomplete: str) -> list[str]:
    """What shares can be proportional to."""
    from royaltycli.distributing import BASES

    return _beginning(incomplete, BASES)


def policies(incomplete: str) -> list[str]:
    """The policies that are shipped; a file can be named as well."""
    from royaltycli.policies import names

    return _beginning(incomplete, names())


def parts(ctx: typer.Context, incomplete: str) -> list[str]:
    """The parts of the corpus that was named before, in letters that no shell needs quoted."""
    from royaltycli.errors import CallError
    from royaltycli.mixtures import find_mixture

    try:
        mixture = find_mixture(ctx.params.get("corpus") or "gpt-3")
    except CallError:
        return []
    return _beginning(incomplete, (re.sub(r"[^\w.]+", "-", part.name).strip("-") for part in mixture.parts))


def _beginning(incomplete: str, values: Iterable[str]) -> list[str]:
    """The values that begin like that, small where small letters were typed: all of them may be written so."""
    return [
        fitting
        for value in values
        if (fitting := value if value.startswith(incomplete) else value.lower()).startswith(incomplete)
    ]
