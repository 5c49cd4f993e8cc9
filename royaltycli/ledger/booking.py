"""Closing and restating a period: from files to a transaction in the journal (rules L2, L5, L7, L8 and L14)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from royaltycli.arrays import Numbers
from royaltycli.errors import LedgerError
from royaltycli.ledger import inputs, journal
from royaltycli.ledger.accounts import Account, Balances, Moves, before, changes, together
from royaltycli.ledger.chain import About, Posting
from royaltycli.ledger.closing import closing, lists_of, restating
from royaltycli.ledger.journal import Journal
from royaltycli.ledger.periods import check_name, order
from royaltycli.ledger.reading import INPUTS, Inputs, distributed, read_inputs
from royaltycli.ledger.state import CLOSE, EMPTY, Logged, State
from royaltycli.numerals import plain, plain_fraction
from royaltycli.payout.allocation import exact_sum
from royaltycli.payout.currency import Currency
from royaltycli.policies import located
from royaltycli.progress import Tell, say_nothing

Reader = Callable[[int], Moves]
"""Gives the moves of a transaction by its number."""

Work = Callable[[State, Reader], Posting | None]
"""What is to be booked on a state; None if nothing changes."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a period is to be closed or restated with; `policy` is a file or the name of a shipped one.

    Without `rate` it is the policy's. `date` is only noted.
    """

    period: str
    profit: Decimal
    rate: Fraction | None
    currency: Currency
    tokens: Path
    policy: str | Path | None = None
    holders: Path | None = None
    usage: Path | None = None
    total_tokens: Decimal | None = None
    date: str = ""

    def files(self) -> dict[str, Path | bytes | None]:
        """The files by their names in the journal; a shipped policy as its text. Raises CallError."""
        policy = None if self.policy is None else located(os.fspath(self.policy))
        return {"tokens": self.tokens, "policy": policy, "holders": self.holders, "usage": self.usage}


@dataclass(frozen=True, slots=True)
class Booked:
    """A transaction that a command came to: whether it is new, and by how much it changes each kind of account.

    `pool` is what it takes from the payer: of a close the whole pool, also where a part of it goes back to the payer.
    """

    logged: Logged
    is_new: bool
    changed: dict[Account, int]
    pool: int
    state: State


def close_period(ledger: Path, given: Given, tell: Tell = say_nothing) -> Booked:
    """Close a period. Raises LedgerError if it is closed with other input, or out of order."""
    check_name(given.period)
    tell("reading", 0, 0)
    read, about = _read(given)

    def work(state: State, _moves: Reader) -> Posting | None:
        return None if _is_closed(state, about) else close_posting(state, read, about)

    return _book(ledger, given, about, work, tell, create=True)


def restate_period(ledger: Path, given: Given, tell: Tell = say_nothing) -> Booked:
    """Restate a closed period. Raises LedgerError if it has not been closed."""
    check_name(given.period)
    with journal.opened(ledger):
        pass  # there is one, which is best known before files are read
    tell("reading", 0, 0)
    read, about = _read(given)

    def work(state: State, moves: Reader) -> Posting | None:
        stated = state.stated(given.period)
        _check_currency(state, about)
        if not differences(stated[-1].about, about):
            return None
        return restate_posting(state, read, about, [moves(each.number) for each in stated])

    return _book(ledger, given, about, work, tell, create=False)


def close_posting(state: State, read: Inputs, about: About) -> Posting:
    """The transaction that closes a period by its inputs."""
    lists = lists_of(read.listed, read.table, state, _recouped(state.balances, state))
    return closing(state, distributed(read, about, lists.present), lists.absent, about)


def restate_posting(state: State, read: Inputs, about: About, booked: list[Moves]) -> Posting:
    """The transaction that restates a period by its inputs, given what is booked for it."""
    elsewhere = before(state.balances, changes(together([moves.rows for moves in booked])))
    lists = lists_of(read.listed, read.table, state, _recouped(elsewhere, state))
    return restating(state, distributed(read, about, lists.present), lists.absent, booked, about)


def book(
    ledger: Path, work: Work, *, create: bool = False, keep: Callable[[], None] | None = None, tell: Tell = say_nothing
) -> tuple[State, Posting | None]:
    """Book what `work` makes of the ledger's state, whole or not at all; gives the state after it, and what was booked.

    It is computed before others are kept waiting, and anew if one of them was quicker. `keep` is called
    before anything is written.
    """
    if create and not os.path.isfile(ledger / journal.FILE):
        state, posting = EMPTY, work(EMPTY, _no_moves)
    else:
        with journal.opened(ledger, create=create) as found:
            state, posting = _work_on(found, work)
    if posting is None:
        return state, None
    if keep is not None:
        keep()
    with journal.opened(ledger, create=create) as found, found.writing():
        if found.is_new():
            found.begin()
        if found.head() != state.head:
            state = found.state()
            posting = work(state, found.moves)
        return (state, None) if posting is None else (found.append(state, posting, tell), posting)


def differences(old: About, new: About) -> list[str]:
    """In words, in what two statements of a period differ."""
    said = [
        f"{key.replace('_', ' ')} {old[key] or 'unknown'} (not {new[key] or 'unknown'})"
        for key in ("profit", "rate", "total_tokens")
        if old[key] != new[key]
    ]
    for name, words in INPUTS.items():
        here, there = old["inputs"][name], new["inputs"][name]
        if here != there:
            bare = words.removeprefix("the ")
            said.append(f"a {bare}" if there is None else f"no {bare}" if here is None else f"another {bare}")
    return said


def _work_on(found: Journal, work: Work) -> tuple[State, Posting | None]:
    with found.reading():
        if found.is_new():
            return EMPTY, work(EMPTY, _no_moves)
        state = found.state()
        return state, work(state, found.moves)


def _no_moves(_number: int) -> Moves:
    return together([])


def _book(ledger: Path, given: Given, about: About, work: Work, tell: Tell, *, create: bool) -> Booked:
    def keep() -> None:
        for name, file in given.files().items():
            if file is not None:
                inputs.keep(ledger, file, about["inputs"][name], INPUTS[name])

    tell("sharing out", 0, 0)
    state, posting = book(ledger, work, create=create, keep=keep, tell=tell)
    if posting is not None:
        return _booked(state.log[-1], posting.moves, state, is_new=True)
    logged = state.stated(given.period)[-1]
    with journal.opened(ledger) as found, journal.errors(ledger):
        return _booked(logged, found.moves(logged.number), state, is_new=False)


def _booked(logged: Logged, moves: Moves, state: State, *, is_new: bool) -> Booked:
    changed = summed(moves)
    pool = exact_sum(moves.between(Account.PAYER, Account.POOL).column("amount"))
    if logged.kind != CLOSE:
        # A restatement books differences, in which what comes from the payer and what goes back to it are one.
        pool -= exact_sum(moves.between(Account.POOL, Account.PAYER).column("amount"))
    return Booked(logged, is_new, changed, pool, state)


def summed(moves: Moves) -> dict[Account, int]:
    """By how much moves change each kind of account that they concern."""
    sums = {}
    for account in Account:
        more, less = (moves.rows[moves.column(f"{side}_account") == account, 5] for side in ("to", "from"))
        if len(more) or len(less):
            sums[account] = int(more.sum(dtype=object)) - int(less.sum(dtype=object))
    return sums


def _read(given: Given) -> tuple[Inputs, About]:
    """The inputs, and what the transaction will be about."""
    from royaltycli.tokens.table import run_of

    files = given.files()
    names = {name: None if file is None else inputs.name_of(file, INPUTS[name]) for name, file in files.items()}
    read = read_inputs(files, given.currency)
    read.policy.check_usage(given.usage)
    rate = read.policy.rate_or(given.rate)
    total = run_of(read.table) if given.total_tokens is None else given.total_tokens
    about = {
        "currency": given.currency.code,
        "date": given.date,
        "inputs": names,
        "period": given.period,
        "profit": plain(given.profit),
        "rate": plain_fraction(rate),
        "total_tokens": None if total is None else plain(total),
    }
    return read, about


def _is_closed(state: State, about: About) -> bool:
    """Whether a period is closed with this very input. Raises LedgerError if it cannot be closed."""
    _check_currency(state, about)
    period = about["period"]
    if period in state.periods:
        stated = state.stated(period)
        if any(not differences(each.about, about) for each in (stated[0], stated[-1])):
            return True
        said = " and ".join(differences(stated[-1].about, about))
        raise LedgerError(f"period {period} is closed with {said}; book the difference with `royalty restate {period}`")
    if state.periods and order(period) < order(state.periods[-1]):
        raise LedgerError(
            f"period {period} comes before {state.periods[-1]}, which is closed; periods close in their order"
        )
    return False


def _check_currency(state: State, about: About) -> None:
    if state.log and state.currency.code != about["currency"]:
        raise LedgerError(
            f"the ledger is in {state.currency.code}, not in {about['currency']}; name another with `--ledger`"
        )


def _recouped(balances: Balances, state: State) -> Numbers:
    """What was recouped of the advance of every party."""
    return balances.dense(Account.ADVANCE, len(state.parties) + 1)
