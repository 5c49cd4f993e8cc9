"""What a worker does with a shard: finds out what has not changed, counts the rest, and writes a partial table."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.corpus.contents import content_of
from royaltycli.corpus.documents import Owners
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.shards import Shard
from royaltycli.corpus.unpack import check_unchanged
from royaltycli.errors import TableError
from royaltycli.manifest.model import Owner
from royaltycli.tokens.count import Counted, Counting, count_shard
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.grouping import ROWS
from royaltycli.tokens.partialrows import TABLES_OPEN
from royaltycli.tokens.partials import Entry, Kept, Settings, Sums, rows_in, rows_with, write_partial


@dataclass(frozen=True, slots=True)
class Task:
    """A shard, and what was counted of each of its pieces before and is good if the content is the same."""

    shard: Shard
    kept: tuple[Kept | None, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for all tasks of a scan.

    `verify` is the part of the documents to recount; `sure` the part that counts as recounted afterwards:
    all of them where the reference itself counts.
    """

    encoding: Encoding
    engine: str
    verify: Fraction
    sure: Fraction
    folder: Path


def owners_of(task: Task, owners: tuple[Owner, ...]) -> Owners:
    """Those that the files of a task belong to, as one corpus may have a great many."""
    return {piece.file.owner: owners[piece.file.owner] for piece in task.shard.pieces}


@dataclass(frozen=True, slots=True)
class Done:
    """Where the rows of a task's pieces are now, and the files of which some were counted."""

    kept: tuple[Kept, ...]
    counted: frozenset[str]


def work(task: Task, job: Job, owners: Owners, counting: Counting, check: Callable[[], None]) -> Done:
    """Does a task. `check` is called now and then and may raise.

    Raises DocumentError, VerificationError and OutputError.
    """
    pieces = task.shard.pieces
    contents: dict[int, str] = {}
    confirmed: dict[int, Kept] = {}
    rows: list[pa.RecordBatch] = []
    read = functools.lru_cache(maxsize=TABLES_OPEN)(rows_in)  # a table holds the rows of very many small files
    for number, kept in enumerate(task.kept):
        if kept is not None:
            check()
            contents[number] = content_of(pieces[number])
            if contents[number] == kept.entry.content:
                with contextlib.suppress(TableError):  # damaged since it was looked through, so it counts no longer
                    rows += _rows_again(rows_with(read(kept.path), kept.number, kept.number), number)
                    confirmed[number] = kept
    counted = [number for number in range(len(pieces)) if number not in confirmed]
    part = Shard(tuple(pieces[number] for number in counted), task.shard.first)
    result = count_shard(part, owners, counting, check)
    for number, piece in enumerate(pieces):
        if number not in contents:
            contents[number] = content_of(piece)
        check_unchanged(piece.file)  # or the content would be that of another text than was counted
    sums = dict(zip(counted, _sums(result), strict=True))
    rows += [_renumbered(batch, counted) for batch in result.rows]
    for number, kept in confirmed.items():
        sums[number] = kept.entry.sums
        counting.tick(pieces[number].packed_bytes, 0, 0)
    settings = Settings(owners, job.encoding)
    entries = tuple(
        _entry(piece, contents[number], settings.of(piece.file), sums[number], confirmed.get(number), job.sure)
        for number, piece in enumerate(pieces)
    )
    path = write_partial(job.folder, _in_order(rows) if confirmed else rows, entries)
    names = frozenset(pieces[number].file.name for number in counted)
    return Done(tuple(Kept(path, number, entry) for number, entry in enumerate(entries)), names)


def _entry(piece: Piece, content: str, settings: str, sums: Sums, before: Kept | None, sure: Fraction) -> Entry:
    file = piece.file
    verify = str(sure) if before is None else before.entry.verify
    return Entry(file.name, piece.start, piece.stop, file.size, file.stamp, content, settings, verify, sums)


def _sums(counted: Counted) -> list[Sums]:
    """What each piece comes to."""
    size = len(counted.verified)
    documents, tokens = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for batch in counted.rows:
        numbers = batch.column("piece").to_numpy()
        np.add.at(documents, numbers, batch.column("documents").to_numpy())
        np.add.at(tokens, numbers, batch.column("tokens").to_numpy())
    each = zip(documents.tolist(), tokens.tolist(), counted.verified, counted.gave_up, strict=True)
    return [Sums(*sums) for sums in each]


def _renumbered(batch: pa.RecordBatch, numbers: list[int]) -> pa.RecordBatch:
    """Rows of pieces that were counted apart, with the numbers that the pieces have in the task."""
    return batch.set_column(0, ROWS.field(0), pc.take(pa.array(numbers, pa.int32()), batch.column(0)))


def _rows_again(table: pa.Table, number: int) -> list[pa.RecordBatch]:
    """The rows that were kept of a piece, with the number that it has in the task."""
    batches: list[pa.RecordBatch] = table.to_batches()
    return [batch.set_column(0, ROWS.field(0), pa.array([number] * len(batch), pa.int32())) for batch in batches]


def _in_order(rows: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    table = pa.Table.from_batches(rows, schema=ROWS)
    ordered: list[pa.RecordBatch] = table.take(pc.sort_indices(table["piece"])).to_batches()
    return ordered
