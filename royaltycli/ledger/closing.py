"""The transaction that closes a period, and the one that restates it: computed, not yet booked (rules L9 to L14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Mask, Numbers
from royaltycli.ledger.accounts import NOBODY, Account, Balances, Moves, after, changes, move, together
from royaltycli.ledger.below import Terms, kept_below, restated_below
from royaltycli.ledger.chain import About, Posting
from royaltycli.ledger.entitlements import difference, end_of, entitlements, parties_of
from royaltycli.ledger.parties import HOLDER, Parties
from royaltycli.ledger.state import CLOSE, RESTATE, State
from royaltycli.payout.currency import MILLIONTHS, millionths
from royaltycli.payout.distribution import Distribution
from royaltycli.payout.payments import pay_balances


@dataclass(frozen=True, slots=True)
class Lists:
    """The list of holders in two: as the engine takes it, and those who have no source but are in the ledger."""

    present: pa.Table | None
    absent: pa.Table | None


def lists_of(listed: pa.Table | None, table: pa.Table, state: State, recouped: Numbers) -> Lists:
    """A list of holders, with advances less what was `recouped` of them by party (rules L10 and L11)."""
    if listed is None:
        return Lists(None, None)
    ids = listed["holder_id"].combine_chunks()
    holders = [pc.list_flatten(chunk).field("id") for chunk in table["holders"].chunks]
    present = pc.is_in(ids, pa.chunked_array(holders, pa.string()).combine_chunks())
    numbers = state.parties.find(HOLDER, ids)
    absent = pc.and_(pc.invert(present), pa.array(numbers > 0))
    before = np.append(recouped, np.zeros(1, np.int64))[np.minimum(numbers, len(recouped))] * (numbers > 0)
    left = pc.max_element_wise(pc.subtract(listed["advance"], pa.array(before)), 0, skip_nulls=False)
    listed = listed.set_column(listed.schema.get_field_index("advance"), "advance", left)
    return Lists(listed.filter(pc.invert(absent)), listed.filter(absent))


def closing(state: State, distribution: Distribution, absent: pa.Table | None, about: About) -> Posting:
    """The transaction that closes a period with a distribution."""
    period = len(state.periods) + 1
    parties = parties_of(state.parties, distribution)
    holders = parties.find(HOLDER, distribution.parts.ids)
    held, amounts = state.balances.of(Account.RESERVE)
    rows = entitlements(distribution, parties, period)
    rows.append(move(period, (Account.RESERVE, held), (Account.HOLDER, held), amounts))
    rows.append(move(period, (Account.HOLDER, holders), (Account.RESERVE, holders), distribution.earnings.reserve))
    rows.append(passed_on(state, rows, period))
    balances = after(state.balances, changes(together(rows)))
    rows += _payments(distribution, absent, parties, balances, period)
    name = about["period"]
    return Posting(CLOSE, about, (name,), parties.since(len(state.parties)), together(rows))


def restating(
    state: State, distribution: Distribution, absent: pa.Table | None, booked: list[Moves], about: About
) -> Posting:
    """The transaction that books what a new distribution of a closed period changes."""
    period, close = state.number(about["period"]), state.stated(about["period"])[0]
    parties = parties_of(state.parties, distribution)
    new = entitlements(distribution, parties, period)
    size, below = len(parties) + 1, distribution.policy.payment.below
    rows = [difference(new, booked, state.balances, parties, period, kept_below(booked, size)).rows]
    place = None if below == "carry" else end_of(below, parties, np.arange(size))
    terms = Terms(*_known(distribution, absent, parties), place)
    # What the close took was taken from those who succeeded others by then.
    successors, now = state.successors_at(close), state.successors
    rows.append(restated_below(terms, new, booked, successors, now, state.balances, rows[0], period))
    rows.append(passed_on(state, rows, period))
    return Posting(RESTATE, about, (), parties.since(len(state.parties)), together(rows))


def passed_on(state: State, rows: list[Numbers], period: int) -> Numbers:
    """What a transaction leaves on the balances of holders who were transferred, moved on to their successors."""
    to = state.successors
    if not to:
        return np.empty((0, 6), np.int64)
    balances = after(state.balances, changes(together(rows)))
    sources = np.array(sorted(to), np.int64)
    targets = np.array([to[source] for source in sources.tolist()], np.int64)
    size = int(balances.of(Account.HOLDER)[0].max(initial=0)) + 1
    amounts = balances.dense(Account.HOLDER, max(size, int(sources.max()) + 1))[sources]
    return move(period, (Account.HOLDER, sources), (Account.HOLDER, targets), amounts)


def _payments(
    distribution: Distribution, absent: pa.Table | None, parties: Parties, balances: Balances, period: int
) -> list[Numbers]:
    """What is paid of the balances, and what goes elsewhere as it is below the minimum (rules L10 and L12)."""
    payment = distribution.policy.payment
    minimum, reachable = _known(distribution, absent, parties)
    holders, amounts = balances.of(Account.HOLDER)
    due = reachable[holders] & (amounts > 0)
    holders, amounts = holders[due], amounts[due]
    paid = pay_balances(amounts, minimum[holders], payment, [], distribution.period)
    rows = [move(period, (Account.HOLDER, holders), (Account.PAYABLE, holders), paid.paid * MILLIONTHS)]
    if payment.below != "carry":
        rows.append(move(period, (Account.HOLDER, holders), end_of(payment.below, parties, holders), paid.below))
    return rows


def _known(distribution: Distribution, absent: pa.Table | None, parties: Parties) -> tuple[Numbers, Mask]:
    """The minimum payment of every party, and whether it can be reached."""
    usual = millionths(distribution.policy.payment.minimum, distribution.currency)
    minimum = np.full(len(parties) + 1, usual, np.int64)
    reachable = np.ones(len(parties) + 1, bool)
    holders = parties.find(HOLDER, distribution.parts.ids)
    minimum[holders] = distribution.earnings.known.minimum
    reachable[holders] = distribution.earnings.known.reachable
    if absent is not None:
        numbers = parties.find(HOLDER, absent["holder_id"].combine_chunks())
        minimum[numbers] = pc.fill_null(absent["minimum"], usual).to_numpy()
        reachable[numbers] = pc.fill_null(absent["reachable"], True).to_numpy()
    reachable[NOBODY] = False
    return minimum, reachable
