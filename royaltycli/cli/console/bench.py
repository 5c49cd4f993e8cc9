"""What is shown of a benchmark: a table for each part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from royaltycli.cli.console.messages import make_console, say
from royaltycli.cli.console.tables import new_table
from royaltycli.numerals import several

if TYPE_CHECKING:
    from royaltycli.bench.results import Report


def show_bench(report: Report) -> None:
    """All rows: measure, prototype, goal, and what was measured with its interval of 95 %."""
    console = make_console()
    for part, rows in report.parts.items():
        table = new_table(title=part, title_justify="left", title_style="bold")
        for heading in ("measure", "prototype", "goal", "measured (95 %)"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            measure, prototype, goal, measured = row.cells()
            style = "" if row.met is None else "green" if row.met else "red"
            table.add_row(measure, prototype, goal, Text(measured, style))
        console.print(table)
    rows_with_goal = [row for rows in report.parts.values() for row in rows if row.met is not None]
    missed = sum(not row.met for row in rows_with_goal)
    if rows_with_goal:
        say(f"Of {several(len(rows_with_goal), 'goal')} {missed:,} {'is' if missed == 1 else 'are'} not met.")
