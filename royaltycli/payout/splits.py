"""A source's payout split among its holders (docs/spec-allocation.md, rules H1 to H4)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Mask, Numbers
from royaltycli.payout.holders import Parts
from royaltycli.payout.quotas import CHUNK, Integers
from royaltycli.payout.ties import tie_key


def split(payouts: Numbers, parts: Parts, period: str) -> Numbers:
    """What each part gets of its source's payout, in minor units; the parts of a source sum to its payout.

    Largest remainder within the source, over the exact shares; a tie goes to the smaller SHA-256 of
    period, source id and holder id.
    """
    units: Numbers = payouts[parts.source]  # right as it stands for a source with one holder
    firsts = np.cumsum(parts.counts) - parts.counts
    for holders in np.unique(parts.counts).tolist():
        if holders <= 1:
            continue
        # A payout of nothing splits into nothings, which are there already.
        sources = np.flatnonzero((parts.counts == holders) & (payouts > 0))
        step = max(1, CHUNK // holders)
        for start in range(0, len(sources), step):
            rows = sources[start : start + step]
            where = firsts[rows][:, None] + np.arange(holders)
            units[where] = _split_rows(payouts[rows], where, parts, period)
    return units


def _split_rows(payouts: Numbers, where: Numbers, parts: Parts, period: str) -> Numbers:
    """The same for sources with equally many holders; `where` has a row of parts for each."""
    numerators: Integers = parts.numerators[parts.share[where]]
    amounts: Integers = payouts
    if int(payouts.max()) * parts.denominator >= 2**63:
        amounts, numerators = payouts.astype(object), numerators.astype(object)
    products = amounts[:, None] * numerators
    floors = (products // parts.denominator).astype(np.int64)
    remainders = products % parts.denominator
    left = payouts - floors.sum(axis=1)
    for count in np.unique(left[left > 0]).tolist():
        rows = np.flatnonzero(left == count)
        remainder = remainders[rows]
        level = np.sort(remainder, axis=1)[:, -count][:, None]
        above, tied = remainder > level, remainder == level
        needed = count - above.sum(axis=1)
        contested = np.flatnonzero(tied.sum(axis=1) > needed)
        tied[contested] = _winners(tied[contested], needed[contested], where[rows[contested]], parts, period)
        floors[rows] += above | tied
    return floors


def _winners(tied: Mask, needed: Numbers, where: Numbers, parts: Parts, period: str) -> Mask:
    """Of the tied parts of each source, as many as are needed: those with the smaller keys."""
    won = np.zeros_like(tied)
    rows, columns = np.nonzero(tied)
    rivals = where[rows, columns]
    sources = parts.source_ids.take(pa.array(parts.source[rivals])).to_pylist()
    holders = parts.ids.take(pa.array(parts.holder[rivals])).to_pylist()
    keys = [tie_key(period, source, holder) for source, holder in zip(sources, holders, strict=True)]
    by_key = sorted(zip(rows.tolist(), keys, columns.tolist(), strict=True))
    open_places = needed.tolist()
    for row, _, column in by_key:
        if open_places[row]:
            won[row, column] = True
            open_places[row] -= 1
    return won
