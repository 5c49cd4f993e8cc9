"""Workbooks (.xlsx): the rows of a result as sheets, in which a number is exact and no text is ever run.

A cell's number is a binary float, exact to 15 digits. Whatever has more is written as text, to the right as numbers
are. Sheets are written row by row through temporary files, so that memory does not grow with them.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.errors import CallError
from royaltycli.limits import CELL_LETTERS, SHEET_ROWS
from royaltycli.report.batches import Tick, batches
from royaltycli.report.numbers import AMOUNTS, SHARES, is_number, is_text_of_numbers

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

DIGITS = 15
"""Significant digits that every spreadsheet keeps of a number."""

CREATED = datetime(1980, 1, 1, tzinfo=UTC)
"""In the properties of every workbook: the same input gives the same bytes."""

ROWS_AT_ONCE = 1 << 14
PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
SHARE_PLACES = 12
SHEET = "Rows"  # of a workbook of a single one
NARROW, WIDE = 10, 60
"""Least and greatest width of a column, in letters."""


@dataclass(frozen=True, slots=True)
class Book:
    """An open workbook, and the formats of its cells, each made when it is first used."""

    workbook: Workbook
    formats: dict[tuple[tuple[str, Any], ...], Format]

    def format(self, **properties: Any) -> Format:
        """The format with these properties, as XlsxWriter names them."""
        key = tuple(sorted(properties.items()))
        if key not in self.formats:
            self.formats[key] = self.workbook.add_format(properties)
        return self.formats[key]

    def heading(self, side: str) -> Format:
        """The format of a column's name."""
        return self.format(bold=True, bg_color="#E8EDF3", bottom=1, **aligned(side))

    def sheet(self, name: str, widths: Sequence[int]) -> Worksheet:
        """A new sheet, with the widths of its columns in letters."""
        sheet = self.workbook.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        return sheet


def aligned(side: str) -> dict[str, Any]:
    """The properties of a cell with text: what is on the left keeps apart from a number before it."""
    return {"align": side, "indent": 1} if side == "left" else {"align": side}


@contextlib.contextmanager
def open_book(file: BinaryIO, title: str) -> Iterator[Book]:
    """A workbook that is written to `file` at the end of the block. Raises OSError if there is no room for it."""
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    with tempfile.TemporaryFile() as made:  # what is packed here is whole, with sizes where readers look for them
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        workbook = Workbook(made, options)
        workbook.use_zip64()
        workbook.set_properties({"title": title, "created": CREATED, "author": "royalty"})
        yield Book(workbook, {})
        try:
            workbook.close()
        except FileCreateError as error:
            raise error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error)) from error
        made.seek(0)
        shutil.copyfileobj(made, file)


def write_rows(file: BinaryIO, rows: pa.Table, tick: Tick | None = None) -> None:
    """Write a workbook of one sheet. Raises CallError for what no sheet can hold."""
    check_rows(rows)
    with open_book(file, SHEET) as book:
        add_rows(book, SHEET, rows, tick)


def check_rows(rows: pa.Table) -> None:
    """Raises CallError if a sheet cannot hold the rows: too many, or too long a text."""
    if rows.num_rows > SHEET_ROWS - 1:
        raise CallError(
            f"a sheet of a workbook has room for {SHEET_ROWS - 1:,} rows below its header, but there are "
            f"{rows.num_rows:,}; write a CSV, or only the largest with `--top`"
        )
    for name in rows.column_names:
        column = rows[name]
        if not pa.types.is_string(column.type) or 2 * (pc.max(pc.utf8_length(column)).as_py() or 0) <= CELL_LETTERS:
            continue
        longest = max(_utf16_length(text) for text in column.to_pylist() if text)
        if longest > CELL_LETTERS:
            raise CallError(
                f"a cell of a workbook has room for {CELL_LETTERS:,} letters, but a text in the column {name} has "
                f"{longest:,}; write a CSV"
            )


