"""Exact quotas by float estimate: floor and remainder of units x weight / total for many weights at once.

The estimate is a double, so it may miss the floor; the remainder that it would leave is computed in
integers modulo 2^64, where it is exact, and says by how much it missed. The preconditions and the proof
are section "Quotas" of docs/spec-allocation.md; `fits` checks the preconditions on every call.
"""

from __future__ import annotations

import numpy as np

from royaltycli.arrays import CHUNK, Integers, Numbers


def fits(units: int, largest: int, total: int) -> bool:
    """Whether `fast_quotas` is exact for weights from 0 to `largest` (rules Q1 and Q2)."""
    quota = units * largest // total
    miss = quota // 2**51 + 1
    return quota < 2**62 and (miss + 1) * total <= 2**63


def quotas(weights: Integers, units: int, total: int) -> tuple[Numbers, Integers]:
    """Floor and remainder of `units * weight / total` for each weight; the total must be over 0.

    The floors must be below 2**63. Remainders are int64, or Python ints where they need to be.
    """
    if weights.dtype != object and fits(units, int(weights.max(initial=0)), total):
        return fast_quotas(weights, units, total)
    floors = np.empty(len(weights), np.int64)
    remainders = np.empty(len(weights), object)
    for start in range(0, len(weights), CHUNK):
        for index, weight in enumerate(weights[start : start + CHUNK].tolist(), start):
            floors[index], remainders[index] = divmod(units * weight, total)
    return floors, remainders


def fast_quotas(weights: Numbers, units: int, total: int) -> tuple[Numbers, Numbers]:
    """The same for int64 weights for which `fits` holds."""
    floors = np.empty(len(weights), np.int64)
    remainders = np.empty(len(weights), np.int64)
    estimate = np.empty(min(CHUNK, len(weights)), np.float64)
    product = np.empty(len(estimate), np.uint64)
    ratio = units / total  # of Python ints, so correctly rounded
    modular_units, modular_total = np.uint64(units % 2**64), np.uint64(total)
    for start in range(0, len(weights), CHUNK):
        here = slice(start, start + CHUNK)
        weight, floor, remainder = weights[here], floors[here], remainders[here]
        size = len(weight)
        np.multiply(weight, ratio, out=estimate[:size])
        floor[:] = estimate[:size]
        wrapped = remainder.view(np.uint64)  # unsigned integers wrap by definition
        np.multiply(weight.view(np.uint64), modular_units, out=wrapped)
        np.multiply(floor.view(np.uint64), modular_total, out=product[:size])
        np.subtract(wrapped, product[:size], out=wrapped)
        if wrapped.max() >= modular_total:
            missed = np.flatnonzero(wrapped >= modular_total)
            by = remainder[missed] // total
            floor[missed] += by
            remainder[missed] -= by * total
    return floors, remainders
