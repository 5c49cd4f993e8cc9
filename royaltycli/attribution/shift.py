"""From probabilities span by span to the shares of usage behind all of them (rule U10).

The mean of calibrated probabilities leans towards the mixture that they were calibrated on. Expectation and
maximisation finds the mixture under which the spans are likeliest, and so corrects it (Saerens, Latinne and
Decaestecker 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

ROUNDS = 1000
BEFORE = 1
"""So many spans of the mixture that the probabilities were calibrated on come before those of the log, so that
a few spans that say nothing leave it at that (the maximum a posteriori for a Dirichlet prior)."""

MOST = 3.0
"""So many times the mean of its probabilities a share is at the most; what is beyond is of none. Text of other origin
that leans faintly towards some source, span after span, would else be found to be all of that source."""

CLOSE = 1e-10
"""The rounds end when no share changes by more than this in total."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Probabilities of spans, in entries: that the span `spans[i]` is of `units[i]` has probability `odds[i]`.

    The last unit, `size - 1`, stands for none. The probabilities of a span sum to one.
    """

    spans: Numbers
    units: Numbers
    odds: Vector
    size: int


def shares(judged: Judged, prior: Vector, weights: Vector, start: Vector | None = None, rounds: int = ROUNDS) -> Vector:
    """The share of each unit in all spans together, by their weights.

    `prior` has the shares in what the probabilities were calibrated on, all above zero. Spans that are surely of none
    are no part of the mixture, and are added as they are; without any others all is unattributed.
    """
    mixed = np.zeros(len(weights), bool)
    mixed[judged.spans[judged.units != judged.size - 1]] = True
    part = float(weights[mixed].sum() / max(weights.sum(), 1e-300))
    nobody = np.zeros(judged.size)
    nobody[-1] = 1.0
    if not part > 0:
        return nobody
    weights = np.where(mixed, weights, 0.0)
    found = _mixture(judged, prior, weights, prior if start is None else start, rounds)
    found[:-1] = np.minimum(found[:-1], MOST * mean(judged, weights)[:-1])
    found[-1] = 1.0 - found[:-1].sum()
    return part * found + (1 - part) * nobody


def mean(judged: Judged, weights: Vector) -> Vector:
    """The mean probability of each unit, by the weights of the spans, some of which are above zero."""
    sums = np.bincount(judged.units, judged.odds * weights[judged.spans], minlength=judged.size)
    found: Vector = sums / weights.sum()
    return found


def _mixture(judged: Judged, prior: Vector, weights: Vector, found: Vector, rounds: int) -> Vector:
    ratio = judged.odds / prior[judged.units]
    weights = weights / weights.sum()
    ahead = BEFORE / (BEFORE + np.count_nonzero(weights))
    for _ in range(rounds):
        parts = corrected(judged, ratio, found, len(weights))
        new = np.bincount(judged.units, parts * weights[judged.spans], minlength=judged.size) + ahead * prior
        new /= new.sum()
        change = float(np.abs(new - found).sum())
        found = new
        if change < CLOSE:
            break
    return found


def corrected(judged: Judged, ratio: Vector, found: Vector, spans: int) -> Vector:
    """The probabilities by entries, once the shares are what was found; `ratio` is the odds over the prior."""
    parts = ratio * found[judged.units]
    sums = np.bincount(judged.spans, parts, minlength=spans)
    return parts / np.maximum(sums, 1e-300)[judged.spans]
