"""A linear machine that tells the units of an index apart by their tokens and pairs of tokens (rule U18).

One support vector machine for each unit against the others (Joachims 1998; squared hinge loss), over terms that are
hashed into buckets (Weinberger and others 2009), weighed by TF-IDF. It is trained on passages of the corpus by
coordinate descent on the dual (Hsieh and others 2008), for all units at once. A span of the corpus itself is judged
by a machine that has not seen its fold, or its unit where that is left out; other text by one that has seen all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.folds import FOLDS, Folds
from royaltycli.attribution.grams import runs_of
from royaltycli.attribution.index import Index
from royaltycli.limits import MACHINE_PASSAGES, MACHINE_UNITS
from royaltycli.tokens.engines import Ids

Vector = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Unit = TypeVar("Unit", int, Numbers)
Terms = tuple[Numbers, Vector]
"""The buckets of a text's terms, and how much each weighs."""

BUCKETS = 1 << 16
ORDERS = (1, 2)
PASSAGE = 128
"""Tokens of a passage."""

COST, ROUNDS = 0.3, 4
"""What a passage on the wrong side costs, and how often each is gone through."""

MACHINES = 2 * FOLDS + 1
"""How many are trained: without each fold, without each fold and a part of the units as well, and one of everything."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The weights, a row for each bucket and a column for each unit, and by how rare it is what each bucket weighs."""

    weights: Vector
    rarity: Vector

    def decide(self, tokens: Ids) -> npt.NDArray[np.float64]:
        """How much a text is like each unit and unlike the others; about 1 or more for its own."""
        buckets, values = _scaled(_terms(tokens), self.rarity)
        decided: npt.NDArray[np.float64] = (values @ self.weights[buckets]).astype(np.float64)
        return decided


@dataclass(frozen=True, slots=True)
class Machines:
    """One that has seen everything; others that have not seen one of the folds; and, of those, some units either."""

    of_all: Machine
    without_fold: tuple[Machine, ...]
    without_units: tuple[Machine, ...]

    def without(self, fold: int, unit: int | None) -> Machine:
        """One that has seen nothing of a fold; nor of a unit, if the fold is the one that it `parts_with`."""
        return self.without_fold[fold] if unit is None else self.without_units[fold]


def parts_with(unit: Unit) -> Unit:
    """The fold of all others that is left out together with a unit as a whole."""
    return unit % FOLDS


@dataclass(frozen=True, slots=True)
class _Passages:
    """Stretches of the documents of an index: the unit of each, and the folds that it begins and ends in."""

    terms: list[Terms]
    units: Numbers
    begins: Folds
    ends: Folds


def machines(index: Index, tick: Callable[[int, int], None]) -> Machines | None:
    """Train them; None for an index of a single unit, or of too many. `tick` is told how many of how many are done."""
    if not 1 < len(index.units) <= MACHINE_UNITS:
        return None
    passages = _passages(index)
    rarity = _rarity(passages.terms)
    scaled = [_scaled(each, rarity) for each in passages.terms]
    made = []
    for number in range(MACHINES):
        tick(number, MACHINES)
        fold = number % FOLDS
        seen = np.ones(len(scaled), bool)
        if number < 2 * FOLDS:
            seen = (passages.begins != fold) & (passages.ends != fold)
        if FOLDS <= number < 2 * FOLDS:
            seen &= parts_with(passages.units) != fold
        weights = _trained([scaled[at] for at in np.flatnonzero(seen).tolist()], passages.units[seen], len(index.units))
        made.append(Machine(weights, rarity))
    tick(MACHINES, MACHINES)
    return Machines(made[-1], tuple(made[:FOLDS]), tuple(made[FOLDS:-1]))


def _passages(index: Index) -> _Passages:
    """Those of all documents, or so many of them, drawn the same each time."""
    lengths = np.concatenate([np.diff(model.starts) - 1 for model in index.models])
    counts = -(-lengths // PASSAGE)
    last = np.cumsum(counts)
    chosen = np.arange(min(last[-1], MACHINE_PASSAGES))
    if last[-1] > MACHINE_PASSAGES:
        chosen = np.sort(np.random.default_rng(0).choice(last[-1], MACHINE_PASSAGES, replace=False))
    documents = np.searchsorted(last, chosen, side="right")
    starts = (chosen - (last - counts)[documents]) * PASSAGE
    stops = np.minimum(starts + PASSAGE, lengths[documents])
    models = np.repeat(np.arange(len(index.models)), [len(model.units) for model in index.models])[documents]
    starts += np.concatenate([model.starts[:-1] for model in index.models])[documents]
    stops += np.concatenate([model.starts[:-1] for model in index.models])[documents]
    places = list(zip(models.tolist(), starts.tolist(), stops.tolist(), strict=True))
    return _Passages(
        [_terms(index.models[model].tokens(start, stop)) for model, start, stop in places],
        np.concatenate([model.units for model in index.models])[documents].astype(np.int64),
        np.array([index.models[model].folds[start] for model, start, _ in places], np.int8),
        np.array([index.models[model].folds[stop - 1] for model, _, stop in places], np.int8),
    )


def _terms(tokens: Ids) -> Terms:
    """Of each bucket the logarithms of how often its terms occur; half of the terms count against the others."""
    terms, times = np.unique(np.concatenate([runs_of(tokens, order) for order in ORDERS]), return_counts=True)
    signs = np.where((terms >> np.uint64(10)) & np.uint64(1), -1.0, 1.0)
    buckets, at = np.unique((terms >> np.uint64(20)) % np.uint64(BUCKETS), return_inverse=True)
    return buckets.astype(np.int64), np.bincount(at, signs * (1 + np.log(times))).astype(np.float32)


def _rarity(passages: list[Terms]) -> Vector:
    """The logarithm of how few passages have each bucket, plus one; 0 for those that one alone has."""
    having = np.bincount(np.concatenate([buckets for buckets, _ in passages]), minlength=BUCKETS)
    rarity = np.log((1 + len(passages)) / (1 + having)) + 1
    return np.where(having > 1, rarity, 0).astype(np.float32)


def _scaled(terms: Terms, rarity: Vector) -> Terms:
    """Terms by their rarity, as a vector of length one."""
    buckets, values = terms
    values = values * rarity[buckets]
    return buckets, values / np.maximum(np.sqrt(values @ values), np.float32(1e-6))


def _trained(passages: list[Terms], units: Numbers, columns: int) -> Vector:
    """The weights of a machine, the passages gone through in an order that is the same each time."""
    random = np.random.default_rng(0)
    weights = np.zeros((BUCKETS, columns), np.float32)
    sides = np.full((len(passages), columns), -1, np.float32)
    sides[np.arange(len(passages)), units] = 1
    duals = np.zeros_like(sides)
    slack = np.float32(1 / (2 * COST))
    for _ in range(ROUNDS):
        for at in random.permutation(len(passages)).tolist():
            buckets, values = passages[at]
            own, side, dual = weights[buckets], sides[at], duals[at]
            slope = side * (values @ own) - 1 + slack * dual
            better = np.maximum(dual - slope / (values @ values + slack), 0)
            weights[buckets] = own + values[:, None] * ((better - dual) * side)
            duals[at] = better
    return weights
