"""`royalty compare`: policies side by side on one corpus."""

from __future__ import annotations

from typing import Annotated

import typer

from royaltycli.cli import completion, options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty compare token-share flat-plus-percentage per-work -p 500e6 -r 20%[/cyan]

[cyan]royalty compare token-share mine.toml -p 500e6 -r 0.2 --details -o holders.csv[/cyan]"""


def compare(
    policies: Annotated[
        list[str],
        typer.Argument(
            metavar="POLICY...",
            help="Policies, as names or files; the others are compared with the first.",
            autocompletion=completion.policies,
        ),
    ],
    profit: options.Profit,
    rate: options.Rate = None,
    tokens: options.TokensOption = "tokens.parquet",
    holders: options.Holders = None,
    usage: options.Usage = None,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="A row for each holder, the best paid by the first policy first, with what each pays it."
        ),
    ] = False,
    currency: options.Currency = "USD",
    total_tokens: options.TotalTokens = None,
    period: options.Period = "",
    top: options.Top = None,
    format_: options.Format = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """Set policies side by side: who is paid, who gains, who loses, and how unequal the payments are.

    Payments are those of one period, with nothing carried from before. The Gini coefficient is 0 where all
    holders are paid alike, and near 1 where one is paid everything.
    """
    from royaltycli import api
    from royaltycli.arguments import rows_of
    from royaltycli.cli import console
    from royaltycli.distributing import outcomes_of
    from royaltycli.errors import CallError
    from royaltycli.payout.comparison import compared, side_by_side

    place, kind = results.place_of(output, format_, tokens, *policies, holders, usage)
    if top is not None and not details:
        raise CallError("`--top` is of holders; say `--details` as well, or leave it out")
    if kind == "table" and top is None:
        top = console.ROWS
    made = outcomes_of(
        policies, api.read_tokens(tokens), profit=profit, rate=rate, holders=holders, usage=usage, currency=currency,
        total_tokens=total_tokens, period=period,
    )  # fmt: skip
    with console.going_through("policies", quiet=quiet, total=len(policies)) as tick:
        outcomes = []
        for one in made:
            outcomes.append(one)
            tick(1)
    rows = side_by_side(outcomes, rows_of(top)) if details else compared(outcomes)
    if kind != "table":
        results.deliver(rows, kind, place, raw=raw, quiet=quiet)
    elif details:
        console.show_details(rows)
    else:
        console.show_comparison(outcomes)
