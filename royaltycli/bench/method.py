"""The method under test: an index, its evidence, and a choice that is fitted to the index's own documents."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

import numpy as np

from royaltycli.arrays import Floats, Mask, Numbers
from royaltycli.attribution import folder
from royaltycli.attribution.building import Built, build_index
from royaltycli.attribution.calibration import Calibration, calibrate, read_calibration
from royaltycli.attribution.choice import probabilities
from royaltycli.attribution.evidence import Evidence, evidence
from royaltycli.attribution.index import Index, open_index
from royaltycli.attribution.judging import SLIGHT
from royaltycli.attribution.machine import Machine
from royaltycli.attribution.shift import Judged, folded, shares
from royaltycli.corpus.opening import open_corpus
from royaltycli.errors import WorkerError
from royaltycli.progress import say_nothing
from royaltycli.tokens.encodings import find_encoding
from royaltycli.tokens.engines import Ids

Tick = Callable[[int, int], None]
"""Told how much of how much is done."""

AT_ONCE = 16

MOST_PROCESSES = 61
"""Windows cannot wait for more; Python refuses them there."""

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Odds:
    """Of each span, a row: the probability of each unit of an index, and in the last column that it is of none.

    `shared` says which part of a unit is each source's: a row for each unit, and one for none.
    """

    table: Floats
    shared: Floats

    @property
    def sources(self) -> Floats:
        """The probability of each source."""
        found: Floats = (self.table @ self.shared)[:, :-1]
        return found

    @property
    def known(self) -> Floats:
        """That the span is of any source."""
        return 1 - self.table[:, -1]

    def some(self, chosen: Numbers | Mask) -> Odds:
        """Only those of some spans, a span as often as it is named."""
        return Odds(self.table[chosen], self.shared)


def build(manifest: Path, index: Path) -> Built:
    """Build the index of a corpus."""
    opened = open_corpus(manifest)
    encoding = find_encoding(opened.corpus.encoding or "", folder=opened.corpus.folder)
    return build_index(opened.corpus, opened.files, encoding, index, say_nothing)


class Gatherer:
    """Gathers the evidence that one index gives on spans, in several processes if there are any."""

    def __init__(self, index: Path, pool: Executor | None) -> None:
        self.path, self.index, self._pool = index, open_index(index, check=False), pool

    def gather(self, spans: Sequence[Ids], tick: Tick) -> list[Evidence]:
        """The evidence on each span, without its matches."""
        found: list[Evidence] = []
        parts = [list(spans[start : start + AT_ONCE]) for start in range(0, len(spans), AT_ONCE)]
        # Another index may have stood in the same folder.
        look = partial(_look, self.path, folder.digest_of(self.path / folder.LIST))
        for part in each(self._pool, look, parts):
            found += part
            tick(len(found), len(spans))
        return found


@contextlib.contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """Worker processes, or none where there is to be a single one. Raises WorkerError if one is lost.

    After an error or an interrupt nobody waits for what they are doing: they end with this process.
    """
    if workers == 1:
        yield None
        return
    pool = ProcessPoolExecutor(min(workers, MOST_PROCESSES), get_context("spawn"), _prepare)
    wanted = False
    try:
        yield pool
        wanted = True
    except BrokenProcessPool as error:
        raise lost() from error
    finally:
        pool.shutdown(wait=wanted, cancel_futures=True)


def lost() -> WorkerError:
    """The error for a process that has ended before its work."""
    return WorkerError(
        "a worker of the benchmark was lost (it was killed, or the memory ran out); run it again, "
        "with fewer `--workers`"
    )


def _prepare() -> None:
    """An interrupt is for the process that started this one; and there is a process for each core, not a thread.

    If that process is killed, this one ends too: it would otherwise wait for its next task for ever.
    """
    from threadpoolctl import threadpool_limits

    threading.Thread(target=_end_with, args=[parent_process()], daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)


def _end_with(parent: BaseProcess | None) -> None:
    """End this process as soon as the one that started it has ended."""
    if parent is not None:
        parent.join()
        os._exit(1)


def each(pool: Executor | None, do: Callable[[Given], Found], of: Sequence[Given]) -> Iterator[Found]:
    """What comes of each, in order: of several at a time, if there are processes for them."""
    return map(do, of) if pool is None else pool.map(do, of)


_opened: dict[str, tuple[Index, Machine | None]] = {}


def _look(path: Path, digest: str, spans: list[Ids]) -> list[Evidence]:
    if digest not in _opened:
        _opened.clear()
        _opened[digest] = (open_index(path, check=False), fitted_to(path, 0).machine)
    index, machine = _opened[digest]
    return [replace(evidence(index, tokens, machine), matches=()) for tokens in spans]


def fitted_to(index: Path, seed: int) -> Calibration:
    """How evidence is weighed, fitted to the documents of the index alone; that of seed 0 is the index's own."""
    opened = open_index(index, check=False)
    kept = read_calibration(opened) if seed == 0 else None
    return kept or calibrate(opened, say_nothing, seed)


def odds(gatherer: Gatherer, fitted: Calibration, spans: Sequence[Ids], tick: Tick) -> Odds:
    """What the method says of spans."""
    return weighed(gatherer.index, fitted, gatherer.gather(spans, tick))


def weighed(index: Index, fitted: Calibration, found: Sequence[Evidence]) -> Odds:
    """The probabilities that a choice gives, from evidence. What several sources have alike is shared equally."""
    table = np.zeros((len(found), len(index.units) + 1))
    for row, each in enumerate(found):
        table[row, each.units], table[row, -1] = probabilities(fitted.choice, each)
    shared = np.zeros((len(index.units) + 1, len(index.sources) + 1))
    for number, unit in enumerate(index.units):
        shared[number, list(unit.sources)] = 1 / len(unit.sources)
    shared[-1, -1] = 1
    return Odds(table, shared)


def usage(found: Odds, prior: Floats) -> Floats:
    """The share of each source, and of none, in all spans together."""
    kept = found.table >= SLIGHT
    kept[:, -1] = True
    table = np.where(kept, found.table, 0)
    spans, units = np.nonzero(kept)
    entries = (table / table.sum(axis=1, keepdims=True))[spans, units]
    size = table.shape[1]
    share: Floats = folded(shares(Judged(spans, units, entries, size), prior, np.ones(len(table)))) @ found.shared
    return share
