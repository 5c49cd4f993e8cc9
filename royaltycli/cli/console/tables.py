"""Tables that keep their numbers whole, with a bar for what is compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement, measure_renderables
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from royaltycli.cli.columns import ASIDE, GAP, fit
from royaltycli.cli.console.messages import clean
from royaltycli.numerals import grouped, percent_text

ROWS = 25
"""Rows of a table on a terminal, unless `--top` says otherwise."""

ASIDES = ("title", "name", "holders")
"""Columns that a table shows as far as there is room for them."""

NUMBERS = ("sources", "tokens", "seen_tokens", "share", "payout", "outputs")

POINTED = "seen_tokens"
"""The one of these that may have decimals of any number, or none."""

EDGES = 2
"""Cells at the sides of a table."""

ROOMY = 10_000
"""Cells in which every table is as wide as it likes."""

FOLDED = 6
"""An id is folded to no fewer cells than these."""

BLOCKS = " ▏▎▍▌▋▊▉█"


def new_table(**style: Any) -> Table:
    """A table as all of ours look: a line below its head, and nothing at its sides."""
    return Table(box=SIMPLE_HEAD, pad_edge=False, **style)


def show_ranking(console: Console, rows: list[dict[str, Any]], headers: dict[str, str], measure: str) -> None:
    """A table of rows from the largest to the smallest with a bar for the measure; rows in parentheses at the foot.

    Titles, names and holders are shown as far as there is room for them.
    """
    cells = {name: [_cell(name, row[name]) for row in rows] for name in headers}
    if POINTED in headers:
        header, numbers = on_points(headers[POINTED], list(map(Text, cells[POINTED])))
        headers, cells[POINTED] = headers | {POINTED: header}, [number.plain for number in numbers]
    natural = {name: max(map(cell_len, [header, *cells[name]])) for name, header in headers.items()}
    natural |= {name: 0 for name in headers if name in ASIDES and not any(cells[name])}
    widths, bar = fit(console.width - EDGES, natural, ASIDES)
    first, last = next(iter(widths)), list(widths)[-1]
    table = new_table(collapse_padding=True)
    for name, width in widths.items():
        if bar and name == last == "payout":
            table.add_column("", width=bar)
        aside, number = name in ASIDES, name in NUMBERS
        table.add_column(
            headers[name],
            justify="right" if number and name != POINTED else "left",
            no_wrap=number or aside,
            overflow="ellipsis" if aside else "fold",
            max_width=width if aside else None,
            style="bold" if name == "payout" else "dim" if aside else "",
        )
    if bar and last != "payout":
        table.add_column("", width=bar)
    named = [index for index, row in enumerate(rows) if not is_in_parentheses(row[first])]
    others = [index for index, row in enumerate(rows) if is_in_parentheses(row[first])]
    most = max((_number(rows[index][measure]) for index in named), default=Decimal())
    for place, index in enumerate(named + others, 1):
        line: list[str | Text] = [cells[name][index] for name in widths]
        if bar:
            drawn = (
                bar_of(_number(rows[index][measure]), most, bar, plain=console.options.ascii_only)
                if place <= len(named)
                else ""
            )
            line.insert(len(line) - (last == "payout"), drawn)
        ends = bool(others) and place == len(named)
        table.add_row(*line, style="" if place <= len(named) else "dim", end_section=ends)
    print_whole(console, table)


def on_points(header: str, cells: Sequence[Text]) -> tuple[str, list[Text]]:
    """A header and numbers of one width, each to the right and its point below the others': for a column to the left.

    Of a column to the right rich takes the blanks away that stand in the place of digits.
    """
    numbers = [cell.copy() for cell in cells]
    places = [len(cell.plain) - cell.plain.find(".") if "." in cell.plain else 0 for cell in numbers]
    for cell, own in zip(numbers, places, strict=True):
        cell.pad_right(max(places) - own)
    width = max([cell_len(header), *(cell.cell_len for cell in numbers)])
    for cell in numbers:
        cell.pad_left(width - cell.cell_len)
    return " " * (width - cell_len(header)) + header, numbers


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its header and its cells, which are folded where they may be and room is scarce.

    Of more than the `most` cells of its width only these are shown.
    """

    header: str
    cells: Sequence[str | Text]
    justify: Literal["left", "right"] = "left"
    fold: bool = False
    most: int | None = None
    style: str = ""

    @property
    def width(self) -> int:
        """The cells that it takes, if nothing is folded."""
        lines = (line for cell in (self.header, *self.cells) for line in str(cell).split("\n"))
        found = max(map(cell_len, lines))
        return found if self.most is None else min(found, self.most)


