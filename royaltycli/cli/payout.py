"""`royalty payout`: a pool, paid out to the sources or their holders."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from royaltycli.cli import options, results
from royaltycli.cli.workbook import deliver_workbook

EXAMPLES = """[b]Examples[/b]

[cyan]royalty payout --profit 500e6 --rate 0.2[/cyan]  # tokens.parquet here, as a table

[cyan]royalty payout --profit 500M --rate 20% --by holder -o payout.csv[/cyan]

[cyan]royalty payout -p 500M -r 20% -o payout.xlsx[/cyan]  # by source and by holder

[cyan]royalty payout --profit 500e6 --rate 0.2 --total-tokens 300e9 --currency EUR[/cyan]

[cyan]royalty payout --profit 500e6 --rate 0.2 --blend 50% --usage usage.parquet[/cyan]

[cyan]royalty payout --profit 500e6 --rate 0.2 --policy flat-plus-percentage[/cyan]"""


def payout(
    profit: options.Profit,
    rate: options.Rate = None,
    tokens: options.Tokens = "tokens.parquet",
    by: Annotated[
        Literal["source", "holder", "split"],
        typer.Option(
            "--by",
            metavar="WHAT",
            help="What each row stands for: source, holder, or split (one holder's part of one source).",
        ),
    ] = "source",
    currency: options.Currency = "USD",
    top: options.Top = None,
    total_tokens: options.TotalTokens = None,
    period: options.Period = "",
    basis: options.Basis = None,
    blend: options.Blend = None,
    policy: options.Policy = None,
    holders: options.Holders = None,
    usage: options.Usage = None,
    format_: options.Format = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """Pay a part of a profit out to the sources of a corpus, every cent accounted for.

    Each source's share is its seen tokens over all seen tokens, unless another basis is named. Whole minor
    units are paid by the method of largest remainders, and the payout column always sums to the pool. Every
    run checks that, and says so in one line, which `--quiet` leaves out.

    A policy has rules of its own: who takes part, caps, deductions, a minimum payment. With one, rows by source say
    what was earned, and rows by holder what is paid now.
    """
    from royaltycli import api
    from royaltycli.cli import console

    place, kind = results.place_of(output, format_, tokens, policy, holders, usage)
    rows = console.ROWS if kind == "table" and top is None else top
    with console.waiting("reading the counts", quiet=quiet):
        table = api.read_tokens(tokens)
    how: dict[str, Any] = {
        "profit": profit,
        "rate": rate,
        "currency": currency,
        "total_tokens": total_tokens,
        "top": rows,
        "period": period,
        "basis": basis,
        "blend": blend,
        "policy": policy,
        "holders": holders,
        "usage": usage,
    }
    if kind == "xlsx":
        paid = deliver_workbook(table, place, by=by, quiet=quiet, **how)
    else:
        with console.waiting("sharing out the pool", quiet=quiet):
            paid = api.distribute(table, by=by, **how)
        if kind == "table":
            console.show_payout(paid)
        else:
            results.deliver(paid.rows, kind, place, raw=raw, quiet=quiet)
    if not quiet:
        console.prove(paid, aside=kind != "table")
