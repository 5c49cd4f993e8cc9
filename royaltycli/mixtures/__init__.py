"""Published training mixtures, as data: the presets of `royalty estimate --corpus NAME --part PART`.

The figures are in `mixtures.toml`, each corpus with its source and date; this module only reads them.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

from royaltycli.errors import CallError
from royaltycli.limits import GiB
from royaltycli.numerals import parse_amount, parse_fraction
from royaltycli.payout.estimate import Mixture, Part, Unit

NEAR_MATCHES = 3
"""How many names an error offers for one that it does not know."""


@cache
def mixtures() -> tuple[Mixture, ...]:
    """All published mixtures, in the order of their data file."""
    text = resources.files(__name__).joinpath("mixtures.toml").read_text(encoding="utf-8")
    return tuple(_mixture(entry) for entry in tomllib.loads(text)["mixture"])


def find_mixture(name: str) -> Mixture:
    """The mixture of that name or alias; case and punctuation do not matter.

    Raises CallError, with the nearest names, if there is none.
    """
    by_key = {_key(known): mixture for mixture in mixtures() for known in (mixture.name, *mixture.aliases)}
    mixture = by_key.get(_key(name))
    if mixture is None:
        mend = _mend(name, (mixture.name for mixture in mixtures()), "or write a number such as 300e9")
        raise CallError(f"there is no corpus {name!r}; {mend}")
    return mixture


def find_part(mixture: Mixture, name: str) -> Part:
    """The part of that name; case and punctuation do not matter.

    Raises CallError, with the nearest names, if the mixture has none.
    """
    for part in mixture.parts:
        if _key(part.name) == _key(name):
            return part
    if not mixture.parts:
        raise CallError(f"{mixture.name} has no published parts; leave the part {name!r} out")
    mend = _mend(name, (part.name for part in mixture.parts), "with their parts")
    raise CallError(f"{mixture.name} has no part {name!r}; {mend}")


def corpus_total(text: str) -> tuple[Fraction, Mixture | None]:
    """The size in tokens of a corpus given as a number (`300e9`) or by a preset's name, and that preset.

    Raises CallError if it is neither.
    """
    written = text.strip()
    if re.match(r"[\d.+-]", written, re.ASCII):
        return Fraction(parse_amount(written, "the size of the corpus")), None
    mixture = find_mixture(written)
    return mixture.total, mixture


def _mixture(entry: dict[str, Any]) -> Mixture:
    unit: Unit = entry["unit"]
    ratio = _number(entry, "tokens_per_byte")
    trained, stated, computed = (_number(entry, key) for key in ("trained", "stated", "computed"))
    total = _tokens(next(value for value in (trained, stated, computed) if value is not None), unit, ratio)
    if total is None:
        raise ValueError(f"{entry['name']} is in {unit} and has no tokens_per_byte")
    weight = entry.get("computed_weight")
    return Mixture(
        name=entry["name"],
        title=entry["title"],
        unit=unit,
        source=entry["source"],
        date=entry["date"],
        total=total,
        aliases=tuple(entry.get("aliases", ())),
        tokenizer=entry.get("tokenizer"),
        tokens_per_byte=ratio,
        trained=trained,
        stated=stated,
        computed=computed,
        computed_seen=_number(entry, "computed_seen"),
        computed_weight=None if weight is None else Fraction(parse_amount(weight, "computed_weight")) / 100,
        notes=tuple(entry["notes"]),
        parts=tuple(_part(part, unit, ratio) for part in entry.get("parts", ())),
    )


def _part(entry: dict[str, str], unit: Unit, mixture_ratio: Decimal | None) -> Part:
    size, own_ratio = _number(entry, "size"), _number(entry, "tokens_per_byte")
    weight = entry.get("weight")
    return Part(
        name=entry["name"],
        size=size,
        weight=None if weight is None else parse_fraction(f"{weight}%", "weight"),
        epochs=_number(entry, "epochs"),
        tokens_per_byte=own_ratio,
        tokens=_tokens(size, unit, mixture_ratio if own_ratio is None else own_ratio),
    )


def _number(entry: dict[str, Any], key: str) -> Decimal | None:
    return parse_amount(entry[key], key) if key in entry else None


def _tokens(size: Decimal | None, unit: Unit, tokens_per_byte: Decimal | None) -> Fraction | None:
    """A size in tokens: as it stands, or bytes times tokens per byte."""
    if size is None or unit == "tokens":
        return None if size is None else Fraction(size)
    return None if tokens_per_byte is None else Fraction(size) * GiB * Fraction(tokens_per_byte)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _mend(name: str, known: Iterable[str], otherwise: str) -> str:
    """How to mend a name that is not known: the nearest ones, else where all are shown."""
    by_key = {_key(candidate): candidate for candidate in known}
    near = difflib.get_close_matches(_key(name), by_key, n=NEAR_MATCHES)
    if not near:  # `olmo` is far from `olmo-mix-1124`, but a part of it
        near = [key for key in by_key if _key(name) and _key(name) in key][:NEAR_MATCHES]
    if not near:
        return f"`royalty estimate --list` shows all, {otherwise}"
    return f"did you mean {' or '.join(by_key[key] for key in sorted(near))}?"
