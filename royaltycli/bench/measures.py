"""What the benchmark measures, each a plain function, and how far chance may have moved it.

Every measure takes weights of its cases, so that the bootstrap can weigh documents: spans of one document
are alike, and to draw them one by one would make intervals too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from royaltycli.arrays import Floats, Mask, Numbers

ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure as measured, and the ends of its interval of 95 %."""

    value: float
    low: float
    high: float


def accuracy(right: Mask, weights: Floats | None = None) -> float:
    """Top-1 accuracy: the part of all cases, by weight, whose likeliest source is the right one."""
    return float(np.average(right, weights=weights))


def total_variation(one: Floats, two: Floats) -> float:
    """Half of the sum of all differences between two distributions: the part of the money that goes astray."""
    return float(np.abs(one - two).sum() / 2)


def auroc(positive: Floats, negative: Floats, weights: tuple[Floats, Floats] | None = None) -> float:
    """The area under the receiver operating characteristic.

    It is the probability that a positive case has a higher score than a negative one, a tie counting half (Hanley
    and McNeil 1982): the statistic of Mann and Whitney over the number of pairs.
    """
    up, down = weights or (np.ones(len(positive)), np.ones(len(negative)))
    order = np.argsort(negative, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(down[order])])
    first = below[np.searchsorted(negative[order], positive, "left")]
    last = below[np.searchsorted(negative[order], positive, "right")]
    return float(up @ (first + last) / 2 / (up.sum() * down.sum()))


def spearman(one: Floats, two: Floats) -> Floats:
    """Spearman's rank correlation of two tables (Spearman 1904), row by row; 0 where all of a row is alike."""
    first, second = (np.stack([_ranks(row) for row in table]) for table in (one, two))
    first, second = (table - table.mean(axis=1, keepdims=True) for table in (first, second))
    spread = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    found: Floats = (first * second).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    return found


def _ranks(values: Floats) -> Floats:
    """The place of each value in their order; those that are alike share theirs."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[at]
    return ranks


def interval(measure: Callable[[Floats], float], groups: Numbers) -> Estimate:
    """A measure with its interval by the percentile bootstrap over groups (Efron 1979; Field and Welsh 2007).

    `measure` is given the weight of each case: how often the group of the case was drawn. `groups` has a number for
    each case, such as that of its document; whole groups are drawn, with replacement, as many as there are.
    """
    random = np.random.default_rng(0)
    _, of = np.unique(groups, return_inverse=True)
    size = int(of.max()) + 1
    values = []
    for _ in range(ROUNDS):
        drawn = np.bincount(random.integers(0, size, size), minlength=size).astype(np.float64)
        values.append(measure(drawn[of]))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Estimate(measure(np.ones(len(of))), float(low), float(high))


def mean_interval(values: Floats) -> Estimate:
    """The mean of values that are drawn one by one, with its interval by the percentile bootstrap."""
    return interval(lambda weights: float(np.average(values, weights=weights)), np.arange(len(values)))
