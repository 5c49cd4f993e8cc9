"""The rows that are made alike for every method: accuracy, calibration, payouts, and text of unknown sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from royaltycli.arrays import Floats
from royaltycli.attribution.calibration import calibration_error
from royaltycli.bench import payouts
from royaltycli.bench.measures import Estimate, accuracy, auroc, mean_interval
from royaltycli.bench.results import Goal, Row, seeded
from royaltycli.bench.setting import WHOLE, Answers, Asked, Cases, Setting, Size, right
from royaltycli.bench.spans import SIZES

Weights = Floats | None

FEWER_ERRORS = Goal("", round(1 / 6, 3))

WAYS = {
    "argmax": ("by the likeliest source of each span", Goal(".12")),
    "mean": ("by the mean of probabilities", Goal(".15")),
    "corrected": ("corrected by expectation and maximisation", Goal(".071", 0.05, most=True)),
    "nobody": ("what that leaves to nobody, a part of its error", Goal()),
    "chance": ("corrected: were every probability right, by chance alone", Goal()),
    "tokens": ("by token share instead of usage", Goal(".565")),
}


CHANCES = 200
"""How often answers are drawn to find the calibration error that is due to chance alone."""


def named(size: Size) -> str:
    """A size in words."""
    return f"{size} tokens" if isinstance(size, int) else "a whole document (its first 4,000 tokens, as one span)"


def accuracy_of(case: Mapping[str, Any], weights: Weights) -> float:
    """The part of the spans of a case that are right."""
    return accuracy(case["right"], weights)


def best_of(compared: Mapping[tuple[str, Size], Cases], size: Size, names: Sequence[str]) -> str:
    """Of some methods the one that is right most often, all seeds together."""
    return max(names, key=lambda name: np.mean(np.concatenate([case["right"] for case in compared[name, size]])))


def fewer_errors(ours: Cases, theirs: Cases, words: str) -> Row:
    """By which part the errors of one method are fewer than those of another."""

    def fewer(case: Mapping[str, Any], weights: Weights) -> float:
        errors = 1 - accuracy(case["other"], weights)
        return 1 - (1 - accuracy(case["right"], weights)) / errors if errors else 0.0

    both = [{**one, "other": other["right"]} for one, other in zip(ours, theirs, strict=True)]
    return seeded(words, FEWER_ERRORS, fewer, both)


def calibration(asked: Sequence[Asked], answers: Sequence[Answers]) -> list[Row]:
    """The calibration error of the likeliest source at each size, and what of it is mere chance."""
    rows, chances = list[Row](), list[Row]()
    for size in (*SIZES, WHOLE):
        cases = []
        for each, said in zip(asked, answers, strict=True):
            odds = said.odds[size].sources
            sure = odds.max(axis=1) / np.maximum(odds.sum(axis=1), 1e-12)
            cases.append({"sure": sure} | right(odds.argmax(axis=1), each.spans[size]))
        words = f"expected calibration error, {size} tokens" if isinstance(size, int) else "the same, whole documents"
        goal = Goal(".021", 0.02, most=True)
        rows.append(seeded(words, goal, lambda case, by: calibration_error(case["sure"], case["right"], by), cases))
        sure = np.concatenate([case["sure"] for case in cases])
        chances.append(Row(f"{words}: were every probability right, by chance alone", Goal(), by_chance(sure)))
    return [*rows, *chances]


def by_chance(sure: Floats) -> Estimate:
    """The calibration error that right probabilities have, as there are only so many answers: mean, and where 95 % lie.

    It is not zero, as the distances of all bins add up whichever way they go. That answers about one document are
    alike would make it larger; that is left out.
    """
    random = np.random.default_rng(0)
    errors = [calibration_error(sure, random.random(len(sure)) < sure) for _ in range(CHANCES)]
    low, high = np.percentile(errors, [2.5, 97.5])
    return Estimate(float(np.mean(errors)), float(low), float(high))


def paid_out(
    setting: Setting, asked: Sequence[Asked], answers: Sequence[Answers], ways: Sequence[str] = tuple(WAYS)
) -> list[Row]:
    """The error of payouts of mixtures, by the ways in which shares are made."""
    size = SIZES[1]
    by_way: dict[str, list[Floats]] = {}
    known = setting.data.known
    tokens = np.bincount(known.sources, [len(each) for each in known.tokens]).astype(np.float64)
    for number, (each, said) in enumerate(zip(asked, answers, strict=True)):
        setting.tell("paying out mixtures", number, len(answers))
        spans, odds, prior = each.spans[size], said.odds[size], said.fitted.prior
        mixed = payouts.mixtures(spans, len(setting.data.sources), each.seed)
        found = payouts.errors(odds, prior, mixed, tokens)
        for way, values in (found | {"chance": payouts.left_open(odds, prior, spans, each.seed)}).items():
            by_way.setdefault(way, []).append(values)
    return [
        Row(
            *WAYS[way],
            mean_interval(np.concatenate(by_way[way])),
            tuple(float(each.mean()) for each in by_way[way]),
        )
        for way in ways
    ]


def known_or_not(asked: Sequence[Asked], answers: Sequence[Answers]) -> list[Row]:
    """Whether text of unknown sources is told from that of known ones, and what it would be paid."""
    rows, money = [], SIZES[1]
    for size in (*SIZES, WHOLE):
        cases = [_known_or_not(each, said, size) for each, said in zip(asked, answers, strict=True)]
        goal = Goal(".79 to .87", 0.90) if size == money else Goal()
        words = f"AUROC, {size} tokens" if isinstance(size, int) else "AUROC, whole documents"
        rows.append(seeded(words, goal, _auroc, cases))
    mass = [
        payouts.paid_on_unknown(said.odds_of_strangers[money], said.fitted.prior, each.strangers[money].sources)
        for each, said in zip(asked, answers, strict=True)
    ]
    paid = mean_interval(np.mean(mass, axis=0))
    goal = Goal("not measured", 0.10, most=True)
    rows.append(Row("mass paid on unknown corpora, each alone", goal, paid, tuple(float(each.mean()) for each in mass)))
    lost = np.array([1 - said.odds[money].known.mean() for said in answers])
    rows.append(Row("mass of known text that nobody is paid", Goal(), mean_interval(lost), tuple(lost.tolist())))
    return rows


def _known_or_not(asked: Asked, answers: Answers, size: Size) -> dict[str, Any]:
    """How sure it is of each span that it is known, and whether it is; no document has the number of another."""
    ours, theirs = asked.spans[size].documents, asked.strangers[size].documents
    return {
        "sure": np.concatenate([answers.odds[size].known, answers.odds_of_strangers[size].known]),
        "known": np.repeat([True, False], [len(ours), len(theirs)]),
        "documents": np.concatenate([ours, -1 - theirs]),
    }


def _auroc(case: Mapping[str, Any], weights: Weights) -> float:
    known, by = case["known"], None
    if weights is not None:
        by = weights[known], weights[~known]
    return auroc(case["sure"][known], case["sure"][~known], by)
