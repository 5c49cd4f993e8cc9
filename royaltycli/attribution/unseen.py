"""The evidence on spans of the corpus's own documents, each judged by what has not seen its fold (rule U9).

This is what takes long of a calibration. It is done in this process and, if the corpus is not small, in others beside
it: each trains some of the machines, and judges the spans that are theirs.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from royaltycli.attribution.evidence import Evidence, LeftOut, evidence
from royaltycli.attribution.index import Index, reopened
from royaltycli.attribution.machine import MACHINES, OF_ALL, Machine, number_of, parts_with, trainer
from royaltycli.errors import WorkerError
from royaltycli.parallel.processes import WorkerProcess
from royaltycli.parallel.sidebyside import side_by_side
from royaltycli.tokens.engines import Ids

SMALL = 50_000
"""Tokens of an index; of fewer one process judges the spans in about the time that others take to start."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document, by its number in a model; while it is judged, its fold is left out.

    Of one that is `unknown` its unit is left out, and a fold of the others; of one that is `quoted` nothing.
    """

    tokens: Ids
    model: int
    document: int
    unit: int
    fold: int
    unknown: bool = False
    quoted: bool = False

    @property
    def machine(self) -> int:
        """The number of the machine that judges it."""
        left_out = self.left_out
        return OF_ALL if left_out is None else number_of(left_out.fold, left_out.unit)

    @property
    def left_out(self) -> LeftOut | None:
        """What is overlooked while it is judged: unless it is quoted a fold, so that all find as much of the corpus."""
        if self.quoted:
            return None
        return LeftOut(parts_with(self.unit), self.unit) if self.unknown else LeftOut(self.fold)


Task = tuple[int, list[Span]]
"""The number of a machine, and the spans that it has not seen."""

Judged = tuple[list[Evidence], Machine | None]
"""The evidence on them, without matches; and the machine, if it is the one that has seen everything."""


def judged_unseen(
    index: Index, spans: Sequence[Span], workers: int, tick: Callable[[int, int], None]
) -> tuple[list[Evidence], Machine | None]:
    """The evidence on each span, and the machine of everything; None if there is none.

    `tick` is told how many steps of how many are done, by one thread at a time. Raises WorkerError if a worker is lost.
    """
    places = [[at for at, span in enumerate(spans) if span.machine == number] for number in range(MACHINES)]
    tasks = [(number, [spans[at] for at in own]) for number, own in enumerate(places)]
    steps, lock = itertools.count(1), threading.Lock()

    def step() -> None:
        with lock:
            tick(next(steps), MACHINES + len(spans))

    found: dict[int, Evidence] = {}
    machine = None
    with contextlib.closing(_done(index, tasks, workers, step)) as done:
        for own, (judged, last) in zip(places, done, strict=True):
            found.update(zip(own, judged, strict=True))
            machine = last
    return [found[at] for at in range(len(spans))], machine


def _done(index: Index, tasks: Iterable[Task], workers: int, step: Callable[[], None]) -> Generator[Judged, None, None]:
    """What comes of each task, in their order."""
    if workers == 1 or index.tokens < SMALL:
        judge = _judge(index, step)
        yield from map(judge, tasks)
        return

    def here() -> Callable[[Task, object], Judged]:
        do = _judge(index, step)
        return lambda task, _check: do(task)

    yield from side_by_side(
        tasks,
        workers,
        here,
        lambda: WorkerProcess(judge_elsewhere, (index.path, index.about), step),
        sent=lambda task: task,
        lost=lambda _: WorkerError(
            "a worker was lost while it calibrated the index (it was killed, or the memory ran out); run "
            "`royalty index` again, with fewer `--workers`"
        ),
    )


def judge_elsewhere(job: tuple[Path, dict[str, Any]], told: Callable[[], None]) -> Callable[[Task], Judged]:
    """What judges spans in a worker process. Raises AttributionError if the index is not the same any more."""
    return _judge(reopened(*job), told)


def _judge(index: Index, step: Callable[[], None]) -> Callable[[Task], Judged]:
    """What trains the machine of a task and judges its spans; it says when each of these is done."""
    train = trainer(index)

    def judge(task: Task) -> Judged:
        number, spans = task
        machine = None if train is None else train(number)
        step()
        found = []
        for span in spans:
            one = evidence(index, span.tokens, machine, span.left_out)
            found.append(replace(one, matches=()))
            step()
        return found, machine if number == OF_ALL else None

    return judge
