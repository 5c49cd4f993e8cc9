"""Money that nobody has claimed: its age, its release, its redistribution (docs/spec-ledger.md, rules L18 to L20)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.errors import CallError, LedgerError
from royaltycli.ledger import journal
from royaltycli.ledger.accounts import NOBODY, Account, move, together
from royaltycli.ledger.booking import Reader, book
from royaltycli.ledger.chain import About, Posting
from royaltycli.ledger.closing import passed_on
from royaltycli.ledger.entitlements import netted
from royaltycli.ledger.parties import FUND, HOLDER, SOURCE, check_known, check_new
from royaltycli.ledger.reports import with_amounts
from royaltycli.ledger.state import REDISTRIBUTE, RELEASE, State
from royaltycli.manifest.identifiers import check_id
from royaltycli.payout.allocation import allocate, exact_sum

HOLDERS = "holders"
"""The destination of a redistribution to those who earned in the same period."""

KINDS = {HOLDER: HOLDER, SOURCE: SOURCE, "": "(none)"}


def unclaimed(ledger: Path, least: int = 0) -> pa.Table:
    """Escrow by owner and period, of at least so many periods' age, from the oldest, and the largest, on."""
    with journal.opened(ledger) as found, found.reading():
        state = found.state()
    periods, owners, amounts = state.balances.by_period(Account.ESCROW)
    ages = len(state.periods) - periods
    old = ages >= least
    periods, owners, amounts, ages = periods[old], owners[old], amounts[old], ages[old]
    order = [("age", "descending"), ("amount", "descending"), ("id", "ascending"), ("of", "ascending")]
    kinds = [KINDS[kind] for kind in state.parties.kinds(owners)]
    rows = pa.table(
        {
            "of": pa.array(kinds, pa.string()),
            "id": pa.array([name or "(escrow)" for name in state.parties.ids(owners)], pa.string()),
            "name": pa.array(state.parties.names(owners), pa.string()),
            "period": pa.array(state.periods, pa.string()).take(pa.array(periods - 1)),
            "age": pa.array(ages),
            "amount": pa.array(amounts),
            "currency": pa.repeat(state.currency.code, len(owners)),
        }
    ).sort_by(order)
    return with_amounts(rows, ["amount"], state.currency)


def release(
    ledger: Path, owner: str, *, to: str | None = None, name: str | None = None, source: bool = False, date: str = ""
) -> tuple[State, int, str]:
    """Put all escrow of a holder, or with `source` of a source, into the balance of `to`, by default the holder.

    `name` is that of a holder who is new. Gives the state after it, the amount in millionths, and the id of who has
    it now: the successor of one who was transferred. Raises CallError and LedgerError if that cannot be.
    """
    kind, target = SOURCE if source else HOLDER, to if to is not None else owner
    if source and to is None:
        raise CallError(f"{owner} is a source; say with `--to` which holder gets what is kept for it")
    if name is not None:
        check_new(target, name)
    about = {"date": date, "kind": kind, "name": name, "of": owner, "to": target}

    def work(state: State, _moves: Reader) -> Posting | None:
        if not source:
            state.parties.holder(owner, "`royalty unclaimed` lists what is kept for whom")
        elif not state.parties.number(SOURCE, owner):
            raise LedgerError(f"nothing is kept in escrow for a source {owner}; `royalty unclaimed` lists what is")
        check_known(state.parties, target, name)
        posting = release_posting(state, about)
        return posting if _taken(posting) else None

    state, posting = book(ledger, work)
    number = state.parties.number(HOLDER, target)
    (receiver,) = state.parties.ids(np.array([state.successors.get(number, number)], np.int64))
    return state, _taken(posting), receiver or target


