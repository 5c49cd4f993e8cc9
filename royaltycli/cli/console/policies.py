"""What is shown of policies: the arithmetic of one amount, comparisons, grids."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from royaltycli.cli.columns import BAR
from royaltycli.cli.console.messages import clean, make_console
from royaltycli.cli.console.tables import (
    Column,
    bar_of,
    is_in_parentheses,
    new_table,
    on_points,
    print_beside,
    print_whole,
    room_beside,
    with_aside,
)
from royaltycli.numerals import grouped, percent_text

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

    import pyarrow as pa

    from royaltycli.payout.comparison import Outcome
    from royaltycli.payout.explanation import Explanation
    from royaltycli.payout.policy import Policy

STEPS = "▁▂▃▄▅▆▇█"


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
    table = new_table()
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
    if explanation.kind == "holder":
        console.print(Text("`royalty explain SOURCE` shows how a source comes to its amount.", "dim"))


def show_comparison(outcomes: Sequence[Outcome]) -> None:
    """Policies side by side, with a chart of what each tenth of the holders is paid."""
    from royaltycli.payout.currency import exact_money, money

    console, first = make_console(), outcomes[0]
    currency, plain = first.currency, console.options.ascii_only
    rows: dict[str, Callable[[Outcome], str]] = {
        f"pool ({currency.code})": lambda one: grouped(money(one.pool, currency)),
        "paid": lambda one: grouped(money(one.total, currency)),
        "carried": lambda one: grouped(exact_money(one.carried, currency)),
        "elsewhere": lambda one: grouped(exact_money(one.elsewhere, currency)),
        "holders paid": lambda one: f"{one.receivers:,} of {len(one.holders):,}",
        "smallest payment": lambda one: grouped(money(one.smallest, currency)),
        "median payment": lambda one: grouped(money(one.median, currency)),
        "Gini coefficient": lambda one: three_decimals(one.gini),
        "share of the top 1 %": lambda one: percent_text(one.top),
        "gain": lambda one: "" if one is first else f"{int((one.paid > first.paid).sum()):,}",
        "lose": lambda one: "" if one is first else f"{int((one.paid < first.paid).sum()):,}",
        "each tenth of holders": lambda one: chart(one.tenths, plain=plain),
    }
    if len(outcomes) == 1:
        del rows["gain"], rows["lose"]
    columns = [Column(clean(one.policy), [cell(one) for cell in rows.values()], "right") for one in outcomes]
    keys = [Column("", list(rows))]
    if room_beside(console, [*keys, *columns]) < 0:
        columns = [_folded(column) for column in columns]
    print_beside(console, keys, columns)
    if len(outcomes) > 1:
        console.print(Text(f"Gain and lose: holders paid more or less than by {clean(first.policy)}.", "dim"))


def show_details(rows: pa.Table) -> None:
    """Holders with what each policy pays them, and at the foot a row for all others."""
    console = make_console()
    found = sorted(rows.to_pylist(), key=lambda row: is_in_parentheses(row["holder_id"]))
    holders = Column("Holder", [clean(row["holder_id"]) for row in found], fold=True)
    names = Column("Name", [clean(row["name"] or "") for row in found])
    columns = []
    for policy in rows.drop_columns(["holder_id", "name"]).column_names:
        header, amounts = on_points(clean(policy), [Text(grouped(str(row[policy]))) for row in found])
        columns.append(Column(header, amounts))
    print_beside(console, with_aside(console, [holders], names, columns), columns)


def show_grid(grid: Sequence[tuple[Decimal, Fraction, Outcome]]) -> None:
    """A row for each profit and rate, with a bar for how many are paid."""
    from royaltycli.numerals import percentage, plain
    from royaltycli.payout.currency import money

    console, currency = make_console(), grid[0][2].currency
    names = (f"Profit ({currency.code})", "Rate", "Pool", "Paid", "Median", "Holders")
    lines = [
        (
            grouped(plain(profit)),
            percentage(rate),
            *(grouped(money(units, currency)) for units in (one.pool, one.total, one.median)),
            f"{one.receivers:,}",
        )
        for profit, rate, one in grid
    ]
    columns = [Column(name, cells, "right") for name, cells in zip(names, zip(*lines, strict=True), strict=True)]
    if room_beside(console, columns) >= BAR:
        plainly = console.options.ascii_only
        columns.append(Column("", [bar_of(one.receivers, len(one.holders), BAR, plain=plainly) for _, _, one in grid]))
    print_beside(console, [], columns)
    console.print(
        Text("Median: of the payments. Holders: those who are paid. CSV and the other formats say more.", "dim")
    )


def chart(values: Sequence[int], *, plain: bool) -> str:
    """A small chart of amounts: a step for each, the highest for the largest; nothing at all is a dot."""
    most = max(values, default=0)
    steps = ".:-=+*#@" if plain else STEPS
    return "".join("." if not value else steps[(value * len(steps) - 1) // most] for value in values)


def three_decimals(value: Fraction) -> str:
    """A fraction to three decimals."""
    whole, part = divmod(round(value * 1000), 1000)
    return f"{whole}.{part:03}"


def _folded(column: Column) -> Column:
    """A column whose name is as narrow as its cells, broken at hyphens where it can be."""
    cells = max(map(cell_len, map(str, column.cells)))
    return replace(column, header="\n".join(textwrap.wrap(column.header, cells)))
