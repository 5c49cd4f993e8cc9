"""How each span of an output is judged: by all evidence, or by verbatim matches alone (rules U8 and U12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.calibration import Calibration
from royaltycli.attribution.choice import probabilities
from royaltycli.attribution.evidence import LENGTH, Evidence, Match, background, evidence, find_matches
from royaltycli.attribution.grams import runs_of
from royaltycli.attribution.index import Index
from royaltycli.tokens.engines import Ids

SPAN = 128
"""Tokens of a span at the most; an output is cut into equal ones."""

LEAST = 8
"""Fewer tokens, unless they hold a surprising match, are of none: so few say nothing of where they are from, but the
same thing in each of a great many outputs, and so together they would seem to say much."""

REPEATED = 8
"""Tokens in a row that an output has from its prompt, from which on they count as repeated."""

SLIGHT = 1e-4
"""A probability below this is left out, and the others of its span are made up to one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one span: the probability of some units, and that it is of none; together one."""

    units: Numbers
    odds: Floats
    none: float
    matches: tuple[Match, ...]


Judge = Callable[[Ids], Judgement]

Decode = Callable[[list[int]], str]
"""From tokens to text."""


def by_text(index: Index, calibration: Calibration) -> Judge:
    """Judges by all evidence of the text."""

    def judge(tokens: Ids) -> Judgement:
        found = evidence(index, tokens, calibration.machine)
        return kept_of(found, *probabilities(calibration.choice, found))

    return judge


def kept_of(found: Evidence, odds: Floats, none: float) -> Judgement:
    """The judgement on a span, without what is slight; one that is too short to tell is of none."""
    if found.length < np.log(LEAST / LENGTH) and not found.matches:
        odds, none = np.zeros_like(odds), 1.0
    kept = odds >= SLIGHT
    rest = odds[kept].sum() + none
    return Judgement(found.units[kept], odds[kept] / rest, float(none / rest), found.matches)


def by_matches(index: Index) -> Judge:
    """Judges by surprising verbatim matches alone: each token that they cover is credited to the most surprising.

    What no match covers is of none.
    """

    def judge(tokens: Ids) -> Judgement:
        matches = find_matches(index, tokens, background(index, tokens))
        best = np.full(len(tokens), -1)
        for number in sorted(range(len(matches)), key=lambda number: matches[number].excess):
            best[matches[number].start : matches[number].start + matches[number].size] = number
        odds = np.zeros(len(index.units))
        for number, count in zip(*np.unique(best[best >= 0], return_counts=True), strict=True):
            of_match = list(matches[number].units)
            odds[of_match] += count / len(tokens) / len(of_match)
        units = np.flatnonzero(odds)
        return Judgement(units, odds[units], float((best < 0).mean()), tuple(matches))

    return judge


def own_parts(tokens: Ids, prompt: Ids | None) -> Iterator[Ids]:
    """The stretches of an output that it does not merely repeat from its prompt (rule U14)."""
    if prompt is None or not len(prompt) or len(tokens) < REPEATED:
        yield tokens
        return
    repeated = np.zeros(len(tokens) + 1, np.int64)
    starts = np.flatnonzero(np.isin(runs_of(tokens, REPEATED), runs_of(prompt, REPEATED)))
    repeated[starts] += 1
    repeated[starts + REPEATED] -= 1
    own = np.cumsum(repeated)[:-1] == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], own, [False]]).astype(int)))
    for start, stop in edges.reshape(-1, 2).tolist():
        yield tokens[start:stop]


def spans_of(tokens: Ids) -> list[Ids]:
    """Some tokens in spans of about the same size, SPAN at the most."""
    return np.array_split(tokens, -(-len(tokens) // SPAN)) if len(tokens) else []
