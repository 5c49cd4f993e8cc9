"""Seen tokens as exact integer weights (docs/spec-allocation.md, rules B1 to B5)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Integers, Numbers, exact_sum
from royaltycli.errors import AmountError, TableError
from royaltycli.limits import NUMBER_DIGITS
from royaltycli.numerals import plain, plain_fraction

TOTAL = 2**62
"""Weights whose total stays below this are kept in int64, where no sum of some of them can wrap."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Seen tokens of every source, times 10**places so that all are whole; or its weight by another basis.

    `rest` is the part of the whole run that was not scanned, on the same scale; None where nothing
    is known of it, or nothing is missing. `unattributed` is the part of the usage that no source has, from 0 to 1,
    and that all share.
    """

    weights: Integers
    places: int
    scanned: int
    rest: int | None = None
    unattributed: Fraction = Fraction(0)

    @property
    def total(self) -> int:
        """What the shares are fractions of."""
        return self.scanned + (self.rest or 0)


def seen_tokens(credited: pa.ChunkedArray, epochs: pa.ChunkedArray, total_tokens: Decimal | None = None) -> Basis:
    """Credited tokens x epochs of every source; `total_tokens` is the size of the whole run, in seen tokens.

    Raises TableError if a column holds what is no count or no decimal, AmountError if the whole run is
    smaller than what was scanned.
    """
    counts = counts_of(credited, "credited_tokens")
    values, codes = _epochs(epochs)
    places = max([places_of(value) for value in values], default=0)
    if total_tokens is not None:
        places = max(places, places_of(total_tokens))
    factors = [int(Fraction(value) * 10**places) for value in values]
    if int(counts.max(initial=1)) * max(factors, default=0) < TOTAL:
        weights = counts * np.array(factors, np.int64)[codes] if len(counts) else counts
    else:
        weights = np.array([factors[code] * count for code, count in zip(codes, counts.tolist(), strict=True)], object)
    scanned = exact_sum(weights)
    rest = None
    if total_tokens is not None:
        rest = int(Fraction(total_tokens) * 10**places) - scanned
        if rest < 0:
            raise AmountError(
                f"the whole run is said to have seen {plain(total_tokens)} tokens, but "
                f"{plain_fraction(Fraction(scanned, 10**places))} were scanned; correct the total, or the epochs"
            )
    if scanned + (rest or 0) >= TOTAL and weights.dtype != object:
        weights = weights.astype(object)
    return Basis(weights, places, scanned, rest or None)


def counts_of(tokens: pa.ChunkedArray, name: str) -> Numbers:
    """A column of counts. Raises TableError if it has an empty cell, or less than zero in one."""
    if tokens.null_count:
        raise TableError(f"the column {name} has an empty cell; scan the corpus again")
    counts: Numbers = tokens.cast(pa.int64()).to_numpy()
    if counts.min(initial=0) < 0:
        raise TableError(f"the column {name} holds {counts.min()}, but a count is zero or more; scan the corpus again")
    return counts


def _epochs(epochs: pa.ChunkedArray) -> tuple[list[Decimal], npt.NDArray[np.int32]]:
    """The distinct epochs, and which of them each source has."""
    if epochs.null_count:
        raise TableError("the column epochs has an empty cell; scan the corpus again")
    encoded = pc.dictionary_encode(epochs.combine_chunks())
    values = []
    for text in encoded.dictionary.to_pylist():
        if (value := decimal_of(text)) is None:
            raise TableError(
                f"the column epochs holds {text!r}, but epochs are a decimal such as 1.5; scan the corpus again"
            )
        values.append(value)
    return values, encoded.indices.to_numpy()


def decimal_of(text: str) -> Decimal | None:
    """A decimal of zero or more, with at most NUMBER_DIGITS digits on each side of the point; None for another text."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value < 0 or max(value.adjusted(), -exponent) > NUMBER_DIGITS:
        return None
    return value


def places_of(value: Decimal) -> int:
    """Digits after the point that are not trailing zeros."""
    _, _, part = plain(value).partition(".")
    return len(part)
