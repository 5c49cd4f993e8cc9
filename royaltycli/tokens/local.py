"""Runs the tasks of a scan on this machine: in this process, and in others beside it if there is enough to do."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable

from royaltycli.tokens.count import Counting, Tick
from royaltycli.tokens.engines import make_engine
from royaltycli.tokens.processes import WorkerProcess
from royaltycli.tokens.reference import Reference
from royaltycli.tokens.shardwork import AllOwners, Done, Job, Task, owners_of, work
from royaltycli.tokens.workers import Check, InOrder


def done_here(
    tasks: Iterable[Task], job: Job, owners: AllOwners, reference: Reference | None, workers: int, tick: Tick
) -> Generator[Done, None, None]:
    """The tasks as they are done, in their order, by so many workers, the first of which is this process.

    Raises what the first task that fails raises, and WorkerError if a worker is lost.
    """
    processes, lock, over = contextlib.ExitStack(), threading.Lock(), threading.Event()

    def here() -> Callable[[Task, Check], Done]:
        counting = Counting(make_engine(job.engine, job.encoding, reference), reference, job.verify, tick)
        return lambda task, check: work(task, job, owners_of(task, owners), counting, check)

    def elsewhere() -> Callable[[Task, Check], Done]:
        worker = WorkerProcess(job, tick, owners)
        with lock:
            processes.callback(worker.end)
            if over.is_set():  # the scan has failed while the process was being started
                processes.close()
        return worker.work

    try:
        # This very process counts while the others are still starting.
        yield from InOrder(tasks, [here, *[elsewhere] * (workers - 1)])
    finally:
        with lock:
            over.set()
            processes.close()
