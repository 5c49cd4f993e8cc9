"""Rules Y4 and Y7: measures are exact, however many digits they have, and so is whether one is below a minimum."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa

from royaltycli.distributing import amount_of
from royaltycli.payout.measures import Measured, below, measured
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


def test_a_number_is_below_a_minimum_of_more_places_or_of_any_size():
    assert below(Measured(np.array([14, 15, 16]), 1), Decimal("1.51")).tolist() == [True, True, False]
    assert below(Measured(np.array([14, 15, 16]), 1), Decimal("1.5")).tolist() == [True, False, False]
    assert below(Measured(np.array([0, 2**63 - 1])), Decimal(2**63)).tolist() == [True, True]
