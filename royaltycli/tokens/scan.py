"""The scan: what was counted before stays, the rest is counted side by side, and all of it makes the token table."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from royaltycli.corpus.files import File
from royaltycli.corpus.shards import cut, text_size, together
from royaltycli.errors import CallError
from royaltycli.limits import PROCESSES_FROM, REFERENCE_TIMES, WORKERS
from royaltycli.manifest.model import DUPLICATES, Collection, Corpus, Duplicates, Source
from royaltycli.storage import note_kept
from royaltycli.tokens.count import Counting, Tick
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.engines import choose_engine, make_engine
from royaltycli.tokens.merge import merge
from royaltycli.tokens.partials import kept_in, place_of, remove_others
from royaltycli.tokens.plan import UNCHANGED, Planned, cuts_before, plan_pieces
from royaltycli.tokens.processes import WorkerProcess
from royaltycli.tokens.reference import Reference, load_reference
from royaltycli.tokens.shardwork import Done, Job, Task, work
from royaltycli.tokens.totals import Totals
from royaltycli.tokens.workers import Check, InOrder


@dataclass(frozen=True, slots=True)
class Scan:
    """A finished scan: what the token table comes to, and how it came about.

    `verified` documents were recounted by the reference, in this scan or in the one that counted them.
    `unchanged` of the corpus's files were counted by an earlier scan.
    """

    totals: Totals
    encoding: str
    engine: str
    reference: str | None
    verified: int
    unchanged: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scan is going to do, with which engine and reference. `job` is what its workers are told.

    `duplicates` says which sources get the tokens of a text that occurs more than once.
    """

    corpus: Corpus
    owners: tuple[Source | Collection, ...]
    pieces: list[Planned]
    reference: Reference | None
    job: Job
    duplicates: Duplicates


