"""The measures of a source that shares can be proportional to (docs/spec-policy.md, rules Y4 to Y6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Integers, Mask, exact_sum
from royaltycli.errors import AmountError, TableError
from royaltycli.limits import NUMBER_DIGITS
from royaltycli.numerals import EXACT
from royaltycli.payout.basis import counts_of, decimal_of, places_of, seen_tokens
from royaltycli.payout.policy import Measure

UNATTRIBUTED = "(unattributed)"


@dataclass(frozen=True, slots=True)
class Measured:
    """The numbers of a measure for every source, times 10**places so that all are whole; `rest` is nobody's."""

    numbers: Integers
    places: int = 0
    rest: int = 0

    @property
    def total(self) -> int:
        """The numbers of all sources, and what is nobody's."""
        return exact_sum(self.numbers) + self.rest


def measured(measure: Measure, table: pa.Table, total_tokens: Decimal | None, usage: pa.Table | None) -> Measured:
    """A measure of the sources of a token table in the order of its ids.

    Raises AmountError if the whole run is smaller than what was scanned, or there is no usage table;
    TableError if a table holds what makes no sense.
    """
    if measure == "works":
        return Measured(np.ones(table.num_rows, np.int64))
    if measure == "usage":
        return _usage(table["source_id"], usage)
    if measure in ("documents", "bytes"):
        if measure not in table.column_names:
            raise TableError(f"the token table has no column {measure}, which shares depend on; scan again")
        return Measured(counts_of(table[measure], measure))
    epochs = table["epochs"]
    if measure == "tokens":
        epochs = pa.chunked_array([pa.repeat("1", len(epochs))])
    basis = seen_tokens(table["credited_tokens"], epochs, total_tokens)
    return Measured(basis.weights, basis.places, basis.rest or 0)


def zero_everywhere(measure: Measure) -> AmountError:
    """The error for money that is to be shared out by a measure that nobody has any of."""
    what = measure.replace("_", " ")
    return AmountError(f"nothing can be shared out by {what}, which is zero for all who take part; use another basis")


def below(numbers: Measured, minimum: Decimal) -> Mask:
    """Which sources are below a minimum."""
    least = Fraction(minimum) * 10**numbers.places
    smallest = -(-least.numerator // least.denominator)  # whole numbers below the fraction are those below its ceiling
    result: Mask = (numbers.numbers < smallest).astype(bool)
    return result


def _usage(ids: pa.ChunkedArray, usage: pa.Table | None) -> Measured:
    """The credits of the usage table in the order of the source ids."""
    if usage is None:
        raise AmountError("shares depend on usage, but no usage table is given; name it with `--usage`")
    named, texts = usage["source_id"].combine_chunks(), usage["credit"].combine_chunks()
    _check_ids(named, ids)
    encoded = pc.dictionary_encode(texts)
    values = [_credit(text) for text in encoded.dictionary.to_pylist()]
    places = max((places_of(value) for value in values), default=0)
    whole = [int(value.scaleb(places, EXACT)) for value in values]
    fits = len(named) * max(whole, default=0) < 2**62
    scaled = np.array(whole, np.int64 if fits else object)
    credited = scaled[encoded.indices.to_numpy()] if len(named) else np.zeros(0, np.int64)
    rows = pc.index_in(ids, named)
    known = pc.is_valid(rows).to_numpy()
    numbers = np.zeros(len(ids), credited.dtype)
    numbers[known] = credited[pc.drop_null(rows).to_numpy()]
    rest = pc.index(named, UNATTRIBUTED).as_py()
    return Measured(numbers, places, int(credited[rest]) if rest >= 0 else 0)


def _check_ids(named: pa.Array, ids: pa.ChunkedArray) -> None:
    if pc.count_distinct(named).as_py() != len(named):
        twice = pc.value_counts(named)
        first = twice.field("values").filter(pc.greater(twice.field("counts"), 1))[0]
        raise TableError(f"the usage table names source {first.as_py()[:80]!r} twice; add its credits up in one row")
    unknown = named.filter(pc.invert(pc.is_in(named, pa.chunked_array([*ids.chunks, pa.array([UNATTRIBUTED])]))))
    if len(unknown):
        raise TableError(
            f"the usage table names source {unknown[0].as_py()[:80]!r}, which the token table does not have; "
            "make both from the same corpus"
        )


def _credit(text: str | None) -> Decimal:
    value = decimal_of(text or "")
    if value is None:
        raise TableError(
            f"the usage table holds the credit {text!r}, but a credit is a decimal of zero or more, with at most "
            f"{NUMBER_DIGITS} digits on each side of the point; correct it"
        )
    return value
