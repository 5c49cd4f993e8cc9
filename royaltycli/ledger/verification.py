"""Everything in a ledger read and computed again (docs/spec-ledger.md, rule L21)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from royaltycli.errors import LedgerDamage, LedgerError, RoyaltyError
from royaltycli.ledger import journal
from royaltycli.ledger.accounts import MAY_OWE, Account, Moves, parts_of_key
from royaltycli.ledger.booking import close_posting, restate_posting
from royaltycli.ledger.chain import Posting, canonical
from royaltycli.ledger.escrow import redistribute_posting, release_posting
from royaltycli.ledger.journal import Journal
from royaltycli.ledger.payments import payments_of, settle_posting
from royaltycli.ledger.reading import read_kept
from royaltycli.ledger.state import CLOSE, EMPTY, REDISTRIBUTE, RELEASE, RESTATE, SETTLE, TRANSFER, State
from royaltycli.ledger.transfers import transfer_posting
from royaltycli.progress import Tell, say_nothing

NAMED = 5
"""How many problems of the database's own check are named."""

UNREADABLE = (
    sqlite3.Error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    AttributeError,
    pa.ArrowException,
)
"""What comes of reading a journal that somebody has changed."""


@dataclass(frozen=True, slots=True)
class Verified:
    """How much was verified, and the head of the chain."""

    transactions: int
    periods: int
    moves: int
    inputs: int
    head: str


def verify(ledger: Path, *, head: str | None = None, tell: Tell = say_nothing) -> Verified:
    """Read and compute everything again. Raises LedgerDamage with all that is wrong, LedgerError without a ledger.

    `head` is a digest that was noted before, of any transaction: one without it has been cut short, or is another.
    """
    journal.check_there(ledger)
    problems: list[str] = []
    state, moves, used = EMPTY, 0, set[str]()
    try:
        with journal.opened(ledger) as found, found.reading():
            tell("checking the database", 0, 0)
            problems += _database_problems(found)
            stored = found.database.execute("SELECT count(*) FROM transactions").fetchone()[0]
            for problem, state, count in _replayed(found):
                problems += problem
                moves += count
                used.update(kept for kept in state.log[-1].about.get("inputs", {}).values() if kept)
                tell("verifying transactions", len(state.log), stored)
            if not problems:
                problems += _leftovers(found, state, moves)
    except LedgerError as error:
        problems.append(str(error))
    except UNREADABLE as error:
        problems.append(f"transaction {len(state.log) + 1} cannot be read ({error})")
    if head is not None and head.lower() not in {logged.digest.hex() for logged in state.log}:
        problems.append(f"no transaction has the digest {head}, so the journal was cut short, or is another one")
    if problems:
        raise LedgerDamage("\n".join(problems))
    return Verified(len(state.log), len(state.periods), moves, len(used), state.head.hex())


def _database_problems(found: Journal) -> list[str]:
    """What the database's own checks find, and any difference of the schema."""
    said = [line for (line,) in found.database.execute(f"PRAGMA integrity_check({NAMED})") if line != "ok"]
    problems = [f"the database's own check says: {' '.join(line.split())}" for line in said]
    if found.schema() != journal.expected_schema():
        problems.append("the tables and triggers of the journal are not those that royalty makes")
    if (
        found.database.execute("SELECT number, name FROM accounts ORDER BY number").fetchall()
        != journal.account_names()
    ):
        problems.append("the names of the accounts are not those of royalty")
    return problems


def _replayed(found: Journal) -> Iterator[tuple[list[str], State, int]]:
    """After each transaction: what is wrong with it, the state, and how many moves it has."""
    state, all_parties = EMPTY, found.parties()
    all_periods = [name for (name,) in found.database.execute("SELECT name FROM periods ORDER BY number")]
    rows = found.database.execute(
        "SELECT number, kind, about, moves, parties, periods, digest FROM transactions ORDER BY number"
    ).fetchall()
    for number, kind, about, moves, parties, periods, digest in rows:
        posting = Posting(
            kind,
            json.loads(about),
            tuple(all_periods[len(state.periods) : len(state.periods) + periods]),
            all_parties.table.slice(len(state.parties), parties),
            found.moves(number),
        )
        new = state.after(posting)
        whole = number == len(new.log) and about == canonical(posting.about)
        counted = (len(posting.moves.rows), posting.parties.num_rows, len(posting.periods)) == (moves, parties, periods)
        if new.head != digest or not whole or not counted:
            yield [f"transaction {number} ({kind}) does not have the digest that it was booked with"], new, moves
            return
        problems = _unsound(new, posting)
        problems += _computed_otherwise(found, state, posting)
        yield [f"transaction {number} ({_title(posting)}): {problem}" for problem in problems], new, moves
        state = new