def print_beside(console: Console, keys: Sequence[Column], columns: Sequence[Column]) -> None:
    """Print columns beside those that say what a row is of; where not all fit, as several tables, one below another."""
    room = room_beside(console, keys)
    blocks: list[list[Column]] = [[]]
    left = room
    for column in columns:
        cells = _least(console, column)
        if blocks[-1] and cells > left and column.cells:
            blocks.append([])
            left = room
        blocks[-1].append(column)
        left -= cells + GAP
    for block in blocks:
        table = new_table(collapse_padding=True)
        shown = [*keys, *block]
        for one in shown:
            table.add_column(
                one.header,
                justify=one.justify,
                no_wrap=not one.fold,
                overflow="fold" if one.most is None else "ellipsis",
                max_width=one.most,
                style=one.style,
            )
        for line in zip(*(one.cells for one in shown), strict=True):
            table.add_row(*line)
        print_whole(console, table)


def with_aside(console: Console, keys: Sequence[Column], aside: Column, columns: Sequence[Column]) -> list[Column]:
    """The keys, and one more column as far as there is room for it beside all others; of an empty one there is none."""
    left = room_beside(console, [*keys, *columns]) - GAP
    if not any(aside.cells) or left < min(aside.width, ASIDE):
        return list(keys)
    return [*keys, replace(aside, most=left, style="dim")]


def room_beside(console: Console, columns: Sequence[Column]) -> int:
    """The cells that these columns leave to others."""
    return console.width - EDGES - sum(_least(console, column) + GAP for column in columns)


def _least(console: Console, column: Column) -> int:
    """The cells that a column must have: a third of the terminal, if it may be folded, else its width."""
    return min(column.width, console.width // 3) if column.fold else column.width


def print_whole(console: Console, table: Table, indent: int = 0) -> None:
    """Print a table that keeps its numbers whole: a terminal too narrow for it wraps the lines itself.

    Of its columns only those give way that may be folded, to FOLDED cells, or wrapped, to their longest word.
    """
    usual = console.width
    roomy = console.options.update(width=ROOMY)
    least = Measurement.get(console, roomy, table).maximum + indent
    for column in table.columns:
        if column.width is None and not column.no_wrap:
            cells = measure_renderables(console, roomy, [column.header, *column.cells])
            least -= cells.maximum - (min(cells.maximum, FOLDED) if column.overflow == "fold" else cells.minimum)
    console.width = max(usual, least)
    console.print(Padding(table, (0, 0, 0, indent)))
    console.width = usual


def is_in_parentheses(identifier: str) -> bool:
    """Whether a row stands for no source, holder or licence; a licence may be `(c) Ann (2026)`."""
    return re.fullmatch(r"\([^()]*\)", identifier) is not None


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "share":
        return percent_text(_number(value))
    return grouped(str(value)) if name in NUMBERS else clean(str(value))


def bar_of(part: Decimal | Fraction | int, most: Decimal | Fraction | int, cells: int, *, plain: bool) -> Text:
    """A bar of blocks; `plain` for a terminal whose encoding may lack them."""
    eighths = int(8 * cells * Fraction(part) / Fraction(most)) if most else 0
    if plain:
        return Text("#" * (eighths // 8), style="cyan")
    return Text(BLOCKS[8] * (eighths // 8) + BLOCKS[eighths % 8].strip(), style="cyan")


def _number(value: Any) -> Decimal | Fraction:
    return value if isinstance(value, (Decimal, Fraction)) else Decimal(value)
