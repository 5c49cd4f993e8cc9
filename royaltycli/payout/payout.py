"""The payout of a pool: a row for every source, holder or split, to the last minor unit (rules R1 to R6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers, exact_sum
from royaltycli.errors import AmountError, CallError
from royaltycli.payout.allocation import allocate
from royaltycli.payout.basis import Basis, seen_tokens
from royaltycli.payout.blend import weights_by
from royaltycli.payout.columns import check_sum, payout_columns
from royaltycli.payout.currency import Currency, money
from royaltycli.payout.holders import Parts, part_weights, parts_of
from royaltycli.payout.listings import Columns, of_holders, of_sources, of_splits
from royaltycli.payout.policy import SEEN_TOKENS, Policy, Weighted
from royaltycli.payout.rows import ESCROW, NOT_SCANNED, Listing, by_source_id, group_sums
from royaltycli.payout.splits import split
from royaltycli.payout.texts import decimal_texts, share_texts

By = Literal["source", "holder", "split"]
PAID = "paid"


@dataclass(frozen=True, slots=True)
class Payout:
    """A pool paid out, by a `policy` if there is one.

    `rows` are the table that docs/files.md describes. `destinations` say where the pool went, in minor
    units: first what is paid, then each row in parentheses that is not; they sum to the pool.
    """

    rows: pa.Table
    pool: int
    currency: Currency
    by: By
    basis: Weighted
    destinations: tuple[tuple[str, int], ...]
    policy: Policy | None = None
    exact: tuple[tuple[str, int], ...] = ()
    """The destinations of a payout by a policy, in millionths of a minor unit."""

    unattributed: Fraction = Fraction(0)
    """The part of the usage that no source has, from 0 to 1, and that all others share."""

    run_is_ignored: bool = False
    """Whether the size of the whole run is known, but changes nothing, as no share goes by tokens."""


def pay(
    table: pa.Table,
    *,
    pool: int,
    currency: Currency,
    by: By = "source",
    total_tokens: Decimal | None = None,
    top: int | None = None,
    period: str = "",
    basis: Weighted = SEEN_TOKENS,
    usage: pa.Table | None = None,
) -> Payout:
    """Pay out `pool` minor units to the sources of a token table, in proportion to a basis.

    `total_tokens` is the size of the whole run where the table is a part of it. With `top`, only the
    largest rows are listed, and one row stands for the others. `period` decides ties. `usage` is a table
    as for `distribute`, where the basis has usage in it.

    Raises TableError if the table makes no sense, AmountError if there is nothing to pay for, or the
    run is smaller than the table; CallError for an unknown `by`.
    """
    if by not in _BY:
        raise CallError(f"a payout by {by!r} is not known; use {', '.join(_BY)}")
    table = by_source_id(table)
    of_run = total_tokens if "seen_tokens" in dict(basis) else None
    seen = seen_tokens(table["credited_tokens"], table["epochs"], of_run)
    shared = seen
    if basis != SEEN_TOKENS:
        shared = weights_by(basis, table, total_tokens, usage, needed=pool > 0)
    elif pool and not seen.total:
        amount = f"{money(pool, currency)} {currency.code}"
        raise AmountError(f"the pool of {amount} cannot be paid out, as no tokens were seen; scan the corpus again")
    ids, weights = table["source_id"], shared.weights
    if shared.rest is not None:
        ids = pa.chunked_array([*ids.chunks, pa.array([NOT_SCANNED])], pa.string())
        weights = np.append(weights, np.array([shared.rest], weights.dtype))
    units = allocate(pool, weights, ids, period)
    unscanned = None if shared.rest is None else int(units[-1])
    paid = _Paid(table, seen, shared, units[: table.num_rows], unscanned, pool, currency, top, period)
    rows, elsewhere = _BY[by](paid)
    destinations = ((PAID, pool - sum(elsewhere.values())), *elsewhere.items())
    return Payout(rows, pool, currency, by, basis, destinations, unattributed=shared.unattributed)


@dataclass(frozen=True, slots=True)
class _Paid:
    """What each source of a table was paid, and all that rows are made of; shares are of the `basis`."""

    table: pa.Table
    seen: Basis
    basis: Basis
    units: Numbers
    unscanned: int | None
    pool: int
    currency: Currency
    top: int | None
    period: str


def _by_source(paid: _Paid) -> tuple[pa.Table, dict[str, int]]:
    table, seen, basis = paid.table, paid.seen, paid.basis
    special = {} if paid.unscanned is None else {NOT_SCANNED: paid.unscanned}
    rows, columns = of_sources(table, paid.units, special, paid.top)
    weights = rows.numbers(basis.weights, {NOT_SCANNED: basis.rest or 0})
    tokens = rows.numbers(seen.weights, {NOT_SCANNED: seen.rest or 0})
    columns["seen_tokens"] = decimal_texts(tokens, 10**seen.places, seen.places)
    columns["share"] = share_texts(weights, basis.total)
    paid_out = _with_money(columns, rows, paid.units, special, paid)
    credited = rows.counts(table["credited_tokens"].to_numpy(), {})
    return paid_out.append_column("credited_tokens", credited), special


def _by_holder(paid: _Paid) -> tuple[pa.Table, dict[str, int]]:
    parts = parts_of(paid.table["holders"], paid.table["source_id"])
    weights, total = part_weights(paid.basis, parts)
    special, special_weights = _elsewhere(paid, parts)
    size = len(parts.ids)
    units = group_sums(split(paid.units, parts, paid.period), parts.holder, size)
    escrowed = {ESCROW: int(np.count_nonzero(parts.counts == 0))} if ESCROW in special else {}
    rows, columns = of_holders(parts, units, special, paid.top, escrowed)
    columns["share"] = share_texts(rows.numbers(group_sums(weights, parts.holder, size), special_weights), total)
    return _with_money(columns, rows, units, special, paid), special


def _by_split(paid: _Paid) -> tuple[pa.Table, dict[str, int]]:
    parts = parts_of(paid.table["holders"], paid.table["source_id"])
    weights, total = part_weights(paid.basis, parts)
    special, special_weights = _elsewhere(paid, parts)
    units = split(paid.units, parts, paid.period)
    rows, columns = of_splits(paid.table, parts, units, special, paid.top)
    columns["share"] = share_texts(rows.numbers(weights, special_weights), total)
    return _with_money(columns, rows, units, special, paid), special


def _elsewhere(paid: _Paid, parts: Parts) -> tuple[dict[str, int], dict[str, int]]:
    """Units and weight (times the parts' denominator) of what goes to no holder, by the id of its row."""
    units, weights = {}, {}
    if paid.unscanned is not None:
        units[NOT_SCANNED] = paid.unscanned
        weights[NOT_SCANNED] = (paid.basis.rest or 0) * parts.denominator
    nobodys = parts.counts == 0
    if nobodys.any():
        units[ESCROW] = exact_sum(paid.units[nobodys])
        weights[ESCROW] = exact_sum(paid.basis.weights[nobodys]) * parts.denominator
    return units, weights


def _with_money(columns: Columns, rows: Listing, units: Numbers, special: dict[str, int], paid: _Paid) -> pa.Table:
    """The table with its last two columns. Raises AmountError if rows or destinations do not sum to the pool."""
    check_sum("destinations", exact_sum(units) + sum(special.values()), paid.pool)
    return pa.table(columns | payout_columns(rows.numbers(units, special), paid.pool, paid.currency))


_BY: dict[str, Callable[[_Paid], tuple[pa.Table, dict[str, int]]]] = {
    "source": _by_source,
    "holder": _by_holder,
    "split": _by_split,
}
