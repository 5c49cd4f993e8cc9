"""The memory of an array of texts, without a copy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from royaltycli.arrays import Numbers


def offsets(texts: pa.LargeStringArray) -> Numbers:
    """Where each text begins in the array's data, and where the last one ends: one more than there are texts."""
    if not len(texts):
        return np.zeros(1, dtype=np.int64)
    return np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]


def utf8(texts: pa.LargeStringArray) -> npt.NDArray[np.uint8]:
    """The bytes of all texts, one after the other."""
    ends = offsets(texts)
    data = texts.buffers()[2] if len(texts) else None
    return np.frombuffer(data or b"", dtype=np.uint8)[ends[0] : ends[-1]]
