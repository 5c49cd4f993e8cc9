"""A linear machine that tells the units of an index apart by the runs of one to four tokens that a text has (rule U18).

One support vector machine for each unit against the others (Joachims 1998; squared hinge loss), over terms that
weigh by how rare they are, however often a text has them. It is trained on passages of the corpus by coordinate
descent on the dual (Hsieh and others 2008), for all units at once. A span of the corpus itself is judged by a machine
that has not seen its fold, or its unit where that is left out; other text by one that has seen all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.folds import FOLDS, Folds
from royaltycli.attribution.grams import runs_of
from royaltycli.attribution.hashing import Hashes
from royaltycli.attribution.index import Index
from royaltycli.limits import MACHINE_PASSAGES, MACHINE_UNITS, MACHINE_WEIGHTS
from royaltycli.tokens.engines import Ids

Vector = npt.NDArray[np.float32]
Unit = TypeVar("Unit", int, Numbers)
Terms = tuple[Numbers, Vector]
"""The rows of a text's terms, and how much each weighs."""

ORDERS = (1, 2, 3, 4)
LEAST = 3
"""Passages that have a term which counts. What fewer have says more of a document than of its unit."""

PASSAGE = 64
"""Tokens of a passage."""

COST, ROUNDS = 0.6, 3
"""What a passage on the wrong side costs, and how often each is gone through."""

MACHINES = 2 * FOLDS + 1
"""How many there are: without each fold, without each fold and a part of the units as well, and one of everything."""

OF_ALL = MACHINES - 1
"""The number of the one that has seen everything."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The sorted hashes of its terms; for each a row of weights, a column for each unit; and how much it weighs.

    Weights are of half precision: they decide the same, in half the room.
    """

    terms: Hashes
    weights: npt.NDArray[np.float16]
    rarity: Vector

    def decide(self, tokens: Ids) -> Floats:
        """How much a text is like each unit and unlike the others; about 1 or more for its own."""
        found = _terms(tokens)
        at = np.searchsorted(self.terms, found)
        at = at[self.terms.take(at, mode="clip") == found] if len(self.terms) else at[:0]
        rows, values = _scaled(at, self.rarity)
        return _product(values, self.weights[rows].astype(np.float32)).astype(np.float64)


def number_of(fold: int, unit: int | None) -> int:
    """The number of one that has seen nothing of a fold; nor of a unit, if the fold is the one that it `parts_with`."""
    return fold if unit is None else FOLDS + fold


def parts_with(unit: Unit) -> Unit:
    """The fold of all others that is left out together with a unit as a whole."""
    return unit % FOLDS


@dataclass(frozen=True, slots=True)
class _Passages:
    """Stretches of the documents of an index: the terms of each, its unit, and the folds that it begins and ends in.

    Terms are numbers of the sorted hashes in `terms`, those that at least `least` passages have.
    """

    terms: Hashes
    least: int
    rows: list[Numbers]
    units: Numbers
    begins: Folds
    ends: Folds


def trainer(index: Index) -> Callable[[int], Machine] | None:
    """What trains the machine of a number; None for an index of a single unit, or of too many."""
    if not 1 < len(index.units) <= MACHINE_UNITS:
        return None
    passages = _passages(index)

    def train(number: int) -> Machine:
        fold = number % FOLDS
        seen = np.ones(len(passages.rows), bool)
        if number != OF_ALL:
            seen = (passages.begins != fold) & (passages.ends != fold)
        if FOLDS <= number < 2 * FOLDS:
            seen &= parts_with(passages.units) != fold
        return _trained(passages, np.flatnonzero(seen), len(index.units))

    return train


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
    terms, least, rows = _numbered(
        [_terms(index.models[model].tokens(start, stop)) for model, start, stop in places], len(index.units)
    )
    return _Passages(
        terms,
        least,
        rows,
        np.concatenate([model.units for model in index.models])[documents].astype(np.int64),
        np.array([index.models[model].folds[start] for model, start, _ in places], np.int8),
        np.array([index.models[model].folds[stop - 1] for model, _, stop in places], np.int8),
    )


def _numbered(hashed: list[Hashes], units: int) -> tuple[Hashes, int, list[Numbers]]:
    """The terms that enough passages have, how many are enough, and those of each passage by their numbers.

    More than LEAST are asked for where the weights would be too many.
    """
    terms, at, having = np.unique(np.concatenate(hashed), return_inverse=True, return_counts=True)
    least = LEAST
    while np.count_nonzero(having >= least) * units > MACHINE_WEIGHTS:
        least += 1
    kept = having >= least
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)[at]
    parts = np.split(numbers, np.cumsum([len(each) for each in hashed])[:-1])
    return terms[kept], least, [part[part >= 0] for part in parts]


def _terms(tokens: Ids) -> Hashes:
    """The hashes of the terms of a text, each once."""
    return np.unique(np.concatenate([runs_of(tokens, order) for order in ORDERS]))


def _rarity(passages: _Passages, seen: Numbers) -> Vector:
    """The logarithm of how few of the passages seen have each term, plus one; 0 for those that too few have."""
    rows = [np.empty(0, np.int64), *(passages.rows[at] for at in seen.tolist())]
    having = np.bincount(np.concatenate(rows), minlength=len(passages.terms))
    rarity = np.log((1 + len(seen)) / (1 + having)) + 1
    return np.where(having >= passages.least, rarity, 0).astype(np.float32)


def _scaled(rows: Numbers, rarity: Vector) -> Terms:
    """Terms by their rarity, as a vector of length one."""
    values = rarity[rows]
    return rows, values / np.maximum(np.sqrt(values @ values), np.float32(1e-6))


def _product(values: Vector, rows: Vector) -> Vector:
    """The sum of the rows, each times its value; not as a product of matrices, which hangs on the number of threads."""
    found: Vector = np.einsum("i,ij->j", values, rows)
    return found


def _trained(passages: _Passages, seen: Numbers, columns: int) -> Machine:
    """A machine of the passages seen, gone through in an order that is the same each time."""
    rarity = _rarity(passages, seen)
    texts = [_scaled(rows[rarity[rows] > 0], rarity) for rows in (passages.rows[at] for at in seen.tolist())]
    random = np.random.default_rng(0)
    weights = np.zeros((len(passages.terms), columns), np.float32)
    sides = np.full((len(texts), columns), -1, np.float32)
    sides[np.arange(len(texts)), passages.units[seen]] = 1
    duals = np.zeros_like(sides)
    slack = np.float32(1 / (2 * COST))
    for _ in range(ROUNDS):
        for at in random.permutation(len(texts)).tolist():
            rows, values = texts[at]
            own, side, dual = weights[rows], sides[at], duals[at]
            slope = side * _product(values, own) - 1 + slack * dual
            better = np.maximum(dual - slope / (values @ values + slack), 0)
            weights[rows] = own + values[:, None] * ((better - dual) * side)
            duals[at] = better
    return Machine(passages.terms, weights.astype(np.float16), rarity)
