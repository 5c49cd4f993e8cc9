"""Columns of a result table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers, exact_sum
from royaltycli.errors import AmountError
from royaltycli.payout.currency import Currency


def money_column(units: Numbers, places: int) -> pa.Array:
    """Units as decimal128 with so many places: the integers themselves, low word first."""
    words = np.empty((len(units), 2), "<i8")
    words[:, 0] = units
    words[:, 1] = units >> 63  # the sign, in all bits of the high word
    return pa.Array.from_buffers(pa.decimal128(38, places), len(units), [None, pa.py_buffer(words)])


def taken(column: pa.Array, rows: Numbers) -> pa.ChunkedArray:
    """Those rows of a column, which may be more text than one array holds."""
    return pa.chunked_array([column]).take(pa.array(rows))


def payout_columns(units: Numbers, pool: int, currency: Currency) -> dict[str, pa.Array]:
    """The columns payout and currency. Raises AmountError if the rows do not sum to the pool."""
    check_sum("rows", exact_sum(units), pool)
    return {"payout": money_column(units, currency.places), "currency": pa.repeat(currency.code, len(units))}


def check_sum(what: str, found: int, pool: int) -> None:
    """Raises AmountError if rows or destinations do not sum to the pool, in whole minor units (rule R6)."""
    if found != pool:
        raise AmountError(
            f"the {what} sum to {found} units of a pool of {pool}; this is a defect of the program, please report it"
        )
