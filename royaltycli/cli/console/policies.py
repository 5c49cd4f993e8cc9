"""What is shown of policies: the arithmetic of one amount, comparisons, grids."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from royaltycli.cli.console.messages import clean, make_console
from royaltycli.cli.console.tables import BLOCKS, grouped, percent_text, print_whole

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

    import pyarrow as pa

    from royaltycli.payout.comparison import Outcome
    from royaltycli.payout.explanation import Explanation
    from royaltycli.payout.policy import Policy

STEPS = "▁▂▃▄▅▆▇█"


@contextlib.contextmanager
def stepping(total: int, what: str, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Show the progress of work in equal steps, if a person watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(None), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=make_console(stderr=True), transient=True, expand=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.update(task, advance=1)


def show_policies(policies: Sequence[Policy]) -> None:
    """The shipped policies, each with its source and date."""
    console = make_console()
    for policy in policies:
        console.print(Text.assemble((policy.name, "bold"), f"  {policy.date}"))
        console.print(Text(f"  {policy.title}"), soft_wrap=True)
        console.print(Text(f"  {policy.source}", "dim"), soft_wrap=True)  # an address stays one word, to be copied
    console.print(Text("`royalty policies NAME` prints one, with notes and comments.", style="dim"))


def show_explanation(explanation: Explanation) -> None:
    """The steps to one amount."""
    console, policy = make_console(), explanation.policy
    title = f"  {clean(explanation.title)}" if explanation.title else ""
    console.print(Text.assemble((clean(explanation.identifier), "bold"), title, f"  ({explanation.kind})"))
    console.print(Text(clean(f"by the policy {policy.name}" + (f": {policy.title}" if policy.title else "")), "dim"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Step", overflow="fold")
    table.add_column("How", overflow="fold")
    table.add_column(explanation.currency.code, justify="right", no_wrap=True)
    for step in explanation.steps:
        table.add_row(clean(step.what), clean(step.how), step.amount)
    print_whole(console, table)
    note = (
        "Each division is rounded down to a millionth of a minor unit; what that leaves goes, one each, to the largest"
    )
    console.print(Text(f"{note} remainders, so an amount may be a millionth more.", "dim"))


def show_comparison(outcomes: Sequence[Outcome]) -> None:
    """Policies side by side, with a chart of what each tenth of the holders is paid."""
    from royaltycli.payout.currency import exact_money, money

    console, first = make_console(), outcomes[0]
    currency = first.currency
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    for one in outcomes:
        table.add_column(clean(one.policy), justify="right", overflow="fold")
    plain = console.options.ascii_only

    def row(name: str, cell: Callable[[Outcome], str]) -> None:
        table.add_row(name, *(cell(one) for one in outcomes))

    row(f"pool ({currency.code})", lambda one: grouped(money(one.pool, currency)))
    row("paid", lambda one: grouped(money(one.total, currency)))
    row("carried", lambda one: grouped(exact_money(one.carried, currency)))
    row("elsewhere", lambda one: grouped(exact_money(one.elsewhere, currency)))
    row("holders paid", lambda one: f"{one.receivers:,} of {len(one.holders):,}")
    row("smallest payment", lambda one: grouped(money(one.smallest, currency)))
    row("median payment", lambda one: grouped(money(one.median, currency)))
    row("Gini coefficient", lambda one: three_decimals(one.gini))
    row("share of the top 1 %", lambda one: percent_text(one.top))
    row("gain", lambda one: "" if one is first else f"{int((one.paid > first.paid).sum()):,}")
    row("lose", lambda one: "" if one is first else f"{int((one.paid < first.paid).sum()):,}")
    row("each tenth of holders", lambda one: chart(one.tenths, plain=plain))
    print_whole(console, table)
    console.print(Text(f"Gain and lose: holders paid more or less than by {clean(first.policy)}.", "dim"))


def show_details(rows: pa.Table) -> None:
    """Holders with what each policy pays them."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in rows.column_names:
        text = name in ("holder_id", "name")
        table.add_column(clean(name), justify="left" if text else "right", no_wrap=not text, overflow="fold")
    for row in rows.to_pylist():
        table.add_row(*(clean(str(value)) if isinstance(value, str) else grouped(str(value)) for value in row.values()))
    print_whole(make_console(), table)


def show_grid(grid: Sequence[tuple[Decimal, Fraction, Outcome]]) -> None:
    """A row for each profit and rate, with a bar for how many are paid."""
    from royaltycli.numerals import plain, plain_fraction
    from royaltycli.payout.currency import money

    console, currency = make_console(), grid[0][2].currency
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in (f"Profit ({currency.code})", "Rate", "Pool", "Paid", "Median", "Holders"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for profit, rate, one in grid:
        table.add_row(
            grouped(plain(profit)),
            f"{plain_fraction(rate * 100)} %",
            grouped(money(one.pool, currency)),
            grouped(money(one.total, currency)),
            grouped(money(one.median, currency)),
            f"{one.receivers:,}",
            _part(one.receivers, len(one.holders), plain=console.options.ascii_only),
        )
    print_whole(console, table)
    console.print(
        Text("Median: of the payments. Holders: those who are paid. CSV and the other formats say more.", "dim")
    )


def chart(values: Sequence[int], *, plain: bool = False) -> str:
    """A small chart of amounts: a step for each, the highest for the largest; nothing at all is a dot."""
    most = max(values, default=0)
    steps = ".:-=+*#@" if plain else STEPS
    return "".join("." if not value else steps[(value * len(steps) - 1) // most] for value in values)


def three_decimals(value: Fraction) -> str:
    """A fraction to three decimals."""
    whole, part = divmod(round(value * 1000), 1000)
    return f"{whole}.{part:03}"


def _part(some: int, all_: int, *, plain: bool) -> Text:
    cells = 10
    eighths = 8 * cells * some // all_ if all_ else 0
    full, rest = divmod(eighths, 8)
    return Text("#" * full if plain else BLOCKS[8] * full + BLOCKS[rest].strip(), style="cyan")
