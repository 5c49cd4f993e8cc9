"""`royalty balance`: what every holder has, or one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty balance[/cyan]  # all holders, the largest balance first

[cyan]royalty balance a-rao[/cyan]

[cyan]royalty balance -o balances.csv[/cyan]"""


def balance(
    holder: Annotated[
        str | None, typer.Argument(metavar="HOLDER", help="The id of one holder.", show_default="all")
    ] = None,
    ledger: options.Ledger = Path("ledger"),
    top: options.First = None,
    format_: options.Format = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """Show balances: what is carried, what waits for the bank, what was paid, reserves, escrow, recouped advances.

    The largest comes first.
    """
    from royaltycli import accounting
    from royaltycli.cli import console

    with console.waiting("reading the ledger", quiet=quiet):
        rows = accounting.balances(ledger, holder)
    results.list_rows(rows, ledger, top, format_, output, raw=raw, quiet=quiet)
