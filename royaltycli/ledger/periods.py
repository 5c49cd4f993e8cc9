"""The names of periods and their order (docs/spec-ledger.md, rule L7)."""

from __future__ import annotations

import re

from royaltycli.errors import CallError

LONGEST = 64

Order = tuple[tuple[int, int, str], ...]


def check_name(period: str) -> None:
    """Raises CallError for what cannot be the name of a period."""
    if re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}", period) is None:
        raise CallError(
            f"the period is {period!r}; write it in at most {LONGEST} letters, digits, `.`, `_` and `-`, such as "
            "2026-Q3"
        )


def order(period: str) -> tuple[Order, str]:
    """What names are compared by: runs of digits as numbers, all else by code point; the name itself at last."""
    pieces = re.findall(r"\d+|\D+", period, re.ASCII)
    numbered = ((0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces)
    return tuple(numbered), period
