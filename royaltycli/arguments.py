"""What callers of the Python API give, checked: numbers that are exact, and values of the kind that is meant."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, SupportsIndex

from royaltycli.errors import CallError
from royaltycli.numerals import parse_amount, parse_fraction, plain, plain_fraction

if TYPE_CHECKING:
    from royaltycli.corpus.shards import Part

Number = str | int | Decimal | Fraction

PATHS = (
    "manifest", "output", "counts", "path", "file", "encoding", "policy", "holders", "usage", "outputs", "index",
    "model", "network",
)  # fmt: skip
"""Arguments that may be given as a Path."""

NEEDED = ("path", "currency", "by", "text", "outputs", "index", "least", "network")
"""Arguments that no function of theirs can do without."""


def check_types(*needed: str, **given: object) -> None:
    """Raises CallError for an argument that is not even of the kind that its name says; numbers are read elsewhere.

    None will do, but not for those that are `needed` here or everywhere.
    """
    for name, value in given.items():
        kinds: tuple[type, ...] = (str,)
        words = "text"
        if name in PATHS:
            kinds, words = (str, os.PathLike), "text or a Path"
        if name == "usage":
            import pyarrow as pa

            kinds, words = (*kinds, pa.Table), "text, a Path or an Arrow table"
        elif name in ("workers", "top", "least", "spans"):
            kinds, words = (SupportsIndex,), "a whole number"
        if not isinstance(value, kinds) and (value is not None or name in NEEDED or name in needed):
            shown = " ".join(f"{value!r:.80}".split())  # of a table there are several lines
            raise CallError(f"{name} is {shown}, but must be {words}")


def rows_of(top: int | None) -> int | None:
    """How many rows a result is to have, None for all of them. Raises CallError."""
    if top is not None and top < 0:
        raise CallError(f"top is {top}; it must be 1 or more, or 0 for all")
    return top or None


def rate_of(rate: Number | None) -> Fraction:
    """The rate of a payout without a policy, which may have one. Raises CallError."""
    if rate is None:
        raise CallError("no rate is given; say which part of the profit is paid out with `--rate`, such as 20%")
    return fraction(rate, "rate")


def amount(number: Number, what: str) -> Decimal:
    """An amount, such as `500e6`. Raises CallError, in whose words it is `what`."""
    return parse_amount(text(number, what), what)


def fraction(number: Number, what: str) -> Fraction:
    """A part of a whole, such as `20%`. Raises CallError."""
    return parse_fraction(text(number, what), what)


def text(number: Number, what: str) -> str:
    """A number as a person would write it. Raises CallError for a float, which is rarely the number that was meant."""
    if isinstance(number, str):
        return number
    if isinstance(number, bool) or not isinstance(number, (int, Decimal, Fraction)):
        raise CallError(f"{what} is {number!r}; give it as text, int, Decimal or Fraction, which are exact")
    if isinstance(number, Decimal) and number.is_finite():
        return plain(number)
    return plain_fraction(number) if isinstance(number, Fraction) else str(number)


def part_of(written: str) -> Part:
    """A part of a corpus, such as `3/16`. Raises CallError."""
    from royaltycli.corpus.shards import Part

    number, _, of = written.partition("/")
    if not (re.fullmatch(r"[0-9]{1,9}", number) and re.fullmatch(r"[0-9]{1,9}", of) and 1 <= int(number) <= int(of)):
        raise CallError(f"part is {written!r}; it must be such as 3/16, the third of sixteen parts")
    return Part(int(number), int(of))
