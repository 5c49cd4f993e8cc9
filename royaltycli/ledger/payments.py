"""What a close pays each holder, and what has become of it (docs/spec-ledger.md, rules L16 and L17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.errors import LedgerError
from royaltycli.ledger import journal
from royaltycli.ledger.accounts import Account, Moves, move, together
from royaltycli.ledger.booking import Reader, book
from royaltycli.ledger.chain import About, Posting
from royaltycli.ledger.closing import passed_on
from royaltycli.ledger.parties import HOLDER
from royaltycli.ledger.state import CLOSE, SETTLE, State
from royaltycli.numerals import EXACT, plain
from royaltycli.payout.columns import money_column
from royaltycli.payout.currency import MILLIONTHS, money

Outcome = Literal["paid", "returned"]
WAITING, PAID, RETURNED = "waiting", "paid", "returned"
STATUSES = (WAITING, PAID, RETURNED)


@dataclass(frozen=True, slots=True)
class Payments:
    """The payments of a period: holders by number, amounts in millionths, and which of STATUSES each has."""

    period: int
    holders: Numbers
    amounts: Numbers
    status: Numbers


def payments_of(state: State, moves: Reader, period: str) -> Payments:
    """The payments of a period, as the transactions of a state left them."""
    number = state.number(period)
    parts: dict[str, list[Moves]] = {CLOSE: [], SETTLE: []}
    for logged in state.log:
        if logged.kind in parts and logged.about["period"] == period:
            parts[logged.kind].append(moves(logged.number))
    due = parts[CLOSE][0].between(Account.HOLDER, Account.PAYABLE)
    holders, amounts = due.column("to_party"), due.column("amount")
    size = len(state.parties) + 1
    paid, returned = np.zeros(size, bool), np.zeros(size, bool)
    for settled in parts[SETTLE]:
        paid[settled.between(Account.PAYABLE, Account.PAID).column("from_party")] = True
        for account in (Account.PAYABLE, Account.PAID):
            returned[settled.between(account, Account.HOLDER).column("from_party")] = True
    return Payments(number, holders, amounts, np.where(returned[holders], 2, np.where(paid[holders], 1, 0)))


def payments(ledger: Path, period: str) -> pa.Table:
    """One row a payee, from the largest payment on. Raises LedgerError if the period has not been closed."""
    with journal.opened(ledger) as found, found.reading():
        state = found.state()
        listed = payments_of(state, found.moves, period)
    ids, currency = state.parties.ids(listed.holders), state.currency
    columns = {
        "holder_id": pa.array(ids, pa.string()),
        "name": pa.array(state.parties.names(listed.holders), pa.string()),
        "payout": money_column(listed.amounts // MILLIONTHS, currency.places),
        "currency": pa.repeat(currency.code, len(ids)),
        "reference": pa.array([f"{period}.{number}" for number in listed.holders.tolist()], pa.string()),
        "status": pa.array(STATUSES).take(pa.array(listed.status)),
    }
    return pa.table(columns).sort_by([("payout", "descending"), ("holder_id", "ascending")])


def settle(
    ledger: Path, period: str, outcome: Outcome, amounts: Mapping[str, Decimal | None] | None, date: str = ""
) -> tuple[State, int]:
    """Mark payments of a period: those of holders by id, with amounts in the currency to compare; None for all waiting.

    Gives the state after it, and how many payments it marked. Raises LedgerError if one cannot be so marked.
    """
    marked = 0

    def work(state: State, moves: Reader) -> Posting | None:
        nonlocal marked
        listed = payments_of(state, moves, period)
        chosen = _chosen(state, listed, period, outcome, amounts)
        marked = len(chosen)
        about = {"date": date, "outcome": outcome, "period": period}
        return settle_posting(state, listed, chosen, about) if marked else None

    return book(ledger, work)[0], marked


def settle_posting(state: State, listed: Payments, chosen: Numbers, about: About) -> Posting:
    """The transaction that marks the payments at the places `chosen`."""
    holders, amounts = listed.holders[chosen], listed.amounts[chosen]
    was_paid = listed.status[chosen] == STATUSES.index(PAID)
    if about["outcome"] == PAID:
        rows = [move(listed.period, (Account.PAYABLE, holders), (Account.PAID, holders), amounts)]
    else:
        accounts = np.where(was_paid, Account.PAID, Account.PAYABLE)
        rows = [move(listed.period, (accounts, holders), (Account.HOLDER, holders), amounts)]
    rows.append(passed_on(state, rows, listed.period))
    return Posting(SETTLE, about, (), state.parties.since(len(state.parties)), together(rows))


def _chosen(
    state: State, listed: Payments, period: str, outcome: Outcome, amounts: Mapping[str, Decimal | None] | None
) -> Numbers:
    """The places of the payments to be marked; those that are so marked already are none."""
    if amounts is None:
        return np.flatnonzero(listed.status == STATUSES.index(WAITING))
    places = {number: place for place, number in enumerate(listed.holders.tolist())}
    chosen = []
    numbers = state.parties.find(HOLDER, list(amounts)).tolist()
    for number, (holder, amount) in zip(numbers, amounts.items(), strict=True):
        place = places.get(number) if number else None
        if place is None:
            state.parties.holder(holder, f"`royalty payments {period}` lists the payees")
            raise LedgerError(f"period {period} has no payment to {holder}; `royalty payments {period}` lists them")
        units = int(listed.amounts[place]) // MILLIONTHS
        if amount is not None and amount.scaleb(state.currency.places, EXACT) != units:
            booked = f"{money(units, state.currency)} {state.currency.code}"
            raise LedgerError(
                f"the payment to {holder} is {booked} in the ledger, not {plain(amount)}; correct the list"
            )
        status = STATUSES[int(listed.status[place])]
        if status == RETURNED and outcome == PAID:
            raise LedgerError(
                f"the payment to {holder} was returned, and is in the balance again; the next close pays it"
            )
        if status != outcome:
            chosen.append(place)
    return np.array(sorted(chosen), np.int64)
