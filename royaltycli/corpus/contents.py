"""What a piece holds, as a digest of its bytes: by it a count is known to be still good.

BLAKE3, as every byte of a corpus goes through it: it takes a third of SHA-256's time, and stays within
this program.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from blake3 import blake3

from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.unpack import rest_of_line, unreadable
from royaltycli.limits import READ_BYTES
from royaltycli.manifest.paths import descriptor_of


def content_of(piece: Piece) -> str:
    """The digest, in hexadecimal, of all bytes of a file that a piece's documents depend on.

    For a range of JSONL those are its bytes, and the text that follows them up to the end of the line, unpacked
    if it is packed; for row groups of Parquet their pages and the file's footer. A file on another machine is not
    read twice: of it, this is the version that its store gives it, and that every part is read of. Raises
    DocumentError.
    """
    file, digest = piece.file, blake3()
    if file.remote:
        return f"version {file.stamp[0]}"
    try:
        descriptor = descriptor_of(file.path)
        try:
            for block in _blocks(piece, descriptor):
                digest.update(block)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(file, error) from error
    return digest.hexdigest()


def _blocks(piece: Piece, descriptor: int) -> Iterator[bytes]:
    if piece.start == 0 and piece.stop is None:
        yield from _read(descriptor, 0, piece.file.size)
    elif piece.file.format == "parquet":
        from royaltycli.corpus.parquet import row_group_bytes

        for part in row_group_bytes(piece):
            yield from _read(descriptor, part.start, part.stop)
    else:
        stop = piece.file.size if piece.stop is None else piece.stop
        yield from _read(descriptor, piece.start, stop)
        yield from rest_of_line(piece.file, stop)


def _read(descriptor: int, start: int, stop: int) -> Iterator[bytes]:
    """The bytes of a range, as far as the file goes."""
    os.lseek(descriptor, start, os.SEEK_SET)
    while start < stop and (block := os.read(descriptor, min(READ_BYTES, stop - start))):
        start += len(block)
        yield block
