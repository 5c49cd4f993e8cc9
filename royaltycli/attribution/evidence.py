"""What an index says of a span of tokens: for each unit that it may be of, measures; and the matches (rules U4 to U7).

All measures are logarithms of odds or scores; how much each of them counts is learned (`choice`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from royaltycli.arrays import Floats, Mask, Numbers
from royaltycli.attribution.folds import FOLDS
from royaltycli.attribution.grams import ONCE, ORDERS, Found, look_up, of_units, runs_of, weight_of
from royaltycli.attribution.index import Index, Model
from royaltycli.attribution.machine import Machine
from royaltycli.attribution.passages import PASSAGE, scores
from royaltycli.attribution.suffixes import Hidden, longest, occurrences, query_of
from royaltycli.limits import CANDIDATES, MATCH_TOKENS
from royaltycli.tokens.engines import Ids

STRENGTHS = (300.0, 300_000.0)
"""So much of the corpus as a whole is mixed into the text models of a unit (a Dirichlet prior), one for each strength.

Counted in runs that a document has once. Together they say how much it tells that a run was seen so often."""

PAIRS = 20.0
"""So many pairs of tokens count as much as what is known of a token alone, in the model of surprisal."""

NEIGHBOURS = 20
"""Passages of the highest scores that vote for their units. Those as good as the last share what is left."""

ALIKE = 1e-6
"""Scores that differ by a smaller part are the same: they are off by their last bits."""

AT_ONCE = 1 << 10
"""Runs of which the entries are looked up at once where only their sums are wanted: a text may have very many."""

LEAST_MATCH = 3
"""Tokens of a match that is looked at."""

LENGTH = 128
"""Tokens of a span at which its length changes nothing about how much a measure counts."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is to be overlooked as if it were not in the corpus: a fold of all units, and a unit as a whole."""

    fold: int
    unit: int | None = None

    def overlooks(self, owners: npt.NDArray[Any]) -> Mask:
        """Which of some folds of units, each unit * FOLDS + fold, are left out."""
        units, folds = np.divmod(owners, FOLDS)
        gone: Mask = folds == self.fold
        return gone if self.unit is None else gone | (units == self.unit)


