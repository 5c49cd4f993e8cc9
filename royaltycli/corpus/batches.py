"""What every reader yields: some documents as one Arrow array, and where each of them stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from royaltycli.corpus.files import File
from royaltycli.corpus.unpack import blocks
from royaltycli.manifest.model import Field

LISTS_MEND = 'say lists = "split", "first" or "joint" in its collection'
"""How to mend a field that names several sources or holders where that was not foreseen."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents of one file, in file order; or `files` that are one document each, of which `file` is the first.

    `texts` is a large_string array of valid UTF-8 without nulls. For a collection, `sources` and
    `holders` hold what each document names, null where it names nothing. As a reader yields them, they
    are the values of the fields, texts or lists of texts; afterwards they are names. Where a document may
    name several sources, `parts` holds the document of each name, in the order of the documents.
    `packed_bytes` is how much was read of files for this batch, for the progress.

    `numbers` are those of the documents in their file, lines or rows or records, from 1. Of a piece that
    begins within a JSONL file they are known only from its own first line on; `after_byte` is where it begins, and the
    lines before that byte are counted when an error must name one.
    """

    file: File
    texts: pa.LargeStringArray
    packed_bytes: int
    sources: pa.Array | None = None
    holders: pa.Array | None = None
    numbers: Sequence[int] = ()
    after_byte: int = 0
    files: tuple[File, ...] = ()
    parts: npt.NDArray[np.intp] | None = None

    def place(self, document: int) -> str:
        """Where a document stands, as errors name it: `posts.jsonl:12`, `news.parquet, row 3`, `book.txt`."""
        if self.files:
            return self.files[document].name
        return place(self.file, self.numbers[document], self.after_byte)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields that hold a document's text, its source and its holder; with `lists`, the names may be lists."""

    text: Field
    source: Field | None = None
    holder: Field | None = None
    lists: bool = False

    def all(self) -> list[Field]:
        """Each field once, the text first."""
        return list(dict.fromkeys(field for field in (self.text, self.source, self.holder) if field is not None))


def place(file: File, number: int, after_byte: int = 0) -> str:
    """The line or row of a file, as errors name it."""
    if file.format in ("parquet", "warc"):
        return f"{file.name}, {'row' if file.format == 'parquet' else 'record'} {number}"
    if file.remote and after_byte:  # whose lines before are not read only to number them
        return f"{file.name}, line {number} of those after byte {after_byte:,}"
    return f"{file.name}:{number + _lines_before(file, after_byte)}"


def _lines_before(file: File, after_byte: int) -> int:
    """How many lines begin at `after_byte` of a file or before, between frames of it if it is packed.

    Raises DocumentError if those lines cannot be read.
    """
    if after_byte == 0:
        return 0
    return 1 + sum(bytes(block).count(b"\n") for block, _ in blocks(file, 0, after_byte))
