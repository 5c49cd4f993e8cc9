"""Where a packed file may be cut: between the frames of a zstd file, or the members of a gzip file.

Both kinds of file are one frame after another (a member of gzip is called a frame here as well), each
packed on its own, and no directory says where they begin. So frames are looked for: from some byte on, for
the four bytes that begin one, and what they begin is followed for a while. What is found this way is
almost surely a frame, and nothing rests on it: each range of a file is unpacked by itself, the first from
the file's first byte, and one that does not end where a frame ends is an error (`unpack.blocks`). If no
range is in error, all began where a frame begins.

Most packed files are one frame. They are told by their first bytes, and little of any file is read.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pyarrow as pa

from royaltycli.corpus.files import File
from royaltycli.corpus.unpack import open_raw
from royaltycli.errors import DocumentError
from royaltycli.limits import (
    FRAME_BLOCKS,
    FRAME_CUTS,
    FRAME_INFLATED,
    FRAME_MISSES,
    FRAME_SEARCH,
    FRAME_START,
    KiB,
)

STEP = 64 * KiB
INFLATE_STEP = 16 * KiB

ZSTD = b"\x28\xb5\x2f\xfd"
GZIP = b"\x1f\x8b\x08"

SKIPPABLE = 0x184D2A50
"""The smallest of the 16 numbers that begin a frame of zstd that holds no text."""

SKIPPABLE_HEAD = 8
"""Its bytes before those that are skipped: that number, and how many those are."""

FIRST_BYTES = 5
"""Of a frame of zstd: its magic number, and the descriptor that says how long its header is."""

BLOCK_BYTES = 128 * KiB
"""The most that one block of zstd may take."""

BLOCK_HEAD = 3
REPEATED, RESERVED = 1, 3
"""Kinds of blocks: one byte, and how often it is repeated; and none so far."""


class Followed(NamedTuple):
    """A frame that was followed up to the byte `end`, which is its end if it is `whole`."""

    end: int
    whole: bool


Follow = Callable[[Any, int, int], Followed | None]
"""Follows the frame that begins at a byte of an open file of some size, as far as its bounds; None if it is none."""


def frame_starts(file: File, spacing: int) -> list[int]:
    """The bytes at which frames begin that a packed file is to be cut at, at least `spacing` apart.

    There are none if the file cannot be read, or does not begin as its kind does: whoever reads it says so.
    """
    with contextlib.suppress(OSError, pa.ArrowException, DocumentError), open_raw(file) as raw:
        return list(_starts(raw, file, max(spacing, file.size // FRAME_CUTS)))
    return []


def _starts(raw: Any, file: File, spacing: int) -> Iterator[int]:
    magic, follow = (ZSTD, follow_zstd) if file.compression == "zstd" else (GZIP, follow_gzip)
    last = follow(raw, 0, file.size)
    if last is None or not (last.whole or _find(raw, file.size, magic, follow, last.end, FRAME_START)):
        return
    target, misses = spacing, 0
    while target < file.size and misses < FRAME_MISSES:
        begin = max(target, last.end)  # none begins within another
        found = _find(raw, file.size, magic, follow, begin, FRAME_SEARCH)
        misses += 1
        if found is not None:
            begin, last = found
            misses = 0
            yield begin
        target = begin + spacing


def _find(raw: Any, size: int, magic: bytes, follow: Follow, begin: int, most: int) -> tuple[int, Followed] | None:
    """The first frame that begins in the `most` bytes from byte `begin` on, as far as one can tell."""
    stop = min(begin + most, size)
    for at in range(begin, stop, STEP):
        data = raw.read_at(min(STEP, stop - at) + len(magic) - 1, at)
        place = data.find(magic)
        while place >= 0:
            if found := follow(raw, at + place, size):
                return at + place, found
            place = data.find(magic, place + 1)
    return None


def follow_zstd(raw: Any, at: int, size: int) -> Followed | None:
    """Follows a frame of zstd from the header of one block to that of the next (RFC 8878), after any without text."""
    for _ in range(FRAME_BLOCKS):
        head = raw.read_at(SKIPPABLE_HEAD, at)
        if int.from_bytes(head[:4], "little") & ~0xF != SKIPPABLE:
            break
        at += SKIPPABLE_HEAD + int.from_bytes(head[4:], "little")
    first = raw.read_at(FIRST_BYTES, at)
    if not first.startswith(ZSTD) or len(first) < FIRST_BYTES or first[-1] & 0b1000:
        return None
    at += _header_size(first[-1])
    for _ in range(FRAME_BLOCKS):
        header = int.from_bytes(raw.read_at(BLOCK_HEAD, at), "little")
        last, kind, length = header & 1, header >> 1 & 3, header >> 3
        if kind == RESERVED or length > BLOCK_BYTES:
            return None
        at += BLOCK_HEAD + (1 if kind == REPEATED else length)
        if at > size or (at == size and not last):
            return None
        if last:
            return _ended(raw, at + 4 * (first[-1] >> 2 & 1), size, _begins_zstd)
    return Followed(at, whole=False)


def _header_size(descriptor: int) -> int:
    """How many bytes a frame of zstd has before its first block."""
    single = descriptor >> 5 & 1
    content = (single, 2, 4, 8)[descriptor >> 6]
    return FIRST_BYTES + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + content


def _begins_zstd(head: bytes) -> bool:
    return head == ZSTD or int.from_bytes(head, "little") & ~0xF == SKIPPABLE


def follow_gzip(raw: Any, at: int, size: int) -> Followed | None:
    """Follows a member of gzip by inflating it; its checksum is checked if that comes to its end."""
    inflating = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    stop = min(at + FRAME_INFLATED, size)
    try:
        while at < stop and not inflating.eof:
            data = raw.read_at(INFLATE_STEP, at)
            if not data:
                return None  # the file has become shorter
            inflating.decompress(data)
            at += len(data) - len(inflating.unused_data)
    except zlib.error:
        return None
    if inflating.eof:
        return _ended(raw, at, size, _begins_gzip)
    return Followed(at, whole=False) if at < size else None


def _begins_gzip(head: bytes) -> bool:
    return head.startswith(GZIP)


def _ended(raw: Any, end: int, size: int, begins: Callable[[bytes], bool]) -> Followed | None:
    """A frame that ends at a byte, if another begins there, or the file ends."""
    return Followed(end, whole=True) if end == size or begins(raw.read_at(4, end)) else None
