"""docs/spec-policy.md, rules Y10 and Y11: caps and floors in numbers so small that every edge is met."""

from __future__ import annotations

from math import inf

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import AmountError
from royaltycli.payout.bounds import UNCAPPED, keep_within, leave_below
from tests.payout import policy_oracle as oracle

NAMES = "abcdef"

held = st.tuples(st.integers(0, 9), st.one_of(st.just(UNCAPPED), st.integers(0, 9)), st.integers(0, 4))
all_held = st.lists(held.map(lambda each: (each[0], each[1], min(each[1], each[2]))), min_size=1, max_size=6)


def arrays(lines):
    columns = [np.array(column, np.int64) for column in zip(*lines, strict=True)]
    return *columns, pa.chunked_array([list(NAMES[: len(lines)])])


def dicts(lines):
    weights, caps, floors = (dict(zip(NAMES, column, strict=False)) for column in zip(*lines, strict=True))
    return weights, {name: inf if cap == UNCAPPED else cap for name, cap in caps.items()}, floors


def test_rule_y10_in_millionths_is_that_of_the_oracle(long_form):
    @settings(max_examples=50_000 if long_form else 500, deadline=None)
    @given(all_held, st.integers(-5, 12))
    def holds(lines, more):
        weights, caps, floors, ids = arrays(lines)
        total = max(int(weights.sum()) + more, 0)
        try:
            expected = oracle.fill(*dicts(lines), total, "2026")
        except oracle.Refused:
            with pytest.raises(AmountError, match="the floors of the policy come to more"):
                keep_within(weights, caps, floors, ids, "2026", total)
            return
        kept = keep_within(weights, caps, floors, ids, "2026", total)
        assert dict(zip(NAMES, kept.amounts.tolist(), strict=False)) == expected
        assert kept.left == total - sum(expected.values())
        assert (kept.amounts <= caps).all()
        assert (kept.amounts >= np.where(weights > 0, floors, 0)).all()

    holds()


def test_rule_y11_in_hundreds_of_millionths_is_that_of_the_oracle(long_form):
    """In steps that make some who stay hardly more than some who leave."""

    @settings(max_examples=50_000 if long_form else 500, deadline=None)
    @given(all_held, st.integers(0, 40), st.sampled_from([1, 500, 999, 1000, 1001, 10**6]))
    def holds(lines, floor, step):
        weights, caps, _, ids = arrays(lines)
        capped = caps != UNCAPPED
        weights, caps, floor = weights * step, np.where(capped, np.maximum(caps, floor) * step, UNCAPPED), floor * step
        total = int(weights.sum())
        by_name = dict(zip(NAMES, weights.tolist(), strict=False))
        limits = {name: inf if cap == UNCAPPED else cap for name, cap in zip(NAMES, caps.tolist(), strict=False)}
        staying = oracle.who_stays(by_name, limits, floor, total, cut=False)
        expected = dict.fromkeys(by_name, 0)
        if staying:
            expected |= oracle.fill(staying, limits, {}, total, "2026")
        kept = leave_below(weights, caps, floor, ids, "2026")
        assert dict(zip(NAMES, kept.amounts.tolist(), strict=False)) == expected
        assert kept.left == total - sum(expected.values())
        got = kept.amounts[kept.amounts > 0]
        assert (got >= floor).all()

    holds()


def test_rules_y10_and_y11_with_the_largest_amounts():
    """Products of weights and sums are beyond 64 bits."""
    large = 9_223_372_036_854 * 10**6
    ids = pa.chunked_array([["a", "b", "c"]])
    weights = np.array([large - 30 * 10**6, 20 * 10**6, 10 * 10**6], np.int64)
    caps = np.array([large // 3, UNCAPPED, UNCAPPED], np.int64)
    kept = keep_within(weights, caps, np.zeros(3, np.int64), ids, "")
    assert kept.amounts.tolist() == list(oracle.fill(*_named(weights, caps), {}, large, "").values())
    left = leave_below(weights, np.full(3, UNCAPPED), 15 * 10**6, ids, "")
    assert left.amounts.tolist() == [
        (large - 30 * 10**6) * large // (large - 10 * 10**6) + 1,
        20 * 10**6 * large // (large - 10 * 10**6),
        0,
    ]


def _named(weights, caps):
    limits = {name: inf if cap == UNCAPPED else cap for name, cap in zip("abc", caps.tolist(), strict=True)}
    return dict(zip("abc", weights.tolist(), strict=True)), limits
