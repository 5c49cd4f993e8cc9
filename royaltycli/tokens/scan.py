"""The scan: what was counted before stays, the rest is counted side by side, and all of it makes the token table."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from royaltycli.corpus.files import File
from royaltycli.corpus.shards import Part, cut, in_part, text_size, together
from royaltycli.errors import CallError, TableError
from royaltycli.limits import PROCESSES_FROM, REFERENCE_TIMES
from royaltycli.manifest.model import DUPLICATES, Corpus, Duplicates
from royaltycli.notes import note
from royaltycli.numerals import several
from royaltycli.parallel.processes import how_many
from royaltycli.progress import say_nothing
from royaltycli.tokens.cluster import done_on_cluster, is_cluster
from royaltycli.tokens.count import Tick
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.engines import choose_engine
from royaltycli.tokens.local import done_here
from royaltycli.tokens.merge import merge
from royaltycli.tokens.partials import Kept, Settings, kept_in, place_of, remove_others
from royaltycli.tokens.plan import Planned, cuts_before, plan_pieces
from royaltycli.tokens.recall import recall, remember, state_of
from royaltycli.tokens.reference import Reference, load_reference
from royaltycli.tokens.shardwork import Done, Job, Task
from royaltycli.tokens.totals import Scan, Totals
from royaltycli.workspace import scratch_of

KEPT = "what was counted is kept, and the next scan goes on from there"
"""What an interrupted scan says."""


@dataclass(frozen=True)
class Plan:
    """What a scan is going to do, with which engine and reference. `job` is what its workers are told.

    `sure` is the part of the documents that the reference must have counted, where what was counted before stays.
    `part` is the one of the corpus's parts that is counted, None if it is all of it.
    `duplicates` says which sources get the tokens of a text that occurs more than once.
    With `rehash`, the content of files that were counted before is compared, and not only their size and
    stamp; with `fresh`, nothing was counted before.
    """

    corpus: Corpus
    files: tuple[File, ...]
    reference: Reference | None
    job: Job
    sure: Fraction
    duplicates: Duplicates
    rehash: bool
    fresh: bool
    part: Part | None

    @functools.cached_property
    def pieces(self) -> list[Planned]:
        """What there is to do about each piece of the corpus or its part, given the partial tables that are there.

        Raises DocumentError for a broken big Parquet file.
        """
        known = {} if self.fresh else kept_in(self.job.folder)
        pieces = cut(self.files, before=cuts_before(self.files, self._settings, known))
        pieces = pieces if self.part is None else iter(in_part(pieces, self.part))
        return plan_pieces(pieces, self._settings, self.sure, known, rehash=self.rehash)

    @functools.cached_property
    def state(self) -> str:
        """The digest of all that the table and the summary of this scan depend on, as far as it can be told unread."""
        job = self.job
        reference = None if self.reference is None else self.reference.name
        options = (job.encoding.name, job.encoding.digest, job.engine, reference, self.sure, self.duplicates)
        return state_of(self.corpus, options, ((file, self._settings.of(file)) for file in self.files))

    @functools.cached_property
    def _settings(self) -> Settings:
        return Settings(self.corpus.owners, self.job.encoding)

    @property
    def packed_bytes(self) -> int:
        """The bytes of files that the pieces have, as they lie on the disk."""
        return sum(one.piece.packed_bytes for one in self.pieces)


@dataclass(frozen=True, slots=True)
class CountedPlan:
    """What was counted of a plan's pieces, now or before, in the order of the pieces. `files` were read now."""

    plan: Plan
    kept: tuple[Kept, ...]
    files: frozenset[str]


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
    part: Part | None = None,
) -> Plan:
    """What must be counted of a corpus or a part of it, given the partial tables in `folder`. Nothing is written.

    `engine` is gigatoken, tiktoken or tokenizers, by default the fastest there is. `verify` is the part of the
    documents that the reference engine counts as well. `duplicates` is by default what the manifest says.
    Raises EncodingError and CallError.
    """
    if duplicates is not None and duplicates not in DUPLICATES:
        raise CallError(f"duplicates is {duplicates!r}; it must be one of {', '.join(DUPLICATES)}")
    reference = load_reference(encoding)
    chosen = choose_engine(engine, encoding, reference)
    itself = reference is not None and chosen == reference.name
    sure = Fraction(1) if itself and engine is not None else verify
    if reference is None:
        sure = verify = Fraction(0)
    elif itself:
        verify = Fraction(0)  # the reference against itself would show nothing
    job = Job(encoding, chosen, verify, Fraction(1) if itself else verify, folder)
    credited = duplicates or corpus.duplicates or DUPLICATES[0]
    return Plan(corpus, files, reference, job, sure, credited, rehash, fresh, part)


def run(
    plan: Plan,
    output: Path,
    *,
    workers: int | None = None,
    on: str = "local",
    expect: Callable[[int], None] = say_nothing,
    tick: Tick = say_nothing,
    top: int | None = 0,
) -> Scan:
    """Count what a plan says, and write the token table of the whole corpus to `output`.

    The table is the same, to the byte, for any engine and number of workers, wherever they are, and whatever
    was counted before. `expect` is told how many bytes of files are to be ticked off, if any are looked at.
    Raises what `count` and `finish` raise.
    """
    _check_where(workers, on)
    if (last := _recalled(plan, output, top)) is not None:
        return last
    expect(plan.packed_bytes)
    return finish(count(plan, workers=workers, on=on, tick=tick), output, top)


