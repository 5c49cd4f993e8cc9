"""The method under test: an index, its evidence, and a choice that is fitted to the index's own documents.

This is the one module of the benchmark that knows how `royalty attribute` works.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.building import Built, build_index
from royaltycli.attribution.choice import Choice, Example, fit, probabilities
from royaltycli.attribution.evidence import Evidence, LeftOut, evidence
from royaltycli.attribution.index import Index, open_index
from royaltycli.corpus.opening import open_corpus
from royaltycli.tokens.encodings import find_encoding
from royaltycli.tokens.engines import Ids

Scores = npt.NDArray[np.float64]
Tick = Callable[[int, int], None]
"""Told how much of how much is done."""

SIZES = (32, 128, 512, 2048)
"""Tokens of the spans that the choice is fitted to."""

UNKNOWN_EVERY, UNKNOWN = 2, 0.2
"""Of so many spans one is judged with its source taken out as well; these count as such a part of all."""

ROUNDS, CLOSE = 1000, 1e-9
AT_ONCE = 16

Job = tuple[Ids, LeftOut | None]


@dataclass(frozen=True, slots=True)
class Odds:
    """Of each span, a row: the probability of each source, and in the last column that it is of none."""

    table: Scores

    @property
    def sources(self) -> Scores:
        """Without that of none."""
        return self.table[:, :-1]

    @property
    def known(self) -> Scores:
        """That the span is of any source."""
        return 1 - self.table[:, -1]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A choice, and the shares of sources and of none that it was fitted to."""

    choice: Choice
    prior: Scores


def build(manifest: Path, folder: Path) -> Built:
    """Build the index of a corpus."""
    opened = open_corpus(manifest)
    encoding = find_encoding(opened.corpus.encoding or "", folder=opened.corpus.folder)
    return build_index(opened.corpus, opened.files, encoding, folder, lambda *_said: None)


class Judges:
    """Processes that judge spans by one index."""

    def __init__(self, index: Path, pool: Executor | None) -> None:
        self.path, self.index, self._pool = index, open_index(index, check=False), pool

    def judge(self, jobs: Sequence[Job], tick: Tick) -> list[Evidence]:
        """The evidence on each span, without its matches."""
        found: list[Evidence] = []
        parts = [list(jobs[start : start + AT_ONCE]) for start in range(0, len(jobs), AT_ONCE)]
        look = partial(_look, self.path)
        for part in map(look, parts) if self._pool is None else self._pool.map(look, parts):
            found += part
            tick(len(found), len(jobs))
        return found


@contextlib.contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """Worker processes, or none where there is to be a single one."""
    if workers == 1:
        yield None
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield pool


_opened: dict[Path, Index] = {}


def _look(path: Path, jobs: list[Job]) -> list[Evidence]:
    if path not in _opened:
        _opened.clear()
        _opened[path] = open_index(path, check=False)
    return [replace(evidence(_opened[path], tokens, left_out), matches=()) for tokens, left_out in jobs]


def calibrate(judges: Judges, seed: int, spans: int, tick: Tick) -> Fitted:
    """Fit the choice to so many spans of each size, each judged as if its document were not in the corpus."""
    jobs = list(_left_out(judges.index, seed, spans))
    examples = []
    for (_, out), found in zip(jobs, judges.judge(jobs, tick), strict=True):
        assert out is not None
        right = np.flatnonzero(found.units == out.unit)
        examples.append(Example(found, int(right[0]) if len(right) and not out.whole_unit else -1))
    unknown = sum(example.right < 0 for example in examples)
    more = UNKNOWN / (1 - UNKNOWN) * (len(examples) - unknown) / max(1, unknown)
    weighted = [replace(each, weight=more) if each.right < 0 else each for each in examples]
    by_source = _shared(judges.index, judges.index.sizes[None, :].astype(np.float64))[0]
    return Fitted(fit(weighted), np.append((1 - UNKNOWN) * by_source / by_source.sum(), UNKNOWN))


def _left_out(index: Index, seed: int, spans: int) -> Iterator[Job]:
    random = np.random.default_rng(seed)
    of = [(number, document) for number, model in enumerate(index.models) for document in range(len(model.units))]
    lengths = np.concatenate([np.diff(model.starts) - 1 for model in index.models])
    for size in SIZES:
        for count, drawn in enumerate(random.choice(len(of), spans, p=lengths / lengths.sum()).tolist()):
            number, document = of[drawn]
            taken = min(size, int(lengths[drawn]))
            start = int(random.integers(0, lengths[drawn] - taken + 1))
            tokens = index.models[number].tokens(document)[start : start + taken]
            out = LeftOut(number, document, int(index.models[number].units[document]))
            yield tokens, out
            if count % UNKNOWN_EVERY == 0:
                yield tokens, replace(out, whole_unit=True)


def odds(judges: Judges, fitted: Fitted, spans: Sequence[Ids], tick: Tick) -> Odds:
    """What the method says of spans."""
    return weighed(judges.index, fitted, judges.judge([(tokens, None) for tokens in spans], tick))


def weighed(index: Index, fitted: Fitted, found: Sequence[Evidence]) -> Odds:
    """Evidence by a choice. What several sources hold alike is theirs in equal parts."""
    table = np.zeros((len(found), len(index.units)))
    none = np.empty(len(found))
    for row, each in enumerate(found):
        table[row, each.units], none[row] = probabilities(fitted.choice, each)
    return Odds(np.column_stack([_shared(index, table), none]))


def _shared(index: Index, of_units: Scores) -> Scores:
    """From a column for each unit to a column for each source."""
    matrix = np.zeros((len(index.units), len(index.sources)))
    for number, unit in enumerate(index.units):
        matrix[number, list(unit.sources)] = 1 / len(unit.sources)
    found: Scores = of_units @ matrix
    return found


def usage(found: Odds, prior: Scores) -> Scores:
    """The share of each source, and of none, in all spans: the prior corrected by expectation and maximisation.

    Saerens, Latinne and Decaestecker 2002.
    """
    ratio = found.table / prior
    share = prior
    for _ in range(ROUNDS):
        parts = ratio * share
        new: Scores = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
        if np.abs(new - share).sum() < CLOSE:
            return new
        share = new
    return share
