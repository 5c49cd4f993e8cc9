"""`royalty payments` and `royalty settle`: what the bank is to pay, and what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from royaltycli.cli import options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty payments 2026 -o payments.csv[/cyan]  # one row a payee, for the bank

[cyan]royalty settle 2026 --all --paid[/cyan]  # all that waits was paid

[cyan]royalty settle 2026 a-rao --returned[/cyan]  # sent back, and in the balance again

[cyan]royalty settle 2026 --file from-the-bank.csv --paid[/cyan]  # amounts are compared"""


def payments(
    period: options.PeriodName,
    status: Annotated[
        Literal["waiting", "paid", "returned"] | None,
        typer.Option("--status", metavar="STATUS", help="Only these: waiting, paid or returned.", show_default="all"),
    ] = None,
    ledger: options.Ledger = Path("ledger"),
    top: options.First = None,
    format_: options.Format = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """List the payments of a period: one row for each payee, with a reference for the bank and what became of it.

    The largest comes first. The line below them is their sum, to compare with the bank's own.
    """
    from royaltycli import accounting
    from royaltycli.cli import console

    with console.waiting("reading the ledger", quiet=quiet):
        rows = accounting.payments(ledger, period, status)
    as_table = results.list_rows(rows, ledger, top, format_, output, raw=raw, quiet=quiet)
    if not quiet:
        console.show_sum(rows, period, aside=not as_table)


def settle(
    period: options.PeriodName,
    holders: Annotated[
        list[str] | None, typer.Argument(metavar="HOLDER", help="The ids of payees.", show_default=False)
    ] = None,
    paid: Annotated[bool, typer.Option("--paid", help="The payments were made.")] = False,
    returned: Annotated[bool, typer.Option("--returned", help="The bank sent them back.")] = False,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", readable=False, help="A CSV file with the column holder_id."),
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All payments that still wait.")] = False,
    ledger: options.Ledger = Path("ledger"),
    date: options.Date = "",
    quiet: options.Quiet = False,
) -> None:
    """Mark payments of a period as paid or returned, whole or not at all.

    A returned payment is in the balance again, and the next close pays it. If a file has a column payout or currency,
    it must agree with the ledger.
    """
    from royaltycli import accounting
    from royaltycli.cli import console
    from royaltycli.errors import CallError
    from royaltycli.numerals import several

    if paid and returned:
        raise CallError("payments are marked `--paid` or `--returned`, not both at once; say what became of them")
    outcome = paid if paid or returned else None
    with console.waiting("marking payments", quiet=quiet):
        marked = accounting.settle(
            ledger, period, holders or [], paid=outcome, file=file, everybody=everybody, date=date
        )
    if not quiet:
        console.say(f"{several(marked, 'payment')} of {period} marked {'paid' if outcome else 'returned'}.")
