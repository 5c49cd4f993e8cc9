"""What a close takes of balances below the minimum payment, when its period is restated (rule L14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from royaltycli.arrays import Mask, Numbers
from royaltycli.ledger.accounts import Account, Balances, End, Moves, after, backwards, changes, move, together
from royaltycli.ledger.entitlements import entitled, netted

ELSEWHERE = (Account.PAYER, Account.ESCROW, Account.FUND)
"""Where balances below the minimum may go."""


@dataclass(frozen=True, slots=True)
class Terms:
    """By the number of a party: the minimum payment, and whether it is reachable; `place` is where what is below goes.

    Without a place it is carried.
    """

    minimum: Numbers
    reachable: Mask
    place: End | None


def taken(booked: list[Moves]) -> Moves:
    """The moves by which a period took balances that were below the minimum, or gave them back."""
    rows = together([moves.rows for moves in booked])
    source, target = rows.column("from_account"), rows.column("to_account")
    out = (source == Account.HOLDER) & np.isin(target, ELSEWHERE)
    back = (target == Account.HOLDER) & np.isin(source, ELSEWHERE)
    return Moves(rows.rows[out | back])


def kept_below(booked: list[Moves], size: int) -> Numbers:
    """What escrow was given in a period of balances below the minimum, by the number of the party."""
    rows = taken(booked)
    escrow = (rows.column("from_account") == Account.ESCROW) | (rows.column("to_account") == Account.ESCROW)
    return -_on_holders(Moves(rows.rows[escrow]), size)


def restated_below(
    terms: Terms,
    new: list[Numbers],
    booked: list[Moves],
    successors: dict[int, int],
    now: dict[int, int],
    balances: Balances,
    rows: Numbers,
    period: int,
) -> Numbers:
    """What a restatement takes of balances below the minimum, and gives back of what was taken.

    `new` is what everybody is entitled to now, `booked` what was booked for the period, the close first, `successors`
    are those at the close and `now` those of today, and `rows` is what the restatement has booked so far on `balances`.
    """
    size, close, difference = len(terms.minimum), booked[0], Moves(rows)
    gone = netted(Moves(backwards(taken(booked).rows)))
    returned = _as_held(gone, after(balances, changes(difference)), period, size)
    stated = _on_holders(together(new), size)
    earned = _passed(stated - _earned([close], size), successors)
    due = earned - _on_holders(taken([close]), size)
    # What has left escrow counts as had by its holder: it is taken neither a second time nor of anything else.
    had = _passed(stated - _earned([*booked, difference], size), successors)
    had += _on_holders(gone, size) - _on_holders(returned, size)
    paid = np.zeros(size, bool)
    paid[close.between(Account.HOLDER, Account.PAYABLE).column("from_party")] = True
    is_below = terms.reachable & ~paid & (due > 0) & (due < terms.minimum)
    wanted = np.where(is_below, np.maximum(due - had, 0), 0)
    # More is taken only of what there is, which who succeeds a holder has; a debt of other periods gives nothing back.
    changed = _passed(_on_holders(difference, size), now)
    there = _passed(balances.dense(Account.HOLDER, size), now) + changed
    left = np.maximum(_passed(_on_holders(returned, size), now) + np.maximum(there, np.minimum(changed, 0)), 0)
    moves = [returned.rows]
    if terms.place is not None:
        moves.append(move(period, (Account.HOLDER, np.arange(size)), terms.place, _no_more_than(left, wanted, now)))
    return netted(together(moves)).rows


def _no_more_than(left: Numbers, wanted: Numbers, now: dict[int, int]) -> Numbers:
    """What can be taken of what is wanted: of holders with one successor together, what that one has left."""
    left, wanted = left.copy(), wanted.copy()
    for source, target in now.items():
        wanted[source] = min(wanted[source], left[target])
        left[target] -= wanted[source]
        left[source] = wanted[source]
    return np.minimum(wanted, left)


def _as_held(moves: Moves, balances: Balances, period: int, size: int) -> Moves:
    """Moves without what is to come back from escrow, but is there no more."""
    rows = moves.rows.copy()
    back = moves.column("from_account") == Account.ESCROW
    held = balances.dense(Account.ESCROW, size, period)[rows[back, 2]]
    rows[back, 5] = np.minimum(rows[back, 5], held)
    return Moves(rows[rows[:, 5] > 0])


def _earned(booked: list[Moves], size: int) -> Numbers:
    """What a period has given the balance of every party so far, less deductions."""
    rows = together([moves.rows for moves in booked])
    return _on_holders(Moves(rows.rows[entitled(rows)]), size)


def _on_holders(moves: Moves, size: int) -> Numbers:
    """By how much moves change the balance of every party."""
    result = np.zeros(size, np.int64)
    for side, add in (("to", np.add), ("from", np.subtract)):
        own = moves.column(f"{side}_account") == Account.HOLDER
        add.at(result, moves.column(f"{side}_party")[own], moves.column("amount")[own])
    return result


def _passed(amounts: Numbers, successors: dict[int, int]) -> Numbers:
    """Amounts by party, those of holders who were transferred with their successors."""
    amounts = amounts.copy()
    for source, target in successors.items():
        amounts[target] += amounts[source]
        amounts[source] = 0
    return amounts
