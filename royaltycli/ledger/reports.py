"""What a ledger says of itself: balances of holders, and its transactions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.ledger import journal
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.parties import HOLDER
from royaltycli.payout.currency import DECIMALS, Currency

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
        rows = np.array([state.parties.holder(holder)], np.int64)
    columns = {
        "holder_id": state.parties.table["id"].take(pa.array(rows - 1)),
        "name": state.parties.table["name"].take(pa.array(rows - 1)),
    }
    size = len(state.parties) + 1
    columns |= {name: pa.array(state.balances.dense(account, size)[rows]) for name, account in COLUMNS.items()}
    columns["currency"] = pa.repeat(state.currency.code, len(rows))
    table = pa.table(columns).sort_by([("balance", "descending"), ("holder_id", "ascending")])
    return with_amounts(table, COLUMNS, state.currency)


def with_amounts(table: pa.Table, names: Iterable[str], currency: Currency) -> pa.Table:
    """A table with columns of millionths as exact decimals in text, with the currency's places at the least."""
    for name in names:
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, exact_texts(table[name].to_numpy(), currency.places))
    return table


def exact_texts(millionths: Numbers, places: int) -> pa.Array:
    """Millionths of a minor unit in plain notation: `43.33`, `-0.0125`, `0.00`."""
    scale = 10 ** (places + DECIMALS)
    # The least of all integers has no negative in 64 bits; no account comes to it (rule L6).
    whole, part = np.divmod(np.abs(millionths), scale)
    digits = pc.utf8_lpad(pa.array(part).cast(pa.string()), places + DECIMALS, "0")
    digits = pc.utf8_rpad(pc.utf8_rtrim(digits, "0"), places, "0")
    texts = pa.array(whole).cast(pa.string())
    texts = pc.if_else(pc.equal(digits, ""), texts, pc.binary_join_element_wise(texts, digits, "."))
    return pc.if_else(pa.array(millionths < 0), pc.binary_join_element_wise("-", texts, ""), texts)


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
