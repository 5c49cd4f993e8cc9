"""What is shown of the ledger: what a command booked, balances and payments, and a verification."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.text import Text

from royaltycli.cli.console.messages import clean, make_console, print_line, say_sum
from royaltycli.cli.console.tables import Column, on_points, print_beside, with_aside
from royaltycli.numerals import grouped, several

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.ledger.booking import Booked
    from royaltycli.ledger.verification import Verified

MEASURES = ("payout", "balance", "amount")
"""What a table is of; the other amounts are left out where all are zero."""

KEYS = ("of", "holder_id", "id", "number")
"""Columns that say what a row is of."""

FOLDED = ("holder_id", "id", "digest")
"""Columns that are folded where room is scarce."""

DONE = {"close": "Closed", "restate": "Restated"}


def show_booked(booked: Booked, period: str) -> None:
    """What closing or restating a period did, as one line that adds up, and its place in the chain."""
    from royaltycli.ledger.accounts import Account
    from royaltycli.payout.currency import exact_money

    console, currency = make_console(), booked.state.currency
    done = DONE[booked.logged.kind]
    if not booked.is_new:
        console.print(Text(f"{done} with this very input before; nothing has changed."))
    names = {Account.PAYABLE: "payments", Account.HOLDER: "balances"}
    changed = booked.changed | {Account.PAYER: booked.changed.get(Account.PAYER, 0) + booked.pool}
    parts = [
        f"{names.get(account, account.name.lower().replace('_', ' '))} {grouped(exact_money(amount, currency))}"
        for account, amount in sorted(changed.items(), key=lambda item: item[0] != Account.PAYABLE)
        if amount and account != Account.POOL
    ]
    pool = grouped(exact_money(booked.pool, currency))
    line = f"{done} {clean(period)}: {pool} {currency.code} = {' + '.join(parts) or '0'}"
    print_line(console, Text(line, style="bold"))
    print_line(console, Text(f"transaction {booked.logged.number}, digest {booked.logged.digest.hex()}"))


def show_rows(rows: pa.Table, top: int = 0) -> None:
    """A table of a ledger: amounts without the zeros that nobody needs, columns of nothing but zeros left out.

    With `top` only the first rows, and a line that says how many there are.
    """
    from royaltycli.report.numbers import AMOUNTS, is_number

    console, all_of_them = make_console(), len(rows)
    rows = rows.slice(0, top) if top else rows
    columns = {
        field.name: _column(field.name, rows[field.name].to_pylist(), number=is_number(field.name, field.type))
        for field in rows.schema
    }
    for name in AMOUNTS:
        if name in columns and name not in MEASURES and all(not str(cell).strip(" 0.") for cell in columns[name].cells):
            del columns[name]
    keys, names = [columns.pop(name) for name in KEYS if name in columns], columns.pop("name", Column("", ()))
    others = list(columns.values())
    print_beside(console, with_aside(console, keys, names, others), others)
    if len(rows) < all_of_them:
        console.print(Text(f"The first {len(rows):,} of {all_of_them:,} rows; `--top 0` shows all."))


def show_sum(payments: pa.Table, period: str, *, aside: bool) -> None:
    """What payments of a period come to, by what became of them; on standard error if `aside`."""
    from royaltycli.ledger.payments import STATUSES

    sums = dict.fromkeys(STATUSES, Decimal(0))
    for amount, status in zip(payments["payout"].to_pylist(), payments["status"].to_pylist(), strict=True):
        sums[status] += amount
    parts = " + ".join(f"{status} {grouped(str(amount))}" for status, amount in sums.items() if amount)
    line = f"{several(len(payments), 'payment')} of {clean(period)}"
    if parts:
        line += f": {grouped(str(sum(sums.values())))} {payments['currency'][0]} = {parts}"
    say_sum(line, aside=aside)


def show_verified(verified: Verified) -> None:
    """What was verified, and the head to note."""
    counts = (
        several(verified.transactions, "transaction"),
        several(verified.periods, "period"),
        several(verified.moves, "move"),
        several(verified.inputs, "input file"),
    )
    console = make_console()
    print_line(console, Text(f"The ledger is sound: {', '.join(counts)} read and computed again."))
    print_line(console, Text(f"head {verified.head}"))


def _column(name: str, values: list[Any], *, number: bool) -> Column:
    header, cells = name.removesuffix("_id").capitalize(), ["" if value is None else str(value) for value in values]
    style = "bold" if name in MEASURES else ""
    if not number:
        return Column(header, [clean(cell) for cell in cells], fold=name in FOLDED)
    header, numbers = on_points(header, [Text(grouped(cell)) for cell in cells])
    return Column(header, numbers, style=style)
