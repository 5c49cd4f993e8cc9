"""`royalty explain`: the arithmetic of one amount."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from royaltycli.cli import options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty explain quantum-textbook --profit 500e6 --rate 0.2[/cyan]

[cyan]royalty explain a-rao -p 500e6 -r 0.2 --policy mine.toml --holders holders.csv[/cyan]"""


def explain(
    identifier: Annotated[str, typer.Argument(metavar="HOLDER|SOURCE", help="The id of a holder or a source.")],
    profit: options.Profit,
    rate: options.Rate = None,
    tokens: options.TokensOption = "tokens.parquet",
    basis: options.Basis = None,
    blend: options.Blend = None,
    policy: options.Policy = None,
    holders: options.Holders = None,
    usage: options.Usage = None,
    kind: Annotated[
        Literal["source", "holder"] | None,
        typer.Option("--as", metavar="WHAT", help="source or holder, where an id is both.", show_default=False),
    ] = None,
    currency: options.Currency = "USD",
    total_tokens: options.TotalTokens = None,
    period: options.Period = "",
) -> None:
    """Show step by step how the amount of a source or a holder comes about, with numbers to check on paper."""
    from royaltycli import api
    from royaltycli.cli import console

    explanation = api.explain(
        identifier,
        api.read_tokens(tokens),
        profit=profit,
        rate=rate,
        basis=basis,
        blend=blend,
        policy=policy,
        holders=holders,
        usage=usage,
        kind=kind,
        currency=currency,
        total_tokens=total_tokens,
        period=period,
    )
    console.show_explanation(explanation)
