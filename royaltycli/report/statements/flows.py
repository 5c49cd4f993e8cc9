"""What moved on the accounts of holders between two closes, in the words of a statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from royaltycli.arrays import Numbers
from royaltycli.ledger.accounts import Account, Moves
from royaltycli.ledger.parties import Parties
from royaltycli.ledger.state import CLOSE, REDISTRIBUTE, RESTATE, SETTLE, Logged
from royaltycli.payout.currency import MILLIONTHS
from royaltycli.report.statements.model import Deduction, Entry

DEDUCTIONS = {
    Account.FEE: "Administration fee",
    Account.WITHHOLDING: "Withholding",
    Account.ADVANCE: "Recouped of advances",
}
"""Where what a close or a correction takes from earnings goes; the fee is for management, the others are not."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Moves from and to accounts of holders, by holder and then as they were booked, a row each.

    `booked` says which of `log` a row is of. `other` is the account at its other end, and `party` whose that is;
    `amount` is above zero where the holder gets it.
    """

    log: tuple[Logged, ...]
    holder: Numbers
    booked: Numbers
    other: Numbers
    party: Numbers
    amount: Numbers

    def of(self, holder: int) -> range:
        """The rows of one holder."""
        start, end = np.searchsorted(self.holder, [holder, holder + 1])
        return range(int(start), int(end))


@dataclass(frozen=True, slots=True)
class Sorted:
    """The moves of one holder, but for what it grossed at the close. `paid` is in minor units."""

    entries: tuple[Entry, ...]
    deductions: tuple[Deduction, ...]
    paid: int


def flows_of(booked: Sequence[tuple[Logged, Moves]]) -> Flows:
    """The moves of holders in these transactions."""
    parts: list[Numbers] = [np.empty((0, 5), np.int64)]
    for number, (_, moves) in enumerate(booked):
        for here, there, sign in (("from", "to", -1), ("to", "from", 1)):
            own = moves.rows[moves.column(f"{here}_account") == Account.HOLDER]
            side = Moves(own)
            columns = [side.column(f"{here}_party"), np.full(len(own), number), side.column(f"{there}_account")]
            columns += [side.column(f"{there}_party"), sign * side.column("amount")]
            parts.append(np.stack(columns, axis=-1))
    rows = np.concatenate(parts)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    return Flows(tuple(logged for logged, _ in booked), *(rows[:, at] for at in range(5)))


def sorted_out(flows: Flows, holder: int, parties: Parties, successors: Mapping[int, int]) -> Sorted:
    """What one holder's moves are, those alike added up; `successors` are as in a State."""
    paid = 0
    entries: Counter[tuple[str, bool]] = Counter()
    taken: Counter[Account] = Counter()
    for row in flows.of(holder):
        logged, other, amount = flows.log[flows.booked[row]], Account(int(flows.other[row])), int(flows.amount[row])
        if logged.kind == CLOSE and other == Account.POOL:
            continue  # which a statement says source by source
        if logged.kind == CLOSE and other == Account.PAYABLE:
            paid -= amount
        elif logged.kind in {CLOSE, RESTATE} and other in DEDUCTIONS:
            taken[other] -= amount
        elif other == Account.HOLDER:
            party = int(flows.party[row])
            (name,) = parties.names(np.array([party], np.int64))
            entries[f"Transferred {_direction(holder, party, amount, successors)} {name}", True] += amount
        else:
            label = _label(logged, other, amount, int(flows.party[row]), parties)
            entries[label, logged.kind != SETTLE] += amount
    deductions = [
        Deduction(name, taken[account], is_fee=account == Account.FEE)
        for account, name in DEDUCTIONS.items()
        if taken[account]
    ]
    shown = (Entry(name, amount, is_revenue) for (name, is_revenue), amount in entries.items() if amount)
    return Sorted(tuple(shown), tuple(deductions), paid // MILLIONTHS)


def _label(logged: Logged, other: Account, amount: int, party: int, parties: Parties) -> str:
    """What a move is called; moves that are called alike are added up."""
    if logged.kind == RESTATE:
        return f"Correction of {logged.about['period']}"
    if logged.kind == SETTLE:
        return f"Payment of {logged.about['period']} returned"
    if other == Account.RESERVE:
        return "Reserve held back until the next close" if amount < 0 else "Reserve of the period before released"
    if logged.kind == REDISTRIBUTE:
        return "Part of what others did not claim"
    if other == Account.ESCROW:
        return "Below the minimum payment, put into escrow" if amount < 0 else "Released from escrow"
    (fund,) = parties.ids(np.array([party], np.int64))
    return f"Below the minimum payment, to {f'the fund {fund}' if fund else 'the payer'}"


def _direction(holder: int, other: int, amount: int, successors: Mapping[int, int]) -> str:
    """Whether a holder is transferred to another or that one to it; a debt moves the other way than money."""
    if successors.get(holder) == other:
        return "to"
    if successors.get(other) == holder:
        return "from"
    return "to" if amount < 0 else "from"
