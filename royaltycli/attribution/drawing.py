"""Intervals: the outputs of a log are drawn anew, one by one, or all of an account or a prompt together (rule U11)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.logs import Log
from royaltycli.attribution.shift import Judged, mean, shares_of_draws

Draw = Literal["outputs", "accounts", "prompts"]

RESAMPLED = 200
"""How often the outputs are drawn anew for the interval of a share."""

ROUNDS = 100
"""Of expectation and maximisation for each: with more of them no bound moved by as much as a thousandth."""

AT_ONCE = 2_000_000
"""Weights of spans, of all draws that are made at a time."""


def groups_of(log: Log, draw: Draw) -> Numbers:
    """The group of each output, all of which are drawn together: numbers in the order of their names.

    What names no account, or has no prompt, is a group by itself.
    """
    names: list[str | bytes | None]
    match draw:
        case "outputs":
            names = [None] * len(log.ids)
        case "accounts":
            names = [*log.accounts]
        case "prompts":
            names = [*log.prompts]
    keys = [(name is None, one if name is None else name) for one, name in zip(log.ids, names, strict=True)]
    numbers = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([numbers[key] for key in keys], np.int64)


def resampled(judged: Judged, prior: Floats | None, weights: Floats, groups: Numbers) -> Floats:
    """The shares of units, and of none, for groups of spans drawn anew, a row each (the bootstrap, Efron 1979).

    Groups are those of the spans. Those that weigh nothing are not drawn; some weigh something.
    """
    random = np.random.default_rng(0)  # the same groups, in whatever order, give the same interval
    weighing = np.flatnonzero(np.bincount(groups, weights) > 0)
    size, count = len(weighing), int(groups.max()) + 1
    at_once = max(1, AT_ONCE // len(weights))
    rows = []
    for first in range(0, RESAMPLED, at_once):
        times = np.zeros((min(at_once, RESAMPLED - first), count), np.int64)
        times[:, weighing] = [np.bincount(random.integers(0, size, size), minlength=size) for _ in times]
        draws = weights * times[:, groups]
        if prior is None:
            rows.append(np.stack([mean(judged, drawn) for drawn in draws]))
        else:
            rows.append(shares_of_draws(judged, prior, weights, draws, ROUNDS))
    return np.concatenate(rows)
