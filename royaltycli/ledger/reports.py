"""What a ledger says of itself: balances of holders, and its transactions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.errors import LedgerError
from royaltycli.ledger import journal
from royaltycli.ledger.accounts import Account, Numbers
from royaltycli.ledger.parties import HOLDER
from royaltycli.ledger.state import State
from royaltycli.payout.columns import money_column, repeated
from royaltycli.payout.rows import group_sums

COLUMNS = {
    "balance": Account.HOLDER,
    "waiting": Account.PAYABLE,
    "paid": Account.PAID,
    "reserve": Account.RESERVE,
    "escrow": Account.ESCROW,
    "withheld": Account.WITHHOLDING,
    "recouped": Account.ADVANCE,
}


def balances(ledger: Path, holder: str | None = None) -> pa.Table:
    """A row a holder, from the largest balance on; or of one. Raises LedgerError for one that is not known."""
    with journal.opened(ledger) as found, found.reading():
        state = found.state()
    is_holder = pc.equal(state.parties.table["class"], HOLDER).to_numpy()
    rows = np.flatnonzero(is_holder) + 1
    if holder is not None:
        number = state.parties.number(HOLDER, holder)
        if not number:
            raise LedgerError(f"the ledger knows no holder {holder}; `royalty balance` lists them")
        rows = np.array([number], np.int64)
    code = state.currency
    columns = {
        "holder_id": state.parties.table["id"].take(pa.array(rows - 1)),
        "name": state.parties.table["name"].take(pa.array(rows - 1)),
    }
    columns |= {
        name: money_column(_of_all_periods(state, account)[rows], code.places + 6) for name, account in COLUMNS.items()
    }
    columns["currency"] = repeated(code.code, len(rows))
    return pa.table(columns).sort_by([("balance", "descending"), ("holder_id", "ascending")])


def log(ledger: Path) -> pa.Table:
    """A row a transaction."""
    with journal.opened(ledger) as found, found.reading():
        logged = list(found.log())
    return pa.table(
        {
            "number": pa.array([each.number for each in logged], pa.int64()),
            "kind": pa.array([each.kind for each in logged], pa.string()),
            "period": pa.array([each.about.get("period") for each in logged], pa.string()),
            "date": pa.array([each.about["date"] or None for each in logged], pa.string()),
            "digest": pa.array([each.digest.hex() for each in logged], pa.string()),
        }
    )


def _of_all_periods(state: State, account: Account) -> Numbers:
    """What each party has on a kind of account, by its number."""
    _, parties, amounts = state.balances.by_period(account)
    sums: Numbers = group_sums(amounts, parties, len(state.parties) + 1)
    return sums
