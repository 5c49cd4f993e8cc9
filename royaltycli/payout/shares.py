"""Shares of the corpus: by source, holder, license or collection (docs/spec-allocation.md, rules S1 to S5)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.errors import CallError
from royaltycli.payout.allocation import exact_sum
from royaltycli.payout.basis import Basis, seen_tokens
from royaltycli.payout.holders import part_weights, parts_of
from royaltycli.payout.listings import of_holders, of_sources
from royaltycli.payout.quotas import Integers
from royaltycli.payout.rows import NO_HOLDER, NOT_SCANNED, by_source_id, group_sums, ids_before, listing
from royaltycli.payout.texts import decimal_texts, share_texts

By = Literal["source", "holder", "license", "collection"]
UNNAMED = {"license": "(none)", "collection": "(single sources)"}
"""The row of the sources that have no such name."""

HOLDER_PLACES = 6
"""Decimal places of a holder's seen tokens: a third of a token has no end."""


def shares(
    table: pa.Table, *, by: By = "source", total_tokens: Decimal | None = None, top: int | None = None
) -> pa.Table:
    """Tokens, seen tokens and share of the corpus, from the largest share to the smallest.

    `total_tokens` is the size of the whole run where the table is a part of it: shares are then
    fractions of the run. With `top`, only the largest rows are listed, and one row stands for the others.

    Raises TableError if the table makes no sense, AmountError if the run is smaller than the table;
    CallError for an unknown `by`.
    """
    if by not in _BY:
        raise CallError(f"shares by {by!r} are not known; use {', '.join(_BY)}")
    table = by_source_id(table)
    basis = seen_tokens(table["credited_tokens"], table["epochs"], total_tokens)
    return _BY[by](table, basis, top)


def _by_source(table: pa.Table, basis: Basis, top: int | None) -> pa.Table:
    special = {} if basis.rest is None else {NOT_SCANNED: basis.rest}
    rows, columns = of_sources(table, basis.weights, special, top)
    weights = rows.numbers(basis.weights, special)
    columns["seen_tokens"] = decimal_texts(weights, 10**basis.places, basis.places)
    columns["share"] = share_texts(weights, basis.total)
    columns["credited_tokens"] = rows.counts(table["credited_tokens"].to_numpy(), {})
    return pa.table(columns)


def _by_holder(table: pa.Table, basis: Basis, top: int | None) -> pa.Table:
    parts = parts_of(table["holders"], table["source_id"])
    part, total = part_weights(basis, parts)
    size = len(parts.ids)
    amounts = group_sums(part, parts.holder, size)
    special, sources = {}, {}
    if basis.rest is not None:
        special[NOT_SCANNED] = basis.rest * parts.denominator
    nobodys = parts.counts == 0
    if nobodys.any():
        special[NO_HOLDER] = exact_sum(basis.weights[nobodys]) * parts.denominator
        sources[NO_HOLDER] = int(np.count_nonzero(nobodys))
    rows, columns = of_holders(parts, amounts, special, top, sources)
    weights = rows.numbers(amounts, special)
    columns["seen_tokens"] = decimal_texts(weights, parts.denominator * 10**basis.places, HOLDER_PLACES)
    columns["share"] = share_texts(weights, total)
    return pa.table(columns)


def _by_license(table: pa.Table, basis: Basis, top: int | None) -> pa.Table:
    return _by_group("license", table["license"], table, basis, top)


def _by_collection(table: pa.Table, basis: Basis, top: int | None) -> pa.Table:
    ids = table["source_id"]
    first = [pc.list_element(pc.split_pattern(chunk, "/", max_splits=1), 0) for chunk in ids.chunks]
    collection = pa.chunked_array(first, pa.string())
    single = pc.equal(collection, ids)
    names = pc.if_else(single, pa.scalar(None, pa.string()), collection)
    return _by_group("collection", names, table, basis, top)


def _by_group(column: str, names: pa.ChunkedArray, table: pa.Table, basis: Basis, top: int | None) -> pa.Table:
    """Sources grouped by a name of theirs; those without one have a row of their own."""
    encoded = pc.dictionary_encode(names.combine_chunks())
    by_name = pc.sort_indices(encoded.dictionary).to_numpy().astype(np.int64)
    groups = encoded.dictionary.take(pa.array(by_name))
    size = len(groups)
    rank = np.empty(size + 1, np.int64)
    rank[by_name] = np.arange(size)
    rank[size] = size  # the last group is of those without a name
    group = rank[pc.fill_null(encoded.indices, size).to_numpy()]
    amounts = group_sums(basis.weights, group, size + 1)
    token_sums, credited_sums = (_token_sums(table[name], group, size + 1) for name in ("tokens", "credited_tokens"))
    sources = np.bincount(group, minlength=size + 1)
    unnamed, special = UNNAMED[column], {}
    if basis.rest is not None:
        special[NOT_SCANNED] = basis.rest
    if sources[size]:
        special[unnamed] = int(amounts[size])
    rows = listing(amounts[:size], ids_before(groups), special, top, f"(other {column}s)")
    weights = rows.numbers(amounts[:size], special)

    def counts(values: Integers) -> pa.Array:
        return rows.counts(values[:size], {unnamed: int(values[size])})

    return pa.table(
        {
            column: rows.ids(pa.chunked_array([groups])),
            "sources": counts(sources),
            "tokens": counts(token_sums),
            "seen_tokens": decimal_texts(weights, 10**basis.places, basis.places),
            "share": share_texts(weights, basis.total),
            "credited_tokens": counts(credited_sums),
        }
    )


def _token_sums(tokens: pa.ChunkedArray, group: Numbers, size: int) -> Integers:
    counts = tokens.to_numpy()
    return group_sums(counts if exact_sum(counts) < 2**63 else counts.astype(object), group, size)


_BY: dict[str, Callable[[pa.Table, Basis, int | None], pa.Table]] = {
    "source": _by_source,
    "holder": _by_holder,
    "license": _by_license,
    "collection": _by_collection,
}
