"""A payout as a workbook: summary, payouts, holders and rules, with checks that the spreadsheet computes itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

from royaltycli.errors import CallError
from royaltycli.numerals import plain_fraction
from royaltycli.payout.currency import Currency, exact_money, money
from royaltycli.payout.payout import Payout
from royaltycli.report.batches import Tick
from royaltycli.report.rules import Rules
from royaltycli.report.sheets import DIGITS, Book, add_rows, check_rows, fits, money_format, open_book

if TYPE_CHECKING:
    import pyarrow as pa
    from xlsxwriter.worksheet import Worksheet

SHEETS = {"source": "Payouts", "holder": "Holders", "split": "Splits"}
"""The sheet of each kind of payout rows."""

ADDS_UP, DIFFERS = "adds up", "DIFFERS"


@dataclass(frozen=True, slots=True)
class Terms:
    """What was paid out: the profit in the currency itself and the rate; for which period, by which rules.

    `origins` are what it was made from, such as the digests of the scan, each by its name.
    """

    profit: Decimal
    rate: Fraction
    period: str
    rules: Rules
    origins: tuple[tuple[str, str], ...]


def write_workbook(file: BinaryIO, payouts: Mapping[str, Payout], terms: Terms, tick: Tick | None = None) -> None:
    """Write a payout by `source` and by `holder` (and by `split`, if it is there).

    `tick` is told how many rows have been written. Raises CallError if the pool or the rows are more than a
    workbook can hold exactly, before anything is written.
    """
    holders = payouts["holder"]
    if holders.pool >= 10**DIGITS:  # of a lesser one every part is kept, and every sum of parts
        pool = money(holders.pool, holders.currency)
        raise CallError(
            f"the pool of {pool} {holders.currency.code} has more than the {DIGITS} digits that a spreadsheet keeps of "
            "a number; write a CSV"
        )
    for paid in payouts.values():
        check_rows(paid.rows)
    with open_book(file, f"Payout {terms.period}".strip()) as book:
        _summary(book, payouts, terms)
        for by, paid in payouts.items():
            add_rows(book, SHEETS[by], paid.rows, tick)
        _policy(book, terms.rules)


def _summary(book: Book, payouts: Mapping[str, Payout], terms: Terms) -> None:
    """The first sheet, line by line."""
    holders = payouts["holder"]
    page = _Page(book, book.sheet("Summary", (34, 26, 26, 14)), holders.currency)
    page.title(f"Payout {terms.period}".strip())
    page.figure("Profit", terms.profit)
    page.rate("Rate", terms.rate)
    pool = page.money("Pool", holders.pool)
    page.text("Currency", holders.currency.code)
    page.text("Period", terms.period or "none stated")
    page.heading("Where the pool went", holders.currency.code, *(["exactly"] if holders.exact else []))
    first = page.row + 1
    exact = dict(holders.exact)
    for name, units in holders.destinations:
        at = page.money(name, units)
        if name in exact:
            page.exactly(at, exact[name])
    last = page.row
    page.heading("Checks", "sum", "should be", "")
    paid = dict(holders.destinations)["paid"]
    page.check("Where the pool went", f"B{first}:B{last}", holders.pool, pool)
    for by, each in payouts.items():
        name = SHEETS[by]
        page.check(f"Sheet {name}", _range(name, each.rows, "payout"), holders.pool, pool)
    ids = _range("Holders", holders.rows, "holder_id")
    page.check("Paid to holders", _range("Holders", holders.rows, "payout"), paid, first, f'(LEFT({ids},1)<>"(")*')
    page.heading("Made from")
    for label, value in terms.origins:
        page.digest(label, value)


def _policy(book: Book, rules: Rules) -> None:
    """The last sheet: a rule a row."""
    sheet = book.sheet("Policy", (28, 100))
    sheet.write_string(0, 0, "rule", book.heading("left"))
    sheet.write_string(0, 1, "what it says", book.heading("left"))
    sheet.freeze_panes(1, 0)
    for row, (name, words) in enumerate(rules, 1):
        sheet.write_string(row, 0, name, book.format(num_format="@", valign="top", bold=True))
        sheet.write_string(row, 1, words, book.format(num_format="@", valign="top", text_wrap=True))


def _range(sheet: str, rows: pa.Table, column: str) -> str:
    """The cells of a column below its header."""
    letter = chr(ord("A") + rows.column_names.index(column))
    return f"{sheet}!{letter}2:{letter}{max(rows.num_rows, 1) + 1}"


class _Page:
    """Lines of the summary, written one after the other."""

    def __init__(self, book: Book, sheet: Worksheet, currency: Currency) -> None:
        self._book, self._sheet, self._currency = book, sheet, currency
        self.row = 0  # rows written so far, which is the number, from 1, of the last one
        self._money = book.format(num_format=money_format(currency.places))

    def title(self, text: str) -> None:
        self._sheet.write_string(self.row, 0, text, self._book.format(bold=True, font_size=16))
        self.row += 1

    def heading(self, *cells: str) -> None:
        """An empty row, and one of headings."""
        self.row += 1
        for at, text in enumerate(cells):
            side = {"align": "right"} if at else {}
            self._sheet.write_string(self.row, at, text, self._book.format(bold=True, bottom=1, **side))
        self.row += 1

    def text(self, label: str, text: str) -> None:
        self._line(label, text, self._book.format(num_format="@", align="right"))

    def digest(self, label: str, text: str) -> None:
        self._line(label, text, self._book.format(num_format="@", font_name="Courier New", font_size=9))

    def figure(self, label: str, amount: Decimal) -> None:
        """An amount of the currency as it was given, whatever its decimals."""
        places = max(self._currency.places, -int(amount.normalize().as_tuple().exponent))
        self._number(label, amount, self._book.format(num_format=money_format(places)))

    def rate(self, label: str, rate: Fraction) -> None:
        text = plain_fraction(rate)
        shown = self._book.format(num_format="0.###########%")
        if "/" in text:
            self.text(label, text)
        else:
            self._number(label, Decimal(text), shown)

    def money(self, label: str, units: int) -> int:
        """An amount in minor units; the number of its row, from 1."""
        self._number(label, Decimal(money(units, self._currency)), self._money)
        return self.row

    def exactly(self, row: int, millionths: int) -> None:
        """The exact amount beside one in whole minor units: a number, or text if it has more digits than one keeps."""
        text = exact_money(millionths, self._currency)
        if fits(number := Decimal(text)):
            style = self._book.format(num_format=money_format(len(text.partition(".")[2])))
            self._sheet.write_number(row - 1, 2, number, style)
        else:
            self._sheet.write_string(row - 1, 2, text, self._book.format(num_format="@", align="right"))

    def check(self, label: str, cells: str, expected: int, expected_row: int, only: str = "") -> None:
        """A live comparison of the sum of cells with another cell, in whole minor units, which are added without error.

        `only` is a factor before the cells that is 0 where they do not count.
        """
        scale = 10**self._currency.places
        value: Any = Decimal(money(expected, self._currency))
        total = f"=SUMPRODUCT({only}{cells})" if only else f"=SUM({cells})"
        sheet, row = self._sheet, self.row
        sheet.write_string(row, 0, label)
        sheet.write_formula(row, 1, total, self._money, value)
        sheet.write_formula(row, 2, f"=B{expected_row}", self._money, value)
        compared = f"SUMPRODUCT({only}ROUND({cells}*{scale},0))=ROUND(C{row + 1}*{scale},0)"
        style = self._book.format(align="right", bold=True, font_color="#1B7F3B")
        sheet.write_formula(row, 3, f'=IF({compared},"{ADDS_UP}","{DIFFERS}")', style, ADDS_UP)
        wrong = self._book.format(font_color="#FFFFFF", bg_color="#C00000")
        rule = {"type": "cell", "criteria": "==", "value": f'"{DIFFERS}"', "format": wrong}
        sheet.conditional_format(row, 3, row, 3, rule)
        self.row += 1

    def _number(self, label: str, number: Decimal, style: Any) -> None:
        if not fits(number):
            self.text(label, format(number, "f"))
            return
        self._sheet.write_string(self.row, 0, label)
        self._sheet.write_number(self.row, 1, number, style)
        self.row += 1

    def _line(self, label: str, text: str, style: Any) -> None:
        self._sheet.write_string(self.row, 0, label)
        self._sheet.write_string(self.row, 1, text, style)
        self.row += 1
