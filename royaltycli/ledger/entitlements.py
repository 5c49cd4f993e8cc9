"""What a distribution gives everybody, as moves between accounts, and what a new one changes (rules L9 and L14)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Mask, Numbers
from royaltycli.ledger.accounts import (
    COLUMNS,
    NOBODY,
    Account,
    Balances,
    End,
    Moves,
    backwards,
    forwards,
    key_of,
    move,
    together,
)
from royaltycli.ledger.parties import FUND, HOLDER, SOURCE, Parties
from royaltycli.payout.allocation import exact_sum
from royaltycli.payout.currency import MILLIONTHS
from royaltycli.payout.distribution import Distribution
from royaltycli.payout.gates import ESCROW

PAIRS = (
    (Account.PAYER, Account.POOL),
    (Account.POOL, Account.HOLDER),
    (Account.POOL, Account.ESCROW),
    (Account.POOL, Account.FUND),
    (Account.POOL, Account.NOT_SCANNED),
    (Account.HOLDER, Account.FEE),
    (Account.HOLDER, Account.WITHHOLDING),
    (Account.HOLDER, Account.ADVANCE),
)
"""The accounts between which entitlements move, either way. All else that a close moves is no entitlement."""


def parties_of(known: Parties, distribution: Distribution) -> Parties:
    """The parties that a ledger knows when a distribution is booked, new ones in the order of their ids."""
    known = known.with_more(HOLDER, distribution.parts.ids, distribution.parts.names)
    rows = _escrowed(distribution)
    columns = (distribution.table[name].take(pa.array(rows)).combine_chunks() for name in ("source_id", "title"))
    known = known.with_more(SOURCE, *columns)
    below = distribution.policy.payment.below
    places = {name[1:-1] for name in distribution.elsewhere} | {below}
    return known.with_more(FUND, sorted(place.partition(":")[2] for place in places if place.startswith("fund:")))


def entitlements(distribution: Distribution, parties: Parties, period: int) -> list[Numbers]:
    """The moves of a distribution, but for reserves and payments."""
    earnings, nobody = distribution.earnings, (Account.POOL, NOBODY)
    holders = parties.find(HOLDER, distribution.parts.ids)
    rows = [
        move(period, (Account.PAYER, NOBODY), nobody, distribution.pool * MILLIONTHS),
        move(period, nobody, (Account.HOLDER, holders), earnings.gross),
        move(period, (Account.HOLDER, holders), (Account.FEE, NOBODY), earnings.fee),
        move(period, (Account.HOLDER, holders), (Account.WITHHOLDING, holders), earnings.withholding),
        move(period, (Account.HOLDER, holders), (Account.ADVANCE, holders), earnings.recouped),
        move(period, nobody, (Account.ESCROW, holders), earnings.escrow),
    ]
    escrowed = _escrowed(distribution)
    sources = parties.find(SOURCE, distribution.table["source_id"].take(pa.array(escrowed)))
    amounts = distribution.sources[escrowed]
    rows.append(move(period, nobody, (Account.ESCROW, sources), amounts))
    for name, amount in distribution.elsewhere.items():
        place = name[1:-1]
        rest = amount - exact_sum(amounts) if place == ESCROW else amount
        rows.append(move(period, nobody, end_of(place, parties, NOBODY), rest))
    return rows


def end_of(place: str, parties: Parties, party: Numbers | int) -> End:
    """The end of a move that a destination of a policy is; what goes to escrow is kept for `party`."""
    if place.startswith("fund:"):
        return Account.FUND, parties.number(FUND, place.partition(":")[2])
    accounts = {"escrow": Account.ESCROW, "payer": Account.PAYER, "not scanned": Account.NOT_SCANNED}
    return accounts[place], party if place == ESCROW else NOBODY


def difference(
    new: list[Numbers], booked: list[Moves], balances: Balances, parties: Parties, period: int, below: Numbers
) -> Moves:
    """What must be booked so that `booked` comes to `new`.

    What is to be taken from escrow, but is there no more, comes from its holder's balance or from the payer. `below`,
    by party, is what escrow holds of balances below the minimum, which is no part of it.
    """
    back = [backwards(moves.rows[entitled(moves)]) for moves in booked]
    rows = netted(together([*new, *back]))
    returned = (rows.column("from_account") == Account.ESCROW) & (rows.column("to_account") == Account.POOL)
    taken = rows.rows[returned]
    owners = taken[:, COLUMNS.index("from_party")]
    asked = taken[:, COLUMNS.index("amount")]
    there = np.maximum(balances.dense(Account.ESCROW, len(parties) + 1, period) - below, 0)
    held = np.minimum(there[owners], asked)
    is_holder = np.array([kind == HOLDER for kind in parties.kinds(owners)], bool)
    accounts = np.where(is_holder, Account.HOLDER, Account.PAYER)
    pool = (Account.POOL, NOBODY)
    missing = move(period, (accounts, np.where(is_holder, owners, NOBODY)), pool, asked - held)
    return netted(together([rows.rows[~returned], move(period, (Account.ESCROW, owners), pool, held), missing]))


def netted(moves: Moves) -> Moves:
    """One move for each two accounts and period, in the order of their numbers."""
    source = key_of(moves.column("from_account"), moves.column("period"), moves.column("from_party"))
    target = key_of(moves.column("to_account"), moves.column("period"), moves.column("to_party"))
    amount = np.where(source < target, moves.column("amount"), -moves.column("amount"))
    low, high = np.minimum(source, target), np.maximum(source, target)
    order = np.lexsort((high, low))
    low, high, amount = low[order], high[order], amount[order]
    first = np.ones(len(low), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    starts = np.flatnonzero(first)
    sums = np.add.reduceat(amount, starts) if len(starts) else amount
    rows = moves.rows[order][starts].copy()
    # Each row now says which two accounts it is of; from the lower one to the higher, unless the sum is below zero.
    flipped = key_of(rows[:, 1], rows[:, 0], rows[:, 2]) != low[starts]
    rows[flipped] = backwards(rows[flipped])
    rows[:, 5] = sums
    return Moves(forwards(rows))


def entitled(moves: Moves) -> Mask:
    """Which moves are between the accounts of PAIRS."""
    low = np.minimum(moves.column("from_account"), moves.column("to_account"))
    high = np.maximum(moves.column("from_account"), moves.column("to_account"))
    found = np.zeros(len(low), bool)
    for one, other in PAIRS:
        found |= (low == min(one, other)) & (high == max(one, other))
    return found


def _escrowed(distribution: Distribution) -> Numbers:
    """The sources whose money goes to escrow."""
    gated = distribution.gated
    return np.flatnonzero((gated.sent == gated.places.index(ESCROW)) & (distribution.sources > 0))
