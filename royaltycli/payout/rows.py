"""The rows of a result: sorted, cut to the largest, with the rows in parentheses among them (rules R1 to R6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Integers, Numbers, exact_sum
from royaltycli.errors import AmountError, TableError
from royaltycli.payout.basis import counts_of

NOT_SCANNED = "(not scanned)"
ESCROW = "(escrow)"
NO_HOLDER = "(no holder)"
"""Ids of rows that stand for no source and no holder; in parentheses, as no real id can be."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which rows a result has, in order.

    `order` holds positions among the real rows followed by the `special` ones, whose ids are in
    parentheses. `folded` are the real rows that the special row `other` stands for.
    """

    order: Numbers
    special: tuple[str, ...]
    other: str
    folded: Numbers

    def numbers(self, values: Integers, special: Mapping[str, int]) -> Integers:
        """Numbers in the order of the rows; the row `other` has the sum of those that it stands for."""
        known = {**special, self.other: exact_sum(values[self.folded])}
        extra = [known[name] for name in self.special]
        dtype = values.dtype if max(extra, default=0) < 2**63 else np.dtype(object)
        result: Integers = np.concatenate([values.astype(dtype, copy=False), np.array(extra, dtype)])[self.order]
        return result

    def counts(self, values: Numbers, special: Mapping[str, int]) -> pa.Array:
        """The same as a column of int64, empty in special rows of which no number is known."""
        known = {name: special.get(name, 0) for name in self.special}
        numbers = self.numbers(values, known)
        if numbers.dtype == object:
            raise AmountError("the tokens of this table come to more than 2**63; split the corpus")
        unknown = np.array([name not in special and name != self.other for name in self.special], bool)
        return pa.array(numbers, mask=np.concatenate([np.zeros(len(values), bool), unknown])[self.order])

    def ids(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A column of ids, with those in parentheses in their rows."""
        return self._take(column, pa.array(self.special, pa.string()))

    def texts(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A column of texts, empty in the special rows."""
        return self._take(column, pa.nulls(len(self.special), pa.string()))

    def _take(self, column: pa.ChunkedArray, extra: pa.Array) -> pa.ChunkedArray:
        return pa.chunked_array([*column.chunks, extra], pa.string()).take(pa.array(self.order))


def listing(
    amounts: Integers, before: Callable[[str], int], special: Mapping[str, int], top: int | None, other: str
) -> Listing:
    """Rows from the largest amount to the smallest, ties by id.

    The real rows stand in the order of their ids, and `before` says how many of them come before an
    id. `special` has the amounts of the rows in parentheses. With `top`, only so many real rows are
    listed, and one more, with the id `other`, stands for the others.
    """
    size = len(amounts)
    kept, folded = np.arange(size), np.array([], np.int64)
    amounts_of = dict(special)
    if top is not None and top < size:
        by_amount = np.argsort(-amounts, kind="stable")
        kept, folded = np.sort(by_amount[:top]), by_amount[top:]
        amounts_of[other] = exact_sum(amounts[folded])
    names = tuple(sorted(amounts_of))
    places = np.searchsorted(kept, [before(name) for name in names])
    extra = [amounts_of[name] for name in names]
    dtype = amounts.dtype if max(extra, default=0) < 2**63 else np.dtype(object)
    by_id = np.insert(kept, places, size + np.arange(len(names)))
    sorted_by = np.insert(amounts[kept].astype(dtype, copy=False), places, np.array(extra, dtype))
    return Listing(by_id[np.argsort(-sorted_by, kind="stable")], names, other, folded)


def ids_before(ids: pa.Array | pa.ChunkedArray) -> Callable[[str], int]:
    """How many of `ids` come before a given one in code point order."""
    return lambda name: int(pc.sum(pc.less(ids, name)).as_py() or 0)


def group_sums(values: Integers, groups: Numbers, size: int) -> Integers:
    """The sum of the values of each group. The sum of all must fit in the values' type."""
    sums: Integers = np.zeros(size, values.dtype)
    np.add.at(sums, groups, values)
    return sums


def by_source_id(table: pa.Table) -> pa.Table:
    """The table in the order of its source ids, with credited tokens: all of them where nothing else is said.

    Raises TableError if an id is missing or there twice.
    """
    missing = sorted(_COLUMNS - set(table.column_names))
    if missing:
        raise TableError(f"the token table has no column {', '.join(missing)}; write it with `royalty scan`")
    counts_of(table["tokens"], "tokens")
    if "credited_tokens" not in table.column_names:
        table = table.append_column("credited_tokens", table["tokens"])
    ids = table["source_id"]
    if ids.null_count:
        raise TableError("the column source_id has an empty cell; scan the corpus again")
    if not pc.all(pc.less(ids[:-1], ids[1:])).as_py():
        table = table.take(pc.sort_indices(ids))
        ids = table["source_id"]
        same = pc.equal(ids[:-1], ids[1:])
        if pc.any(same).as_py():
            raise TableError(f"source {ids[pc.index(same, True).as_py()]} is in the token table twice; scan again")
    return table


_COLUMNS = {"source_id", "title", "holders", "license", "tokens", "epochs"}
