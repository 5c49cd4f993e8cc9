"""Runs the tasks of a scan on this machine: in this process, and in others beside it if there is enough to do."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from royaltycli.corpus.documents import Owners
from royaltycli.errors import WorkerError
from royaltycli.manifest.model import Owner
from royaltycli.parallel.inorder import Check
from royaltycli.parallel.processes import Told, WorkerProcess
from royaltycli.parallel.sidebyside import side_by_side
from royaltycli.tokens.count import Counting, Tick
from royaltycli.tokens.engines import make_engine
from royaltycli.tokens.reference import Reference, load_reference
from royaltycli.tokens.shardwork import Done, Job, Task, owners_of, work


def done_here(
    tasks: Iterable[Task], job: Job, owners: tuple[Owner, ...], reference: Reference | None, workers: int, tick: Tick
) -> Generator[Done, None, None]:
    """The tasks as they are done, in their order, by so many workers, the first of which is this process.

    Raises what the first task that fails raises, and WorkerError if a worker is lost.
    """

    def here() -> Callable[[Task, Check], Done]:
        counting = _counting(job, reference, tick)
        return lambda task, check: work(task, job, owners_of(task, owners), counting, check)

    return side_by_side(
        tasks,
        workers,
        here,
        lambda: WorkerProcess(counter, job, tick),
        sent=lambda task: (task, owners_of(task, owners)),
        lost=lambda task: WorkerError(
            f"a worker was lost while it counted {task.shard.pieces[0].file.name} (it was killed, or the memory ran "
            "out); nothing was written; scan again, with fewer `--workers`"
        ),
    )


def counter(job: Job, tick: Told) -> Callable[[tuple[Task, Owners]], Done]:
    """What does the tasks of a job in a worker process."""
    counting = _counting(job, load_reference(job.encoding), tick)

    def count(given: tuple[Task, Owners]) -> Done:
        task, owners = given
        return work(task, job, owners, counting, lambda: None)

    return count


def _counting(job: Job, reference: Reference | None, tick: Tick) -> Counting:
    return Counting(make_engine(job.engine, job.encoding, reference), reference, job.verify, tick)
