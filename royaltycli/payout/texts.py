"""Exact numbers as text, for whole columns at once (docs/spec-allocation.md, rules S2, B5 and R3)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import CHUNK, Integers, Numbers
from royaltycli.numerals import EXACT, plain
from royaltycli.payout.quotas import quotas

SHARE_DIGITS = 15
"""Significant digits of a share: three more than are promised, and all that a spreadsheet keeps."""

_LEAST, _LIMIT = 10 ** (SHARE_DIGITS - 1), 10**SHARE_DIGITS
_SHARE = Context(prec=SHARE_DIGITS, rounding=ROUND_HALF_EVEN)


def share_text(weight: int, total: int) -> str:
    """weight / total to SHARE_DIGITS significant digits, half to even; "0" where there is no total."""
    return plain(_SHARE.divide(Decimal(weight), Decimal(total))) if total else "0"


def share_texts(weights: Integers, total: int) -> pa.ChunkedArray:
    """`share_text` of every weight, none above `total`."""
    if weights.dtype == object or not 0 < total < 2**62:
        return _one_by_one(weights, lambda weight: share_text(weight, total))
    chunks = [_share_chunk(weights[start : start + CHUNK], total) for start in range(0, len(weights), CHUNK)]
    return pa.chunked_array(chunks, pa.string())


def _share_chunk(weights: Numbers, total: int) -> pa.Array:
    """Digits are floor(weight x 10**scale / total), rounded; the scale is what makes them SHARE_DIGITS long."""
    scales = list(range(SHARE_DIGITS - 1, SHARE_DIGITS + len(str(total))))
    least = [-(-total * _LEAST // 10**scale) for scale in scales]  # the least weight of each scale, falling
    which = len(scales) - np.searchsorted(np.array(least[::-1]), weights, side="right")  # len(scales): weight 0
    digits = np.zeros(len(weights), np.int64)
    for index in np.unique(which[weights > 0]).tolist():
        rows = np.flatnonzero(which == index)
        floors, remainders = quotas(weights[rows], 10 ** scales[index], total)
        digits[rows] = _half_even(floors, remainders, total)
    carried = digits == _LIMIT
    digits[carried] = _LEAST
    which -= carried
    prefixes = pa.array(["", *("0." + "0" * zeros for zeros in range(len(scales) - 1)), "0"])
    significant = pc.utf8_rtrim(pa.array(digits).cast(pa.string()), "0")
    return pc.binary_join_element_wise(prefixes.take(pa.array(which)), significant, "")


def decimal_texts(numerators: Integers, denominator: int, places: int) -> pa.ChunkedArray:
    """numerator / denominator, each in plain notation, rounded half to even to at most `places` places."""
    # Rounded to the even one, a half looks at its last digit, which without places is part of the whole.
    if numerators.dtype == object or denominator * 10**places >= 2**62 or (places == 0 and denominator > 1):
        return _one_by_one(numerators, lambda numerator: _decimal_text(numerator, denominator, places))
    chunks = []
    for start in range(0, len(numerators), CHUNK):
        whole, rest = np.divmod(numerators[start : start + CHUNK], denominator)
        floors, remainders = np.divmod(rest * 10**places, denominator)
        part = _half_even(floors, remainders, denominator)
        whole += part == 10**places
        part[part == 10**places] = 0
        text = pa.array(whole).cast(pa.string())
        if part.any():
            padded = pc.utf8_lpad(pa.array(part).cast(pa.string()), places, "0")
            text = pc.utf8_rtrim(pc.utf8_rtrim(pc.binary_join_element_wise(text, padded, "."), "0"), ".")
        chunks.append(text)
    return pa.chunked_array(chunks, pa.string())


def _decimal_text(numerator: int, denominator: int, places: int) -> str:
    return plain(Decimal(round(Fraction(numerator * 10**places, denominator))).scaleb(-places, EXACT))


def _half_even(floors: Integers, remainders: Integers, total: int) -> Integers:
    """Floors rounded to the nearest, and where two are as near, to the even one."""
    up: Integers = floors + ((2 * remainders > total) | ((2 * remainders == total) & (floors % 2 == 1)))
    return up


def _one_by_one(numbers: Integers, text: Callable[[int], str]) -> pa.ChunkedArray:
    """For numbers of any size, each text made once."""
    known: dict[int, str] = {}
    chunks = []
    for start in range(0, len(numbers), CHUNK):
        part = numbers[start : start + CHUNK].tolist()
        known.update((number, text(number)) for number in set(part) - known.keys())
        chunks.append(pa.array([known[number] for number in part], pa.string()))
    return pa.chunked_array(chunks, pa.string())
