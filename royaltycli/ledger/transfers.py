"""Holders who merge or change hands (docs/spec-ledger.md, rule L15)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from royaltycli.errors import LedgerError
from royaltycli.ledger.accounts import NOBODY, Account, move, together
from royaltycli.ledger.booking import Reader, book
from royaltycli.ledger.chain import About, Posting
from royaltycli.ledger.parties import HOLDER, check_known, check_new
from royaltycli.ledger.state import TRANSFER, State


def transfer(ledger: Path, source: str, target: str, *, name: str | None = None, date: str = "") -> tuple[State, bool]:
    """Let everything that a holder has, and will get, go to another; `name` is that of one who is new.

    Gives the state after it, and whether anything has changed. Raises LedgerError if that cannot be.
    """
    if name is not None:
        check_new(target, name)
    about = {"date": date, "from": source, "name": name, "to": target}

    def work(state: State, _moves: Reader) -> Posting | None:
        number = state.parties.holder(source)
        if source == target:
            raise LedgerError(f"{source} cannot be transferred to {target}, which is the same; name another holder")
        check_known(state.parties, target, name)
        known = state.parties.number(HOLDER, target)
        if state.transfers.get(number) == known and known not in state.transfers:
            return None
        return transfer_posting(state, about)

    state, posting = book(ledger, work)
    return state, posting is not None


def transfer_posting(state: State, about: About) -> Posting:
    """The transaction that moves a holder's balance to its successor; escrow stays until it is released."""
    named = pa.array([about["name"]], pa.string())
    parties = state.parties.with_more(HOLDER, [about["to"]], named)
    source, target = (parties.number(HOLDER, about[key]) for key in ("from", "to"))
    held = state.balances.dense(Account.HOLDER, len(parties) + 1)[source]
    rows = move(NOBODY, (Account.HOLDER, source), (Account.HOLDER, target), int(held))
    return Posting(TRANSFER, about, (), parties.since(len(state.parties)), together([rows]))
