"""Whether a span is of one of several units or of none, and of which: two conditional logit models (rule U8).

P(unit) is proportional to the unit's part of the corpus times exp(weights · measures of the unit), and P(none) to
exp(span weights · measures of the span) (McFadden 1974). The weights are the same for all units; beside them each
unit may have a factor of its own, of one where there is nothing to learn it from. What they are fitted to is convex,
so Newton's method finds the one best answer.

The measures are of one text and are often wrong together, so their sum is too sure. So each is first weighed by
itself, and the mean of the probabilities that come of that counts as one more measure: a linear pool of opinions
beside the logarithmic one (Genest and Zidek 1986).

Which of the units it is, is weighed more finely than whether it is any: by how unsure each measure is of the span, too,
which is the entropy of its probabilities, and by their square roots. Text that is of none comes in kinds that the
corpus has no example of, and what is learned in detail of those that it has does not hold for others.

How much a measure counts depends on how long the span is. Of lengths that it has hardly an example of, a choice knows
nothing: spans that are much longer or shorter than its examples are weighed as if they were only somewhat so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.evidence import Evidence
from royaltycli.limits import FACTORS

PENALTY = 0.1
"""Of the square of each weight, the measures scaled to a spread of one: so much against the loss of all examples."""

FINER = 10.0
"""The same for what makes the choice finer: how unsure the measures are, and their roots."""

SPREAD = 1.0
"""The same for the logarithms of the units' own factors: as if they were spread by so much around nothing."""

STEPS = 100
SHORT, CLOSE = 1e-6, 1e-10
"""The shortest part of a step that is tried, and the least gain for which another is."""

RARE = 20
"""So many of the longest examples, and of the shortest, but no more than a twentieth of all, are left out of account
where a choice says which lengths it has examples of."""

BEYOND = 0.125
"""Beyond those it relies on what it has learned for so much of their range more, as logarithms, on either side."""

DOUBT = 0.01
"""What is added to the mean of the probabilities that the measures make of a unit, before its logarithm counts: no
unit is out of the question because all of them say so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The weights of the measures of a unit, and of those of a span; and the logarithm of each unit's own factor.

    `alone` has those of each measure by itself, in a row of its own: of the measure as it is, and times the length.
    `which` has those of the measures, the last being what all say in the mean, in four parts: as they are, times the
    length, times how unsure each is by itself, and of the square roots of the probabilities by each alone. `whether`
    has the first two parts, for telling units from none. `own` has a row for the one, and one for the other. `lengths`
    are the least and the greatest that it relies on, as `Evidence.length` has them.
    """

    lengths: Floats
    alone: Floats
    which: Floats
    whether: Floats
    none: Floats
    own: Floats


@dataclass(frozen=True, slots=True)
class Example:
    """Evidence, and which of its candidates is right: a row of it, or -1 for none. `weight` is above 0."""

    evidence: Evidence
    right: int
    weight: float = 1.0


def probabilities(choice: Choice, evidence: Evidence) -> tuple[Floats, float]:
    """The probability of each candidate, and that of none."""
    if not len(evidence.units):
        return np.empty(0), 1.0
    length = _counted(choice.lengths, evidence)
    columns = _columns(evidence, choice.alone, length)
    before = evidence.before + choice.own[:, evidence.units]
    plain = columns[:, : len(choice.whether)]
    whether = np.append(before[1] + plain @ choice.whether, _of_span(evidence, length) @ choice.none)
    none = float(_normal(whether)[-1])
    return (1 - none) * _normal(before[0] + columns @ choice.which), none


def _normal(scores: Floats) -> Floats:
    """Probabilities by their logarithms, which may all be off by the same."""
    odds = np.exp(scores - scores.max())
    normal: Floats = odds / odds.sum()
    return normal


