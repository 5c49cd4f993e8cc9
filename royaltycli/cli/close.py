"""`royalty close` and `royalty restate`: a period written into the ledger, and corrected."""

from __future__ import annotations

from pathlib import Path

from royaltycli.cli import options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty close 2026 --profit 500e6 --rate 0.2[/cyan]  # into the folder ledger

[cyan]royalty close 2026-Q3 -p 12M --policy mine.toml --holders holders.csv -c EUR[/cyan]

[cyan]royalty close 2026 -p 9M -r 20% --policy half.toml --usage usage.parquet[/cyan]

[cyan]royalty restate 2026 --profit 480e6 --rate 0.2[/cyan]  # books the difference"""


def close(
    period: options.PeriodName,
    profit: options.Profit,
    rate: options.Rate = None,
    tokens: options.TokensOption = "tokens.parquet",
    policy: options.Policy = None,
    holders: options.Holders = None,
    usage: options.Usage = None,
    currency: options.LedgerCurrency = None,
    total_tokens: options.TotalTokens = None,
    ledger: options.Ledger = Path("ledger"),
    date: options.Date = "",
    quiet: options.Quiet = False,
) -> None:
    r"""Close a period: share a profit out, and write into the ledger what everybody gets and is paid.

    It is written whole or not at all. Closing a period again with the same input changes nothing, and with
    other input it is refused: `royalty restate` books the difference. What is below the policy's minimum, or
    a minor unit, stays in the balance of its holder. `royalty payments` lists what is to be paid.

    By usage, or by a blend as of `royalty payout --blend`, a period is closed with a policy file of three lines:
    `\[basis]`, `seen_tokens = "50%"` and `usage = "50%"`.
    """
    from royaltycli import accounting
    from royaltycli.cli import console

    with console.doing(quiet=quiet) as tell:
        booked = accounting.close(
            period, profit=profit, rate=rate, tokens=tokens, policy=policy, holders=holders, usage=usage,
            currency=currency, total_tokens=total_tokens, ledger=ledger, date=date, tell=tell,
        )  # fmt: skip
    if not quiet:
        console.show_booked(booked, period)


def restate(
    period: options.PeriodName,
    profit: options.Profit,
    rate: options.Rate = None,
    tokens: options.TokensOption = "tokens.parquet",
    policy: options.Policy = None,
    holders: options.Holders = None,
    usage: options.Usage = None,
    currency: options.LedgerCurrency = None,
    total_tokens: options.TotalTokens = None,
    ledger: options.Ledger = Path("ledger"),
    date: options.Date = "",
    quiet: options.Quiet = False,
) -> None:
    """Correct a closed period: share it out anew, and book the difference as new entries.

    Nothing is edited, and nothing is paid now: the next close pays balances. If a balance falls below zero, later
    earnings make that good before anything is paid.
    """
    from royaltycli import accounting
    from royaltycli.cli import console

    with console.doing(quiet=quiet) as tell:
        booked = accounting.restate(
            period, profit=profit, rate=rate, tokens=tokens, policy=policy, holders=holders, usage=usage,
            currency=currency, total_tokens=total_tokens, ledger=ledger, date=date, tell=tell,
        )  # fmt: skip
    if not quiet:
        console.show_booked(booked, period)
