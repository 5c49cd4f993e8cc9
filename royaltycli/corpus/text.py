"""Files that are one document each: plain text and HTML."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from royaltycli.corpus.batches import Batch
from royaltycli.corpus.files import File
from royaltycli.corpus.unpack import whole
from royaltycli.errors import DocumentError
from royaltycli.manifest.model import Reading


def read_text(file: File, reading: Reading) -> Batch:
    """A text or HTML file as one document, as it stands. Raises DocumentError that names a byte of invalid UTF-8."""
    return Batch(file, as_texts(whole(file), file, reading), file.size)


def as_texts(data: pa.Buffer, file: File, reading: Reading) -> pa.LargeStringArray:
    """An array of one document over the bytes, without a copy where they are valid UTF-8."""
    offsets = pa.py_buffer(np.array([0, data.size], dtype=np.int64))
    texts = pa.LargeStringArray.from_buffers(1, offsets, data)
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return pa.array([decode(bytes(data), file.name, reading)], pa.large_string())
    return texts


def decode(data: bytes, place: str, reading: Reading, offset: int = 0) -> str:
    """Bytes as text. Raises DocumentError that names `place` and the byte, unless errors are replaced."""
    try:
        return data.decode("utf-8", errors=reading.errors)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{place}: not valid UTF-8 at byte {offset + error.start + 1:,} (0x{data[error.start]:02x}); "
            'convert the file, or set errors = "replace" for its source'
        ) from error
