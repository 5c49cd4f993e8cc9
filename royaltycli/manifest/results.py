"""Results of this tool that lie where documents are looked for: counted, they would earn money.

Parquet is told by its seal, which nobody else writes. A result in text could be meant as a document, so it
is refused instead of passed over; it is looked for beside the manifest only, where results usually go.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
from typing import BinaryIO

from royaltycli.manifest.endings import kind_of
from royaltycli.manifest.model import Format
from royaltycli.manifest.paths import Refusal, open_regular
from royaltycli.manifest.patterns import Match
from royaltycli.remote.locations import is_remote
from royaltycli.storage import is_sealed

COLUMNS = (
    ("source_id", "title", "holders", "tokens", "seen_tokens", "share", "credited_tokens"),
    ("holder_id", "name", "sources", "seen_tokens", "share"),
    ("license", "sources", "tokens", "seen_tokens", "share", "credited_tokens"),
    ("collection", "sources", "tokens", "seen_tokens", "share", "credited_tokens"),
    ("source_id", "title", "holders", "tokens", "seen_tokens", "share", "payout", "currency", "credited_tokens"),
    ("holder_id", "name", "sources", "share", "payout", "currency"),
    ("source_id", "title", "holder_id", "name", "holder_share", "share", "payout", "currency"),
)
"""The columns of shares and payouts, as docs/files.md describes them."""

_KNOWN = {*COLUMNS, *(names[:-1] for names in COLUMNS if names[-1] == "credited_tokens")}
"""These, and those of results of version 0.1.0."""

LINE_BYTES = 1 << 16
"""How much of a first line is looked at; a row of a result with more holders than fit is taken for a document."""

RESULT = Refusal("a result of royalty, by its first line", "move it elsewhere, or use a narrower pattern")

_HEADERS = {text for names in _KNOWN for text in (",".join(names), f"| {' | '.join(names)} |")}


def is_sealed_result(match: Match, form: Format | None) -> bool:
    """Whether a match that would be read as `form` is a Parquet file that this tool wrote, wherever it lies here.

    A file on another machine is told by its name alone (`manifest.remotes`), as a look into each would take long.
    """
    if match.refusal is None and "parquet" in (form, kind_of(match.name)[0]) and not is_remote(match.path):
        with contextlib.suppress(OSError), open_regular(match.path) as file:
            return is_sealed(file)
    return False


def refusal_of(match: Match, root: str) -> Refusal | None:
    """Why a match is no document: its own refusal, or that it is a result in text which lies in the folder `root`."""
    if match.refusal is None and match.path.rpartition(os.sep)[0] == root.rstrip(os.sep):
        with contextlib.suppress(OSError), open_regular(match.path) as file:
            return RESULT if _begins_like_a_result(file) else None
    return match.refusal


def _begins_like_a_result(file: BinaryIO) -> bool:
    """Whether the header of CSV or Markdown, or the keys of a first object of JSON, are those of a result."""
    line = file.readline(LINE_BYTES).removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
    if line == b"[":
        line = file.readline(LINE_BYTES).rstrip(b",\r\n")
    if not line.startswith(b"{"):
        return line.decode("ascii", "replace") in _HEADERS
    with contextlib.suppress(ValueError, RecursionError):
        return tuple(json.loads(line)) in _KNOWN
    return False
