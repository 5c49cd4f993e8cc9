"""Runs commands, and says how long they took, how much they computed, and how much memory they held."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import psutil

ROYALTY = [sys.executable, "-m", "royaltycli"]


class Ran(NamedTuple):
    """A command that is done: seconds, those that its processes computed, and their peak in bytes if they were watched.

    The peak is that of all its processes together at one moment, where memory that they share counts once.
    """

    seconds: float
    computed: float
    peak: int = 0


def run(
    command: Sequence[str],
    *,
    cores: Collection[int] | None = None,
    every: float | None = None,
    output: IO[bytes] | None = None,
    errors: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run a command, on some cores alone if they are given; its memory is looked at `every` so many seconds.

    `output` and `errors` are where its own go, and `environment` is added to what it is given. Raises
    CalledProcessError if it fails.
    """
    started = time.perf_counter()
    with running_on(cores):
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=os.environ | dict(environment or {}))
    resident = peak = 0
    while every is not None and os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if (now := memory_of(process.pid)) > resident:  # to tell what is shared takes long, so only where it may matter
            resident, peak = now, max(peak, memory_of(process.pid, shared_once=True))
        time.sleep(every)
    _, status, used = os.wait4(process.pid, 0)  # of itself and of all that it has waited for
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Ran(seconds, used.ru_utime + used.ru_stime, peak)


@contextlib.contextmanager
def running_on(cores: Collection[int] | None) -> Iterator[None]:
    """What is started meanwhile keeps to some cores; to any, if none are given."""
    if cores is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def memory_of(process: int, *, shared_once: bool = False) -> int:
    """Bytes that a process and its children hold; with `shared_once`, what they share counts once (on Linux)."""
    held = 0
    with contextlib.suppress(psutil.Error):
        family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
        for each in family:
            with contextlib.suppress(psutil.Error):
                memory = each.memory_full_info() if shared_once else each.memory_info()
                held += getattr(memory, "pss", memory.rss)
    return held


def scan(folder: Path, *options: str, cores: Collection[int] | None = None, every: float | None = None) -> Ran:
    """`royalty scan` of all of a corpus, as if it had never been counted; its table is `tokens.parquet` beside it."""
    return again(folder, "--fresh", *options, cores=cores, every=every)


def again(folder: Path, *options: str, cores: Collection[int] | None = None, every: float | None = None) -> Ran:
    """The same, of what has changed since it was scanned last."""
    output = str(folder / "tokens.parquet")
    return run([*ROYALTY, "scan", str(folder), "--quiet", "--output", output, *options], cores=cores, every=every)
