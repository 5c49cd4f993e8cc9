"""Token tables for the tests, from short tuples."""

from __future__ import annotations

import pyarrow as pa

from royaltycli.payout.currency import find_currency
from royaltycli.payout.payout import pay

HOLDERS = pa.list_(pa.struct([("id", pa.string()), ("name", pa.string()), ("share", pa.string())]))


def table(*sources, chunk=None):
    """A token table of (id, tokens, epochs, {holder: share}, title, license), the last four optional."""
    full = [(*source, *("1", {}, None, None)[len(source) - 2 :]) for source in sources]
    columns = {
        "source_id": pa.array([source[0] for source in full], pa.string()),
        "title": pa.array([source[4] for source in full], pa.string()),
        "holders": pa.array([listed(source[3]) for source in full], HOLDERS),
        "license": pa.array([source[5] for source in full], pa.string()),
        "tokens": pa.array([source[1] for source in full], pa.int64()),
        "epochs": pa.array([source[2] for source in full], pa.string()),
    }
    made = pa.table(columns)
    return made if chunk is None else pa.Table.from_batches(made.to_batches(max_chunksize=chunk), made.schema)


def listed(holders):
    """{"a-rao": "0.7"}, with a name after the share if it is not the id in capitals: {"a-rao": ("0.7", "Asha")}."""
    parts = {name: share if isinstance(share, tuple) else (share, name.upper()) for name, share in holders.items()}
    return [{"id": name, "name": part[1], "share": part[0]} for name, part in parts.items()]


def units_of(rows, places=2):
    """The payout column in minor units."""
    return [int(payout.scaleb(places)) for payout in rows["payout"].to_pylist()]


def records(rows, *columns):
    """The rows as tuples of these columns, payouts as text."""
    return [
        tuple(str(row[column]) if column == "payout" else row[column] for column in columns) for row in rows.to_pylist()
    ]


def paid(made, pool, **options):
    """The rows of a payout in dollars as tuples of id and payout."""
    rows = pay(made, pool=pool, currency=find_currency("USD"), **options).rows
    return records(rows, rows.column_names[0], "payout")
