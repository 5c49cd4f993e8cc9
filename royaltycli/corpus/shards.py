"""Cuts the files of a corpus into shards: what one worker reads and counts at a time.

A shard is some pieces: whole small files, or one range of a big one. A document is never cut. Where a
cut falls changes no count and no digest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from royaltycli.corpus.files import File
from royaltycli.corpus.frames import frame_starts
from royaltycli.corpus.parquet import row_group_sizes
from royaltycli.corpus.pieces import Piece
from royaltycli.limits import LARGE_SHARD_BYTES, PIECES, SHARD_BYTES, SHARD_FILES, SHARDS
from royaltycli.remote.waiting import all_of

PACKING = 4
NOWHERE: Mapping[str, Sequence[int]] = MappingProxyType({})

SHARDS_PER_PART = 8
"""So many at the least if the files allow it, so that the parts of a corpus are about alike."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Pieces that one worker reads in order, of files that stand side by side; `first` is the corpus's first."""

    pieces: tuple[Piece, ...]
    first: bool = False


def cut(
    files: Iterable[File], shard_bytes: int = SHARD_BYTES, *, before: Mapping[str, Sequence[int]] = NOWHERE
) -> Iterator[Piece]:
    """The pieces of a corpus, in the order of its files. Raises DocumentError for a broken big Parquet file.

    `before` has the bytes at which a packed file was cut before, by its name: it is not opened to find them again.
    """
    files = list(files)
    far = [file for file in files if file.remote and _is_cut(file, shard_bytes) and file.format == "parquet"]
    sizes = dict(zip(far, all_of(row_group_sizes, far), strict=True))  # one footer after another would take long
    for file in files:
        yield from _pieces(file, shard_bytes, sizes.get(file), before.get(file.name))


def together(pieces: Iterable[Piece], shard_bytes: int = SHARD_BYTES) -> Iterator[Shard]:
    """The shards of some pieces, in their order; larger ones if they are very many."""
    pieces, pending = list(pieces), list[Piece]()
    shard_bytes = max(shard_bytes, min(LARGE_SHARD_BYTES, text_size(pieces) // SHARDS))
    size, first = 0, True
    for piece in pieces:
        weight = piece.packed_bytes * _packing(piece.file)
        if pending and (size + weight > shard_bytes or len(pending) >= SHARD_FILES):
            yield Shard(tuple(pending), first)
            pending, size, first = [], 0, False
        pending.append(piece)
        size += weight
    if pending:
        yield Shard(tuple(pending), first)


@dataclass(frozen=True, slots=True)
class Part:
    """One of so many parts of a corpus, counted from 1, that are counted apart, each about as large as the others."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def in_part(pieces: Iterable[Piece], part: Part) -> list[Piece]:
    """The pieces that belong to a part. It depends on nothing but all pieces, so that parts agree on it unasked."""
    pieces = list(pieces)
    shard_bytes = min(SHARD_BYTES, text_size(pieces) // (SHARDS_PER_PART * part.of))
    shards = itertools.islice(together(pieces, shard_bytes), part.number - 1, None, part.of)
    return [piece for shard in shards for piece in shard.pieces]


def text_size(pieces: Iterable[Piece]) -> int:
    """Roughly how many bytes of text there are in some pieces."""
    return sum(piece.packed_bytes * _packing(piece.file) for piece in pieces)


def _packing(file: File) -> int:
    """How much more text a file holds than it has bytes, roughly: shards are to take about the same time."""
    return PACKING if file.compression is not None or file.format == "parquet" else 1


def _is_cut(file: File, shard_bytes: int) -> bool:
    whole = file.format in ("text", "html", "warc") or (file.remote and file.compression is not None)
    return not whole and file.size * _packing(file) > shard_bytes


def _pieces(file: File, shard_bytes: int, sizes: list[int] | None, before: Sequence[int] | None) -> Iterator[Piece]:
    if not _is_cut(file, shard_bytes):
        yield Piece(file, packed_bytes=file.size)
        return
    while file.size * _packing(file) > PIECES * shard_bytes:
        shard_bytes *= 2  # and no step between, so that a file that has grown is hardly ever cut elsewhere
    if file.format == "jsonl" and file.compression is None:
        yield from _ranges(file, range(shard_bytes, file.size, shard_bytes))
    elif file.format == "jsonl":
        yield from _ranges(file, frame_starts(file, shard_bytes // PACKING) if before is None else before)
    else:
        yield from _row_groups(file, shard_bytes, row_group_sizes(file) if sizes is None else sizes)


def _ranges(file: File, starts: Sequence[int]) -> Iterator[Piece]:
    """The ranges of a file that is cut at some bytes."""
    if not starts:
        yield Piece(file, packed_bytes=file.size)
        return
    for start, stop in itertools.pairwise([0, *starts, file.size]):
        yield Piece(file, start, stop, stop - start)


def _row_groups(file: File, shard_bytes: int, sizes: list[int]) -> Iterator[Piece]:
    """Some row groups each; the last has the footer as well, so that all are as large as the file.

    A file without any is one piece all the same, as its columns may be wrong.
    """
    if not sizes:
        yield Piece(file, packed_bytes=file.size)
    start = size = 0
    footer = file.size - sum(sizes)
    for group, group_size in enumerate(sizes):
        last = group == len(sizes) - 1
        size += group_size + (footer if last else 0)
        if size * PACKING >= shard_bytes or last:
            yield Piece(file, start, group + 1, size)
            start, size = group + 1, 0