def add_rows(book: Book, name: str, rows: pa.Table, tick: Tick | None = None) -> None:
    """A sheet of rows: its header stays on the screen, and has a filter for each column."""
    columns = rows.column_names
    sheet = book.sheet(name, [_width(column, rows[column]) for column in columns])
    for at, column in enumerate(columns):
        side = "right" if is_number(column, rows.schema.field(column).type) else "left"
        sheet.write_string(0, at, column, book.heading(side))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(rows.num_rows, 1), len(columns) - 1)
    sheet.repeat_rows(0)
    row = 0
    for batch in batches(rows, ROWS_AT_ONCE, tick):
        cells = [_Column(book, column, batch.schema.field(column).type) for column in columns]
        for values in zip(*(batch.column(column).to_pylist() for column in columns), strict=True):
            row += 1
            for at, (column, value) in enumerate(zip(cells, values, strict=True)):
                if value is not None:
                    column.write(sheet, row, at, value)


class _Column:
    """How the cells of a column are written."""

    def __init__(self, book: Book, name: str, kind: pa.DataType) -> None:
        self._book, self._amount = book, name in AMOUNTS
        self._parsed, self._number = is_text_of_numbers(name, kind), is_number(name, kind)
        self._text = book.format(num_format="@", **aligned("right" if self._number else "left"))
        self._whole, self._decimals = (book.format(num_format=style) for style in number_formats(name, kind))

    def write(self, sheet: Worksheet, row: int, at: int, value: Any) -> None:
        if isinstance(value, bool):
            sheet.write_boolean(row, at, value)
            return
        if self._number:
            number = _parse(value) if self._parsed else value
            if number is not None and fits(number):
                sheet.write_number(row, at, number, self._style(number))
                return
            value = value if isinstance(value, str) else format(value, "f" if isinstance(value, Decimal) else "d")
        sheet.write_string(row, at, value, self._text)

    def _style(self, number: Decimal | int) -> Format:
        """The format of a number; an amount is shown with its own decimals, which are those of its currency or more."""
        places = 0 if isinstance(number, int) else -int(number.as_tuple().exponent)
        if not places:
            return self._whole
        return self._book.format(num_format=money_format(places)) if self._amount else self._decimals


def number_formats(name: str, kind: pa.DataType) -> tuple[str, str]:
    """The formats of a column's whole numbers and its others: a currency's decimals, a share's, or thousands apart."""
    if pa.types.is_decimal(kind):
        return money_format(kind.scale), money_format(kind.scale)
    if name in SHARES:
        style = "0." + "0" * SHARE_PLACES if name == "share" else "0.0###########"
        return style, style
    return "#,##0", "#,##0.0###########"


def money_format(places: int) -> str:
    """Thousands set apart, and so many decimals; what is below zero with a minus."""
    return "#,##0." + "0" * places if places else "#,##0"


def fits(number: Decimal | int) -> bool:
    """Whether a spreadsheet keeps every digit of a number."""
    if -(10**DIGITS) < number < 10**DIGITS and isinstance(number, int):
        return True
    exact = Decimal(number)
    return len(exact.as_tuple().digits) <= DIGITS or len(exact.normalize().as_tuple().digits) <= DIGITS


def _parse(text: str) -> Decimal | None:
    """A plain decimal; a share such as 1/3 is none."""
    return Decimal(text) if PLAIN.fullmatch(text) else None


def _width(name: str, values: pa.ChunkedArray) -> int:
    """Letters that a column's header, with its filter, and its longest value of the first thousand need."""
    sample = values.slice(0, 1000).cast(pa.string())
    longest = pc.max(pc.utf8_length(sample)).as_py() or 0
    thousands = longest // 3 if is_number(name, values.type) and name not in SHARES else 0
    return min(max(NARROW, len(name) + 4, longest + thousands + 2), WIDE)


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
