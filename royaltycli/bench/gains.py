"""What an attack brings: by how much the attacker's payouts grow, and how wrong all payouts become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from royaltycli.arrays import Floats
from royaltycli.bench.measures import mean_interval, total_variation
from royaltycli.bench.payouts import Mixture
from royaltycli.bench.results import Goal, Row, seeded
from royaltycli.bench.setting import Setting

GOAL = Goal("not measured", 0.05, most=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """In each mixture: what the attacker's sources get together, and the error of all payouts (total variation)."""

    own: Floats
    error: Floats


def outcome_of(shares: Floats, mixed: Sequence[Mixture], own: int) -> Outcome:
    """The outcome of shares, a row for each mixture, for the source numbered `own`; the last column is of none."""
    truth = [np.append(mixture.truth, 0.0) for mixture in mixed]
    errors = [total_variation(one, two) for one, two in zip(shares, truth, strict=True)]
    return Outcome(shares[:, own], np.array(errors))


Pairs = list[tuple[Outcome, Outcome]]
"""For each attacker, the outcome before an attack and after it."""


def attackers_of(setting: Setting) -> list[str]:
    """The sources that attack, one at a time, drawn by the first seed."""
    sources = setting.data.sources
    random = np.random.default_rng(setting.form.seeds[0])
    chosen = random.choice(len(sources), min(setting.form.attackers, len(sources)), replace=False)
    return [sources[attacker] for attacker in chosen.tolist()]


def rows(pairs: Mapping[str, Pairs], goals: Mapping[str, Goal]) -> list[Row]:
    """The gain of each attack, by its name; then the error of all payouts without an attack, and after each."""
    honest = np.concatenate([before.error for before, _ in next(iter(pairs.values()))])
    errors = [Row("error of all payouts without an attack", Goal(), mean_interval(honest))]
    for words, both in pairs.items():
        values = np.concatenate([after.error for _, after in both])
        errors.append(Row(f"error of all payouts after {words}", Goal(), mean_interval(values)))
    return [*(_gain(words, goals[words], both) for words, both in pairs.items()), *errors]


def _gain(words: str, goal: Goal, pairs: Pairs) -> Row:
    """By which part attackers get more after an attack than before; a seed's figure is here that of an attacker."""
    before, after = (np.concatenate([pair[at].own for pair in pairs]) for at in (0, 1))
    case = {"before": before, "after": after, "mixtures": np.arange(len(before))}

    def of(case: Mapping[str, Any], weights: Floats | None) -> float:
        by = np.ones(len(case["before"])) if weights is None else weights
        return float(by @ case["after"] / max(by @ case["before"], 1e-12) - 1)

    row = seeded(words, goal, of, [case], groups="mixtures")
    each = tuple(float(after.own.sum() / before.own.sum() - 1) for before, after in pairs)
    return Row(row.measure, row.goal, row.estimate, each)