def fit(examples: Sequence[Example], units: int, near: Choice | None = None) -> Choice:
    """The weights under which the right answers are likeliest, less a penalty for large weights.

    First those of each measure by itself, and then those of all. Of more than FACTORS units none has a factor of its
    own. They are found sooner if they are `near` those of another choice.
    """
    found = [example.evidence for example in examples]
    lengths = _relied_on([each.length for each in found])
    length = [_counted(lengths, each) for each in found]
    spans = [_of_span(each, own) for each, own in zip(found, length, strict=True)]
    measures, of_span = found[0].measures.shape[1], len(spans[0])
    by_length = [np.hstack([each.measures, each.measures * own]) for each, own in zip(found, length, strict=True)]
    single = _table(examples, by_length, spans, 0)
    last = list(range(2 * measures, 2 * measures + of_span))
    each_alone = (replace(single, rows=single.rows[:, [one, measures + one, *last]]) for one in range(measures))
    alone = np.array([_likeliest(table)[:2] for table in each_alone])
    factors, parts = units if units <= FACTORS else 0, measures + 1
    columns = [_columns(each, alone, own) for each, own in zip(found, length, strict=True)]
    plain = _table(examples, [each[:, : 2 * parts] for each in columns], spans, factors)
    start = None if near is None else np.concatenate([near.whether, near.none, near.own[1, :factors]])
    own, which = np.zeros((2, units)), np.zeros(4 * parts)
    whether, none, own[1, :factors] = np.split(_likeliest(plain, start=start), [2 * parts, 2 * parts + of_span])
    known = [number for number, example in enumerate(examples) if example.right >= 0]
    if known:
        finer = _table([examples[one] for one in known], [columns[one] for one in known], None, factors)
        start = None if near is None else np.concatenate([near.which, near.own[0, :factors]])
        which, own[0, :factors] = np.split(_likeliest(finer, 2 * parts, start), [4 * parts])
    return Choice(lengths, alone, which, whether, none, own)


