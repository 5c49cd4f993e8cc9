"""`royalty sweep`: one policy over a grid of profits and rates."""

from __future__ import annotations

from typing import Annotated

import typer

from royaltycli.cli import options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty sweep --profit 100e6..1e9 --rate 5%..30% --steps 11[/cyan]

[cyan]royalty sweep -p '100e6 1e9' -r 5%..30% --policy mine.toml -o grid.csv[/cyan]"""


def sweep(
    profit: Annotated[
        str,
        typer.Option("--profit", "-p", metavar="P..Q", help="Profits: a range, one, or several with spaces between."),
    ],
    rate: Annotated[
        str, typer.Option("--rate", "-r", metavar="R..S", help="Rates: a range, one, or several with spaces between.")
    ],
    tokens: options.TokensOption = "tokens.parquet",
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="How many values of each range.")] = 5,
    policy: options.Policy = None,
    holders: options.Holders = None,
    usage: options.Usage = None,
    currency: options.Currency = "USD",
    total_tokens: options.TotalTokens = None,
    period: options.Period = "",
    format_: options.Format = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what a policy pays over a grid of profits and rates: how many are paid, and how much."""
    from royaltycli import api
    from royaltycli.cli import console
    from royaltycli.distributing import PLAIN, grid_of, swept_by
    from royaltycli.payout.comparison import swept

    place, kind = results.place_of(output, format_, tokens, policy, holders, usage)
    points = grid_of(profit, rate, steps)
    made = swept_by(
        policy or PLAIN, api.read_tokens(tokens), points, holders=holders, usage=usage, currency=currency,
        total_tokens=total_tokens, period=period,
    )  # fmt: skip
    grid = []
    with console.going_through("points", quiet=quiet, total=len(points)) as tick:
        for point in made:
            grid.append(point)
            tick(1)
    if kind == "table":
        console.show_grid(grid)
    else:
        results.deliver(swept(grid), kind, place, raw=raw, quiet=quiet)
