"""Accounts, moves between them, and balances, as columns (docs/spec-ledger.md, rules L3 and L6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from royaltycli.arrays import Numbers
from royaltycli.errors import LedgerError

NOBODY = 0
"""The party of an account that is nobody's, and the period of one that is of no period."""


class Account(IntEnum):
    """The kinds of accounts."""

    PAYER = 1
    POOL = 2
    HOLDER = 3
    ESCROW = 4
    FUND = 5
    FEE = 6
    WITHHOLDING = 7
    ADVANCE = 8
    RESERVE = 9
    PAYABLE = 10
    PAID = 11
    NOT_SCANNED = 12


PERIODIC = (Account.ESCROW, Account.PAYABLE)
"""Accounts that are kept by period."""

MAY_OWE = (Account.PAYER, Account.HOLDER)
"""Accounts that may be below zero; the payer's is, by what it has paid in."""

COLUMNS = ("period", "from_account", "from_party", "to_account", "to_party", "amount")

PARTIES, PERIODS = 36, 16
"""Bits of a key for the number of a party and of a period."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Amounts taken from one account and added to another, a row each, with columns as in COLUMNS."""

    rows: Numbers

    def column(self, name: str) -> Numbers:
        """One of COLUMNS."""
        column: Numbers = self.rows[:, COLUMNS.index(name)]
        return column

    def between(self, source: Account, target: Account) -> Moves:
        """Those from accounts of one kind to accounts of another."""
        return Moves(self.rows[(self.column("from_account") == source) & (self.column("to_account") == target)])


End = tuple[Account | Numbers, Numbers | int]
"""The accounts and parties at one end of moves."""


def move(period: int | Numbers, source: End, target: End, amounts: Numbers | int) -> Numbers:
    """Rows of moves from one end to the other; negative amounts go the other way, zeros not at all."""
    columns = (period, *source, *target, amounts)
    wide = np.broadcast_arrays(*(np.asarray(column, np.int64) for column in columns))
    return forwards(np.stack(wide, axis=-1).reshape(-1, len(COLUMNS)))


def backwards(rows: Numbers) -> Numbers:
    """Rows of moves the other way."""
    return rows[:, [0, 3, 4, 1, 2, 5]]


def forwards(rows: Numbers) -> Numbers:
    """Rows of moves with amounts above zero: those below go the other way, and of zero there is none."""
    rows = rows[rows[:, 5] != 0]
    back = rows[:, 5] < 0
    rows[back] = backwards(rows[back])
    rows[back, 5] *= -1
    return rows


def together(parts: list[Numbers]) -> Moves:
    """Rows of moves one after the other."""
    return Moves(np.concatenate([np.empty((0, len(COLUMNS)), np.int64), *parts]))


@dataclass(frozen=True, slots=True)
class Balances:
    """What every account has that is not at zero: `keys` in order, and an amount for each."""

    keys: Numbers
    amounts: Numbers

    def of(self, account: Account, period: int = NOBODY) -> tuple[Numbers, Numbers]:
        """The parties and amounts of one kind of account, those of one period if it is kept by period."""
        first = key_of(account, period, 0)
        start, end = np.searchsorted(self.keys, [first, first + (1 << PARTIES)])
        return self.keys[start:end] - first, self.amounts[start:end]

    def dense(self, account: Account, size: int, period: int | None = None) -> Numbers:
        """The amounts of the parties 0 to size - 1, of all periods together or of one."""
        parties, amounts = self.by_period(account)[1:] if period is None else self.of(account, period)
        result = np.zeros(size, np.int64)
        np.add.at(result, parties, amounts)
        return result

    def by_period(self, account: Account) -> tuple[Numbers, Numbers, Numbers]:
        """Periods, parties and amounts of a kind of account; the period is NOBODY where it is not kept by period."""
        first = key_of(account, 0, 0)
        start, end = np.searchsorted(self.keys, [first, first + (1 << (PARTIES + PERIODS))])
        keys = self.keys[start:end] - first
        return keys >> PARTIES, keys & ((1 << PARTIES) - 1), self.amounts[start:end]


NOTHING = Balances(np.empty(0, np.int64), np.empty(0, np.int64))


def key_of(account: int | Numbers, period: int | Numbers, party: int | Numbers) -> Numbers:
    """The key of an account: its kind, period and party in the bits of one number."""
    key: Numbers = (
        (np.asarray(account, np.int64) << (PARTIES + PERIODS)) | (np.asarray(period, np.int64) << PARTIES) | party
    )
    return key


def parts_of_key(keys: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Account, period and party of each key."""
    return keys >> (PARTIES + PERIODS), (keys >> PARTIES) & ((1 << PERIODS) - 1), keys & ((1 << PARTIES) - 1)


def changes(moves: Moves) -> Balances:
    """By how much moves change each account that they concern. Raises LedgerError beyond 64 bits."""
    keys = np.concatenate([_keys(moves, "from"), _keys(moves, "to")])
    amounts = moves.column("amount")
    return _summed(keys, np.concatenate([-amounts, amounts]))


def after(balances: Balances, changed: Balances) -> Balances:
    """Balances with changes, without accounts at zero. Raises LedgerError beyond 64 bits."""
    keys = np.concatenate([balances.keys, changed.keys])
    summed = _summed(keys, np.concatenate([balances.amounts, changed.amounts]))
    left = summed.amounts != 0
    return Balances(summed.keys[left], summed.amounts[left])


def before(balances: Balances, changed: Balances) -> Balances:
    """Balances as they were before changes."""
    return after(balances, Balances(changed.keys, -changed.amounts))


def _keys(moves: Moves, side: str) -> Numbers:
    account = moves.column(f"{side}_account")
    period = np.where(np.isin(account, PERIODIC), moves.column("period"), NOBODY)
    return key_of(account, period, moves.column(f"{side}_party"))


def _summed(keys: Numbers, amounts: Numbers) -> Balances:
    # Balances and their changes are in order already: to merge them takes a fraction of the time of sorting them.
    order = np.argsort(keys, kind="stable")
    keys, amounts = keys[order], amounts[order]
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    found = keys[starts]
    # Halves of 32 bits cannot wrap in the sum of fewer than 2**31 numbers.
    halves = (amounts >> 32, amounts & (2**32 - 1))
    high, low = (np.add.reduceat(half, starts) if len(starts) else half for half in halves)
    high += low >> 32
    if len(high) and (high.max() >= 2**31 or high.min() < -(2**31)):
        raise LedgerError(
            "an account of the ledger would come to more than 2^63 millionths of a minor unit; begin a new ledger"
        )
    return Balances(found, (high << 32) | (low & (2**32 - 1)))