def _relied_on(lengths: Sequence[float]) -> Floats:
    """The least and the greatest length that a choice relies on, given those of its examples."""
    rare = min(RARE, len(lengths) // 20)
    ends: Floats = np.sort(lengths)[[rare, -1 - rare]]
    beyond: Floats = np.array([-BEYOND, BEYOND]) * (ends[1] - ends[0])
    return ends + beyond


def _counted(lengths: Floats, evidence: Evidence) -> float:
    """The length that a span counts as."""
    return float(min(max(evidence.length, lengths[0]), lengths[1]))


def _of_span(evidence: Evidence, length: float) -> Floats:
    """What none is weighed by: always the same, by the root of the span's length, and the measures of the span."""
    return np.array([1.0, np.exp(-length / 2), *evidence.span])


def _columns(evidence: Evidence, alone: Floats, length: float) -> Floats:
    """What each candidate is weighed by, in the order of a choice's weights."""
    scores = evidence.before[:, None] + evidence.measures * (alone @ [1.0, length])
    odds = np.exp(scores - scores.max(axis=0, initial=-np.inf))  # there may be no candidate
    odds /= odds.sum(axis=0)
    odds = np.hstack([odds, odds.mean(axis=1, keepdims=True)])
    measures = np.hstack([evidence.measures, np.log(odds[:, -1:] + DOUBT)])
    unsure = -(odds * np.log(np.maximum(odds, np.finfo(float).tiny))).sum(axis=0)
    return np.hstack([measures, measures * length, measures * unsure, np.sqrt(odds)])


def _likeliest(table: _Table, finer: int = 0, start: Floats | None = None) -> Floats:
    """The weights of all columns of a table, and then the logarithms of the units' factors, by Newton's method.

    As many columns as said are `finer`, and stand after as many others.
    """
    scale = np.maximum(table.rows.std(axis=0), 1e-9)
    table.rows[:] /= scale
    measures = len(scale)
    counts = [finer, finer, measures - 2 * finer, table.units]
    penalty = np.repeat([PENALTY, FINER, PENALTY, SPREAD], counts) / table.total
    weights = np.zeros(measures + table.units) if start is None else start.copy()
    weights[:measures] *= scale
    value = _loss(table, weights, penalty)
    for _ in range(STEPS):
        slope, curve = _slope_and_curve(table, weights, penalty)
        step = np.linalg.solve(curve, slope)
        length = 1.0
        new = _loss(table, weights - step, penalty)
        while new > value and length > SHORT:
            length /= 2
            new = _loss(table, weights - length * step, penalty)
        weights = weights - length * step
        if value - new < CLOSE:
            break
        value = new
    weights[:measures] /= scale
    return weights


@dataclass(frozen=True, slots=True)
class _Table:
    """All examples: a row for each candidate and, last of its example, for none.

    The example `i` has `sizes[i]` rows from `starts[i]` on, and `right[i]` is the right one. `unit` is that of each
    row, and `units` for none; `units` is 0 if they have no factors. `weight` sums to one, in place of `total`.
    """

    rows: Floats
    before: Floats
    starts: Numbers
    sizes: Numbers
    right: Numbers
    weight: Floats
    total: float
    unit: Numbers
    units: int


def _table(
    examples: Sequence[Example], columns: Sequence[Floats], spans: Sequence[Floats] | None, units: int
) -> _Table:
    """Of examples with those columns for their candidates, and for none; without `spans` none has no probability."""
    none = spans is not None
    spans = spans or [np.empty(0)] * len(examples)
    parts = [_rows(of_units, of_span) for of_units, of_span in zip(columns, spans, strict=True)]
    sizes = np.array([len(part) for part in parts])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    right = np.array([each.right if each.right >= 0 else len(each.evidence.units) for each in examples], np.int64)
    weight = np.array([example.weight for example in examples])
    unit = np.concatenate([np.append(example.evidence.units, units) for example in examples])
    before = np.concatenate([np.append(each.evidence.before, 0.0 if none else -np.inf) for each in examples])
    total = float(weight.sum())
    return _Table(np.concatenate(parts), before, starts, sizes, starts + right, weight / total, total, unit, units)


def _scores(table: _Table, weights: Floats) -> Floats:
    measures = table.rows.shape[1]
    scores: Floats = table.rows @ weights[:measures] + table.before
    if table.units:
        scores += np.append(weights[measures:], 0.0)[table.unit]
    return scores


def _slope_and_curve(table: _Table, weights: Floats, penalty: Floats) -> tuple[Floats, Floats]:
    """The first and second derivatives of the loss."""
    odds = _odds(_scores(table, weights), table.starts, table.sizes)
    each = np.repeat(table.weight, table.sizes) * odds
    expected = np.add.reduceat(odds[:, None] * table.rows, table.starts)
    right = table.rows[table.right]
    if not table.units:
        curve = (table.rows * each[:, None]).T @ table.rows - (expected * table.weight[:, None]).T @ expected
        return table.weight @ (expected - right) + penalty * weights, curve + np.diag(penalty)
    # Beside the measures a column for each unit, which is 1 in the rows of that unit.
    owner = np.repeat(np.arange(len(table.sizes)), table.sizes)
    by_unit = np.zeros((len(table.sizes), table.units + 1))
    by_unit[owner, table.unit] = odds
    hit = np.zeros_like(by_unit)
    hit[np.arange(len(hit)), table.unit[table.right]] = 1
    first = table.rows * each[:, None]
    both = np.stack([np.bincount(table.unit, column, minlength=table.units + 1) for column in first.T], axis=1)
    by_unit, hit, both = by_unit[:, :-1], hit[:, :-1], both[:-1]
    wide = np.concatenate([expected, by_unit], axis=1)
    curve = np.block([[first.T @ table.rows, both.T], [both, np.diag(table.weight @ by_unit)]])
    curve -= (wide * table.weight[:, None]).T @ wide
    slope = table.weight @ (wide - np.concatenate([right, hit], axis=1)) + penalty * weights
    return slope, curve + np.diag(penalty)


def _rows(of_units: Floats, of_span: Floats) -> Floats:
    """The columns of all candidates and of none, those of units and of the span side by side."""
    rows = np.zeros((len(of_units) + 1, of_units.shape[1] + len(of_span)))
    rows[:-1, : of_units.shape[1]] = of_units
    rows[-1, of_units.shape[1] :] = of_span
    return rows


def _odds(scores: Floats, starts: Numbers, sizes: Numbers) -> Floats:
    scores = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
    odds: Floats = scores / np.repeat(np.add.reduceat(scores, starts), sizes)
    return odds


def _loss(table: _Table, weights: Floats, penalty: Floats) -> float:
    scores = _scores(table, weights)
    most = np.maximum.reduceat(scores, table.starts)
    sums = np.log(np.add.reduceat(np.exp(scores - np.repeat(most, table.sizes)), table.starts)) + most
    return float(table.weight @ (sums - scores[table.right]) + (penalty * weights) @ weights / 2)
