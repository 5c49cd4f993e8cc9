"""`royalty unclaimed`, `release` and `redistribute`: money that nobody has claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty unclaimed -o unclaimed.csv[/cyan]  # what is in escrow, the oldest first

[cyan]royalty release a-rao[/cyan]  # to the holder, who has been found

[cyan]royalty release essays/maps --source --to a-rao[/cyan]  # its holder was not known

[cyan]royalty redistribute --age 3 --to holders[/cyan]  # unclaimed for three periods"""

AGE = "Only what has waited so many closed periods, or more."


def unclaimed(
    age: Annotated[int, typer.Option("--age", metavar="N", help=AGE)] = 0,
    ledger: options.Ledger = Path("ledger"),
    top: options.First = None,
    format_: options.Format = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """List what is in escrow, by holder or source and the period that it comes from, with its age in periods.

    The oldest comes first, and of one age the largest.
    """
    from royaltycli import accounting
    from royaltycli.cli import console

    with console.waiting("reading the ledger", quiet=quiet):
        rows = accounting.unclaimed(ledger, age)
    results.list_rows(rows, ledger, top, format_, output, raw=raw, quiet=quiet)


def release(
    owner: Annotated[str, typer.Argument(metavar="ID", help="The holder, or with `--source` the source.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="HOLDER", help="Who gets it.", show_default="the holder itself")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The name of who gets it, if that one is new.")
    ] = None,
    source: Annotated[bool, typer.Option("--source", help="ID is that of a source.")] = False,
    ledger: options.Ledger = Path("ledger"),
    date: options.Date = "",
    quiet: options.Quiet = False,
) -> None:
    """Put what is in escrow for a holder or a source into the balance of a holder; the next close pays it.

    If the holder has a successor by `royalty transfer`, that one gets it.
    """
    from royaltycli import accounting
    from royaltycli.cli import console
    from royaltycli.numerals import grouped

    with console.waiting("releasing escrow", quiet=quiet):
        amount, code, receiver = accounting.release(ledger, owner, to=to, name=name, source=source, date=date)
    if not quiet:
        console.say(f"Released {grouped(amount)} {code} to {receiver}.")


def redistribute(
    age: Annotated[int, typer.Option("--age", metavar="N", help=AGE)],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="WHERE",
            help="holders (those who earned in the same period, in proportion), payer, or fund:NAME.",
        ),
    ],
    ledger: options.Ledger = Path("ledger"),
    date: options.Date = "",
    quiet: options.Quiet = False,
) -> None:
    """Give what nobody has claimed for a number of periods to somebody else: it leaves escrow for good."""
    from royaltycli import accounting
    from royaltycli.cli import console
    from royaltycli.numerals import grouped

    with console.waiting("redistributing escrow", quiet=quiet):
        amount, code = accounting.redistribute(ledger, age, to, date=date)
    if not quiet:
        console.say(f"Redistributed {grouped(amount)} {code} to {to}.")
