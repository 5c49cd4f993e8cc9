"""`royalty transfer`: a holder that merges, or changes hands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty transfer old-press new-press[/cyan]  # a merger of two that the ledger knows

[cyan]royalty transfer a-rao rao-estate --name 'Estate of A. Rao' --date 2026-11-02[/cyan]"""


def transfer(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The id of the holder that is succeeded.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The id of the successor.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The name of a successor who is new.")
    ] = None,
    ledger: options.Ledger = Path("ledger"),
    date: options.Date = "",
    quiet: options.Quiet = False,
) -> None:
    """Let all that a holder has, and all that will come to it, go to another.

    Its balance goes now, above or below zero, and from now on so does whatever it earns, what corrections bring, and
    what the bank returns. Its escrow, old and new, stays under its own id: `royalty release FROM` gives that to the
    successor.
    """
    from royaltycli import accounting
    from royaltycli.cli import console

    with console.waiting("transferring", quiet=quiet):
        changed = accounting.transfer(ledger, source, target, name=name, date=date)
    if not quiet:
        said = "goes from now on to" if changed else "already goes to"
        console.say(f"What {source} has, and what comes to it, {said} {target}.")
