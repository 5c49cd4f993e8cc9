"""From scores of spans to probabilities of texts (rule V4).

The scores of a text are the mean of those of its spans, by their tokens, times a factor that grows with its length as
a power: longer texts say more, but less than in proportion, as their spans are much alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from royaltycli.arrays import Floats, Mask, Numbers
from royaltycli.attribution.network.head import UNSEEN
from royaltycli.attribution.network.spans import LONG

PRECISION = 1e-3
"""Of both numbers of a calibration."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The factor is exp(`level` + `growth` · ln(tokens / LONG))."""

    level: float = 0.0
    growth: float = 0.0

    def factor(self, tokens: Numbers) -> Floats:
        """By how much the scores of texts of so many tokens are to be multiplied."""
        factors: Floats = np.exp(self.level + self.growth * np.log(np.maximum(tokens, 1) / LONG))
        return factors


def mean_scores(scores: Floats, tokens: Numbers, owners: Numbers, texts: int) -> tuple[Floats, Numbers]:
    """The mean scores of each text, by the tokens of its spans, and its tokens. A text without a span has zeros."""
    sums, sizes = np.zeros((texts, scores.shape[1])), np.zeros(texts, np.int64)
    np.add.at(sums, owners, scores * tokens[:, None])
    np.add.at(sizes, owners, tokens)
    return sums / np.maximum(sizes, 1)[:, None], sizes


def logarithms(scores: Floats) -> Floats:
    """The logarithms of probabilities that are in proportion to the exponentials of scores, by row."""
    scores = scores - scores.max(axis=1, keepdims=True)
    found: Floats = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return found


def seen(scores: Floats, right: Sequence[tuple[int, ...]]) -> Mask:
    """Of which texts the head that scored them has seen a right source."""
    return np.array([max(row[list(ones)]) > UNSEEN / 2 for row, ones in zip(scores, right, strict=True)], bool)


def calibrate(scores: Floats, tokens: Numbers, right: Sequence[tuple[int, ...]]) -> Calibration:
    """The calibration under which the right sources of texts that were held out are likeliest; by steps ever shorter.

    Where several are right, each counts as its part of the text. Texts of a source that was not seen say nothing; if
    there are no others, the calibration is the plain one.
    """
    size = np.log(np.maximum(tokens, 1) / LONG)
    known = seen(scores, right)
    if not known.any():
        return Calibration()
    scores, size = scores[known], size[known]
    right = [ones for ones, one in zip(right, known, strict=True) if one]
    truth = np.array([np.mean([row[one] for one in ones]) for row, ones in zip(scores, right, strict=True)])
    found = np.zeros(2)

    def loss(level: float, growth: float) -> float:
        factor = np.exp(level + growth * size)
        scaled = scores * factor[:, None]
        most = scaled.max(axis=1)
        return float(np.mean(np.log(np.exp(scaled - most[:, None]).sum(axis=1)) + most - truth * factor))

    value, step = loss(*found), 1.0
    while step > PRECISION:
        moves = [found + step * np.array(move) for move in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))]
        values = [loss(*move) for move in moves]
        if min(values) < value:
            value, found = min(values), moves[int(np.argmin(values))]
        else:
            step /= 2
    return Calibration(float(found[0]), float(found[1]))


def calibration_error(logs: Floats, right: Sequence[tuple[int, ...]], bins: int = 15) -> float:
    """The expected calibration error: by how much confidence and accuracy differ, in bins of confidence (Guo 2017)."""
    best = logs.argmax(axis=1)
    sure = np.exp(logs.max(axis=1))
    hit = np.array([one in ones for one, ones in zip(best.tolist(), right, strict=True)], float)
    which = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(hit[which == one].sum() - sure[which == one].sum()) for one in range(bins)]
    return float(sum(gaps) / max(1, len(best)))
