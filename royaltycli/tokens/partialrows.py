"""The rows of partial tables in the order of the corpus, with the ids of their sources."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.corpus.pieces import Piece
from royaltycli.manifest.identifiers import source_id
from royaltycli.manifest.model import Collection, Corpus
from royaltycli.tokens.buffers import offsets, utf8
from royaltycli.tokens.grouping import ROWS
from royaltycli.tokens.ids import source_ids
from royaltycli.tokens.partials import Kept, rows_in, rows_with

TABLES_OPEN = 8
"""Partial tables held in memory while the corpus is gone through, as what was counted later lies in others."""

ROWS_TOGETHER = 1 << 16
"""Rows that are worked on together; in a corpus that was counted bit by bit, each partial table gives but a few."""

BYTES_TOGETHER = 1 << 25

SOURCE_ROWS = pa.schema(
    [
        ("source_id", pa.large_string()),
        ("owner", pa.int32()),
        ("place", pa.int64()),
        ("holder", pa.large_string()),
        ("documents", pa.int64()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
        ("credited_tokens", pa.int64()),
        ("digests", pa.large_binary()),
    ]
)
"""What adds to a source: `documents` of it, which `owner` of the manifest holds, the first of them at `place`.

Rows that only change what is credited have no documents, and -1 as their place.
"""

DOCUMENTS = pa.schema([("text", pa.large_binary()), ("tokens", pa.int64()), ("place", pa.int64())])
"""A document: its digest and then the id of its source, its tokens, and its place in the corpus."""

PLACE_BITS = 32
"""A place is the number of the piece and, in so many bits, that of the document in it."""


def rows_of_sources(corpus: Corpus) -> pa.Table:
    """A row without documents for every single source, as each has one in the token table, whatever was found of it."""
    size = len(corpus.sources)
    none = pa.array(np.zeros(size, np.int64))
    return pa.table(
        {
            "source_id": [source.id for source in corpus.sources],
            "owner": range(size),
            "place": np.full(size, -1),
            "holder": pa.nulls(size, pa.large_string()),
            "documents": none,
            "bytes": none,
            "tokens": none,
            "credited_tokens": none,
            "digests": [b""] * size,
        },
        schema=SOURCE_ROWS,
    )


def rows_of_pieces(corpus: Corpus, pieces: Sequence[tuple[Piece, Kept]]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """What was counted, in the order of the corpus: SOURCE_ROWS, and DOCUMENTS of the same documents.

    Raises TableError if a partial table was lost meanwhile.
    """
    owners = corpus.owners
    names = pa.array([owner.id for owner in owners], pa.large_string())
    without = [source_id(owner.id, None) if isinstance(owner, Collection) else owner.id for owner in owners]
    nameless = pa.array(without, pa.large_string())
    owner_of = np.fromiter((piece.file.owner for piece, _ in pieces), np.int32, len(pieces))
    for table in _tables(pieces):
        numbers = table["piece"].to_numpy().astype(np.int64)
        owner = pa.array(owner_of[numbers])
        ids = source_ids(names.take(owner), _only(table["source"]), nameless.take(owner))
        begin, inside = _documents(_only(table["places"]))
        place = numbers << PLACE_BITS
        columns = {
            "source_id": ids,
            "owner": owner,
            "place": place + inside[begin[:-1]],
            "credited_tokens": table["tokens"],
        }
        columns |= {name: table[name] for name in ("holder", "documents", "bytes", "tokens", "digests")}
        rows = pa.table({name: columns[name] for name in SOURCE_ROWS.names}, schema=SOURCE_ROWS)
        of_row = np.repeat(np.arange(len(table)), np.diff(begin))
        yield rows, _texts(table, ids, of_row, place[of_row] + inside)


def _tables(pieces: Sequence[tuple[Piece, Kept]]) -> Iterator[pa.Table]:
    """ROWS of all pieces, whose numbers are those of the pieces in the corpus; some rows at a time, but never none."""
    read = functools.lru_cache(maxsize=TABLES_OPEN)(rows_in)
    parts: list[pa.Table] = []
    shifts: list[int] = []
    rows = size = 0
    for run in _runs(pieces):
        kept = pieces[run.start][1]
        part = rows_with(read(kept.path), kept.number, kept.number + len(run) - 1)
        parts.append(part)
        shifts.append(run.start - kept.number)
        rows, size = rows + len(part), size + part.nbytes
        if rows >= ROWS_TOGETHER or size >= BYTES_TOGETHER:
            yield _joined(parts, shifts)
            parts, shifts, rows, size = [], [], 0, 0
    if rows:
        yield _joined(parts, shifts)


def _joined(parts: list[pa.Table], shifts: list[int]) -> pa.Table:
    table = pa.concat_tables(parts).cast(ROWS).combine_chunks()
    numbers = table["piece"].to_numpy() + np.repeat(shifts, [len(part) for part in parts])
    return table.set_column(0, ROWS.field(0), pa.array(numbers, pa.int32()))


def _runs(pieces: Sequence[tuple[Piece, Kept]]) -> Iterator[range]:
    """Pieces that stand side by side in the corpus and in one partial table."""
    start = 0
    for at in range(1, len(pieces) + 1):
        if at < len(pieces):
            before, kept = pieces[at - 1][1], pieces[at][1]
            if (kept.path, kept.number) == (before.path, before.number + 1):
                continue
        yield range(start, at)
        start = at


def _only(column: pa.ChunkedArray) -> pa.Array:
    """The one array of a column whose chunks were combined."""
    return column.chunk(0)


def _documents(numbers: pa.LargeBinaryArray) -> tuple[Numbers, Numbers]:
    """Of rows with a number of four bytes for each document: where each row's begin, and the numbers of all."""
    ends = offsets(numbers)
    return (ends - ends[0]) // 4, np.frombuffer(utf8(numbers), "<u4").astype(np.int64)


def _texts(table: pa.Table, ids: pa.LargeStringArray, of_row: Numbers, place: Numbers) -> pa.Table:
    """DOCUMENTS of all documents but those without tokens, of which there are no copies."""
    tokens = _documents(_only(table["counts"]))[1]
    digests = pa.py_buffer(utf8(_only(table["digests"])))
    digest = pa.Array.from_buffers(pa.binary(32), len(tokens), [None, digests]).cast(pa.large_binary())
    source = ids.take(pa.array(of_row)).cast(pa.large_binary())
    text = pc.binary_join_element_wise(digest, source, pa.scalar(b"", pa.large_binary()))
    return pa.table([text, tokens, place], schema=DOCUMENTS).filter(pa.array(tokens > 0))
