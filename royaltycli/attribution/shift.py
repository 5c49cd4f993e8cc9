"""From probabilities span by span to the shares of usage behind all of them (rule U10).

The mean of calibrated probabilities leans towards the mixture that they were calibrated on. Expectation and
maximisation finds the mixture under which the spans are likeliest, and so corrects it (Saerens, Latinne and
Decaestecker 2002). What is of none is told apart by the unit that it is most like: text of other origin that is like
one source would else be likelier to be that source's than to be of none, which is like all of them.
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

MOST = 2.0
"""So many times the mean of its probabilities a share is at the most; what is beyond is of none. Text of other origin
that leans faintly towards some source, span after span, would else be found to be all of that source."""

LEANING = 60.0
"""So many spans come before those of the log that say to which units what is of none leans: as it does in the
calibration, where all kinds of text are of none. A log of one kind of text of other origin leans to a few."""

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


def leaning(judged: Judged) -> Judged:
    """The same, with what is of none divided by the units that it leans to, as their probabilities are.

    Of `size` units, the last ones in place of none, each has its like `size // 2` further on. Spans that are surely of
    none have no entries.
    """
    none = np.zeros(int(judged.spans.max(initial=-1)) + 1)
    known = judged.units < judged.size - 1
    none[judged.spans[~known]] = judged.odds[~known]
    spans, units, odds = judged.spans[known], judged.units[known], judged.odds[known]
    lean = odds * (none / np.maximum(np.bincount(spans, odds, minlength=len(none)), 1e-300))[spans]
    size = judged.size - 1
    return Judged(
        np.concatenate([spans, spans]), np.concatenate([units, units + size]), np.concatenate([odds, lean]), 2 * size
    )


def shares(judged: Judged, prior: Vector, weights: Vector, start: Vector | None = None, rounds: int = ROUNDS) -> Vector:
    """The share of each unit in all spans together, by their weights; then of none by units (`leaning`), and of none.

    `prior` has the shares in what the probabilities were calibrated on, all above zero: of units, and of none by
    units. Spans that are surely of none are no part of the mixture, and are added as they are; without any others
    all is unattributed.
    """
    mixed = np.zeros(len(weights), bool)
    mixed[judged.spans[judged.units != judged.size - 1]] = True
    part = float(weights[mixed].sum() / max(weights.sum(), 1e-300))
    units = judged.size - 1
    nobody = np.zeros(2 * units + 1)
    nobody[-1] = 1.0
    if not part > 0:
        return nobody
    weights = np.where(mixed, weights, 0.0)
    found = np.append(_mixture(leaning(judged), prior, weights, prior if start is None else start[:-1], rounds), 0.0)
    found[:units] = np.minimum(found[:units], MOST * mean(judged, weights)[:-1])
    found[-1] = 1.0 - found[:-1].sum()
    return part * found + (1 - part) * nobody


def folded(found: Vector) -> Vector:
    """Shares, in one row or many, with all that is of none in the last place."""
    units = found.shape[-1] // 2
    return np.concatenate([found[..., :units], found[..., units:].sum(axis=-1, keepdims=True)], axis=-1)


def mean(judged: Judged, weights: Vector) -> Vector:
    """The mean probability of each unit, by the weights of the spans, some of which are above zero."""
    sums = np.bincount(judged.units, judged.odds * weights[judged.spans], minlength=judged.size)
    found: Vector = sums / weights.sum()
    return found


def _mixture(judged: Judged, prior: Vector, weights: Vector, found: Vector, rounds: int) -> Vector:
    ratio = judged.odds / prior[judged.units]
    weights = weights / weights.sum()
    spans = int(np.count_nonzero(weights))
    ahead = BEFORE / (BEFORE + spans)
    units = judged.size // 2
    usual = prior[units:] / prior[units:].sum()
    for _ in range(rounds):
        parts = corrected(judged, ratio, found, len(weights))
        new = np.bincount(judged.units, parts * weights[judged.spans], minlength=judged.size) + ahead * prior
        new /= new.sum()
        none = float(new[units:].sum())
        new[units:] = none * (new[units:] * spans + LEANING * usual) / (none * spans + LEANING)
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