def _check_where(workers: int | None, on: str) -> None:
    """Raises CallError for a number of workers that cannot be, and for a place that is none."""
    is_cluster(on)
    how_many(workers)


def _recalled(plan: Plan, output: Path, top: int | None) -> Scan | None:
    """What the last scan came to, if `output` is just what it would be now, as nothing has changed since."""
    if plan.rehash or plan.fresh or plan.part is not None:
        return None
    scan = recall(plan.job.folder, output, plan.state, top)
    return scan and replace(scan, unchanged=len(plan.files), written=False)


def count(
    plan: Plan,
    *,
    workers: int | None = None,
    on: str = "local",
    tick: Tick = say_nothing,
) -> CountedPlan:
    """Count what a plan says, into partial tables.

    Raises DocumentError for the first document that cannot be read, VerificationError for the first that is
    counted otherwise, WorkerError, OutputError and CallError.
    """
    _check_where(workers, on)
    kept = {place_of(one.piece): one.done for one in plan.pieces if one.done}
    tick(sum(one.piece.packed_bytes for one in plan.pieces if one.done), 0, 0)
    files: set[str] = set()
    # Closed at once whatever happens, as its threads would else wait for more, and Python for them.
    with contextlib.closing(_done(plan, workers, on, tick)) as results:
        for done in results:
            note(KEPT)
            files.update(done.counted)
            kept |= {place_of(one.entry): one for one in done.kept}
    return CountedPlan(plan, tuple(kept[place_of(one.piece)] for one in plan.pieces), frozenset(files))


def finish(counts: CountedPlan, output: Path, top: int | None = 0) -> Scan:
    """Write the token table of the whole corpus to `output`, from all that was counted.

    The totals name the `top` largest sources, or all for None. Raises DocumentError, TableError for sums that are
    too large, and OutputError.
    """
    plan = counts.plan
    pieces = [(one.piece, kept) for one, kept in zip(plan.pieces, counts.kept, strict=True)]
    folder, duplicates, encoding = plan.job.folder, plan.duplicates, plan.job.encoding
    totals = merge(
        plan.corpus, pieces, encoding, duplicates=duplicates, output=output, folder=scratch_of(folder), top=top
    )
    remove_others(folder, {one.path for one in counts.kept})
    name = plan.reference.name if plan.reference else None
    unchanged = len({one.piece.file.name for one in plan.pieces} - counts.files)
    sums = [one.entry.sums for one in counts.kept]
    engine = plan.job.engine
    by_reference = {one.entry.by_reference for one in counts.kept if one.entry.sums.documents}
    if name is not None and len(by_reference) == 1:
        engine = name if True in by_reference else "gigatoken"  # whichever would count what is new
    verified, gave_up = sum(one.verified for one in sums), sum(one.gave_up for one in sums)
    notes = (*_notes(engine, name, verified, gave_up), *_nameless(totals), *_shared(plan))
    scan = Scan(totals, encoding.name, engine, name, verified, unchanged, notes)
    remember(folder, output, plan.state, scan, top)
    return scan


def counted_before(plan: Plan) -> CountedPlan:
    """What was counted of a whole plan before. Raises TableError for pieces of which that cannot be said."""
    missing = [one for one in plan.pieces if not one.done]
    if missing:
        first, files = missing[0], {one.piece.file.name for one in missing}
        others = f" and {several(len(files) - 1, 'other file')}" if len(files) > 1 else ""
        raise TableError(
            f"{first.piece.file.name}{others} cannot be merged ({first.why}); run the parts that are missing, with the "
            "same options as here, or `royalty scan`, which counts all that is missing"
        )
    return CountedPlan(plan, tuple(one.done for one in plan.pieces if one.done), frozenset())


def _done(plan: Plan, workers: int | None, on: str, tick: Tick) -> Generator[Done, None, None]:
    """The tasks of a plan as they are done."""
    job, owners = plan.job, plan.corpus.owners
    before = {place_of(one.piece): one.kept for one in plan.pieces}
    todo = [one.piece for one in plan.pieces if not one.done]
    tasks = (Task(shard, tuple(before[place_of(piece)] for piece in shard.pieces)) for shard in together(todo))
    if is_cluster(on) and todo:
        return done_on_cluster(on, tasks, job, owners, workers, tick)
    slowly = 1 if job.engine != "gigatoken" else job.verify
    if text_size(todo) * (1 + REFERENCE_TIMES * slowly) < PROCESSES_FROM:
        workers = 1
    return done_here(tasks, job, owners, plan.reference, how_many(workers), tick)


def _notes(engine: str, reference: str | None, verified: int, gave_up: int) -> tuple[str, ...]:
    notes = []
    if engine == reference and not verified:
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


def _shared(plan: Plan) -> list[str]:
    """What is said of duplicates where documents are shared out among sources (rules N5 and K1)."""
    if plan.duplicates == "all" or not any(one.lists == "split" for one in plan.corpus.collections):
        return []
    copy = "where a text is split among several sources, only the same text among as many is a copy"
    return [f"{copy}: with one more co-author it is another text"]


def _nameless(totals: Totals) -> list[str]:
    """What is said of documents that name no source."""
    notes = []
    for one in totals.nameless:
        said = f"{several(one.documents, 'document')} of {several(one.tokens, 'token')}"
        names, count = ("names", "it counts") if one.documents == 1 else ("name", "they count")
        check = ", like all of that collection: check its `source`" if one.alone else ""
        notes.append(f"{said} {names} no source; {count} for {one.source_id}{check}")
    return notes
