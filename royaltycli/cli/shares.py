"""`royalty shares`: how much of the corpus each source is."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from royaltycli.cli import options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty shares[/cyan]  # tokens.parquet here, by source

[cyan]royalty shares --by license[/cyan]

[cyan]royalty shares --top 100 -o shares.csv[/cyan]"""


def shares(
    tokens: options.Tokens = "tokens.parquet",
    by: Annotated[
        Literal["source", "holder", "license", "collection"],
        typer.Option("--by", metavar="WHAT", help="What each row stands for: source, holder, license or collection."),
    ] = "source",
    top: options.Top = None,
    total_tokens: options.TotalTokens = None,
    format_: options.Format = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """Show each source's tokens, the tokens that training saw of it, and its share of the corpus."""
    from royaltycli import api
    from royaltycli.cli import console

    place, kind = results.place_of(output, format_, tokens)
    if kind == "table" and top is None:
        top = console.ROWS
    with console.waiting("adding up the counts", quiet=quiet):
        rows = api.shares(api.read_tokens(tokens), by=by, total_tokens=total_tokens, top=top)
    if kind == "table":
        console.show_shares(rows, by)
    else:
        results.deliver(rows, kind, place, raw=raw, quiet=quiet)
