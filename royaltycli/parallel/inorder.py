"""Runs tasks side by side and hands back their results in the order of the tasks."""

from __future__ import annotations

import functools
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Check = Callable[[], None]
"""Called now and then by a running task; it raises if the task's result is no longer wanted."""

AHEAD = 64
"""Tasks for each worker that may wait, be under way or be done before the first of them is handed back: so many
that the others do not stand still while one worker is at a big file that cannot be cut."""

WAIT_SECONDS = 0.1
"""How often the waiting thread looks for an interrupt."""


class Cancelled(Exception):  # noqa: N818 -- how a worker leaves a task that nobody waits for
    """A task was given up because an earlier one failed, or the user stopped the work."""


class InOrder(Generic[Task, Result]):
    """Iterates over the results of `work(task, check)` for each task, in the order of the tasks.

    Each worker is a thread, which calls one of the `starts` for a `work` of its own. If tasks fail, the
    error of the first of them, in the order of the tasks, is raised: the same whatever the number of workers.
    """

    def __init__(self, tasks: Iterable[Task], starts: Sequence[Callable[[], Callable[[Task, Check], Result]]]) -> None:
        self._tasks = enumerate(tasks)
        self._starts = starts
        self._last_wanted = sys.maxsize  # which the thread that iterates sets alone
        self._waiting: queue.SimpleQueue[tuple[int, Task] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, Result | None, BaseException | None]] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[Result]:
        # No daemons: Python, when it ends, would break off one that is deep in an engine, and abort. The command
        # line waits for none; elsewhere a program that gives up a scan ends when the documents under way are done.
        threads = [threading.Thread(target=self._run, args=[start]) for start in self._starts]
        for thread in threads:
            thread.start()
        try:
            yield from self._results()
        finally:
            self._last_wanted = -1
            for _ in threads:
                self._waiting.put(None)

    def _results(self) -> Iterator[Result]:
        results: dict[int, tuple[Result | None, BaseException | None]] = {}
        wanted = given = 0
        exhausted = False
        while True:
            while not exhausted and given < wanted + AHEAD * len(self._starts):
                task = next(self._tasks, None)
                exhausted = task is None
                if task is not None:
                    self._waiting.put(task)
                    given += 1
            if exhausted and wanted == given:
                return
            while wanted not in results:
                try:
                    index, result, error = self._done.get(timeout=WAIT_SECONDS)
                except queue.Empty:
                    continue
                results[index] = (result, error)
                if error is not None and not isinstance(error, Cancelled):
                    self._last_wanted = min(self._last_wanted, index)
                    exhausted = True
            result, error = results.pop(wanted)
            if error is not None:
                raise error
            wanted += 1
            yield result  # type: ignore[misc]  # a result is None only beside an error

    def _run(self, start: Callable[[], Callable[[Task, Check], Result]]) -> None:
        work: Callable[[Task, Check], Result] | None = None
        while (item := self._waiting.get()) is not None:
            index, task = item
            try:
                self._check(index)
                work = work or start()
                self._done.put((index, work(task, functools.partial(self._check, index)), None))
            except BaseException as error:  # noqa: BLE001 -- engines panic with a BaseException of their own
                self._done.put((index, None, error))

    def _check(self, index: int) -> None:
        """Raises Cancelled if the result of a task is no longer wanted."""
        if index > self._last_wanted:
            raise Cancelled
