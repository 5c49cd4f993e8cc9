"""docs/spec-allocation.md, rules P1 to P4 and R3."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from royaltycli.errors import AmountError, CallError
from royaltycli.payout.currency import POOL_UNITS, Currency, find_currency, money, pool

YEN, DOLLAR, DINAR = Currency("JPY", 0), Currency("USD", 2), Currency("KWD", 3)


@pytest.mark.parametrize(
    ("code", "found"), [("JPY", YEN), ("usd", DOLLAR), (" Kwd ", DINAR), ("CLF", Currency("CLF", 4))]
)
def test_rule_p3_a_currency_has_the_places_of_iso_4217(code, found):
    assert find_currency(code) == found


@pytest.mark.parametrize("code", ["XAU", "xdr"])
def test_rule_p3_a_code_without_minor_units_is_refused(code):
    with pytest.raises(CallError, match=f"currency {code.upper()} has no minor unit"):
        find_currency(code)


@pytest.mark.parametrize(
    ("code", "mend"),
    [("USS", "did you mean .*USD"), ("EURO", "did you mean EUR"), ("$", "such as USD"), ("", "such as USD")],
)
def test_rule_p3_an_unknown_code_is_refused_with_those_near_it(code, mend):
    with pytest.raises(CallError, match=mend):
        find_currency(code)


@pytest.mark.parametrize(
    ("profit", "rate", "unit", "units"),
    [
        ("500e6", Fraction(1, 5), DOLLAR, 100_000_000_00),
        ("500e6", Fraction(1), YEN, 500_000_000),
        ("100", Fraction(1, 3), DOLLAR, 3333),
        ("100", Fraction(1, 3), DINAR, 33333),
        ("100", Fraction(2, 3), YEN, 66),
        ("0.009", Fraction(1), DOLLAR, 0),
        ("0", Fraction(1), DOLLAR, 0),
        ("7", Fraction(0), DOLLAR, 0),
        ("0.1234567890123456789012345678901234", Fraction(1), DOLLAR, 12),
    ],
)
def test_rules_p1_and_p2_the_pool_is_floored(profit, rate, unit, units):
    assert pool(Decimal(profit), rate, unit) == units


def test_rule_p4_the_largest_pool_is_that_of_64_bits():
    assert pool(Decimal(POOL_UNITS), Fraction(1), YEN) == 2**63 - 1
    with pytest.raises(AmountError, match="the pool is over 9223372036854775807 JPY"):
        pool(Decimal(POOL_UNITS) + 1, Fraction(1), YEN)
    with pytest.raises(AmountError, match=r"the pool is over 92233720368547758\.07 USD"):
        pool(Decimal("1e17"), Fraction(1), DOLLAR)


@pytest.mark.parametrize("profit", ["NaN", "Infinity", "-1", "sNaN"])
def test_rule_p1_a_profit_that_is_no_amount_is_refused(profit):
    with pytest.raises(AmountError, match=r"the profit is .*, but must be a number of zero or more"):
        pool(Decimal(profit), Fraction(1), DOLLAR)


@pytest.mark.parametrize("rate", [Fraction(-1, 5), Fraction(3, 2)])
def test_rule_p1_a_rate_beyond_0_and_1_is_refused(rate):
    with pytest.raises(AmountError, match=r"the rate is .*, but must lie between 0 and 1 \(0 % and 100 %\)"):
        pool(Decimal(1), rate, DOLLAR)


@pytest.mark.parametrize(
    ("units", "unit", "text"),
    [
        (4333, DOLLAR, "43.33"),
        (43, YEN, "43"),
        (43333, DINAR, "43.333"),
        (5, DOLLAR, "0.05"),
        (0, DINAR, "0.000"),
        (0, YEN, "0"),
        (-5, DOLLAR, "-0.05"),
    ],
)
def test_rule_r3_minor_units_are_written_with_all_places(units, unit, text):
    assert money(units, unit) == text
