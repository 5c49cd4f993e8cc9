"""Numbers as people type them, exact from the text to the last digit; and as they read them.

`500e6`, `500_000_000`, `500,000,000`, `500M`, `1.5B`, `130k`, `20%` and `1/3` all become exact
decimals or fractions. No binary float is made on the way.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from fractions import Fraction

from royaltycli.errors import CallError
from royaltycli.limits import NUMBER_DIGITS

SHARE_DIGITS = 3
"""Significant digits of a share shown as a percentage."""

SUFFIXES = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12}

_NUMBER = re.compile(
    r"""(?P<sign>[+-]?)
        (?P<whole>\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)?
        (?:\.(?P<part>\d+(?:_\d+)*)?)?
        (?:[eE](?P<exponent>[+-]?\d{1,4})|(?P<suffix>[kKmMbBtT]))?
        (?P<percent>\s?%?)""",
    re.VERBOSE | re.ASCII,
)
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Python's own context rounds to 28 digits in silence; in this one nothing is rounded."""


def parse_decimal(text: str, what: str, example: str = "500e6, 500_000_000 or 500M") -> Decimal:
    """The exact value of `text`; `what` names it in errors, and `example` says how it is written.

    Raises CallError if it is no number, is not finite, or is longer than any amount or count can be.
    """
    written = text.strip()
    match = _NUMBER.fullmatch(written)
    if match is None or not (match["whole"] or match["part"]):
        raise CallError(f"{what} is {text!r}, which is no number; write it as {example}")
    whole = re.sub("[,_]", "", match["whole"] or "0")
    part = (match["part"] or "").replace("_", "")
    suffix = SUFFIXES[(match["suffix"] or "").lower()]
    exponent = int(match["exponent"] or 0) + suffix - (2 if "%" in match["percent"] else 0)
    if max(len(whole) + exponent, len(part) - exponent, len(whole) + len(part)) > NUMBER_DIGITS:
        raise CallError(f"{what} is {text!r}, which has more than {NUMBER_DIGITS} digits; write a shorter number")
    value = Decimal(f"{match['sign']}{whole}{'.' if part else ''}{part}")
    return value.scaleb(exponent, EXACT)


def parse_amount(text: str, what: str) -> Decimal:
    """A decimal of zero or more, such as a profit or a number of tokens. Raises CallError."""
    value = parse_decimal(text, what)
    if value < 0:
        raise CallError(f"{what} is {text}, but must not be negative")
    return value.copy_abs()  # as abs() would round to 28 digits


def parse_fraction(text: str, what: str) -> Fraction:
    """A fraction from 0 to 1, written `0.2`, `20%` or `1/3`. Raises CallError."""
    written = text.strip()
    ratio = re.fullmatch(r"(\d{1,18})\s*/\s*(\d{1,18})", written, re.ASCII)
    if ratio and int(ratio[2]):
        value = Fraction(int(ratio[1]), int(ratio[2]))
    else:
        value = Fraction(parse_decimal(text, what, "0.2, 20% or 1/3"))
    if not 0 <= value <= 1:
        raise CallError(f"{what} is {text}, but must lie between 0 and 1 (0 % and 100 %); write it as 0.2 or 20%")
    return value


def plain(value: Decimal) -> str:
    """A decimal in plain notation, without exponent or trailing zeros: `1.5`, `300000000000`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def plain_fraction(value: Fraction) -> str:
    """A fraction as an exact decimal where it has one, else as `1/3`."""
    twos, rest = 0, value.denominator
    while rest % 2 == 0:
        twos, rest = twos + 1, rest // 2
    fives = 0
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    places = max(twos, fives)
    if rest != 1 or places > NUMBER_DIGITS:
        return f"{value.numerator}/{value.denominator}"
    return plain(Decimal(value.numerator * 10**places // value.denominator).scaleb(-places, EXACT))


def percentage(part: Fraction) -> str:
    """A part of a whole as `70 %`, and one that has no end as `1/3`."""
    text = plain_fraction(part * 100)
    return plain_fraction(part) if "/" in text else f"{text} %"


def percent(share: Fraction) -> str:
    """A share as a percentage without its sign, to SHARE_DIGITS significant digits: `0.0000433`."""
    return significant(share * 100, SHARE_DIGITS)


def percent_text(share: Decimal | Fraction) -> str:
    """A share as a percentage for the eye: three decimals, or three digits where those would be zeros."""
    exact = Fraction(share)
    if not exact or exact >= Fraction(1, 10_000):
        shown = round(exact * 100, 3)
        if shown >= 100 > exact * 100:  # noqa: PLR2004 -- only all is 100 %
            shown = Fraction(99_999, 1000)
        return f"{Decimal(int(shown * 1000)) / 1000:.3f} %"
    return f"{percent(exact)} %"


def significant(value: Fraction, digits: int) -> str:
    """A fraction of zero or more in plain notation, to so many significant digits, half-even."""
    if value == 0:
        return "0"
    exponent = len(str(value.numerator)) - len(str(value.denominator))
    if value < Fraction(10) ** exponent:
        exponent -= 1
    last = exponent - digits + 1
    return plain(Decimal(f"{round(value / Fraction(10) ** last)}e{last}"))


def grouped(number: str) -> str:
    """A plain decimal with its thousands set apart; `-0.02` keeps its sign, which is not that of its whole part."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, point, part = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{part}" if whole.isdigit() else number


def several(number: int, word: str) -> str:
    """How many there are: `1 file`, `2,000 files`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")
