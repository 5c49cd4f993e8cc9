"""What is known of each holder, and what is deducted from what it earned (rules Y14 and Y16)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.errors import TableError
from royaltycli.payout.distribution import Amounts, Known
from royaltycli.payout.policy import Deductions
from royaltycli.payout.quotas import quotas

LIST_OF_HOLDERS = pa.schema(
    [
        ("holder_id", pa.string()),
        ("reachable", pa.bool_()),
        ("withholding", pa.string()),
        ("advance", pa.int64()),
        ("minimum", pa.int64()),
    ]
)
"""The list of holders as a table (docs/spec-policy.md, "The list of holders").

A row a holder, in any order. `withholding` is an exact fraction as text (`0.15`, `1/3`), `advance` and `minimum` are
in millionths of a minor unit. An empty cell stands for the policy's value: reachable, its withholding, no
advance, its minimum.
"""


def known_of(listed: pa.Table | None, ids: pa.Array, minimum: int) -> Known:
    """The list of holders in the order of `ids`; without one, the values of the policy.

    It names no holder twice. Raises TableError if it names one that no source has.
    """
    listed = LIST_OF_HOLDERS.empty_table() if listed is None else listed
    named = listed["holder_id"].combine_chunks()
    unknown = named.filter(pc.invert(pc.is_in(named, ids)))
    if len(unknown):
        who = unknown[0].as_py()[:80]
        raise TableError(f"the list of holders names {who!r}, who has no source; correct the id, or leave it out")
    rows = pc.index_in(ids, named)
    column = {name: listed[name].combine_chunks().take(rows) for name in LIST_OF_HOLDERS.names[1:]}
    return Known(
        pc.fill_null(column["reachable"], True).to_numpy(zero_copy_only=False),
        column["withholding"],
        pc.fill_null(column["advance"], 0).to_numpy(),
        pc.fill_null(column["minimum"], minimum).to_numpy(),
    )


def deduct(gross: Amounts, deductions: Deductions, known: Known) -> tuple[Amounts, Amounts, Amounts, Amounts]:
    """Fee, withholding, what is recouped of advances, and reserve of each holder's earnings, in this order."""
    fee = _part_of(gross, deductions.fee)
    left = gross - fee
    withholding = _parts_by(left, known.withholding, deductions.withholding)
    left = left - withholding
    recouped = np.minimum(left, known.advance)
    return fee, withholding, recouped, _part_of(left - recouped, deductions.reserve)


def _part_of(amounts: Amounts, rate: Fraction) -> Amounts:
    """The whole part of each amount times a rate from 0 to 1."""
    if rate == 0:
        return np.zeros(len(amounts), np.int64)
    return quotas(amounts, rate.numerator, rate.denominator)[0]


def _parts_by(amounts: Amounts, rates: pa.Array, usual: Fraction) -> Amounts:
    """The same with a rate for each, as text; `usual` where there is none."""
    encoded = pc.dictionary_encode(rates)
    codes = pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy()
    result = np.zeros(len(amounts), np.int64)
    for code, rate in enumerate([*map(Fraction, encoded.dictionary.to_pylist()), usual]):
        rows = np.flatnonzero(codes == code)
        result[rows] = _part_of(amounts[rows], rate)
    return result