@dataclass(frozen=True, slots=True)
class Match:
    """A surprising longest match: `size` tokens from `start` of the span on, which `units` have.

    `excess` is by how much their surprisal, in nats, is above what the size of the corpus makes likely to be found
    by chance: above 0. `places` are (model, document, place in its text).
    """

    start: int
    size: int
    units: tuple[int, ...]
    excess: float
    places: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The measures of each candidate, a row of MEASURES, and those of the span itself (of SPAN_MEASURES).

    `before` is the logarithm of the candidate's part of the corpus: what is known before any evidence. `length` is
    the logarithm of how many times LENGTH the span's tokens are.
    """

    units: Numbers
    before: Floats
    length: float
    measures: Floats
    span: Floats
    matches: tuple[Match, ...]


def evidence(index: Index, tokens: Ids, machine: Machine | None, left_out: LeftOut | None = None) -> Evidence:
    """The evidence on a span of at least one token; `machine` has not seen what is left out."""
    size = len(tokens)
    root = np.sqrt(size)
    found = {order: _found(index, tokens, order, left_out) for order in ORDERS}
    surprisal = _surprisal(index, found[1].totals, found[2].totals)
    matches = find_matches(index, tokens, surprisal, left_out)
    sums = {order: _sums(index, order, left_out) for order in ORDERS}
    weights = {order: _weights(found[order], tokens, order) for order in ORDERS}
    odds = [odd for order in ORDERS for odd in _odds(found[order], sums[order], weights[order])]
    rare = [_rare(found[order], sums[order], weights[order]) for order in ORDERS]
    shared, best = np.zeros((2, len(index.units)))
    for match in matches:
        of_match = list(match.units)
        shared[of_match] += match.excess / len(of_match)
        best[of_match] = np.maximum(best[of_match], match.excess)
    votes, top = _neighbours(index, tokens, left_out)
    decided = np.zeros(len(index.units)) if machine is None else machine.decide(tokens)
    columns = [
        *(odd / root for odd in odds),
        *rare,
        shared / root,
        best / root,
        np.log1p(shared),
        votes,
        top / root,
        decided,
    ]
    measures = np.stack(columns, axis=1)
    units = _candidates(measures, left_out)
    units = units[index.sizes[units] > 0]
    about = [float(surprisal.mean()), float(max((match.excess for match in matches), default=0.0)) / root]
    # Of the whole unit: how much of it is left out would give the right one away, if only a little.
    before = np.log(np.maximum(index.sizes[units], 1) / index.tokens)
    return Evidence(units, before, float(np.log(size / LENGTH)), measures[units], np.array(about), tuple(matches))


MEASURES, SPAN_MEASURES = len(ORDERS) * (len(STRENGTHS) + 1) + 6, 2


def _candidates(measures: Floats, left_out: LeftOut | None) -> Numbers:
    """The units that are among the first by any measure: those as good as the last of these too, unless it is many."""
    chosen = np.ones(len(measures), bool)
    if len(measures) > CANDIDATES:
        most = max(1, CANDIDATES // measures.shape[1])
        last = np.partition(measures, -most, axis=0)[-most]
        as_good = measures >= last
        few = as_good.sum(axis=0) <= CANDIDATES
        chosen = np.where(few, as_good, measures > last).any(axis=1)
    if left_out is not None and left_out.unit is not None:
        chosen[left_out.unit] = False
    return np.flatnonzero(chosen)


def _found(index: Index, tokens: Ids, order: int, left_out: LeftOut | None) -> Found:
    """What the index has of the runs of a span, by unit."""
    tables = [model.grams[order] for model in index.models]
    gone = None if left_out is None else left_out.overlooks
    return of_units(look_up(tables, runs_of(tokens, order), gone), FOLDS)


def _sums(index: Index, order: int, left_out: LeftOut | None) -> Floats:
    """The weights of all runs of each unit."""
    weights = index.weights[order]
    sums: Floats = weights.sum(axis=1).astype(np.float64)
    if left_out is not None:
        sums -= weights[:, left_out.fold]
        if left_out.unit is not None:
            sums[left_out.unit] = 0
    return sums


def _weights(found: Found, tokens: Ids, order: int) -> Floats:
    """How much each run of a span weighs: what it repeats as what a document repeats; what too many have, nothing."""
    _, kind, times = np.unique(runs_of(tokens, order), return_inverse=True, return_counts=True)
    weights: Floats = np.where(found.common, 0, (weight_of(times) / times)[kind] / ONCE)
    return weights


def _odds(found: Found, sums: Floats, weights: Floats) -> list[Floats]:
    """By unit, the logarithm of how much likelier the runs of a span are by the unit's model than by the corpus's.

    A unit's model is multinomial over the weights of runs (naive Bayes); there is one for each of the STRENGTHS.
    """
    totals = np.bincount(found.places, found.weights, minlength=len(found.totals))
    background = (totals + ONCE / 2) / (sums.sum() + ONCE)
    ratios = found.weights / ONCE / background[found.places]
    odds = []
    for strength in STRENGTHS:
        more = weights[found.places] * np.log1p(ratios / strength)
        odd = np.bincount(found.units, more, minlength=len(sums)).astype(np.float64)  # whole numbers if there are none
        odds.append(odd + weights.sum() * np.log(strength / (sums / ONCE + strength)))
    return odds


def _rare(found: Found, sums: Floats, weights: Floats) -> Floats:
    """By unit, the logarithm of one and of the runs of a span that it has, each by how few have it.

    A run counts by the square of the logarithm of how many units there are for each that has it (its inverse document
    frequency, Spärck Jones 1972), and by the logarithm of one and of how often a unit of usual size has it at the rate
    of this one.
    """
    if not len(found.units):
        return np.zeros(len(sums))
    there = sums[sums > 0]
    holders = np.bincount(found.places)[found.places]
    often = found.weights / ONCE * there.mean() / sums[found.units]
    each = weights[found.places] * np.log(len(there) / holders) ** 2 * np.log1p(often)
    rare: Floats = np.log1p(np.bincount(found.units, each, minlength=len(sums)))
    return rare


def background(index: Index, tokens: Ids) -> Floats:
    """The surprisal of each token of a span, in nats."""
    singles, pairs = (_totals(index, tokens, order) for order in (1, 2))
    return _surprisal(index, singles, pairs)


def _totals(index: Index, tokens: Ids, order: int) -> Numbers:
    """How often the corpus has each run of a span or text; few at a time, as each may have very many entries."""
    tables = [model.grams[order] for model in index.models]
    runs, kind = np.unique(runs_of(tokens, order), return_inverse=True)
    found = [look_up(tables, runs[start : start + AT_ONCE]).totals for start in range(0, len(runs), AT_ONCE)]
    totals: Numbers = np.concatenate([np.empty(0, np.int64), *found])[kind]
    return totals


def _surprisal(index: Index, singles: Numbers, pairs: Numbers) -> Floats:
    """Of each token, in nats, by how often the corpus has it, and has it after the token before."""
    alone = (singles + 0.5) / (index.tokens + 1000.0)
    likely = alone.copy()
    likely[1:] = (pairs + PAIRS * alone[1:]) / (np.maximum(singles[:-1], pairs) + PAIRS)
    surprisal: Floats = -np.log(np.minimum(likely, 1.0))
    return surprisal


def find_matches(index: Index, tokens: Ids, surprisal: Floats, left_out: LeftOut | None = None) -> list[Match]:
    """The surprising ones of the longest matches of a span that are not within others, in their order."""
    query = query_of(tokens)
    hidden = [_hidden(model, left_out, MATCH_TOKENS) for model in index.models]
    lengths = [longest(model.suffixes, query, hides) for model, hides in zip(index.models, hidden, strict=True)]
    most = np.max(lengths, axis=0)
    before = np.concatenate([[0], most[:-1]])
    sums = np.concatenate([[0.0], np.cumsum(surprisal)])
    chance = np.log(max(2, index.tokens))
    wanted = []
    for start in np.flatnonzero((most >= LEAST_MATCH) & (most > before - 1)).tolist():
        size = int(most[start])
        excess = float(sums[start + size] - sums[start]) - chance
        if excess > 0:
            wanted.append((start, size, excess))
    places: list[list[tuple[int, int, int]]] = [[] for _ in wanted]
    for number, (model, hides) in enumerate(zip(index.models, hidden, strict=True)):
        here = [at for at, (start, size, _) in enumerate(wanted) if lengths[number][start] == size]
        runs = [tokens[start : start + size] for start, size, _ in (wanted[at] for at in here)]
        found = occurrences(model.suffixes, runs)
        of = np.repeat(np.array(here, np.int64), [len(each) for each in found])
        seen = np.concatenate([np.empty(0, np.int64), *found])
        if hides is not None:
            kept = ~hides(seen)
            of, seen = of[kept], seen[kept]
        documents = model.suffixes.documents[seen]
        for at, document, place in zip(of.tolist(), documents.tolist(), seen.tolist(), strict=True):
            places[at].append((number, document, place))
    matches = []
    for (start, size, excess), of_match in zip(wanted, places, strict=True):
        units = sorted({int(index.models[number].units[document]) for number, document, _ in of_match})
        if units:
            matches.append(Match(start, size, tuple(units), excess, tuple(of_match)))
    return matches


def _hidden(model: Model, left_out: LeftOut | None, *reaches: int) -> Hidden | None:
    """Says what is to be overlooked of what begins at some places, and reaches so many tokens further."""
    if left_out is None:
        return None

    def hides(places: Numbers) -> Mask:
        documents = model.suffixes.documents[places]
        # What begins before a stretch of its document and reaches into it is hidden, too.
        last = model.starts[documents + 1] - 2
        at = (places, *(np.minimum(places + reach, last) for reach in reaches))
        gone: Mask = np.any([model.folds[each] == left_out.fold for each in at], axis=0)
        if left_out.unit is not None:
            gone |= model.units[documents] == left_out.unit
        return gone

    return hides


def _neighbours(index: Index, tokens: Ids, left_out: LeftOut | None) -> tuple[Floats, Floats]:
    """By unit, its part of the scores of the best passages, and its best score."""
    found = scores([model.passages for model in index.models], tokens)
    for model, here in zip(index.models, found, strict=True):
        hides = _hidden(model, left_out, PASSAGE // 2, PASSAGE - 1)
        if hides is not None:
            here[hides(model.passages.places)] = 0
    score = np.concatenate(found)
    owners = np.concatenate([model.units[model.suffixes.documents[model.passages.places]] for model in index.models])
    top = np.zeros(len(index.units))
    np.maximum.at(top, owners, score)
    last = np.partition(score, -NEIGHBOURS)[-NEIGHBOURS] if len(score) > NEIGHBOURS else 0.0
    best = np.flatnonzero(score >= last * (1 - ALIKE))
    better = score[best] > last * (1 + ALIKE)
    parts = np.where(better, 1, (NEIGHBOURS - better.sum()) / max(1, (~better).sum()))
    votes = np.bincount(owners[best], score[best] * parts, len(index.units))
    return votes / max(votes.sum(), 1e-9), top
