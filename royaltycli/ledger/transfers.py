"""Holders who merge or change hands (docs/spec-ledger.md, rule L15)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from royaltycli.errors import CallError, LedgerError
from royaltycli.ledger.accounts import NOBODY, Account, Numbers, move, together
from royaltycli.ledger.booking import Reader, book
from royaltycli.ledger.chain import About, Posting
from royaltycli.ledger.parties import HOLDER
from royaltycli.ledger.state import TRANSFER, State


def transfer(ledger: Path, source: str, target: str, *, name: str | None = None, date: str = "") -> tuple[State, bool]:
    """Let everything that a holder has, and will get, go to another; `name` is that of one who is new.

    Gives the state after it, and whether anything has changed. Raises LedgerError if that cannot be.
    """
    if name is not None:
        _check_new(target, name)
    about = {"date": date, "from": source, "name": name, "to": target}

    def work(state: State, _moves: Reader) -> Posting | None:
        number = state.parties.number(HOLDER, source)
        if not number:
            raise LedgerError(f"the ledger knows no holder {source}; `royalty balance` lists them")
        if source == target:
            raise LedgerError(f"{source} cannot be transferred to {target}, which is the same; name another holder")
        if not state.parties.number(HOLDER, target) and name is None:
            raise LedgerError(f"the ledger knows no holder {target}; if that is one, give its name with `--name`")
        known = state.parties.number(HOLDER, target)
        if state.transfers.get(number) == known and known not in state.transfers:
            return None
        return transfer_posting(state, about)

    state, posting = book(ledger, work)
    return state, posting is not None


def _check_new(holder: str, name: str) -> None:
    """Raises CallError if a new holder has an id or a name that no holder of a corpus could have: it stays for good."""
    from royaltycli.limits import ID_BYTES
    from royaltycli.manifest.identifiers import check_id, decode_value, encode_value

    why = check_id(holder)
    named_by_a_field = 0 < len(holder.encode("utf-8", "surrogatepass")) <= ID_BYTES and (
        encode_value(decode_value(holder)) == holder
    )
    if why is not None and not named_by_a_field:
        raise CallError(
            f"the id of the new holder {holder[:80]!r} {why}; write it in letters, digits, `.`, `_` and `-`"
        )
    if not name.isprintable() or not name.strip():
        raise CallError(f"the name of the new holder is {name[:80]!r}; write one line of text")


def transfer_posting(state: State, about: About) -> Posting:
    """The transaction that moves a holder's balance and escrow to its successor."""
    named = pa.array([about["name"]], pa.string())
    parties = state.parties.with_more(HOLDER, [about["to"]], named)
    source, target = (parties.number(HOLDER, about[key]) for key in ("from", "to"))
    held = state.balances.dense(Account.HOLDER, len(parties) + 1)[source]
    rows: list[Numbers] = [move(NOBODY, (Account.HOLDER, source), (Account.HOLDER, target), int(held))]
    periods, owners, amounts = state.balances.by_period(Account.ESCROW)
    own = owners == source
    for period, amount in zip(periods[own].tolist(), amounts[own].tolist(), strict=True):
        rows.append(move(period, (Account.ESCROW, source), (Account.ESCROW, target), amount))
    return Posting(TRANSFER, about, (), parties.since(len(state.parties)), together(rows))
