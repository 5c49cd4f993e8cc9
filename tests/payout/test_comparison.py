"""Policies side by side: figures against slow definitions, and rows."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.payout.comparison import compared, gini, outcome, side_by_side, swept
from royaltycli.payout.currency import find_currency
from royaltycli.payout.distribute import distribute
from royaltycli.payout.policy import Cap, Payment, Policy
from tests.payout.tables import table

FEEDS = table(*((f"s{number}", 10 * number, "1", {f"h{number}": "1"}) for number in range(1, 5)))
PLAIN = Policy("plain")
CAPPED = Policy("capped", caps=(Cap("source", ((0, Decimal("0.30")),)),), payment=Payment(minimum=Decimal("0.20")))


def found(policy, pool=100):
    return outcome(distribute(FEEDS, policy, pool=pool, currency=find_currency("USD")))


@given(st.lists(st.integers(0, 10**12), max_size=30))
def test_the_gini_coefficient_is_half_the_mean_difference_over_the_mean(amounts):
    total, size = sum(amounts), len(amounts)
    differences = sum(abs(a - b) for a in amounts for b in amounts)
    expected = Fraction(differences, 2 * size * total) if total else Fraction(0)
    assert gini(np.sort(np.array(amounts, np.int64))) == expected


@pytest.mark.parametrize(("amounts", "expected"), [([1, 1, 1], 0), ([0, 0, 0, 12], Fraction(3, 4)), ([], 0), ([0], 0)])
def test_the_gini_coefficient_of_what_everyone_knows(amounts, expected):
    assert gini(np.array(amounts, np.int64)) == expected


def test_an_outcome_says_who_is_paid_and_what_is_left():
    plain, capped = found(PLAIN), found(CAPPED)
    assert plain.paid.tolist() == [10, 20, 30, 40]
    assert (plain.total, plain.receivers, plain.smallest, plain.median) == (100, 4, 10, 20)
    assert plain.top == Fraction(40, 100)
    assert plain.tenths[:4] == (10, 20, 30, 40)
    # 0.30 at most: 40 gives 10 to the others by 10:20:30, and then 30 are at the cap too: 40 for 10:20 is 13.3 and 26.7.
    assert capped.paid.tolist() == [0, 26, 30, 30]
    assert capped.carried == 13_333_333 + 666_667
    assert capped.elsewhere == 0


def test_the_best_paid_hundredth_of_two_hundred_are_two():
    made = table(*((f"s{number:03}", 100 if number < 2 else 1, "1", {f"h{number:03}": "1"}) for number in range(200)))
    every = outcome(distribute(made, PLAIN, pool=398, currency=find_currency("USD")))
    assert every.top == Fraction(100 + 100, 398)
    assert every.tenths == (*[20] * 9, 18 + 100 + 100)


@pytest.mark.parametrize("sources", [FEEDS, table()])
def test_where_nobody_is_paid_all_figures_are_0(sources):
    high = Policy("high", payment=Payment(minimum=Decimal(10)))
    nothing = outcome(distribute(sources, high, pool=100 if len(sources) else 0, currency=find_currency("USD")))
    assert (nothing.total, nothing.receivers, nothing.smallest, nothing.median) == (0, 0, 0, 0)
    assert (nothing.gini, nothing.top, nothing.tenths) == (0, 0, (0,) * 10)


def test_gains_and_losses_are_said_against_the_first():
    rows = compared([found(PLAIN), found(CAPPED)]).to_pylist()
    assert [(row["policy"], row["gain"], row["lose"]) for row in rows] == [("plain", 0, 0), ("capped", 1, 2)]
    assert rows[1]["paid_holders"] == 3
    assert rows[1]["carried"] == Decimal("0.14000000")


def test_each_holder_has_a_row_with_what_every_policy_pays_it():
    rows = side_by_side([found(PLAIN), found(CAPPED)]).to_pylist()
    assert rows[0] == {
        "holder_id": "h4",
        "name": "H4",
        "plain": Decimal("0.40"),
        "capped": Decimal("0.30"),
        "difference": Decimal("-0.10"),
    }


def test_the_difference_is_that_of_the_last_to_the_first():
    rows = side_by_side([found(PLAIN), found(CAPPED), found(Policy("half"), 50)]).to_pylist()
    assert [str(row["difference"]) for row in rows] == ["-0.20", "-0.15", "-0.10", "-0.05"]


def test_of_the_best_paid_the_others_are_one_row_and_all_make_the_whole():
    outcomes = [found(PLAIN), found(CAPPED)]
    rows = side_by_side(outcomes, 1).to_pylist()
    assert [(row["holder_id"], row["name"], str(row["plain"]), str(row["capped"])) for row in rows] == [
        ("(other holders)", None, "0.60", "0.56"),
        ("h4", "H4", "0.40", "0.30"),
    ]
    assert [str(row["difference"]) for row in rows] == ["-0.04", "-0.10"]
    assert side_by_side(outcomes, 4).equals(side_by_side(outcomes))


def test_a_grid_has_a_row_for_each_profit_and_rate():
    rows = swept([(Decimal("5.00"), Fraction(1, 5), found(PLAIN)), (Decimal(5), Fraction(1, 3), found(PLAIN, 166))])
    assert rows["profit"].to_pylist() == ["5", "5"]
    assert rows["rate"].to_pylist() == ["0.2", "0.333333333333333"]
    assert rows["paid"].to_pylist() == [Decimal("1.00"), Decimal("1.64")]
