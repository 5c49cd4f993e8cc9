"""Which of several units a span is of, or none: a conditional logit model over their measures (rule U8).

P(unit) is proportional to the unit's part of the corpus times exp(weights · measures of the unit), and P(none) to
exp(span weights · measures of the span) (McFadden 1974). The weights are the same for all units, so a new source
needs no training; there are few of them, and what they are fitted to is convex, so Newton's method finds the one best
answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.evidence import Evidence

Vector = npt.NDArray[np.float64]

PENALTY = 0.1
"""Of the square of each weight, the measures scaled to a spread of one: so much against the loss of all examples."""

STEPS = 100
SHORT, CLOSE = 1e-6, 1e-10
"""The shortest part of a step that is tried, and the least gain for which another is."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The weights of the measures of a unit, and of those of a span."""

    weights: Vector
    none: Vector


@dataclass(frozen=True, slots=True)
class Example:
    """Evidence, and which of its candidates is right: a row of it, or -1 for none. `weight` is above 0."""

    evidence: Evidence
    right: int
    weight: float = 1.0


def probabilities(choice: Choice, evidence: Evidence) -> tuple[Vector, float]:
    """The probability of each candidate, and that of none."""
    scores = np.append(evidence.before + evidence.measures @ choice.weights, evidence.span @ choice.none)
    odds = np.exp(scores - scores.max())
    odds /= odds.sum()
    return odds[:-1], float(odds[-1])


def fit(examples: Sequence[Example]) -> Choice:
    """The weights under which the right answers are likeliest, less a penalty for large weights."""
    parts = [_rows(example.evidence) for example in examples]
    sizes = np.array([len(part) for part in parts])
    rows = np.concatenate(parts)
    before = np.concatenate([np.append(example.evidence.before, 0.0) for example in examples])
    scale = np.maximum(rows.std(axis=0), 1e-9)
    rows /= scale
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    # The row of none is the last of each example.
    right = starts + np.array(
        [example.right if example.right >= 0 else len(example.evidence.units) for example in examples]
    )
    weight = np.array([example.weight for example in examples])
    penalty = PENALTY / weight.sum()
    weight /= weight.sum()
    each = np.repeat(weight, sizes)
    weights = np.zeros(rows.shape[1])
    value = _loss(rows, before, starts, sizes, right, weight, weights, penalty)
    for _ in range(STEPS):
        odds = _odds(rows @ weights + before, starts, sizes)
        expected = np.add.reduceat(odds[:, None] * rows, starts)
        slope = weight @ (expected - rows[right]) + penalty * weights
        curve = (rows * (each * odds)[:, None]).T @ rows - (expected * weight[:, None]).T @ expected
        step = np.linalg.solve(curve + penalty * np.eye(len(weights)), slope)
        length = 1.0
        new = _loss(rows, before, starts, sizes, right, weight, weights - step, penalty)
        while new > value and length > SHORT:
            length /= 2
            new = _loss(rows, before, starts, sizes, right, weight, weights - length * step, penalty)
        weights = weights - length * step
        if value - new < CLOSE:
            break
        value = new
    weights /= scale
    units = examples[0].evidence.measures.shape[1]
    return Choice(weights[:units], weights[units:])


def _rows(evidence: Evidence) -> Vector:
    """The measures of all candidates and of none, those of units and of the span side by side."""
    rows = np.zeros((len(evidence.units) + 1, evidence.measures.shape[1] + len(evidence.span)))
    rows[:-1, : evidence.measures.shape[1]] = evidence.measures
    rows[-1, evidence.measures.shape[1] :] = evidence.span
    return rows


def _odds(scores: Vector, starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> Vector:
    scores = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
    odds: Vector = scores / np.repeat(np.add.reduceat(scores, starts), sizes)
    return odds


def _loss(
    rows: Vector,
    before: Vector,
    starts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    weight: Vector,
    weights: Vector,
    penalty: float,
) -> float:
    scores = rows @ weights + before
    most = np.maximum.reduceat(scores, starts)
    sums = np.log(np.add.reduceat(np.exp(scores - np.repeat(most, sizes)), starts)) + most
    return float(weight @ (sums - scores[right]) + penalty / 2 * weights @ weights)
