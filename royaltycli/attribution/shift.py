"""From probabilities span by span to the shares of usage behind all of them (rule U10).

The mean of calibrated probabilities leans towards the mixture that they were calibrated on. Expectation and
maximisation finds the mixture under which the spans are likeliest, and so corrects it (Saerens, Latinne and
Decaestecker 2002). What is of none is told apart by the unit that it is most like: text of other origin that is like
one source would else be likelier to be that source's than to be of none, which is like all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from royaltycli.arrays import Floats, Numbers

ROUNDS = 1000
BEFORE = 0.5
"""So many spans of the mixture that the probabilities were calibrated on come before those of the log, so that
a few spans that say nothing leave it at that (the maximum a posteriori for a Dirichlet prior)."""

EACH = 1.0
"""So many spans more that are of a unit, or lean to it, say how much of them is of none: as much as in the calibration.
A few spans that are rather of none, or rather not, would else be found to be so altogether."""

FAINT = 0.04
"""This part of all is taken from what is of none, in each round: of a log that has less of it than that, none is found.
A component that too little speaks for is given up (Figueiredo and Jain 2002). Known text that is hard to tell differs
from log to log, and what is of none, free to be like any units, would explain it better than its own source."""

SPARSE = 16
"""Of a table of spans by units one in so many entries must be there, for the table to be made."""

CLOSE = 1e-10
"""The rounds end when no share changes by more than this in total."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Probabilities of spans, in entries: that the span `spans[i]` is of `units[i]` has probability `odds[i]`.

    The last unit, `size - 1`, stands for none. The probabilities of a span sum to one.
    """

    spans: Numbers
    units: Numbers
    odds: Floats
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


def shares(judged: Judged, prior: Floats, weights: Floats) -> Floats:
    """The share of each unit in all spans together, by their weights; then of none by units (`leaning`), and of none.

    `prior` has the shares in what the probabilities were calibrated on: of units, and of none by units, above zero for
    all that a span may be of. Spans that are surely of none are no part of the mixture, and are added as they are;
    without any others all is unattributed.
    """
    likely = _Entries(leaning(judged), prior, len(weights))
    found: Floats = _shares(likely, judged, prior, weights, weights[None, :], ROUNDS)[0]
    return found


def shares_of_draws(judged: Judged, prior: Floats, weights: Floats, draws: Floats, rounds: int) -> Floats:
    """The shares by each of some weights of the spans, a row each, as `shares` gives them if there are enough `rounds`.

    They are draws from spans with these `weights`, of as many spans as those are. Many rows at a time take a part of
    the time only, unless there are many more units than candidates of a span.
    """
    split = leaning(judged)
    full = len(split.odds) * SPARSE >= draws.shape[1] * split.size
    likely = (_Table if full else _Entries)(split, prior, draws.shape[1])
    return _shares(likely, judged, prior, weights, draws, rounds)


def _shares(likely: _Likely, judged: Judged, prior: Floats, of_log: Floats, weights: Floats, rounds: int) -> Floats:
    """Shares by rows of weights of all spans, which are draws from those of a log."""
    mixed = np.zeros(weights.shape[1], bool)
    mixed[judged.spans[judged.units != judged.size - 1]] = True
    part = weights[:, mixed].sum(axis=1, keepdims=True) / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    units = judged.size - 1
    found = np.zeros((len(weights), 2 * units + 1))
    found[:, -1:] = 1.0 - part
    some = part[:, 0] > 0
    if not some.any():
        return found
    weights = np.where(mixed, weights, 0.0)[some]
    weights /= weights.sum(axis=1, keepdims=True)
    found[some, :-1] = part[some] * _mixture(likely, prior, weights, as_many(of_log[mixed]), rounds)
    return found


def as_many(weights: Floats) -> float:
    """As many of the same weight tell as much as those of such weights, of which some are above zero.

    It is the effective sample size (Kish 1965).
    """
    weights = weights / weights.max()
    return float(weights.sum() ** 2 / (weights @ weights))


def folded(found: Floats) -> Floats:
    """Shares, in one row or many, with all that is of none in the last place."""
    units = found.shape[-1] // 2
    return np.concatenate([found[..., :units], found[..., units:].sum(axis=-1, keepdims=True)], axis=-1)


def mean(judged: Judged, weights: Floats) -> Floats:
    """The mean probability of each unit, by the weights of the spans, some of which are above zero."""
    sums = np.bincount(judged.units, judged.odds * weights[judged.spans], minlength=judged.size)
    found: Floats = sums / sums.sum()  # whose last bits are those of the sums: all together is 1, and no more
    return found


class _Likely(Protocol):
    """How likely each span is by each unit: its probabilities over their shares in the calibration."""

    def of_spans(self, shares: Floats) -> Floats:
        """How likely the spans are by mixtures of units, rows of shares: a row of spans for each."""

    def of_units(self, weights: Floats) -> Floats:
        """The sums over spans by their weights, in rows: a row of units for each."""


class _Entries:
    """Each span by its candidates alone; row after row."""

    def __init__(self, judged: Judged, prior: Floats, spans: int) -> None:
        self._judged, self._spans, self._ratio = judged, spans, judged.odds / prior[judged.units]

    def of_spans(self, shares: Floats) -> Floats:
        each = self._judged
        return np.stack([np.bincount(each.spans, self._ratio * row[each.units], self._spans) for row in shares])

    def of_units(self, weights: Floats) -> Floats:
        each = self._judged
        return np.stack([np.bincount(each.units, self._ratio * row[each.spans], each.size) for row in weights])


class _Table:
    """Each span by every unit; all rows at a time."""

    def __init__(self, judged: Judged, prior: Floats, spans: int) -> None:
        self._ratio = np.zeros((spans, judged.size))
        self._ratio[judged.spans, judged.units] = judged.odds / prior[judged.units]

    def of_spans(self, shares: Floats) -> Floats:
        likely: Floats = shares @ self._ratio.T
        return likely

    def of_units(self, weights: Floats) -> Floats:
        sums: Floats = weights @ self._ratio
        return sums


def _mixture(likely: _Likely, prior: Floats, weights: Floats, spans: float, rounds: int) -> Floats:
    """The mixture by each row of weights, which are of so many spans; all begin as that of the calibration."""
    found = np.tile(prior, (len(weights), 1))
    ahead, each = BEFORE / spans, EACH / spans
    units = len(prior) // 2
    usual = np.repeat([prior[:units].sum(), prior[units:].sum()], units)
    for _ in range(rounds):
        parts = weights / np.maximum(likely.of_spans(found), 1e-300)
        new = found * likely.of_units(parts) + ahead * prior
        both = np.tile(new[:, :units] + new[:, units:], 2)  # what is of a unit or leans to it; it stays as much
        new = (new + each * usual) * both / (both + each)
        new /= new.sum(axis=1, keepdims=True)
        none = new[:, units:].sum(axis=1, keepdims=True)
        new[:, units:] *= np.maximum(none - FAINT, 0) / np.maximum(none, 1e-300)
        new /= new.sum(axis=1, keepdims=True)
        change = np.abs(new - found).sum(axis=1).max()
        found = new
        if change < CLOSE:
            break
    return found


def corrected(judged: Judged, ratio: Floats, found: Floats, spans: int) -> Floats:
    """The probabilities by entries, once the shares are what was found; `ratio` is the odds over the prior."""
    parts = ratio * found[judged.units]
    sums = np.bincount(judged.spans, parts, minlength=spans)
    return parts / np.maximum(sums, 1e-300)[judged.spans]
