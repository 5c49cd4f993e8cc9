"""The payout of a pool that a policy distributed: rows for sources, holders or splits (rules Y24 to Y27)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import get_args

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers, exact_sum
from royaltycli.errors import CallError
from royaltycli.payout.allocation import allocate
from royaltycli.payout.basis import seen_tokens
from royaltycli.payout.columns import money_column, payout_columns
from royaltycli.payout.currency import DECIMALS, MILLIONTHS
from royaltycli.payout.distribution import Amounts, Distribution, not_all_of
from royaltycli.payout.listings import of_holders, of_sources, of_splits
from royaltycli.payout.payments import Payments, paid_at_once
from royaltycli.payout.payout import PAID, By, Payout
from royaltycli.payout.rows import ESCROW, Listing
from royaltycli.payout.splits import split
from royaltycli.payout.texts import decimal_texts, share_texts

FIXED = "(fixed)"
"""By source and by split: what holders get in equal parts, whatever their sources."""


def pay_out(distribution: Distribution, by: By = "source", top: int | None = None) -> Payout:
    """What a distribution comes to, paid at once, with nothing carried from before.

    By source and by split, rows say what was earned, before deductions and the minimum payment; by holder,
    what is paid. Raises CallError for an unknown `by`.
    """
    if by not in get_args(By):
        raise CallError(f"a payout by {by!r} is not known; use {', '.join(get_args(By))}")
    payments = paid_at_once(distribution)
    paid, special = _paid(distribution, payments)
    units = _whole(distribution, paid, special)
    if by == "holder":
        rows = _by_holder(distribution, payments, units, top)
    else:
        rows = (_by_source if by == "source" else _by_split)(distribution, top)
    destinations = ((PAID, paid), *units.items())
    exact = ((PAID, paid * MILLIONTHS), *special.items())
    policy = distribution.policy
    money, unattributed = distribution.currency, distribution.unattributed
    return Payout(rows, distribution.pool, money, by, policy.basis, destinations, policy, exact, unattributed)


def _paid(distribution: Distribution, payments: Payments) -> tuple[int, dict[str, int]]:
    """The whole minor units that holders are paid, and where the rest of the pool goes, in millionths."""
    earnings = distribution.earnings
    special = {
        "(carried)": exact_sum(payments.carried),
        "(fee)": exact_sum(earnings.fee),
        "(withholding)": exact_sum(earnings.withholding),
        "(recouped)": exact_sum(earnings.recouped),
        "(reserve)": exact_sum(earnings.reserve),
        "(rounding)": payments.rounding,
    }
    more = Counter(distribution.elsewhere)
    more[ESCROW] += exact_sum(earnings.escrow)
    more[f"({distribution.policy.payment.below})"] += exact_sum(payments.below)  # which may be escrow, too
    for place in sorted(more):
        special[place] = special.get(place, 0) + more[place]
    paid = exact_sum(payments.paid)
    found = paid * MILLIONTHS + sum(special.values())
    if found != distribution.pool * MILLIONTHS:
        raise not_all_of(distribution.pool, found)
    return paid, {place: amount for place, amount in special.items() if amount}


def _ungiven(distribution: Distribution) -> dict[str, int]:
    """What no reachable holder earned: the rest of the pool, before deductions."""
    escrow = exact_sum(distribution.earnings.escrow)
    return distribution.elsewhere | ({ESCROW: distribution.elsewhere.get(ESCROW, 0) + escrow} if escrow else {})


def _whole(distribution: Distribution, paid: int, special: Mapping[str, int]) -> dict[str, int]:
    """What does not go to holders in whole minor units, by largest remainder, so that the column sums to the pool."""
    names = list(special)
    units = allocate(distribution.pool - paid, list(special.values()), names, distribution.period)
    return dict(zip(names, units.tolist(), strict=True))


def _by_holder(distribution: Distribution, payments: Payments, units: dict[str, int], top: int | None) -> pa.Table:
    """Rows of holders; `units` is what does not go to them."""
    earnings = distribution.earnings
    rows, columns = of_holders(distribution.parts, payments.paid, units, top, {})
    nothing = dict.fromkeys(units, 0)
    columns["share"] = _shares(distribution, rows.numbers(earnings.gross, nothing | _ungiven(distribution)))
    columns |= payout_columns(rows.numbers(payments.paid, units), distribution.pool, distribution.currency)
    amounts = {
        "earned": earnings.earned + earnings.escrow,
        "adjustment": earnings.adjustment,
        "fee": earnings.fee,
        "withholding": earnings.withholding,
        "recouped": earnings.recouped,
        "reserve": earnings.reserve,
        "escrow": earnings.escrow,
        "carried": payments.carried,
    }
    for name, values in amounts.items():
        columns[name] = _exact_column(distribution, rows, values, nothing)
    return pa.table(columns)


def _by_source(distribution: Distribution, top: int | None) -> pa.Table:
    table, held = distribution.table, distribution.gated.kept(distribution.sources)
    units, special, exact = _earned(distribution, held)
    rows, columns = of_sources(table, units, special, top)
    basis = seen_tokens(table["credited_tokens"], table["epochs"])
    nothing = dict.fromkeys(special, 0)
    columns["seen_tokens"] = decimal_texts(rows.numbers(basis.weights, nothing), 10**basis.places, basis.places)
    columns["share"] = _shares(distribution, rows.numbers(held, exact))
    columns |= payout_columns(rows.numbers(units, special), distribution.pool, distribution.currency)
    columns["credited_tokens"] = rows.counts(table["credited_tokens"].to_numpy(), {})
    columns["earned"] = _exact_column(distribution, rows, held, exact)
    return pa.table(columns)


def _by_split(distribution: Distribution, top: int | None) -> pa.Table:
    parts = distribution.parts
    units, special, exact = _earned(distribution, distribution.gated.kept(distribution.sources))
    units = split(units, parts, distribution.period)
    rows, columns = of_splits(distribution.table, parts, units, special, top)
    columns["share"] = _shares(distribution, rows.numbers(distribution.part_amounts, exact))
    columns |= payout_columns(rows.numbers(units, special), distribution.pool, distribution.currency)
    columns["earned"] = _exact_column(distribution, rows, distribution.part_amounts, exact)
    return pa.table(columns)


def _earned(distribution: Distribution, held: Amounts) -> tuple[Amounts, dict[str, int], dict[str, int]]:
    """What sources earned in whole minor units; and what went elsewhere, in these and in millionths."""
    exact = {name: amount - distribution.excess.get(name, 0) for name, amount in distribution.elsewhere.items()}
    exact[FIXED] = exact_sum(distribution.earnings.fixed)
    exact = {name: amount for name, amount in exact.items() if amount}
    ids = pa.chunked_array([*distribution.table["source_id"].chunks, pa.array(list(exact), pa.string())], pa.string())
    weights = np.concatenate([held, np.array(list(exact.values()), np.int64)])
    units = allocate(distribution.pool, weights, ids, distribution.period)
    size = len(held)
    return units[:size], dict(zip(exact, units[size:].tolist(), strict=True)), exact


def _shares(distribution: Distribution, amounts: Numbers) -> pa.ChunkedArray:
    """Amounts as fractions of the pool."""
    return share_texts(amounts, distribution.pool * MILLIONTHS)


def _exact_column(distribution: Distribution, rows: Listing, amounts: Amounts, special: Mapping[str, int]) -> pa.Array:
    """Amounts with DECIMALS more decimals than the currency has."""
    return money_column(rows.numbers(amounts, special), distribution.currency.places + DECIMALS)
