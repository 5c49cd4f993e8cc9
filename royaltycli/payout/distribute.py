"""From a pool to what every holder earned, by a policy (docs/spec-policy.md, rules Y1 to Y16)."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Integers, exact_sum
from royaltycli.errors import AmountError
from royaltycli.payout.allocation import allocate, as_integers
from royaltycli.payout.bounds import UNCAPPED, cut_to, keep_within, leave_below
from royaltycli.payout.currency import LARGEST_POOL, MILLIONTHS, Currency, millionths, money
from royaltycli.payout.distribution import Amounts, Distribution, Earnings, Shared, not_all_of
from royaltycli.payout.earnings import deduct, known_of
from royaltycli.payout.gates import Gated, pass_gates
from royaltycli.payout.holders import Parts, parts_of
from royaltycli.payout.measures import UNATTRIBUTED, Measured, measured, zero_everywhere
from royaltycli.payout.policy import Cap, Measure, Per, Policy
from royaltycli.payout.rows import ESCROW, NOT_SCANNED, by_source_id, group_sums
from royaltycli.payout.splits import split


def distribute(
    table: pa.Table,
    policy: Policy,
    *,
    pool: int,
    currency: Currency,
    total_tokens: Decimal | None = None,
    usage: pa.Table | None = None,
    listed: pa.Table | None = None,
    period: str = "",
) -> Distribution:
    """Distribute `pool` minor units to the sources of a token table and their holders.

    `total_tokens` is the size of the whole run in seen tokens, where the table is a part of it. `usage` has the
    columns source_id and credit (decimals as text); `listed` is a list of holders, of the schema LIST_OF_HOLDERS.
    `period` decides ties. Raises AmountError if the policy cannot be followed, such as by a measure that is zero
    everywhere, and TableError if a table makes no sense.
    """
    terms = _Terms(policy, currency, period)
    if not 0 <= pool <= LARGEST_POOL:
        largest = f"{money(LARGEST_POOL, currency)} {currency.code}"
        raise AmountError(f"the pool is over {largest}, the largest that a policy can distribute; split the period")
    table = by_source_id(table)
    parts = parts_of(table["holders"], table["source_id"])
    known = known_of(listed, parts.ids, terms.millionths(policy.payment.minimum))
    measure = functools.cache(lambda name: measured(name, table, total_tokens, usage))
    for name in sorted({name for name, _ in policy.basis}.union(*(gate.minimum or () for gate in policy.gates))):
        measure(name)  # so that what is wrong in a table is found whatever the pool and the other gates
    gated = pass_gates(policy.gates, table, parts.counts == 0, measure)
    elsewhere: Counter[str] = Counter()
    rest = pool * MILLIONTHS
    for top in policy.top:
        taken = math.floor(pool * MILLIONTHS * top.part)
        elsewhere[f"({top.to})"] += taken
        rest -= taken
    fixed, holders_fixed = _fixed(terms, rest, table, parts, gated)
    rest -= exact_sum(fixed) + exact_sum(holders_fixed)
    ids = table["source_id"]
    given, shared = _measured(terms, rest, gated, measure, ids, elsewhere)
    sources = _bounded(terms, "source", fixed + given, ids, parts.counts, elsewhere)
    for number, place in enumerate(gated.places):
        elsewhere[f"({place})"] += exact_sum(sources[gated.sent == number])
    part_amounts = split(gated.kept(sources), parts, period)
    earned = group_sums(part_amounts, parts.holder, len(parts.ids)) + holders_fixed
    escrow = np.where(known.reachable, 0, earned)
    earned -= escrow
    holders, excess = pa.chunked_array([parts.ids]), Counter[str]()
    gross = _bounded(terms, "holder", earned, holders, np.zeros(len(earned), np.int64), excess)
    elsewhere += excess
    fee, withholding, recouped, reserve = deduct(gross, policy.deductions, known)
    earnings = Earnings(
        known=known, fixed=holders_fixed, earned=earned, adjustment=gross - earned, fee=fee, withholding=withholding,
        recouped=recouped, reserve=reserve, escrow=escrow,
    )  # fmt: skip
    _check(pool, earnings, elsewhere)
    return Distribution(
        policy=policy, pool=pool, currency=currency, period=period, table=table, parts=parts, fixed=fixed,
        measured=given, sources=sources, gated=gated, shared=shared, part_amounts=part_amounts, earnings=earnings,
        elsewhere=dict(sorted((+elsewhere).items())), excess=dict(sorted((+excess).items())),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a pool is distributed by, whatever it is; `period` decides ties."""

    policy: Policy
    currency: Currency
    period: str

    def millionths(self, amount: Decimal) -> int:
        """An amount in the currency in millionths of a minor unit; above the largest pool, all are the same."""
        return min(millionths(amount, self.currency), UNCAPPED)


