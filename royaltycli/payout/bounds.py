"""Caps and floors: money shared out anew until nobody is beyond them (docs/spec-policy.md, rules Y10 and Y11)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.errors import AmountError
from royaltycli.payout.allocation import allocate, exact_sum
from royaltycli.payout.distribution import Amounts
from royaltycli.payout.quotas import quotas

ALIKE = 1000
"""Millionths by which rounding may part those who are equal: where some leave, all of them do."""

UNCAPPED = 2**63 - 1
"""The cap of one that has none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What everybody comes to within the bounds, and what is `left`: it was above caps, or nobody may have it."""

    amounts: Amounts
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Settled:
    """Who is at a bound, and what is left for the free ones, in proportion to their weights."""

    amounts: Amounts
    free: Numbers
    left: int


def keep_within(
    weights: Amounts, caps: Amounts, floors: Amounts, ids: pa.ChunkedArray, period: str, total: int | None = None
) -> Kept:
    """Share `total` (by default the sum of the weights) out by weights, nobody beyond cap or floor.

    A weight of zero gets nothing. No floor may be above its cap. Raises AmountError if there is less than
    the floors come to.
    """
    settled = _settle(weights, caps, floors, exact_sum(weights) if total is None else total)
    if not len(settled.free):
        return Kept(settled.amounts, settled.left)
    amounts = settled.amounts
    amounts[settled.free] = allocate(settled.left, weights[settled.free], ids.take(pa.array(settled.free)), period)
    return Kept(amounts)


def cut_to(weights: Amounts, caps: Amounts) -> Kept:
    """Cut everybody to its cap; what is cut is not for the others."""
    amounts = np.minimum(weights, caps)
    return Kept(amounts, exact_sum(weights - amounts))


def leave_below(weights: Amounts, caps: Amounts, floor: int, ids: pa.ChunkedArray, period: str) -> Kept:
    """Share the sum of the weights out among those who come to `floor` at least; the others leave it to them.

    The smallest weights leave, as few as may be: the more leave, the more the others come to, so the
    smallest weight that can stay is found by halving. The floor must not be above a cap.
    """
    total = exact_sum(weights)
    nothing = np.zeros(len(weights), np.int64)
    distinct = np.unique(weights[weights > 0])
    low, high = 0, len(distinct)
    while low < high:
        middle = (low + high) // 2
        if _stays(weights, caps, int(distinct[middle]), floor, total):
            high = middle
        else:
            low = middle + 1
    if low:
        low = int(np.searchsorted(distinct, distinct[low - 1] + ALIKE, side="right"))
    if low == len(distinct):
        return Kept(nothing, total)
    staying = np.where(weights >= distinct[low], weights, 0)
    return keep_within(staying, caps, nothing, ids, period, total)


def _stays(weights: Amounts, caps: Amounts, smallest: int, floor: int, total: int) -> bool:
    """Whether those of weight `smallest` come to the floor when all with smaller weights leave."""
    staying = np.where(weights >= smallest, weights, 0)
    settled = _settle(staying, caps, np.zeros(len(weights), np.int64), total)
    free = weights[settled.free]
    if not (free == smallest).any():
        return True  # they are at their caps, and no cap is below the floor
    return smallest * settled.left >= floor * exact_sum(free)


def _settle(weights: Amounts, caps: Amounts, floors: Amounts, total: int) -> _Settled:
    """Settle at a bound, again and again, those whom it holds; who is left is free.

    Those above their caps and those below their floors pull in opposite ways: only the side on which more
    is at stake is settled at once, as for the other the sharing anew may yet mend it.
    """
    amounts = np.zeros(len(weights), np.int64)
    free, left = np.flatnonzero(weights > 0), total
    while len(free):
        weight = exact_sum(weights[free])
        quota, remainder = quotas(weights[free], left, weight)
        cap, floor = caps[free], floors[free]
        high, low = quota >= cap, (quota < floor) | ((quota == floor) & (remainder == 0) & (floor > 0))
        over = (exact_sum(quota[high]) - exact_sum(cap[high])) * weight + exact_sum(remainder[high])
        under = (exact_sum(floor[low]) - exact_sum(quota[low])) * weight - exact_sum(remainder[low])
        settled = (high & (over >= under)) | (low & (under >= over))
        if not settled.any():
            break
        bound = np.where(high, cap, floor)[settled]
        amounts[free[settled]] = bound
        left -= exact_sum(bound)
        free = free[~settled]
        if left < 0:
            raise AmountError("the floors of the policy come to more than there is to share; lower them")
    return _Settled(amounts, free, left)
