"""Whole units shared out by weight: the method of largest remainder (docs/spec-allocation.md, rules A1 to A6)."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np
import pyarrow as pa

from royaltycli.arrays import CHUNK, Integers, Numbers, exact_sum
from royaltycli.errors import AmountError
from royaltycli.payout.currency import POOL_UNITS
from royaltycli.payout.quotas import quotas
from royaltycli.payout.ties import check_period, first_by_key


def allocate(units: int, weights: Integers | Sequence[int], ids: pa.Array | Sequence[str], period: str) -> Numbers:
    """Share `units` out in proportion to `weights`; the result sums to `units` exactly.

    Each gets the whole part of its quota, units x weight / total; what is left goes one each to the
    largest remainders, and ties go to the ids with the smaller SHA-256 of period and id. `weights` are
    integers of zero or more: an int64 or uint64 array, or Python ints of any size.

    Raises AmountError if there are units but no weight to give them to, if a weight is negative, or if
    there are more than POOL_UNITS units; CallError if the period cannot be hashed.
    """
    check_period(period)
    exact = as_integers(weights)
    if len(exact) != len(ids):
        raise AmountError(f"there are {len(exact)} weights for {len(ids)} ids; give one each")
    if not 0 <= units <= POOL_UNITS:
        raise AmountError(f"{units} units cannot be shared out; give 0 to {POOL_UNITS}")
    if len(exact) and exact.min() < 0:
        row = int(np.argmin(exact))
        raise AmountError(f"the weight of {ids[row]} is {exact[row]}, but must be zero or more")
    if units == 0:
        return np.zeros(len(exact), np.int64)
    total = exact_sum(exact)
    if total == 0:
        raise AmountError(f"{units} units cannot be shared out, as all weights are zero; count some tokens first")
    floors, remainders = quotas(exact, units, total)
    left = units - int(floors.sum())  # the floors sum to the units at most, so this cannot wrap
    if left:
        _give_left(floors, remainders, left, ids, period)
    return floors


def _give_left(floors: Numbers, remainders: Integers, left: int, ids: pa.Array | Sequence[str], period: str) -> None:
    """Add the units left over, one each, to the floors with the largest remainders."""
    size = len(floors)
    level = np.partition(remainders, size - left)[size - left]
    needed, ties = left, []
    for start in range(0, size, CHUNK):
        remainder = remainders[start : start + CHUNK]
        above = remainder > level
        floors[start : start + CHUNK] += above
        needed -= int(np.count_nonzero(above))
        ties.append(np.flatnonzero(remainder == level) + start)
    tied = np.concatenate(ties)
    floors[tied if len(tied) == needed else first_by_key(ids, tied, needed, period)] += 1


def as_integers(weights: Integers | Sequence[int]) -> Integers:
    """Weights as an int64 array if they fit, else as an object array of Python ints."""
    if isinstance(weights, np.ndarray):
        if weights.dtype == np.int64:
            return weights
        if weights.dtype.kind in "iu" and weights.max(initial=0) < 2**63:
            return weights.astype(np.int64)
        weights = weights.tolist()
    whole = [index(weight) for weight in weights]  # a float is refused, not cut
    fit = min(whole, default=0) >= -(2**63) and max(whole, default=0) < 2**63
    return np.array(whole, np.int64 if fit else object)
