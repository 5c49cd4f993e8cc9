"""What is taken from what a holder earned (docs/spec-policy.md, rule Y16)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.errors import TableError
from royaltycli.payout.distribution import Amounts
from royaltycli.payout.quotas import quotas


def part_of(amounts: Amounts, rate: Fraction) -> Amounts:
    """The whole part of each amount times a rate from 0 to 1."""
    if rate == 0:
        return np.zeros(len(amounts), np.int64)
    return quotas(amounts, rate.numerator, rate.denominator)[0]


def parts_by(amounts: Amounts, rates: pa.Array, usual: Fraction) -> Amounts:
    """The same with a rate for each, as text; `usual` where there is none. Raises TableError for what is no rate."""
    encoded = pc.dictionary_encode(rates)
    codes = pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy()
    result = np.zeros(len(amounts), np.int64)
    for code, rate in enumerate([*map(_rate, encoded.dictionary.to_pylist()), usual]):
        rows = np.flatnonzero(codes == code)
        result[rows] = part_of(amounts[rows], rate)
    return result


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(-1)
    if not 0 <= rate <= 1:
        raise TableError(
            f"the list of holders has the withholding {text!r}, but it is a rate from 0 to 1, such as 0.15"
        )
    return rate
