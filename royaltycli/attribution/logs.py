"""A log of outputs, judged span by span: in this process and, if there is much to judge, in others beside it."""

from __future__ import annotations

import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.index import Index
from royaltycli.attribution.judging import Decode, Judge, Judgement, own_parts, spans_of
from royaltycli.attribution.outputs import Output
from royaltycli.attribution.tracing import UNKNOWN, documents_of
from royaltycli.errors import WorkerError
from royaltycli.parallel.processes import WorkerProcess
from royaltycli.parallel.sidebyside import side_by_side
from royaltycli.tokens.engines import Engine, Ids

Tick = Callable[[int, int], None]
"""Told how many outputs are judged, and how many spans, of which a long output has many."""

ALONE = 400
"""Spans that one process judges in about the time that others take to start."""

TOGETHER, LETTERS = 256, 1 << 20
"""Outputs that are encoded at once, at the most, and letters from which on no more are added to them: what goes before
takes a hundred times as long as the encoding itself of a short output."""


@dataclass(frozen=True, slots=True)
class Judges:
    """What judges spans here; how a process is started that judges those of an output alike, and how many there are."""

    here: Judge
    elsewhere: Callable[[], WorkerProcess] | None = None
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Quote:
    """The most surprising match of an output with a source: by how much, its text, and the first place that has it."""

    excess: float
    passage: str
    place: str


@dataclass(frozen=True, slots=True)
class Log:
    """All spans of a log. `weights` are theirs, `owners` the output of each, and `parts` what they are of its tokens.

    `ids` and `accounts` are the outputs' own, and `prompts` 16 bytes of a digest of each prompt, but for blank ones.

    `quotes` has of each output its match with each source, by number. Of all `tokens` some are `repeated` from prompts.
    """

    ids: list[str]
    accounts: list[str | None]
    prompts: list[bytes | None]
    weights: Floats
    parts: Floats
    owners: Numbers
    judgements: list[Judgement]
    quotes: list[dict[int, Quote]]
    tokens: int
    repeated: int


@dataclass(frozen=True, slots=True)
class _Read:
    """An output, the tokens of its text, and the spans that it does not merely repeat from its prompt."""

    output: Output
    tokens: int
    spans: list[Ids]


def judge_log(
    index: Index,
    outputs: Iterable[Output],
    engine: Engine,
    decode: Decode,
    judges: Judges,
    tick: Tick,
) -> Log:
    """Judge all outputs of a log, and tell of it as it goes on.

    Raises whatever its outputs raise, and WorkerError if a worker is lost.
    """
    ids, accounts, prompts, quotes = list[str](), list[str | None](), list[bytes | None](), list[dict[int, Quote]]()
    weights, parts, owners, judgements = list[float](), list[float](), list[int](), list[Judgement]()
    tokens = repeated = done = 0
    waiting = deque[_Read]()

    def spans() -> Iterator[list[Ids]]:
        for some in _groups(outputs):
            for read in _read(engine, some):
                waiting.append(read)
                yield read.spans

    with contextlib.closing(_judged(spans(), judges, tick)) as judged:
        for number, found in enumerate(judged):
            read = waiting.popleft()
            ids.append(read.output.id)
            accounts.append(read.output.account)
            prompts.append(_digest(read.output.prompt))
            quotes.append({})
            weight, own = float(read.output.weight), sum(map(len, read.spans))
            for span, judgement in zip(read.spans, found, strict=True):
                _quote(index, judgement, span, decode, quotes[-1])
                judgements.append(replace(judgement, matches=()))  # which are many
                weights.append(weight * len(span) / read.tokens)
                parts.append(len(span) / read.tokens)
                owners.append(number)
            if own < read.tokens or not read.tokens:  # what is repeated, or empty, is of none
                judgements.append(Judgement(np.empty(0, np.int64), np.empty(0), 1.0, ()))
                parts.append(1 - own / read.tokens if read.tokens else 1.0)
                weights.append(weight * parts[-1])
                owners.append(number)
            tokens += read.tokens
            repeated += read.tokens - own
            done += len(found)
            tick(number + 1, done)
    of_spans = np.array(weights), np.array(parts), np.array(owners, np.int64)
    return Log(ids, accounts, prompts, *of_spans, judgements, quotes, tokens, repeated)


def _digest(prompt: str | None) -> bytes | None:
    return None if prompt is None or not prompt.strip() else hashlib.blake2b(prompt.encode(), digest_size=16).digest()


def _groups(outputs: Iterable[Output]) -> Iterator[list[Output]]:
    """Outputs in groups that are encoded together, in their order."""
    group, size = list[Output](), 0
    for output in outputs:
        group.append(output)
        size += len(output.text) + len(output.prompt or "")
        if len(group) == TOGETHER or size >= LETTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _read(engine: Engine, outputs: list[Output]) -> Iterator[_Read]:
    texts = [output.text if output.text.strip() else "" for output in outputs]  # of blanks nobody is the source
    prompts = [output.prompt for output in outputs if output.prompt is not None]
    ids, lengths = engine.encode(pa.array(texts + prompts, pa.large_string()))
    encoded = np.split(ids, np.cumsum(lengths)[:-1])
    of_prompts = iter(encoded[len(texts) :])
    for output, text in zip(outputs, encoded[: len(texts)], strict=True):
        prompt = None if output.prompt is None else next(of_prompts)
        yield _Read(output, len(text), [span for part in own_parts(text, prompt) for span in spans_of(part)])


def _judged(outputs: Iterator[list[Ids]], judges: Judges, tick: Tick) -> Generator[list[Judgement], None, None]:
    """The judgements on the spans of each output: of the first ones here, and then by all there are."""
    others, done = judges.elsewhere if judges.workers > 1 else None, 0
    for number, spans in enumerate(outputs):
        found = list[Judgement]()
        for span in spans:
            found.append(judges.here(span))
            tick(number, done + len(found))
        yield found
        done += len(spans)
        if others is not None and done >= ALONE:
            break
    else:
        return
    yield from side_by_side(
        outputs,
        judges.workers,
        lambda: lambda spans, _check: [judges.here(span) for span in spans],
        others,
        sent=lambda spans: spans,
        lost=lambda _: WorkerError(
            "a worker was lost while it judged an output (it was killed, or the memory ran out); nothing was written; "
            "run it again, with fewer `--workers`"
        ),
    )


def _quote(index: Index, judged: Judgement, span: Ids, decode: Decode, found: dict[int, Quote]) -> None:
    """Note the matches of a span that are more surprising than those that were found of the same output."""
    for match in judged.matches:
        sources = {source for unit in match.units for source in index.units[unit].sources}
        better = [one for one in sources if one not in found or found[one].excess < match.excess]
        if better:
            # The tokens may begin or end within a character.
            passage = decode(span[match.start : match.start + match.size].tolist()).strip(UNKNOWN)
            documents = documents_of(index, match)
            for source in better:
                _, model, _, document = documents[source][0]
                found[source] = Quote(match.excess, passage, index.models[model].places[document].as_py())
