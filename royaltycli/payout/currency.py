"""Currencies, their minor units, and the pool in them (docs/spec-allocation.md, rules P1 to P4)."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import iso4217

from royaltycli.errors import AmountError, CallError

POOL_UNITS = 2**63 - 1
"""The largest pool, in minor units: payouts are kept in 64-bit integers."""

DECIMALS = 6
"""Of a millionth of a minor unit, beyond those of the currency."""

MILLIONTHS: int = 10**DECIMALS
"""Of a minor unit: what entitlements and balances are kept in."""

LARGEST_POOL = POOL_UNITS // MILLIONTHS
"""The largest pool by a policy, in minor units: its millionths are kept in 64-bit integers."""


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency. A minor unit is 10**-places of it."""

    code: str
    places: int


def find_currency(code: str) -> Currency:
    """The currency of an ISO 4217 code, in capitals or not.

    Raises CallError if there is none, or if the code is one without minor units, such as gold's.
    """
    wanted = code.strip().upper()
    places = _PLACES.get(wanted)
    if places is not None:
        return Currency(wanted, places)
    if wanted in _PLACES:
        raise CallError(f"currency {wanted} has no minor unit in ISO 4217, so nothing can be paid in it; try USD")
    known = sorted(_PLACES) if len(wanted) < 5 else []  # noqa: PLR2004 -- a word is no code misspelt
    near = sorted(difflib.get_close_matches(wanted, known, n=3))
    mend = f"did you mean {' or '.join(near)}?" if near else "write three letters, such as USD, EUR or JPY"
    raise CallError(f"currency {code!r} is not an ISO 4217 code; {mend}")


def payable() -> list[str]:
    """The codes of all currencies that have minor units."""
    return sorted(code for code, places in _PLACES.items() if places is not None)


def pool(profit: Decimal, rate: Fraction, currency: Currency) -> int:
    """The pool of a profit (in the currency itself) at a rate from 0 to 1, in minor units, rounded down to a whole one.

    Raises AmountError if it cannot be computed or is larger than POOL_UNITS.
    """
    if not profit.is_finite() or profit < 0:
        raise AmountError(f"the profit is {profit}, but must be a number of zero or more")
    if not 0 <= rate <= 1:
        raise AmountError(f"the rate is {rate}, but must lie between 0 and 1 (0 % and 100 %)")
    units: int = math.floor(Fraction(profit) * rate * 10**currency.places)
    if units > POOL_UNITS:
        raise AmountError(
            f"the pool is over {money(POOL_UNITS, currency)} {currency.code}, the largest that can be shared out; "
            "check the profit and its currency"
        )
    return units


def millionths(amount: Decimal, currency: Currency) -> int:
    """An amount in the currency in millionths of a minor unit, rounded down."""
    return int(Fraction(amount) * 10**currency.places * MILLIONTHS)


def money(units: int, currency: Currency) -> str:
    """Minor units as plain text with all the currency's places: `43.33`, JPY `43`, KWD `43.333`."""
    sign, digits = ("-" if units < 0 else ""), str(abs(units)).zfill(currency.places + 1)
    if not currency.places:
        return sign + digits
    return f"{sign}{digits[: -currency.places]}.{digits[-currency.places :]}"


def exact_money(millionths: int, currency: Currency) -> str:
    """Millionths of a minor unit as plain text, no zeros at the end beyond the currency's places: `43.33`, `0.0125`."""
    text = money(millionths, Currency(currency.code, currency.places + DECIMALS))
    whole, _, part = text.partition(".")
    part = part[: currency.places] + part[currency.places :].rstrip("0")
    return f"{whole}.{part}" if part else whole


_PLACES: dict[str, int | None] = {each.code: each.exponent for each in iso4217.Currency}