def release_posting(state: State, about: About) -> Posting:
    """The transaction that releases escrow."""
    parties = state.parties.with_more(HOLDER, [about["to"]], pa.array([about["name"]], pa.string()))
    owner, target = parties.number(about["kind"], about["of"]), parties.number(HOLDER, about["to"])
    periods, owners, amounts = state.balances.by_period(Account.ESCROW)
    own = owners == owner
    parts = [move(periods[own], (Account.ESCROW, owner), (Account.HOLDER, target), amounts[own])]
    parts.append(passed_on(state, parts, NOBODY))
    return Posting(RELEASE, about, (), parties.since(len(state.parties)), together(parts))


def redistribute(ledger: Path, least: int, to: str, date: str = "") -> tuple[State, int]:
    """Redistribute escrow of at least so many periods' age to holders, the payer or a fund.

    Gives the state after it, and the amount in millionths. Raises CallError and LedgerError if that cannot be.
    """
    if to not in (HOLDERS, "payer") and not (to.startswith("fund:") and check_id(to.removeprefix("fund:")) is None):
        raise CallError(f"to is {to[:80]!r}; it must be holders, payer or fund:NAME")
    if least < 1:
        raise CallError(f"the age is {least}; what is redistributed is at least 1 period old")
    about = {"age": least, "date": date, "to": to}

    def work(state: State, moves: Reader) -> Posting | None:
        posting = redistribute_posting(state, moves, about)
        return posting if _taken(posting) else None

    state, posting = book(ledger, work)
    return state, _taken(posting)


def _taken(posting: Posting | None) -> int:
    """What a transaction takes out of escrow, in millionths."""
    if posting is None:
        return 0
    return exact_sum(posting.moves.rows[posting.moves.column("from_account") == Account.ESCROW, 5])


def redistribute_posting(state: State, moves: Reader, about: About) -> Posting:
    """The transaction that redistributes escrow.

    Raises LedgerError if nobody earned anything in one of the periods that it is of, and holders are to share it.
    """
    to, parties = about["to"], state.parties
    if to.startswith("fund:"):
        parties = parties.with_more(FUND, [to.partition(":")[2]])
    parts: list[Numbers] = []
    periods, owners, amounts = state.balances.by_period(Account.ESCROW)
    for period in old_periods(state, about["age"]):
        here = periods == period
        total, name = exact_sum(amounts[here]), state.periods[period - 1]
        kept = (Account.ESCROW, owners[here])
        if to != HOLDERS:
            target = (Account.PAYER, NOBODY) if to == "payer" else (Account.FUND, parties.number(FUND, to[5:]))
            parts.append(move(period, kept, target, amounts[here]))
            continue
        holders, weights = earned_in(state, moves, period)
        if not len(holders):
            raise LedgerError(
                f"nobody earned anything in {name}, so nobody can share its escrow; name a fund or the payer"
            )
        given = allocate(total, weights, parties.ids(holders), name)
        pool = (Account.POOL, NOBODY)
        parts.append(move(period, kept, pool, amounts[here]))
        parts.append(move(period, pool, (Account.HOLDER, holders), given))
    parts.append(passed_on(state, parts, NOBODY))
    return Posting(REDISTRIBUTE, about, (), parties.since(len(state.parties)), together(parts))


def old_periods(state: State, least: int) -> list[int]:
    """The periods, by number, whose escrow is of at least that age."""
    periods = np.unique(state.balances.by_period(Account.ESCROW)[0])
    return [int(period) for period in periods if len(state.periods) - period >= least]


def earned_in(state: State, moves: Reader, period: int) -> tuple[Numbers, Numbers]:
    """What each holder earned in a period as it is stated now: those with more than nothing, by number."""
    stated = state.stated(state.periods[period - 1])
    parts = [moves(each.number) for each in stated]
    both = [part.between(*pair).rows for part in parts for pair in _EARNING]
    gross = netted(together(both)).between(Account.POOL, Account.HOLDER)
    return gross.column("to_party"), gross.column("amount")


_EARNING = ((Account.POOL, Account.HOLDER), (Account.HOLDER, Account.POOL))
