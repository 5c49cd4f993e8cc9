"""Rates and amounts of money, as policies and lists of holders write them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from royaltycli.errors import CallError
from royaltycli.manifest.fields import Entry, amount, number_text
from royaltycli.manifest.wording import kind, shown
from royaltycli.numerals import parse_fraction
from royaltycli.payout.currency import LARGEST_POOL, Currency


def rate(entry: Entry, key: str, mend: str) -> Fraction | None:
    """A part of a whole, from 0 to 1; None if there is none, or it is noted as wrong, with how to `mend` it."""
    value = entry.values.get(key)
    if value is None:
        return None
    written = number_text(value)
    try:
        if written is not None:
            return parse_fraction(written, key)
    except CallError:
        pass
    what = kind(value) if written is None else shown(written)
    entry.note(key, f"{key} is {what}, which is no part from 0 to 100 %", mend)
    return None


def money(entry: Entry, key: str, currency: Currency) -> Decimal | None:
    """An amount in the currency, of whole minor units; None if there is none, or it is noted as wrong."""
    value = amount(entry, key)
    if value is None:
        return None
    units = Fraction(value) * 10**currency.places
    if units.denominator != 1:
        places = f"{currency.places} decimals" if currency.places else "no decimals"
        entry.note(key, f"{key} is {value}, but {currency.code} has {places}", "round it to what can be paid")
    elif units > LARGEST_POOL:
        entry.note(key, f"{key} is {value}, more than any pool", "write a smaller amount")
    else:
        return value
    return None
