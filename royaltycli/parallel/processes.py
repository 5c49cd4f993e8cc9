"""A worker in a process of its own, and the few messages that pass between it and who asks it.

Processes and not threads, as hashing, judging and reading many small documents would make threads wait for each
other at Python's global lock. Each is a fresh interpreter: a forked one would hang in the counting
engine, and multiprocessing's own way of starting one would run the user's script again.

The worker is sent, pickled, a function and a job once, and then one task after another. It calls the function with
the job for what does the tasks, and answers each with what it has to tell meanwhile, and at last with the result or an
error. A worker that nobody asks any more ends by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import IO, Any, BinaryIO, NamedTuple

from royaltycli.errors import CallError
from royaltycli.limits import WORKERS
from royaltycli.parallel.inorder import Check
from royaltycli.progress import say_nothing

PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from royaltycli.parallel.processes import serve; serve()"
)

FEW_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""For numpy, which would start a thread a core in each worker, and never use it."""

Told = Callable[..., None]
Make = Callable[[Any, Told], Callable[[Any], object]]
"""Given a job, and what to call with whatever is to be told meanwhile: what does a task. A function of a module."""


class Lost(Exception):  # noqa: N818 -- says what happened to the worker; who asked it says what that means
    """A worker is gone before it has answered."""


class _Telling(NamedTuple):
    """What a worker has to tell before it answers."""

    said: tuple[Any, ...]


def how_many(workers: int | None) -> int:
    """The number of workers: that which is asked for, else the processor cores that this process may use.

    Raises CallError for a number that cannot be.
    """
    if workers is not None and not 1 <= workers <= WORKERS:
        raise CallError(f"workers is {workers}; it must be from 1 to {WORKERS}")
    return workers or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class WorkerProcess:
    """A process that does one task after another. One thread uses it at a time."""

    def __init__(self, make: Make, job: object, told: Told = say_nothing) -> None:
        self._told = told
        # Without the current folder on its path, where a file could pass for a module.
        command = [sys.executable, "-P", "-c", PROGRAM, json.dumps(sys.path)]
        # In a group of its own, which Ctrl-C at a terminal does not reach, as it may come while Python loads.
        self._process = subprocess.Popen(  # noqa: S603 -- ourselves
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | FEW_THREADS,
            process_group=0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same, on Windows
        )
        with contextlib.suppress(OSError):  # a worker that is lost at once is found out at its first task
            self._send((make, job))

    def do(self, task: object, check: Check) -> Any:
        """Have a task done. Raises what the worker raises, and Lost if the worker is lost."""
        assert self._process.stdout is not None
        try:
            self._send(task)
            while isinstance(answer := pickle.load(self._process.stdout), _Telling):  # noqa: S301 -- from ourselves
                self._told(*answer.said)
                check()
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise Lost from error
        if isinstance(answer, Exception):
            raise answer
        return answer

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
    """The worker's side: answer one task after another, until there are no more or nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for who asks, who ends the workers
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer
    try:
        _serve(requests, answers)
    except (EOFError, OSError, pickle.UnpicklingError):
        os._exit(0)  # all is done, or who asked is gone


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    make, job = pickle.load(requests)  # noqa: S301 -- from our own process
    do: Callable[[Any], object] | None = None
    while True:
        task = pickle.load(requests)  # noqa: S301 -- from our own process
        try:
            do = do or make(job, lambda *said: _send(answers, _Telling(said)))
            answer = do(task)
        except Exception as error:  # noqa: BLE001 -- for who asks to raise
            answer = error
        _send(answers, answer)


def _send(stream: IO[bytes], message: object) -> None:
    pickle.dump(message, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()
