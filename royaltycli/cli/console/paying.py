"""What is shown of shares, payouts and estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from royaltycli.cli.console.messages import clean, make_console, say, say_sum
from royaltycli.cli.console.tables import print_whole, show_ranking
from royaltycli.numerals import grouped, parse_fraction, percent, percentage, plain_fraction

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.payout.estimate import Estimate, Mixture
    from royaltycli.payout.payout import Payout

INDENT = 2


def show_shares(rows: pa.Table, by: str) -> None:
    """The table of shares with a bar each."""
    names = {"holders": "Holders", "name": "Name", "title": "Title", "sources": "Sources", "tokens": "Tokens"}
    headers = {name: names.get(name, by.capitalize()) for name in rows.column_names}
    headers |= {"seen_tokens": "Seen tokens", "share": "Share"}
    headers.pop("credited_tokens", None)  # seen tokens tell as much
    show_ranking(make_console(), rows.to_pylist(), headers, "share")


def show_payout(payout: Payout) -> None:
    """The payout table with a bar for each share."""
    headers = {
        "source": {"source_id": "Source", "title": "Title", "holders": "Holders", "tokens": "Tokens"},
        "holder": {"holder_id": "Holder", "name": "Name", "sources": "Sources"},
        "split": {"source_id": "Source", "title": "Title", "holder_id": "Holder", "name": "Name"},
    }[payout.by]
    headers |= {"share": "Share", "payout": f"Payout ({payout.currency.code})"}
    show_ranking(make_console(), payout.rows.to_pylist(), headers, "share")


def prove(payout: Payout, *, aside: bool) -> None:
    """The line that proves that every unit of the pool went somewhere; on standard error if `aside`.

    And what cannot be seen in it: how much of the usage is of no source, and shared among all; and that the size of the
    whole run is known, but changes nothing.
    """
    from royaltycli.payout.currency import exact_money, money

    currency = payout.currency
    parts = [f"{name} {grouped(money(units, currency))}" for name, units in payout.destinations]
    if payout.exact:
        parts = [f"{name} {grouped(exact_money(amount, currency))}" for name, amount in payout.exact]
    line = f"pool {grouped(money(payout.pool, currency))} {currency.code} = {' + '.join(parts)}"
    say_sum(line, aside=aside)
    if payout.unattributed:
        part = f"{percent(payout.unattributed)} % of the usage"
        say(f"{part} is of no source, and shared among all; a policy can send it elsewhere ([usage] unattributed).")
    if payout.run_is_ignored:
        say(
            "No share goes by tokens, so the size of the whole run changes nothing; nothing is kept for the rest of it."
        )


def show_estimate(outcome: Estimate, *, corpus: str, part: str | None, rate: str) -> None:
    """What one work would earn."""
    from royaltycli.payout.estimate import amount_text, works_text

    code = outcome.currency.code
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    where = corpus if part is None else f"{part} in {corpus}"
    table.add_row("work", _tokens(plain_fraction(outcome.tokens)))
    table.add_row("corpus", Text(f"{clean(where)}: {_tokens(_whole(outcome.total))}"))
    table.add_row("share", f"{percent(outcome.share)} %")
    table.add_row("of the whole profit", f"{grouped(amount_text(outcome.at_full, outcome.currency))} {code}")
    at_rate = f"{grouped(amount_text(outcome.at_rate, outcome.currency))} {code}"
    table.add_row(f"at a rate of {percent(parse_fraction(rate, 'rate'))} %", Text(at_rate, style="bold"))
    if works := works_text(outcome):
        table.add_row("in other words", " ".join(grouped(word) for word in works.split()))
    print_whole(make_console(), table)
    say(f"Share: {outcome.rule}.")
    if outcome.by_weight is not None:
        weighted = amount_text(outcome.by_weight.at_rate, outcome.currency)
        say(f"By the published weight instead it would be {grouped(weighted)} {code}: published figures differ.")


def show_mixtures(mixtures: tuple[Mixture, ...]) -> None:
    """The published corpora with their parts, and where the figures come from."""
    console = make_console()
    for mixture in mixtures:
        console.print(
            Text.assemble((mixture.name, "bold"), f"  {mixture.title}: {grouped(_whole(mixture.total))} tokens")
        )
        console.print(_indented(Text(f"{mixture.source}, {mixture.date}", style="dim")))
        parts = Table.grid(padding=(0, 3, 0, 0))
        parts.add_column(overflow="fold")
        for _ in ("size", "weight", "epochs"):
            parts.add_column(justify="right", no_wrap=True)
        for part in mixture.parts:
            size = "" if part.size is None else f"{grouped(format(part.size, 'f'))} {mixture.unit}"
            weight = "" if part.weight is None else f"weight {percentage(part.weight)}"
            parts.add_row(part.name, size, weight, "" if part.epochs is None else f"epochs {part.epochs}")
        if mixture.parts:
            print_whole(console, parts, INDENT)
        for note in mixture.notes:
            console.print(_indented(Text(f"Note: {note}", style="dim")))
        console.print()


def _tokens(number: str) -> str:
    return f"{grouped(number)} token{'' if number == '1' else 's'}"


def _whole(number: Any) -> str:
    return str(round(number))


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, INDENT))
