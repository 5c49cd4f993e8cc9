"""The part of a file that is read in one go."""

from __future__ import annotations

from dataclasses import dataclass

from royaltycli.corpus.files import File


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or a range of it: bytes of JSONL, between frames if it is packed, or row groups of Parquet.

    `stop` None is the end.
    """

    file: File
    start: int = 0
    stop: int | None = None
    packed_bytes: int = 0
