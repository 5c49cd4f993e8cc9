"""A worker in a process of its own, and the few messages that pass between it and the scan.

Processes and not threads, as hashing and reading many small documents would make threads wait for each
other at Python's global lock. Each is a fresh interpreter: a forked one would hang in the counting
engine, and multiprocessing's own way of starting one would run the user's script again.

The scan sends, pickled, a Job once and then one Task after another; the worker answers with Progress,
and at last with Done or an error. A worker whose scan is gone ends by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
from typing import IO, BinaryIO, NamedTuple

from royaltycli.errors import WorkerError
from royaltycli.tokens.count import Counting, Tick
from royaltycli.tokens.engines import make_engine
from royaltycli.tokens.reference import load_reference
from royaltycli.tokens.shardwork import AllOwners, Done, Job, Task, owners_of, work
from royaltycli.tokens.workers import Check

PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from royaltycli.tokens.processes import serve; serve()"
)

FEW_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""For numpy, which would start a thread a core in each worker, and never use it."""


class Progress(NamedTuple):
    """What a worker has done since its last message."""

    packed_bytes: int
    tokens: int
    documents: int


class WorkerProcess:
    """A process that counts one shard after another. One thread uses it at a time."""

    def __init__(self, job: Job, tick: Tick, owners: AllOwners) -> None:
        self._tick = tick
        self._owners = owners
        # Without the current folder on its path, where a file could pass for a module.
        command = [sys.executable, "-P", "-c", PROGRAM, json.dumps(sys.path)]
        # In a group of its own, which Ctrl-C at a terminal does not reach, as it may come while Python loads.
        self._process = subprocess.Popen(  # noqa: S603 -- ourselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, env=os.environ | FEW_THREADS
        )
        with contextlib.suppress(OSError):  # a worker that is lost at once is found out at its first shard
            self._send(job)

    def work(self, task: Task, check: Check) -> Done:
        """Have a task done. Raises what the worker raises, and WorkerError if the worker is lost."""
        assert self._process.stdout is not None
        try:
            self._send((task, owners_of(task, self._owners)))
            while isinstance(answer := pickle.load(self._process.stdout), Progress):  # noqa: S301 -- from ourselves
                self._tick(*answer)
                check()
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            first = task.shard.pieces[0].file.name
            raise WorkerError(
                f"a worker was lost while it counted {first} (it was killed, or the memory ran out); "
                "nothing was written; scan again, with fewer `--workers`"
            ) from error
        if isinstance(answer, Exception):
            raise answer
        done: Done = answer
        return done

    def end(self) -> None:
        """End the process at once, whatever it is doing: what is wanted of it has been handed back."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._process.wait()

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        _send(self._process.stdin, message)


def serve() -> None:
    """The worker's side: answer one shard after another, until there are no more or nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the scan, which ends its workers
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer
    try:
        _serve(requests, answers)
    except (EOFError, OSError, pickle.UnpicklingError):
        os._exit(0)  # the scan is done, or gone


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    job: Job = pickle.load(requests)  # noqa: S301 -- from our own process
    counting: Counting | None = None
    while True:
        task, owners = pickle.load(requests)  # noqa: S301 -- from our own process
        try:
            counting = counting or _counting(job, lambda *done: _send(answers, Progress(*done)))
            answer: object = work(task, job, owners, counting, lambda: None)
        except Exception as error:  # noqa: BLE001 -- for the scan to raise
            answer = error
        _send(answers, answer)


def _counting(job: Job, tick: Tick) -> Counting:
    reference = load_reference(job.encoding)
    return Counting(make_engine(job.engine, job.encoding, reference), reference, job.verify, tick)


def _send(stream: IO[bytes], message: object) -> None:
    pickle.dump(message, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()
