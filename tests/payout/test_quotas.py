"""docs/spec-allocation.md, rules Q1 to Q3: floors and remainders by estimate, against divmod."""

from __future__ import annotations

import random

import numpy as np
import pytest

from royaltycli.arrays import CHUNK
from royaltycli.payout.quotas import fast_quotas, fits, quotas


def expected(weights, units, total):
    pairs = [divmod(units * weight, total) for weight in weights]
    return [floor for floor, _ in pairs], [remainder for _, remainder in pairs]


def computed(function, weights, units, total):
    floors, remainders = function(np.array(weights), units, total)
    return floors.tolist(), remainders.tolist()


@pytest.mark.parametrize(
    ("units", "total"),
    [
        (2**51 - 1, 2**62),  # the estimate misses by one at most
        (2**51 - 1, 2**62 - 1),
        (2**52, 2**61),  # by up to three
        (2**60, 2**53),  # by up to 513
        (2**62 - 1, 2**51 - 1),
        (10**15, 3 * 10**17 + 1),
        (1, 2**62),
    ],
)
def test_exact_up_to_the_very_bounds(units, total):
    """Weights around the multiples of total / units, where a quota is whole or just is not."""
    assert fits(units, total, total)
    chance = random.Random(units ^ total)
    weights = [0, 1, total - 1, total]
    for _ in range(20_000):
        whole = chance.randrange(units + 1) * total // units
        weights += [min(total, max(0, whole + step)) for step in (-1, 0, 1)]
    assert computed(fast_quotas, weights, units, total) == expected(weights, units, total)


@pytest.mark.parametrize(("units", "total"), [(2**51, 2**62), (2**51 - 1, 2**62 + 1), (2**60, 2**55), (2**62, 2)])
def test_rule_q3_beyond_the_bounds_the_exact_way_is_taken(units, total):
    assert not fits(units, total, total)
    weights = [0, 1, total // 3, total - 1, total]
    assert computed(quotas, weights, units, total) == expected(weights, units, total)


def test_rule_q3_is_needed():
    """Beyond the bound the fast way does go wrong: the check guards something."""
    total, units = 2**63 - 25, 2**62 - 57
    weights = [random.Random(seed).randrange(total) for seed in range(1000)]
    assert not fits(units, total, total)
    assert computed(fast_quotas, weights, units, total) != expected(weights, units, total)


def test_rule_q1_estimates_do_miss_and_are_corrected():
    """Without the correction of rule Q2 some of these floors would be wrong, so the tests above test it."""
    units, total = 2**51 - 1, 2**61 - 1
    weights = [number * total // units for number in range(units - 3000, units - 1000)]
    naive = np.floor(np.array(weights) * (units / total)).astype(np.int64).tolist()
    floors, _ = expected(weights, units, total)
    assert naive != floors
    assert computed(fast_quotas, weights, units, total)[0] == floors


def test_a_small_weight_may_have_more_units_than_a_double_is_exact_for():
    """Q1 looks at the largest quota and not at the units: here 10^18 units, of which each gets little."""
    weights = [10**6 + number for number in range(3 * CHUNK + 5)]
    total = sum(weights)
    assert fits(10**18, max(weights), total)
    assert computed(quotas, weights, 10**18, total) == expected(weights, 10**18, total)
