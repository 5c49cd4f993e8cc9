"""A statement on the terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from royaltycli.cli.console.messages import clean, make_console, print_line
from royaltycli.cli.console.tables import new_table, on_points, print_whole
from royaltycli.numerals import percent_text

if TYPE_CHECKING:
    from rich.console import Console

    from royaltycli.report.statements.page import Figure, Line, Page

ROOMY = 110
"""Cells from which on a row of a source has room for all that a statement says of it."""


def show_statement(page: Page) -> None:
    """All that a statement has, in the order of the page."""
    console = make_console()
    console.print(Text(f"{page.title} {page.period}", style="bold"))
    console.print(Text(clean(f"from {page.payer}{_contacts(page.payer_contacts)}"), style="dim"))
    print_line(console, Text.assemble("for ", (clean(page.holder), "bold"), clean(f" ({page.holder_id})")))
    for name, value in page.holder_contacts:
        console.print(Text(clean(f"{name}: {value}"), style="dim"))
    _lines(console, "Your account", page.account, page)
    console.print(Text(f"\nWhat your sources earned: {page.arithmetic}"))
    if page.rows:
        _sources(console, page)
    _lines(console, "What is outstanding", page.outstanding, page)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", overflow="fold")
    facts.add_column(overflow="fold")
    for name, of_use in page.use:
        facts.add_row(name, clean(of_use) if isinstance(of_use, str) else _whole(of_use, page))
    for line in page.deductions:
        facts.add_row(f"Deducted {line.label.lower()}", _whole(line.amount, page))
    for name, text in (*page.rules, *page.digests):
        facts.add_row(clean(name), clean(text))
    console.print()
    print_whole(console, facts)


def _lines(console: Console, title: str, lines: tuple[Line, ...], page: Page) -> None:
    code, amounts = on_points(page.code, [_amount(line.amount) for line in lines])
    table = new_table()
    table.add_column(title, overflow="fold")
    table.add_column(code, no_wrap=True)
    for line, amount in zip(lines, amounts, strict=True):
        table.add_row(Text(clean(line.label)), amount, style="bold" if line.kind else "")
    if lines:
        print_whole(console, table)


def _sources(console: Console, page: Page) -> None:
    """A row a source; on a narrow terminal without its tokens, and with the usage and the share as percentages."""
    narrow = console.width < ROOMY
    code, (total, *amounts) = on_points(
        page.code, [_amount(one) for one in (page.total, *(r.amount for r in page.rows))]
    )
    table = new_table(show_footer=True)
    table.add_column("Source", "Earned by all sources", overflow="fold")
    for name in (
        *(("Seen tokens",) if narrow else ("Tokens", "Seen tokens")),
        *(("Usage",) if page.has_usage else ()),
        *(("Your part", "Share") if narrow else ("Your part", "Share of the pool")),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(code, total, no_wrap=True)
    for row, amount in zip(page.rows, amounts, strict=True):
        source = Text.assemble(clean(row.title), (f" {clean(row.id)}" if row.id else "", "dim"))
        share = percent_text(Decimal(row.share)) if narrow else row.share
        usage = Text(row.usage_share) if narrow else Text.assemble(row.usage, (f"\n{row.usage_share} of all", "dim"))
        tokens = (row.seen_tokens,) if narrow else (row.tokens, row.seen_tokens)
        table.add_row(source, *tokens, *((usage,) if page.has_usage else ()), row.part, share, amount)
    print_whole(console, table)


def _amount(figure: Figure) -> Text:
    return Text.assemble(figure.main, (figure.rest, "dim not bold"))


def _whole(figure: Figure, page: Page) -> str:
    return f"{figure.main}{figure.rest} {page.code}"


def _contacts(contacts: tuple[tuple[str, str], ...]) -> str:
    return "".join(f", {text}" for _, text in contacts)
