"""Columns of a result table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def money_column(units: npt.NDArray[np.int64], places: int) -> pa.Array:
    """Units as decimal128 with so many places: the integers themselves, low word first."""
    words = np.empty((len(units), 2), "<i8")
    words[:, 0] = units
    words[:, 1] = units >> 63  # the sign, in all bits of the high word
    return pa.Array.from_buffers(pa.decimal128(38, places), len(units), [None, pa.py_buffer(words)])


def taken(column: pa.Array, rows: npt.NDArray[np.int64]) -> pa.ChunkedArray:
    """Those rows of a column, which may be more text than one array holds."""
    return pa.chunked_array([column]).take(pa.array(rows))
