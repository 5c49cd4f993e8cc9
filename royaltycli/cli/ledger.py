"""`royalty ledger`: verify it, or list its transactions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from royaltycli.cli import options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty ledger verify[/cyan]  # exit status 1 if anything is wrong

[cyan]royalty ledger verify --head 1f0c…[/cyan]  # and whether it holds that transaction

[cyan]royalty ledger log[/cyan]  # every transaction with its digest"""


def ledger(
    what: Annotated[Literal["verify", "log"], typer.Argument(metavar="WHAT", help="verify or log.")],
    place: options.Ledger = Path("ledger"),
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="DIGEST", help="A digest that was noted before, which must be in the ledger."),
    ] = None,
    format_: options.Format = None,
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Verify a ledger, or list its transactions.

    `verify` recomputes every transaction from its inputs, the chain of digests, and all balances, and finds
    any changed byte. Note the digest that it ends with: only that shows, with `--head`, whether a ledger was cut short.
    """
    from royaltycli import accounting
    from royaltycli.cli import console
    from royaltycli.errors import CallError

    if what == "verify":
        if format_ is not None or output is not None:
            raise CallError("`royalty ledger verify` writes no rows; leave out `--format` and `-o`")
        with console.doing(quiet=quiet) as tell:
            verified = accounting.verify(place, head=head, tell=tell)
        if not quiet:
            console.show_verified(verified)
        return
    if head is not None:
        raise CallError("a digest is looked for by `royalty ledger verify`; leave out `--head`, or verify the ledger")
    result = results.path_of(output)
    kind = results.format_of(format_, result)
    results.spare_ledger(result, place)
    rows = accounting.log(place)
    if kind == "table":
        console.show_rows(rows)
    else:
        results.deliver(rows, kind, result, quiet=quiet)