def default_workers() -> int:
    """As many as there are processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plan_scan(
    corpus: Corpus,
    files: tuple[File, ...],
    encoding: Encoding,
    folder: Path,
    *,
    engine: str | None = None,
    verify: Fraction = Fraction(1, 100),
    duplicates: str | None = None,
    rehash: bool = False,
    fresh: bool = False,
) -> Plan:
    """What must be counted of a corpus, given the partial tables in `folder`. Nothing is counted or written.

    `engine` is gigatoken or tiktoken, by default the fastest there is. `verify` is the part of the
    documents that the reference engine counts as well. `duplicates` is by default what the manifest says.
    With `rehash`, the content of files that were
    counted before is compared, and not only their size and stamp; with `fresh`, nothing was counted
    before. Raises EncodingError and CallError.
    """
    if duplicates is not None and duplicates not in DUPLICATES:
        raise CallError(f"duplicates is {duplicates!r}; it must be one of {', '.join(DUPLICATES)}")
    reference = load_reference(encoding)
    chosen = choose_engine(engine, encoding, reference)
    itself = reference is not None and chosen == reference.name
    if itself or reference is None:
        verify = Fraction(0)  # the reference against itself would show nothing
    owners: tuple[Source | Collection, ...] = (*corpus.sources, *corpus.collections)
    job = Job(encoding, chosen, verify, Fraction(1) if itself else verify, folder)
    known = {} if fresh else kept_in(folder)
    pieces = cut(files, before=cuts_before(files, owners, encoding, known))
    planned = plan_pieces(pieces, owners, encoding, verify, known, rehash=rehash)
    credited = duplicates or corpus.duplicates or DUPLICATES[0]
    return Plan(corpus, owners, planned, reference, job, credited)


def run(
    scan: Plan,
    output: Path,
    *,
    workers: int | None = None,
    tick: Tick = lambda _bytes, _tokens, _documents: None,
    top: int = 0,
) -> Scan:
    """Count what a plan says, and write the token table of the whole corpus to `output`.

    The table is the same, to the byte, for any engine and number of workers, and whatever was counted
    before. The totals name the `top` largest sources. Raises DocumentError for the first document that
    cannot be read, VerificationError for the first that is counted otherwise, TableError for sums that
    are too large, WorkerError, OutputError and CallError.
    """
    workers = default_workers() if workers is None else workers
    if not 1 <= workers <= WORKERS:
        raise CallError(f"workers is {workers}; it must be from 1 to {WORKERS}")
    kept = {place_of(one.piece): one.kept for one in scan.pieces if one.why == UNCHANGED and one.kept is not None}
    tick(sum(one.piece.packed_bytes for one in scan.pieces if one.why == UNCHANGED), 0, 0)
    counted: set[str] = set()
    for done in _done(scan, workers, tick):
        note_kept()
        counted.update(done.counted)
        kept |= {place_of(one.entry): one for one in done.kept}
    pieces = [(one.piece, kept[place_of(one.piece)]) for one in scan.pieces]
    folder, duplicates = scan.job.folder, scan.duplicates
    totals = merge(scan.corpus, pieces, scan.job.encoding, duplicates=duplicates, output=output, folder=folder, top=top)
    remove_others(folder, {one.path for _, one in pieces})
    name = scan.reference.name if scan.reference else None
    unchanged = len({piece.file.name for piece, _ in pieces} - counted)
    entries = [one.entry for _, one in pieces]
    notes = (*_notes(scan.job.engine, name, sum(entry.gave_up for entry in entries)), *_nameless(totals))
    verified = sum(entry.verified for entry in entries)
    return Scan(totals, scan.job.encoding.name, scan.job.engine, name, verified, unchanged, notes)


def _done(scan: Plan, workers: int, tick: Tick) -> Iterator[Done]:
    """The tasks of a plan as they are done, in their order."""
    job, reference, owners = scan.job, scan.reference, scan.owners
    before = {place_of(one.piece): one.kept for one in scan.pieces}
    todo = [one.piece for one in scan.pieces if one.why != UNCHANGED]
    tasks = (Task(shard, tuple(before[place_of(piece)] for piece in shard.pieces)) for shard in together(todo))
    slowly = 1 if job.engine != "gigatoken" else job.verify
    alone = workers == 1 or text_size(todo) * (1 + REFERENCE_TIMES * slowly) < PROCESSES_FROM

    processes = contextlib.ExitStack()

    def here() -> Callable[[Task, Check], Done]:
        counting = Counting(make_engine(job.engine, job.encoding, reference), reference, job.verify, tick)
        return lambda task, check: work(task, job, dict(enumerate(owners)), counting, check)

    def elsewhere() -> Callable[[Task, Check], Done]:
        worker = WorkerProcess(job, tick, owners)
        processes.callback(worker.end)
        return worker.work

    # One worker is this very process, which counts while the others are still starting.
    starts = [here] if alone else [here, *[elsewhere] * (workers - 1)]
    with processes:
        yield from InOrder(tasks, starts)


def _notes(engine: str, reference: str | None, gave_up: int) -> tuple[str, ...]:
    notes = []
    if engine == reference:
        notes.append(f"nothing was recounted, as {engine} is itself what counts are checked against")
    if engine == "tokenizers":
        notes.append("counted with tokenizers, as gigatoken is not there or does not know this tokenizer")
    elif engine == "tiktoken":
        notes.append(f"counted with {engine}, which is slower than gigatoken but counts the same")
    if reference is None:
        notes.append(
            "not verified: tokenizers, which would recount a tokenizer.json, is not installed (royaltycli[hf])"
        )
    if gave_up:
        documents = "1 document holds" if gave_up == 1 else f"{gave_up:,} documents hold"
        notes.append(f"{documents} too much whitespace at a stretch for tiktoken; the regex package split it instead")
    return tuple(notes)


def _nameless(totals: Totals) -> list[str]:
    """What is said of documents that name no source."""
    notes = []
    for one in totals.nameless:
        counted = "1 token" if one.tokens == 1 else f"{one.tokens:,} tokens"
        said = "1 document" if one.documents == 1 else f"{one.documents:,} documents"
        names, count = ("names", "it counts") if one.documents == 1 else ("name", "they count")
        check = ", like all of that collection: check its `source`" if one.alone else ""
        notes.append(f"{said} of {counted} {names} no source; {count} for {one.source_id}{check}")
    return notes
