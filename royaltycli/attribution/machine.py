"""A linear machine that tells the units of an index apart by their tokens and pairs of tokens (rule U18).

One support vector machine for each unit against the others (Joachims 1998; squared hinge loss), over terms that are
hashed into buckets (Weinberger and others 2009), weighed by TF-IDF. It is trained on passages of the corpus by
coordinate descent on the dual (Hsieh and others 2008), for all units at once. A span of the corpus itself is judged
by a machine that has not seen its document, or its unit where that is left out; other text by the mean of the machines
that have each seen most documents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.grams import runs_of
from royaltycli.attribution.index import Index
from royaltycli.limits import MACHINE_PASSAGES, MACHINE_UNITS
from royaltycli.tokens.engines import Ids

Vector = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Terms = tuple[Numbers, Vector]
"""The buckets of a text's terms, and how much each weighs."""

BUCKETS = 1 << 16
ORDERS = (1, 2)
PASSAGE = 128
"""Tokens of a passage."""

COST, ROUNDS = 0.3, 4
"""What a passage on the wrong side costs, and how often each is gone through."""

FOLDS = 5
"""Machines that have not seen a fifth of the documents, and as many that have not seen a fifth of the units."""


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
    """Machines that have each seen a part of an index: without a fold of its documents, or without a group of units."""

    without_documents: tuple[Machine, ...]
    without_units: tuple[Machine, ...]

    def without_document(self, document: int) -> Machine:
        """One that has not seen a document, by its number through all models; its unit has others."""
        return self.without_documents[document % FOLDS]

    def without_part(self, middle: float) -> Machine:
        """One that has not seen a fifth of each unit's only document, around a place from 0 to 1."""
        return self.without_documents[min(int(FOLDS * middle), FOLDS - 1)]

    def without_unit(self, unit: int) -> Machine:
        """One that has seen nothing of a unit."""
        return self.without_units[unit % FOLDS]

    def mean(self) -> Machine:
        """What judges text that is not in the index."""
        weights: Vector = np.stack([each.weights for each in self.without_documents]).mean(axis=0)
        return Machine(weights, self.without_documents[0].rarity)


@dataclass(frozen=True, slots=True)
class _Passages:
    """Stretches of the documents of an index: the unit of each, its document, and where in it it begins and ends.

    Documents are numbered through all models; a document begins at 0 and ends at 1.
    """

    terms: list[Terms]
    units: Numbers
    documents: Numbers
    begins: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]


def machines(index: Index, tick: Callable[[int, int], None]) -> Machines | None:
    """Train them; None for an index of a single unit, or of too many. `tick` is told how many of how many are done."""
    if not 1 < len(index.units) <= MACHINE_UNITS:
        return None
    passages = _passages(index)
    rarity = _rarity(passages.terms)
    scaled = [_scaled(each, rarity) for each in passages.terms]
    alone = index.documents[passages.units] == 1
    made = []
    for number in range(2 * FOLDS):
        tick(number, 2 * FOLDS)
        fold = number % FOLDS
        if number < FOLDS:
            # Around a span of a unit's only document a fifth is left out: up to half of one more on either side.
            near = (passages.begins < (fold + 1.5) / FOLDS) & (passages.ends > (fold - 0.5) / FOLDS)
            seen = np.where(alone, ~near, passages.documents % FOLDS != fold)
        else:
            seen = passages.units % FOLDS != fold
        chosen = np.flatnonzero(seen).tolist()
        weights = _trained([scaled[at] for at in chosen], passages.units[seen], len(index.units))
        made.append(Machine(weights, rarity))
    tick(2 * FOLDS, 2 * FOLDS)
    return Machines(tuple(made[:FOLDS]), tuple(made[FOLDS:]))


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
    begins = np.concatenate([model.starts[:-1] for model in index.models])[documents]
    places = zip(models.tolist(), (begins + starts).tolist(), (begins + stops).tolist(), strict=True)
    return _Passages(
        [_terms(index.models[model].tokens(start, stop)) for model, start, stop in places],
        np.concatenate([model.units for model in index.models])[documents].astype(np.int64),
        documents,
        starts / lengths[documents],
        stops / lengths[documents],
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
