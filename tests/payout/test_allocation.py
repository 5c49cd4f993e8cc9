"""docs/spec-allocation.md, rules A1 to A9 and T1 to T3, against the oracle."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.arrays import exact_sum
from royaltycli.errors import AmountError, CallError
from royaltycli.payout import ties
from royaltycli.payout.allocation import allocate
from royaltycli.payout.ties import tie_key
from tests.payout import oracle

IDS = [f"s{number}" for number in range(40)]


def test_rule_a1_whole_quotas_are_paid_as_they_are():
    assert allocate(10, [1, 3, 1], ["a", "b", "c"], "").tolist() == [2, 6, 2]


def test_rule_a2_what_is_left_goes_to_the_largest_remainders():
    # Quotas 5.7, 2.9, 1.4: floors 5, 2, 1, and the two cents left go to .9 and .7.
    assert allocate(10, [57, 29, 14], ["a", "b", "c"], "").tolist() == [6, 3, 1]


def test_rule_t1_a_tie_goes_to_the_smaller_hash_of_period_and_id():
    # SHA-256 of "2026\0a" begins 03a040a7, that of "2026\0b" 370f4f07.
    assert allocate(1, [5, 5], ["a", "b"], "2026").tolist() == [1, 0]
    assert allocate(1, [5, 5], ["b", "a"], "2026").tolist() == [0, 1]
    assert tie_key("2026", "a").hex() == oracle.key("2026", "a")


def test_rule_t1_hashes_that_begin_alike_are_told_apart_by_the_rest(monkeypatch):
    hashes = [bytes(31) + b"\2", b"\1" + bytes(31), bytes(31) + b"\1"]
    monkeypatch.setattr(ties, "_keys", lambda _ids, rows, _period: [hashes[row] for row in rows.tolist()])
    assert allocate(1, [5, 5, 5], ["a", "b", "c"], "2026").tolist() == [0, 0, 1]
    assert allocate(2, [5, 5, 5], ["a", "b", "c"], "2026").tolist() == [1, 0, 1]


def test_rule_t1_another_period_favours_others():
    winners = {allocate(1, [1, 1], ["a", "b"], str(period)).tolist().index(1) for period in range(2020, 2030)}
    assert winners == {0, 1}


def test_rule_t3_a_period_that_could_be_a_period_and_an_id_is_refused():
    with pytest.raises(CallError, match="zero byte"):
        allocate(1, [1], ["a"], "2026\0a")


def test_rule_a4_units_without_any_weight_are_an_error():
    with pytest.raises(AmountError, match="all weights are zero"):
        allocate(1, [0, 0], ["a", "b"], "")
    with pytest.raises(AmountError, match="all weights are zero"):
        allocate(1, [], [], "")


def test_rule_a4_nothing_among_nobody_is_nothing():
    assert allocate(0, [0, 0], ["a", "b"], "").tolist() == [0, 0]
    assert allocate(0, [], [], "").tolist() == []


@pytest.mark.parametrize(
    ("units", "weights", "part"),
    [
        (-1, [1], "-1 units cannot be shared out; give 0 to 9223372036854775807"),
        (2**63, [1], "units cannot be shared out"),
        (1, [1, 1], "there are 2 weights for 1 ids; give one each"),
    ],
)
def test_what_cannot_be_allocated_is_refused(units, weights, part):
    with pytest.raises(AmountError, match=part):
        allocate(units, weights, ["a"], "")


def test_a_weight_below_zero_is_named_however_far_below():
    with pytest.raises(AmountError, match="weight of b is -18446744073709551616, but must be zero or more"):
        allocate(1, [1, -(2**64), 0], ["a", "b", "c"], "")


def test_a_weight_that_is_no_integer_is_refused_and_not_cut():
    with pytest.raises(TypeError):
        allocate(1, [1.5, 1], ["a", "b"], "")
    with pytest.raises(TypeError):
        allocate(1, np.array([1.5, 1]), ["a", "b"], "")


@pytest.mark.parametrize("count", range(1, 6))
def test_every_case_of_up_to_five_small_weights(count):
    """A1 to A9: all weights from 0 to 4, all pools from 0 to 10 units."""
    for weights in itertools.product(range(5), repeat=count):
        for units in range(11 if any(weights) else 1):
            broken = oracle.broken_rules(allocate, units, list(weights), IDS[:count])
            assert not broken, (units, weights)


def test_random_cases(long_form):
    """A1 to A9: few distinct weights, so that many tie; a seed and a number reproduce a failure."""
    chance = random.Random(20260101)
    for case in range(100_000 if long_form else 20_000):
        count = chance.randint(1, 6)
        weights = [chance.randrange(chance.choice((2, 5, 1000))) for _ in range(count)]
        units = chance.randrange(chance.choice((3, 30, 10**9))) if any(weights) else 0
        assert not oracle.broken_rules(allocate, units, weights, IDS[:count], str(case)), (case, units, weights)


def test_random_cases_at_the_bounds_of_doubles_and_words():
    """Q1 to Q3: magnitudes on both sides of 2^51, 2^53, 2^62, 2^63 and 2^64, where an estimate could go wrong."""
    chance = random.Random(20260102)
    bounds = [2**power + step for power in (31, 51, 52, 53, 61, 62, 63, 64, 80) for step in (-1, 0, 1)]
    for case in range(10_000):
        count = chance.randint(1, 6)
        weights = [chance.choice((0, 1, chance.choice(bounds), chance.randrange(2**62))) for _ in range(count)]
        weights[0] = weights[0] or 1
        units = min(2**63 - 1, chance.choice((chance.choice(bounds), chance.randrange(2**63), 10**10)))
        assert not oracle.broken_rules(allocate, units, weights, IDS[:count], str(case)), (case, units, weights)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 2**66), min_size=1, max_size=40),
    st.integers(0, 2**63 - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
)
def test_no_rule_is_broken(weights, units, period):
    if not any(weights):
        units = 0
    assert not oracle.broken_rules(allocate, units, weights, IDS[: len(weights)], period)


# -- the same checks must find out allocators that are wrong ------------------------------------
def each_rounded_alone(units, weights, _ids, _period):
    total = sum(weights)
    return [round(units * weight / total) if total else 0 for weight in weights]


def difference_to_the_last(units, weights, ids, period):
    result = each_rounded_alone(units, weights, ids, period)
    result[-1] += units - sum(result)
    return result


def floors_only(units, weights, _ids, _period):
    return [units * weight // max(sum(weights), 1) for weight in weights]


def ties_by_name(units, weights, ids, _period):
    result = floors_only(units, weights, ids, _period)
    total = sum(weights)
    queue = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % max(total, 1)), ids[i]))
    for i in queue[: units - sum(result)]:
        result[i] += 1
    return result


def ties_by_position(units, weights, ids, _period):
    return ties_by_name(units, weights, [f"{number:02}" for number in range(len(ids))], _period)


@pytest.mark.parametrize(
    ("wrong", "rules"),
    [
        (each_rounded_alone, {"A3", "A5"}),
        (difference_to_the_last, {"A3", "A6", "A7", "A8", "A9"}),
        (floors_only, {"A3", "A5"}),
        (ties_by_name, {"A3"}),
        (ties_by_position, {"A3", "A8"}),
    ],
)
def test_a_wrong_allocator_is_found_out(wrong, rules):
    found = set()
    for weights in itertools.product(range(5), repeat=4):
        for units in range(11 if any(weights) else 1):
            found |= oracle.broken_rules(wrong, units, list(weights), IDS[:4])
    assert found == rules


# -- kinds of input -----------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [list, np.array, lambda weights: np.array(weights, np.uint64)])
@pytest.mark.parametrize("ids", [list, pa.array, lambda ids: pa.chunked_array([ids[:2], ids[2:]])])
def test_weights_and_ids_may_be_lists_or_arrays(kind, ids):
    assert allocate(5, kind([2, 2, 2, 2]), ids(["a", "b", "c", "d"]), "").tolist() == [2, 1, 1, 1]


def test_unsigned_weights_beyond_signed_ones_are_exact():
    weights = np.array([2**64 - 1, 2**64 - 2], np.uint64)
    assert allocate(2, weights, ["a", "b"], "").tolist() == [1, 1]
    assert allocate(2**63 - 1, weights, ["a", "b"], "").tolist() == [2**62, 2**62 - 1]


def test_the_weights_given_are_left_as_they_were():
    weights = np.array([1, 2, 3])
    allocate(4, weights, ["a", "b", "c"], "")
    assert weights.tolist() == [1, 2, 3]


def test_more_rows_than_a_chunk_are_allocated_as_one():
    """A1 to A3 over several chunks: 200,003 equal weights, 7 units left, to the seven smallest hashes."""
    count = 200_003
    ids = [f"s{number}" for number in range(count)]
    got = allocate(3 * count + 7, np.full(count, 12), pa.array(ids), "2026")
    smallest = sorted(range(count), key=lambda row: oracle.key("2026", ids[row]))[:7]
    assert np.flatnonzero(got == 4).tolist() == sorted(smallest)
    assert np.count_nonzero(got == 3) == count - 7


def test_rule_a5_holds_where_a_plain_sum_would_wrap():
    assert exact_sum(np.full(100_000, 2**62)) == 100_000 * 2**62
    assert exact_sum(np.array([2**63 - 1, 2**63 - 1, 1])) == 2**64 - 1
    assert exact_sum(np.array([2**70, 1], object)) == 2**70 + 1
    assert exact_sum(np.array([], np.int64)) == 0


# -- the paradoxes that the spec admits to ------------------------------------------------------
def test_alabama_one_unit_more_and_the_third_has_one_less():
    assert allocate(10, [6, 6, 2], ["a", "b", "c"], "").tolist() == [4, 4, 2]
    assert allocate(11, [6, 6, 2], ["a", "b", "c"], "").tolist() == [5, 5, 1]


def test_population_the_faster_grower_loses_to_the_slower():
    assert allocate(5, [2, 6, 13], ["a", "b", "c"], "").tolist() == [1, 1, 3]
    assert allocate(5, [3, 8, 13], ["a", "b", "c"], "").tolist() == [0, 2, 3]


def test_new_states_a_newcomer_with_its_own_units_moves_one_between_others():
    assert allocate(3, [1, 6], ["a", "b"], "").tolist() == [0, 3]
    assert allocate(5, [1, 6, 6], ["a", "b", "c"], "").tolist() == [1, 2, 2]
