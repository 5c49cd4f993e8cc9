"""Runs the tasks of a scan on a Ray cluster: each where there is room for it, and anew if its machine is lost.

A task is sent as the names of files and what is known of them; what comes back is where its partial table
is. The rows themselves never pass through Ray: each worker writes them into the folder of the counts, which
is one that all machines see, or one in an object store.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, NamedTuple

from royaltycli.errors import CallError, RoyaltyError, WorkerError, reason_of
from royaltycli.limits import CONNECT_SECONDS, HEAD_GONE_SECONDS, TASK_RETRIES
from royaltycli.manifest.model import Owner
from royaltycli.progress import say_nothing
from royaltycli.remote.locations import is_remote, written
from royaltycli.tokens.count import Counting, Tick
from royaltycli.tokens.engines import make_engine
from royaltycli.tokens.reference import load_reference
from royaltycli.tokens.shardwork import Done, Job, Task, owners_of, work

WAITING = 2
"""Tasks for each processor that Ray is given at a time, so that none stands still and a cluster may grow."""

WAIT_SECONDS = 0.2
"""How often the waiting scan looks for an interrupt."""


_CLIENT = re.compile(r"ray://[^\s/?#@]+:[0-9]{1,5}")


class Answer(NamedTuple):
    """What a worker sends back: what it has done and the totals, or the error that it met."""

    done: Done | None
    error: Exception | None
    packed_bytes: int = 0
    tokens: int = 0
    documents: int = 0


def is_cluster(on: str) -> bool:
    """Whether `on` names a Ray cluster, and not this machine. Raises CallError if it names neither."""
    if on not in ("local", "ray") and not _CLIENT.fullmatch(on):
        raise CallError(f"on is {on!r}; it must be local, ray, or the address of a cluster such as ray://HEAD:10001")
    return on != "local"


def done_on_cluster(
    on: str, tasks: Iterable[Task], job: Job, owners: tuple[Owner, ...], workers: int | None, tick: Tick
) -> Generator[Done, None, None]:
    """The tasks as they are done, in any order; at most `workers` at a time, by default as many as there is room for.

    `on` is `ray`, for the cluster that this machine is part of or else one of its own, or an address such as
    `ray://HEAD:10001`. A task whose worker is lost is done anew, TASK_RETRIES times. Raises what the first task
    that fails raises, and WorkerError if one is lost each time, or the cluster is.
    """
    with _connected(on) as ray:
        counted, head = ray.remote(num_cpus=1, max_retries=TASK_RETRIES)(_answer), _Head(ray)
        shared = ray.put(job)
        coming = enumerate(tasks)
        under_way: dict[Any, tuple[int, Task]] = {}
        failed: tuple[int, Exception] | None = None
        while True:
            head.wait()
            room = workers or max(1, round(WAITING * ray.cluster_resources().get("CPU", 1)))
            while failed is None and len(under_way) < room and (following := next(coming, None)) is not None:
                task = following[1]
                under_way[counted.remote(version("royaltycli"), shared, task, owners_of(task, owners))] = following
            if not under_way:
                break
            for reference in _ready(ray, list(under_way)):
                if reference not in under_way:
                    continue
                number, task = under_way.pop(reference)
                answer = _got(ray, reference, task)
                tick(answer.packed_bytes, answer.tokens, answer.documents)
                if answer.error is not None:
                    failed = min(failed or (number, answer.error), (number, answer.error), key=lambda one: one[0])
                    # Only what stands before it may still tell of an error that comes first.
                    for one in [one for one, what in under_way.items() if what[0] > failed[0]]:
                        ray.cancel(one, force=True)
                        del under_way[one]
                else:
                    assert answer.done is not None
                    yield _there(answer.done, task)
        if failed is not None:
            raise failed[1]


@contextlib.contextmanager
def _connected(on: str) -> Iterator[Any]:
    """Ray, while this program is connected to a cluster. Raises CallError if it cannot be.

    Raises WorkerError if the cluster itself is lost meanwhile.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of our own is nobody else's business
    try:
        import ray
    except ImportError as error:
        raise CallError("ray is not installed; pip install 'royaltycli[ray]'") from error
    address = os.environ.get("RAY_ADDRESS", "") if on == "ray" else on
    named = f"{address} (RAY_ADDRESS)" if on == "ray" and address else on
    if address.startswith("ray://") and not _CLIENT.fullmatch(address):
        raise CallError(f"RAY_ADDRESS is {address!r}; it must be the address of a cluster such as ray://HEAD:10001")
    _check_listening(address, named)
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(None if on == "ray" else on, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        words = str(error).strip().partition("\n")[0][:200].rstrip(".")
        raise CallError(
            f"no Ray cluster can be reached at {named} ({words}); check that it is up, and of this version"
        ) from error
    if threading.current_thread() is threading.main_thread() and before is not None:
        signal.signal(signal.SIGTERM, before)  # Ray's own ends the program with what its libraries were at
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where Ray tells of lost workers, unasked
            yield ray
    except Exception as error:
        if not _is_rays(error):
            raise
        said = error.details() if hasattr(error, "details") else error
        words = str(said).strip().partition("\n")[0][:200].rstrip(".")
        mend = "what was counted is kept; see that it is up, and scan again"
        raise WorkerError(f"the Ray cluster at {named} was lost ({words}); {mend}") from error
    finally:
        ray.shutdown()


class _Head:
    """The head of a cluster; a program that asks Ray for anything while it is gone, Ray itself ends after a minute."""

    def __init__(self, ray: Any) -> None:
        # A client's requests fail by themselves where its head is gone.
        self._address = "" if ray.util.client.ray.is_connected() else str(ray.get_runtime_context().gcs_address)

    def wait(self) -> None:
        """Come back when the head can be reached. Raises ConnectionError if it cannot be for HEAD_GONE_SECONDS."""
        began = time.monotonic()
        while (reason := _not_listening(self._address)) is not None:
            if time.monotonic() - began > HEAD_GONE_SECONDS:
                raise ConnectionError(reason)
            time.sleep(WAIT_SECONDS)


def _is_rays(error: Exception) -> bool:
    """Whether an error is one of Ray's own, or of what it speaks to its cluster with."""
    return isinstance(error, ConnectionError) or type(error).__module__.partition(".")[0] in ("ray", "grpc")


def _check_listening(address: str, named: str) -> None:
    """Raises CallError if nobody listens at an address, for which Ray itself would wait for minutes.

    In the message it is `named` so.
    """
    if (reason := _not_listening(address)) is not None:
        raise CallError(f"no Ray cluster can be reached at {named} ({reason}); check that it is up")


def _not_listening(address: str) -> str | None:
    """Why nobody can be reached at an address; None if somebody can, or it is a name that Ray knows, such as auto."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        return None
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        return reason_of(error)
    return None


def _ready(ray: Any, under_way: list[Any]) -> list[Any]:
    """Those that are done, as soon as there are any; none after a while without."""
    ready, _ = ray.wait(under_way, num_returns=1, timeout=WAIT_SECONDS)
    if not ready:
        return []
    all_ready: list[Any] = ray.wait(under_way, num_returns=len(under_way), timeout=0)[0]
    return all_ready


def _got(ray: Any, reference: Any, task: Task) -> Answer:
    try:
        answer: Answer = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        words = str(error).strip().rpartition("\n")[2][:200].rstrip(".")
        mend = "install the same royaltycli, with the same extras, on all machines of the cluster"
        return Answer(None, WorkerError(f"a worker cannot count ({words}); {mend}"))
    except ray.exceptions.RayError as error:
        name, words = task.shard.pieces[0].file.name, str(error).strip().partition("\n")[0][:160].rstrip(".")
        lost = WorkerError(
            f"a worker was lost while it counted {name}, in each of {TASK_RETRIES + 1} attempts "
            f"({type(error).__name__}: {words}); what else was counted is kept; mend it and scan again"
        )
        return Answer(None, lost)
    return answer


def _there(done: Done, task: Task) -> Done:
    """What was done, if its partial table can be seen from here. Raises WorkerError."""
    path = Path(done.kept[0].path)
    if not is_remote(written(path)) and not os.path.exists(path):  # which takes a broken network drive for none
        name = task.shard.pieces[0].file.name
        raise WorkerError(
            f"what a worker counted of {name} is not to be found in {path.parent} from here; name a folder with "
            "`--counts` that all machines share, or one in an object store"
        )
    return done


def _answer(tool: str, job: Job, task: Task, owners: dict[int, Any]) -> Answer:
    """A worker's part, in a process of Ray's."""
    if tool != version("royaltycli"):
        words = (
            f"the workers have royaltycli {version('royaltycli')}, and this is {tool}; install the same on all machines"
        )
        return Answer(None, WorkerError(words))
    sums = [0, 0, 0]

    def tick(*new: int) -> None:
        sums[:] = [old + more for old, more in zip(sums, new, strict=True)]

    try:
        done = work(task, job, owners, replace(_counting(job), tick=tick), lambda: None)
    except RoyaltyError as error:
        return Answer(None, error)
    return Answer(done, None, *sums)


@functools.lru_cache(maxsize=1)
def _counting(job: Job) -> Counting:
    """Kept from one task to the next, as an engine takes long to load."""
    # In a file on this machine, as an engine reads it from one, now and whenever it is made anew.
    file, path = _file_in_memory() or _file_on_disk(job.encoding.path.suffix)
    file.write(job.encoding.data)
    file.flush()
    _vocabulary[:] = [file]
    encoding = replace(job.encoding, path=path)
    reference = load_reference(encoding)
    return Counting(make_engine(job.engine, encoding, reference), reference, job.verify, say_nothing)


def _file_in_memory() -> tuple[IO[bytes], Path] | None:
    """A file that is gone with this process even if that is killed; None where the system has no such."""
    try:
        descriptor = os.memfd_create("vocabulary")
    except (AttributeError, OSError):
        return None
    file, path = os.fdopen(descriptor, "wb"), Path(f"/proc/self/fd/{descriptor}")
    return (file, path) if path.exists() else None


def _file_on_disk(ending: str) -> tuple[IO[bytes], Path]:
    file = tempfile.NamedTemporaryFile(suffix=ending)  # noqa: SIM115 -- open as long as it is of use
    return file, Path(file.name)


_vocabulary: list[IO[bytes]] = []
"""The file of the job under way, which stays open, and so there, as long as this process or the job."""
