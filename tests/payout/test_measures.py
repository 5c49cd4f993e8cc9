"""Rule Y4: measures are exact, however many digits they have."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pyarrow as pa

from royaltycli.distributing import amount_of
from royaltycli.payout.measures import measured
from tests.payout.tables import table

LONG = "12345678901234567890.1234567891"


def test_a_credit_of_more_digits_than_python_keeps_by_itself():
    """Python's own context would round it to 28 digits."""
    usage = pa.table({"source_id": ["a", "b"], "credit": [LONG, "0.5"]})
    found = measured("usage", table(("a", 1), ("b", 1)), None, usage)
    assert [Fraction(int(one), 10**found.places) for one in found.numbers] == [Fraction(LONG), Fraction(1, 2)]


def test_a_profit_of_more_digits_than_python_keeps_by_itself():
    assert amount_of(Fraction(Decimal("12345678901234567890123456.123456"))) == Decimal(
        "12345678901234567890123456.123456"
    )
