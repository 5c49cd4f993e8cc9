"""Rule U13: how much an account counts for, at the most."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.attribution.accounts import most_of_one

WEIGHTS = st.lists(st.one_of(st.just(0), st.integers(1, 1000)), min_size=1, max_size=30)
CAPS = st.fractions(Fraction(1, 50), 1)


def largest_part(weights, others, most):
    """What the account that counts most has of all that counts."""
    counted = np.minimum(weights, most)
    return counted.max() / (counted.sum() + others)


@given(WEIGHTS, st.one_of(st.just(0), st.integers(1, 1000)), CAPS)
def test_none_has_more_than_its_part_and_no_more_is_taken_than_that_needs(weights, others, cap):
    weights = np.array(weights, float)
    most = most_of_one(weights, float(others), cap)
    there = weights[weights > 0]
    if len(there) * cap < 1 and not others:  # of so few one must have more
        assert most == (there.min() if len(there) else np.inf)
        return
    assert most > 0
    assert largest_part(weights, others, most) <= cap * (1 + 1e-9)
    if weights.max() > most:
        assert largest_part(weights, others, most * 1.001) > cap


@pytest.mark.parametrize(
    ("weights", "others", "cap", "most"),
    [
        ([90, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0, Fraction(1, 10), 1),  # ten at a tenth each: all alike
        ([90], 9, Fraction(1, 10), 1),
        ([50, 40], 10, Fraction(1, 4), 5),  # 5 + 5 + 10
        ([90, 30], 0, Fraction(1, 10), 30),
        ([3, 2, 1], 0, Fraction(1, 2), 3),
        ([3, 2, 1], 0, Fraction(1), 6),
        ([0, 0], 5, Fraction(1, 10), Fraction(5, 10)),
    ],
)
def test_examples(weights, others, cap, most):
    assert most_of_one(np.array(weights, float), float(others), cap) == pytest.approx(float(most))