def _title(posting: Posting) -> str:
    period = posting.about.get("period")
    return posting.kind if period is None else f"{posting.kind} of {period}"


def _unsound(state: State, posting: Posting) -> list[str]:
    """What is against rule L3 after a transaction."""
    problems = []
    rows = posting.moves.rows
    if len(rows) and rows[:, 5].min() <= 0:
        problems.append("a move is not above zero")
    if not np.isin(rows[:, [1, 3]], list(Account)).all():
        problems.append("a move is of no account")
    if len(rows) and (rows[:, [2, 4]].max() > len(state.parties) or rows[:, 0].max() > len(state.periods)):
        problems.append("a move is of no party or period")
    accounts, _, _ = parts_of_key(state.balances.keys)
    if (accounts == Account.POOL).any():
        problems.append("the pool is not spent")
    if (state.balances.amounts[~np.isin(accounts, MAY_OWE)] < 0).any():
        problems.append("an account is below zero that cannot be")
    return problems


def _computed_otherwise(found: Journal, state: State, posting: Posting) -> list[str]:
    """In what a transaction differs from what it comes to when it is computed again."""
    try:
        again = _computed(found, state, posting)
    except RoyaltyError as error:
        return [f"it cannot be computed again: {error}"]
    problems = []
    if again.periods != posting.periods or not again.parties.equals(posting.parties):
        problems.append("it names other periods or parties than its inputs")
    if not np.array_equal(again.moves.rows, posting.moves.rows):
        line = _first_difference(again.moves, posting.moves)
        problems.append(f"its moves are not what its inputs come to, from line {line} on")
    return problems


def _first_difference(one: Moves, other: Moves) -> int:
    """The first line in which moves differ."""
    size = min(len(one.rows), len(other.rows))
    lines = np.flatnonzero((one.rows[:size] != other.rows[:size]).any(axis=1))
    return int(lines[0]) if len(lines) else size


def _computed(found: Journal, state: State, posting: Posting) -> Posting:
    """A transaction computed again, from its inputs and the state before it."""
    kind, about = posting.kind, posting.about
    if kind == CLOSE:
        return close_posting(state, read_kept(found.folder, about), about)
    if kind == RESTATE:
        booked = [found.moves(each.number) for each in state.stated(about["period"])]
        return restate_posting(state, read_kept(found.folder, about), about, booked)
    if kind == SETTLE:
        listed = payments_of(state, found.moves, about["period"])
        payables = np.isin(posting.moves.column("from_account"), (Account.PAYABLE, Account.PAID))
        holders = posting.moves.rows[payables, 2]
        return settle_posting(state, listed, np.flatnonzero(np.isin(listed.holders, holders)), about)
    if kind == TRANSFER:
        return transfer_posting(state, about)
    if kind == RELEASE:
        return release_posting(state, about)
    if kind == REDISTRIBUTE:
        return redistribute_posting(state, found.moves, about)
    raise LedgerError(f"{kind} is no kind of transaction that this version of royalty knows")


def _leftovers(found: Journal, state: State, moves: int) -> list[str]:
    """Rows that belong to no transaction, and balances that are not the sums of the moves."""
    problems = []
    counts = {"moves": moves, "parties": len(state.parties), "periods": len(state.periods)}
    for table, expected in counts.items():
        (count, first, last) = found.database.execute(_EXTENT[table]).fetchone()
        if count != expected or (table != "moves" and count and (first, last) != (1, expected)):
            problems.append(f"there are {count} {table} where the transactions have {expected}")
    (wrong,) = found.database.execute(
        "SELECT count(*) FROM (SELECT number, min(line) AS first, max(line) AS last, count(*) AS size FROM moves"
        " GROUP BY number) WHERE first != 0 OR last != size - 1"
    ).fetchone()
    if wrong:
        problems.append("the moves of a transaction are not numbered from 0")
    held = found.integers("SELECT key, amount FROM balances ORDER BY key", 2)
    if not np.array_equal(held, np.stack([state.balances.keys, state.balances.amounts], axis=1)):
        problems.append("the balances beside the journal are not the sums of its moves")
    return problems


_EXTENT = {
    "moves": "SELECT count(*), min(number), max(number) FROM moves",
    "parties": "SELECT count(*), min(number), max(number) FROM parties",
    "periods": "SELECT count(*), min(number), max(number) FROM periods",
}
