"""Files that are one document each: plain text and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from royaltycli.corpus.batches import Batch
from royaltycli.corpus.files import File
from royaltycli.corpus.unpack import whole, wholes
from royaltycli.errors import DocumentError
from royaltycli.limits import READ_BYTES
from royaltycli.manifest.model import Reading


def read_texts(files: Sequence[File], reading: Reading) -> Iterator[Batch]:
    """Text or HTML files of one owner, each one document as it stands; many small ones at a time.

    Raises DocumentError that names the file, and the byte of invalid UTF-8.
    """
    for group in _together(files):
        try:
            texts = as_texts(wholes(group))
        except (DocumentError, pa.ArrowInvalid):  # one by one, for the first that is wrong, or to replace errors
            texts = pa.concat_arrays([_read_one(file, reading) for file in group])
        yield Batch(group[0], texts, sum(file.size for file in group), files=tuple(group))


def _together(files: Sequence[File]) -> Iterator[list[File]]:
    """The files in their order, in groups of up to READ_BYTES; packed ones alone, as who knows what they unpack to."""
    group: list[File] = []
    size = 0
    for file in files:
        if group and (size + file.size > READ_BYTES or file.compression or group[0].compression):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


def _read_one(file: File, reading: Reading) -> pa.LargeStringArray:
    data = whole(file)
    try:
        return as_texts([data])
    except pa.ArrowInvalid:
        return pa.array([decode(bytes(data), file.name, reading)], pa.large_string())


def as_texts(parts: Sequence[pa.Buffer]) -> pa.LargeStringArray:
    """An array of one document a part; a single part is not copied. Raises ArrowInvalid if one is not valid UTF-8."""
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([part.size for part in parts], out=offsets[1:])
    data = parts[0] if len(parts) == 1 else pa.py_buffer(b"".join(parts))
    texts = pa.LargeStringArray.from_buffers(len(parts), pa.py_buffer(offsets), data)
    texts.validate(full=True)
    return texts


def decode(data: bytes, place: str, reading: Reading) -> str:
    """Bytes as text. Raises DocumentError that names `place` and the byte, unless errors are replaced."""
    try:
        return data.decode("utf-8", errors=reading.errors)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{place}: not valid UTF-8 at byte {error.start + 1:,} (0x{data[error.start]:02x}); "
            'convert the file, or set errors = "replace" for its source'
        ) from error
