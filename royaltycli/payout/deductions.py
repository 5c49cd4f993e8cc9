"""What is taken from what a holder earned (docs/spec-policy.md, rule Y16)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.payout.distribution import Amounts
from royaltycli.payout.quotas import quotas


def part_of(amounts: Amounts, rate: Fraction) -> Amounts:
    """The whole part of each amount times a rate from 0 to 1."""
    if rate == 0:
        return np.zeros(len(amounts), np.int64)
    return quotas(amounts, rate.numerator, rate.denominator)[0]


def parts_by(amounts: Amounts, rates: pa.Array, usual: Fraction) -> Amounts:
    """The same with a rate for each, as text; `usual` where there is none."""
    encoded = pc.dictionary_encode(rates)
    codes = pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy()
    result = np.zeros(len(amounts), np.int64)
    for code, rate in enumerate([*map(Fraction, encoded.dictionary.to_pylist()), usual]):
        rows = np.flatnonzero(codes == code)
        result[rows] = part_of(amounts[rows], rate)
    return result
