"""What the benchmark found: rows of a table, and all of it as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from royaltycli.arrays import Floats
from royaltycli.bench.measures import Estimate, interval


@dataclass(frozen=True, slots=True)
class Goal:
    """The least that is aimed at or, if `most`, the most. `prototype` is what another program reached before."""

    prototype: str = ""
    value: float | None = None
    most: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: what was aimed at, the figure over all seeds with its interval, and the figure of each seed."""

    measure: str
    goal: Goal
    estimate: Estimate
    seeds: tuple[float, ...] = ()
    places: int = 3

    @property
    def met(self) -> bool | None:
        """Whether the goal is met by the figure as it is; None where there is none."""
        if self.goal.value is None:
            return None
        rounded = round(self.estimate.value, self.places)
        return rounded <= self.goal.value if self.goal.most else rounded >= self.goal.value

    def cells(self) -> tuple[str, str, str, str]:
        """Measure, prototype, goal, and what was measured, as text."""
        goal = "" if self.goal.value is None else f"{'≤ ' if self.goal.most else ''}{self.goal.value:g}"
        one = self.estimate
        said = self._number(one.value)
        if one.low != one.high:
            said += f" ({self._number(one.low)} to {self._number(one.high)})"
        return self.measure, self.goal.prototype, goal, said + (", not met" if self.met is False else "")

    def _number(self, value: float) -> str:
        return f"{round(value, self.places) + 0.0:,.{self.places}f}"  # no zero has a sign


@dataclass(slots=True)
class Report:
    """All rows under their headings, what they were measured on, and whether there will be no more of them."""

    about: dict[str, Any]
    parts: dict[str, list[Row]] = field(default_factory=dict)
    finished: bool = False

    def add(self, part: str, rows: Sequence[Row]) -> None:
        """Add rows under a heading."""
        self.parts.setdefault(part, []).extend(rows)

    def as_json(self) -> str:
        """The report for a program; without the time of day."""
        said = {
            "benchmark": "attribution",
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
            "versions": _versions(),
            **self.about,
            "finished": self.finished,
            "parts": {part: [asdict(row) | {"met": row.met} for row in rows] for part, rows in self.parts.items()},
        }
        return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def _versions() -> dict[str, str]:
    """Of the packages that figures may depend on, those that are installed."""
    found = {}
    for name in ("royaltycli", "numpy", "gigatoken", "bm25s", "scikit-learn", "tokenizers", "torch", "transformers"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def seeded(
    measure: str,
    goal: Goal,
    of: Callable[[Mapping[str, Any], Floats | None], float],
    cases: Sequence[Mapping[str, Any]],
    *,
    groups: str = "documents",
    places: int = 3,
) -> Row:
    """A row over the cases of all seeds together, each a dictionary of arrays; and the figure of each seed alone.

    The interval is by the bootstrap over `groups`: the same document in several seeds is drawn as one.
    """
    together = {name: np.concatenate([case[name] for case in cases]) for name in cases[0]}
    estimate = interval(lambda weights: of(together, weights), together[groups])
    return Row(measure, goal, estimate, tuple(of(case, None) for case in cases), places=places)
