"""Tasks that are done in this process, and in others beside it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Any

from royaltycli.errors import WorkerError
from royaltycli.parallel.inorder import Check, InOrder, Result, Task
from royaltycli.parallel.processes import Lost, WorkerProcess

Do = Callable[[Task, Check], Result]


def side_by_side(
    tasks: Iterable[Task],
    workers: int,
    here: Callable[[], Do[Task, Result]],
    elsewhere: Callable[[], WorkerProcess],
    *,
    sent: Callable[[Task], Any],
    lost: Callable[[Task], WorkerError],
) -> Generator[Result, None, None]:
    """What comes of tasks, in their order, by so many workers, the first of which is this process.

    `here` and `elsewhere` start one. A process is sent what `sent` makes of a task; `lost` is the error if it is lost
    meanwhile. Raises what the first task that fails raises. To be closed, as its threads would else wait for more.
    """
    processes, lock, over = contextlib.ExitStack(), threading.Lock(), threading.Event()

    def started() -> Do[Task, Result]:
        worker = elsewhere()
        with lock:
            processes.callback(worker.end)
            if over.is_set():  # all is over while the process was being started
                processes.close()

        def do(task: Task, check: Check) -> Result:
            try:
                answer: Result = worker.do(sent(task), check)
            except Lost as error:
                raise lost(task) from error
            return answer

        return do

    try:
        # This very process works while the others are still starting.
        yield from InOrder(tasks, [here, *[started] * (workers - 1)])
    finally:
        with lock:
            over.set()
            processes.close()