def _fixed(terms: _Terms, rest: int, table: pa.Table, parts: Parts, gated: Gated) -> tuple[Amounts, Amounts]:
    """The fixed part of each source and of each holder (rule Y8)."""
    fixed = terms.policy.fixed
    sources, holders = np.zeros(table.num_rows, np.int64), np.zeros(len(parts.ids), np.int64)
    if fixed is None:
        return sources, holders
    if fixed.each == "work":
        amounts, rows, ids = sources, np.flatnonzero(~gated.out), table["source_id"]
    else:
        rows = np.unique(parts.holder[gated.sent[parts.source] == -1])
        amounts, ids = holders, pa.chunked_array([parts.ids])
    if fixed.amount is not None:
        whole = min(terms.millionths(fixed.amount) * len(rows), rest)
    else:
        whole = math.floor(rest * (fixed.part or 0)) if len(rows) else 0
    amounts[rows] = allocate(whole, np.ones(len(rows), np.int64), ids.take(pa.array(rows)), terms.period)
    return sources, holders


def _measured(
    terms: _Terms,
    rest: int,
    gated: Gated,
    measure: Callable[[Measure], Measured],
    ids: pa.ChunkedArray,
    elsewhere: Counter[str],
) -> tuple[Amounts, tuple[Shared, ...]]:
    """What each source gets of the rest by the measures of the policy, and how (rules Y5 and Y6)."""
    policy, period = terms.policy, terms.period
    names = [name for name, _ in policy.basis]
    scale = math.lcm(*(weight.denominator for _, weight in policy.basis))
    blend = as_integers([int(weight * scale) for _, weight in policy.basis])
    amounts, shared = np.zeros(len(ids), np.int64), []
    for name, units in zip(names, allocate(rest, blend, names, period).tolist(), strict=True):
        if not units:
            continue
        numbers = measure(name)
        weights = np.where(gated.out, 0, numbers.numbers)
        extra, place = NOT_SCANNED, NOT_SCANNED
        nobodys = numbers.rest
        if name == "usage":
            extra, place = UNATTRIBUTED, f"({policy.unattributed})"
            nobodys = 0 if policy.unattributed == "pool" else nobodys
        given = _share_out(name, units, weights, nobodys, ids, extra, period)
        amounts += given[: len(ids)]
        elsewhere[place] += int(given[len(ids) :].sum())
        total, for_all = exact_sum(weights) + nobodys, numbers.rest - nobodys
        shared.append(Shared(name, units, weights, numbers.places, total, for_all))
    return amounts, tuple(shared)


def _share_out(
    name: Measure, units: int, weights: Integers, nobodys: int, ids: pa.ChunkedArray, extra: str, period: str
) -> Amounts:
    """`units` by weights, with one more at the end for what is nobody's, if it is anything."""
    if nobodys:
        ids = pa.chunked_array([*ids.chunks, pa.array([extra])], pa.string())
        kind = object if nobodys >= 2**63 else weights.dtype
        weights = np.append(weights.astype(kind), np.array([nobodys], kind))
    if not weights.any():
        raise zero_everywhere(name)
    return allocate(units, weights, ids, period)


def _bounded(
    terms: _Terms, per: Per, weights: Amounts, ids: pa.ChunkedArray, holders: Amounts, elsewhere: Counter[str]
) -> Amounts:
    """Amounts kept within the policy's caps and floors for sources or holders (rules Y10, Y11 and Y15)."""
    cap = next((cap for cap in terms.policy.caps if cap.per == per), None)
    floor = next((floor for floor in terms.policy.floors if floor.per == per), None)
    if cap is None and floor is None:
        return weights
    caps = np.full(len(weights), UNCAPPED)
    least = 0 if floor is None else terms.millionths(floor.amount)
    if cap is not None:
        caps = _caps(terms, cap, holders)
        if least > min(terms.millionths(amount) for _, amount in cap.tiers):
            raise AmountError("the floor of the policy is above a cap; lower the one, or raise the other")
    # Without a sharing anew of caps, nobody is kept from going above them before the cut.
    within = caps if cap is None or cap.excess == "pool" else np.full(len(weights), UNCAPPED)
    floors = np.full(len(weights), least)
    if floor is not None and floor.below == "leave":
        # Leaving comes before the cut: those who stay come to more by it, and nobody may end above its cap.
        stayed = leave_below(weights, within, least, ids, terms.period)
        elsewhere[ESCROW] += stayed.left
        weights, floors = stayed.amounts, np.zeros(len(weights), np.int64)
    if cap is not None and cap.excess != "pool":
        cut = cut_to(weights, caps)
        elsewhere[f"({cap.excess})"] += cut.left
        weights = cut.amounts
    kept = keep_within(weights, within, floors, ids, terms.period)
    elsewhere[ESCROW] += kept.left
    return kept.amounts


def _caps(terms: _Terms, cap: Cap, holders: Amounts) -> Amounts:
    """The cap of each: that of the last tier that its number of holders reaches, or the first."""
    tiers = sorted(cap.tiers)
    tier = np.searchsorted([start for start, _ in tiers], holders, side="right") - 1
    amounts = np.array([terms.millionths(amount) for _, amount in tiers], np.int64)
    return amounts[np.maximum(tier, 0)]


def _check(pool: int, earnings: Earnings, elsewhere: Counter[str]) -> None:
    """Raises AmountError if not every millionth of the pool is somewhere (rule Y2)."""
    columns = (earnings.net, earnings.fee, earnings.withholding, earnings.recouped, earnings.reserve, earnings.escrow)
    found = sum(map(exact_sum, columns)) + sum(elsewhere.values())
    if found != pool * MILLIONTHS:
        raise not_all_of(pool, found)
