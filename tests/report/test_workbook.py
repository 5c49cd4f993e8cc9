"""A payout as a workbook: what openpyxl and LibreOffice read in it equals our rows, nothing runs, and its checks live."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from decimal import Decimal
from fractions import Fraction

import openpyxl
import pyarrow as pa
import pytest
from openpyxl.utils.escape import unescape

from royaltycli import api
from royaltycli.errors import CallError
from royaltycli.report import sheets
from royaltycli.report.formats import writer
from royaltycli.report.rules import PLAIN
from royaltycli.report.workbook import SHEETS, Terms, write_workbook
from tests.report.hostile import MONEY, RESULTS, TITLES, texts, tokens

SOFFICE = shutil.which("soffice")
TERMS = Terms(Decimal("1234567.89"), Fraction(1), "2026", PLAIN, (("Seal", "a" * 64),))
HOSTILE = {by: api.distribute(tokens(), by=by, **MONEY) for by in SHEETS}
EXACT_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
"""Commas, quotes, UTF-8; cells as they are and not as shown; every sheet."""


def written(payouts, terms=TERMS, **options):
    file = io.BytesIO()
    write_workbook(file, payouts, terms, **options)
    return file.getvalue()


def opened(data):
    return openpyxl.load_workbook(io.BytesIO(data))


def cell_text(cell):
    """A cell as our own formats would write it."""
    if cell.value is None:
        return None
    if cell.data_type == "n":
        return format(Decimal(repr(cell.value)), "f")
    assert cell.data_type in ("s", "s")
    return unescape(cell.value)


def plain(text):
    """Numbers without zeros at their ends, all else as it is; and nothing for what is empty."""
    if not text:
        return None
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return text
    return format(Decimal(text).normalize(), "f")


@pytest.fixture(scope="module")
def hostile():
    return written(HOSTILE)


@pytest.mark.parametrize("by", SHEETS)
def test_openpyxl_reads_every_cell_as_it_is_in_our_rows(hostile, by):
    header, *lines = opened(hostile)[SHEETS[by]].iter_rows()
    rows = HOSTILE[by].rows
    assert [cell.value for cell in header] == rows.column_names
    read = [[plain(cell_text(cell)) for cell in line] for line in lines]
    assert read == [[plain(text) for text in row] for row in texts(rows)]


def test_numbers_are_numbers_and_texts_are_texts(hostile):
    header, line, *_ = opened(hostile)["Payouts"].iter_rows(min_row=1)
    kinds = {name.value: cell.data_type for name, cell in zip(header, line, strict=True) if cell.value is not None}
    assert {name for name, kind in kinds.items() if kind == "n"} == {"share", "payout", "seen_tokens"}
    assert set(kinds.values()) == {"n", "s"}  # the first row is `(not scanned)`, without tokens


def test_no_cell_runs_but_the_checks_of_the_summary(hostile):
    book = opened(hostile)
    formulas = {
        (sheet.title, cell.column_letter) for sheet in book for row in sheet for cell in row if cell.data_type == "f"
    }
    assert formulas == {("Summary", "B"), ("Summary", "C"), ("Summary", "D")}
    assert TITLES[0].startswith("=cmd")
    raw = zipfile.ZipFile(io.BytesIO(hostile))
    for name in raw.namelist():
        if name.startswith("xl/worksheets/") and not name.endswith("sheet1.xml"):
            assert b"<f>" not in raw.read(name)
            assert b"<hyperlink" not in raw.read(name)


@pytest.mark.parametrize(
    ("code", "shown"), [("USD", "#,##0.00"), ("JPY", "#,##0"), ("KWD", "#,##0.000"), ("CLF", "#,##0.0000")]
)
def test_amounts_are_shown_with_the_places_of_their_currency(code, shown):
    payouts = {by: api.distribute(tokens(), profit="1e6", rate=1, by=by, currency=code) for by in ("source", "holder")}
    book = opened(written(payouts))
    column = payouts["source"].rows.column_names.index("payout")
    assert {row[column].number_format for row in book["Payouts"].iter_rows(min_row=2)} == {shown}
    assert book["Summary"]["B4"].number_format == shown
    assert book["Summary"]["B4"].value == 1_000_000


def test_header_filters_and_widths(hostile):
    sheet = opened(hostile)["Payouts"]
    rows = HOSTILE["source"].rows
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", f"A1:I{rows.num_rows + 1}")
    assert sheet.column_dimensions["B"].width == pytest.approx(sheets.WIDE, abs=1)  # a title of 5,000 letters
    assert opened(hostile)["Policy"]["B2"].value == "seen tokens, which are tokens × epochs"


def test_same_input_same_bytes(hostile, tmp_path):
    script = """
import os, sys
os.umask(0o077)
from tests.report.test_workbook import HOSTILE, written
sys.stdout.buffer.write(written(HOSTILE))
"""
    environment = {**os.environ, "TZ": "Pacific/Apia", "LC_ALL": "C", "PYTHONHASHSEED": "7", "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True, timeout=120)
    assert done.stdout == hostile
    assert list(tmp_path.iterdir()) == []


def test_any_rows_make_a_workbook_of_one_sheet():
    for name, rows in RESULTS.items():
        file = io.BytesIO()
        writer("xlsx", rows)(file)
        (sheet,) = opened(file.getvalue())
        read = [[plain(cell_text(cell)) for cell in line] for line in sheet.iter_rows(min_row=2)]
        assert read == [[plain(text) for text in row] for row in texts(rows)], name


# -- what does not fit ---------------------------------------------------------------------------


def test_a_number_of_more_than_15_digits_is_text_and_keeps_them():
    rows = pa.table({"tokens": [10**15 - 1, 10**15, 10**15 + 1], "seen_tokens": ["0.5", "12345678901234.25", "1"]})
    file = io.BytesIO()
    writer("xlsx", rows)(file)
    cells = [
        [(cell.data_type, cell_text(cell)) for cell in line]
        for line in opened(file.getvalue()).active.iter_rows(min_row=2)
    ]
    assert cells == [
        [("n", "999999999999999"), ("n", "0.5")],
        [("n", "1000000000000000"), ("s", "12345678901234.25")],
        [("s", "1000000000000001"), ("n", "1")],
    ]


@pytest.mark.parametrize(
    ("profit", "currency", "shown"),
    [
        ("12345678901234.56", "USD", r"12345678901234\.56 USD"),
        ("10e12", "USD", r"10000000000000\.00 USD"),  # few digits, but those of its parts are too many
        ("1e18", "JPY", "1000000000000000000 JPY"),
    ],
)
def test_a_pool_of_more_than_15_digits_is_refused(profit, currency, shown):
    payouts = {
        by: api.distribute(tokens(), profit=profit, rate=1, by=by, currency=currency) for by in ("source", "holder")
    }
    with pytest.raises(CallError, match=f"the pool of {shown} has more than the 15 digits"):
        written(payouts)


def test_of_the_largest_pool_every_payout_is_a_number():
    payouts = {by: api.distribute(tokens(), profit="9999999999999.99", rate=1, by=by) for by in ("source", "holder")}
    book = opened(written(payouts))
    for name in ("Payouts", "Holders"):
        header, *lines = book[name].iter_rows()
        at = [cell.value for cell in header].index("payout")
        assert {line[at].data_type for line in lines} == {"n"}
        assert sum(Decimal(repr(line[at].value)) for line in lines) == Decimal("9999999999999.99")


def test_exact_decimals_are_numbers_in_every_result():
    rows = pa.table(
        {
            "balance": ["12.00", "-0.00994392", "5"],
            "gini": ["0.829074529478898", "0", "1"],
            "rate": ["0.05", "1/3", "1"],
            "profit": ["1000000", "0.5", "1"],
            "high": ["0.25", "1", "0"],
            "copy": [True, False, True],
        }
    )
    file = io.BytesIO()
    writer("xlsx", rows)(file)
    lines = list(opened(file.getvalue()).active.iter_rows(min_row=2))
    assert [[cell.data_type for cell in line] for line in lines] == [
        ["n", "n", "n", "n", "n", "b"],
        ["n", "n", "s", "n", "n", "b"],
        ["n", "n", "n", "n", "n", "b"],
    ]
    assert [line[0].number_format for line in lines] == ["#,##0.00", "#,##0.00000000", "#,##0"]
    assert lines[1][0].value == -0.00994392


@pytest.mark.parametrize(("code", "shown"), [("USD", "#,##0.00"), ("JPY", "#,##0"), ("KWD", "#,##0.000")])
def test_where_the_pool_went_exactly_is_in_numbers_that_can_be_summed(code, shown):
    ways = {"profit": "1234567", "rate": 1, "currency": code, "policy": "flat-plus-percentage"}
    summary = opened(written({by: api.distribute(tokens(), by=by, **ways) for by in ("source", "holder")}))["Summary"]
    head = next(row for row in range(1, 20) if summary.cell(row, 3).value == "exactly")
    exact = [summary.cell(row, 3) for row in range(head + 1, head + 4)]
    assert [cell.data_type for cell in exact] == ["n", "n", "n"]
    assert sum(Decimal(repr(cell.value)) for cell in exact) == 1234567
    assert exact[0].number_format == shown  # what is paid, in whole minor units


def test_an_amount_of_any_result_has_the_decimals_of_its_currency():
    file = io.BytesIO()
    writer("xlsx", pa.table({"balance": ["0.500", "1250.000", "0.000838675", "12345678901234.567"]}))(file)
    cells = [line[0] for line in opened(file.getvalue()).active.iter_rows(min_row=2)]
    assert [cell.number_format for cell in cells] == ["#,##0.000", "#,##0.000", "#,##0.000000000", "@"]


def test_an_amount_has_room_for_its_thousands_set_apart():
    file = io.BytesIO()
    writer("xlsx", pa.table({"waiting": ["999999999999.99"]}))(file)
    assert opened(file.getvalue()).active.column_dimensions["A"].width > len("999,999,999,999.99")


def test_text_keeps_apart_from_a_number_before_it(hostile):
    header, line, *_ = opened(hostile)["Payouts"].iter_rows()
    at = [cell.value for cell in header].index("currency")
    assert [(cell.alignment.horizontal, cell.alignment.indent) for cell in (header[at], line[at])] == [("left", 1)] * 2


def test_references_of_payments_stay_text():
    """As numbers, 2026.1 and 2026.10 would be the same."""
    references = ["2026.1", "2026.10", "2026.100"]
    file = io.BytesIO()
    writer("xlsx", pa.table({"holder_id": ["a", "b", "c"], "reference": references}))(file)
    cells = [line[1] for line in opened(file.getvalue()).active.iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type, cell.number_format) for cell in cells] == [
        (reference, "s", "@") for reference in references
    ]


def test_a_policy_may_have_the_name_of_a_column_of_numbers():
    file = io.BytesIO()
    writer("xlsx", pa.table({"holder_id": ["a"], "share": pa.array([Decimal("-1.25")], pa.decimal128(38, 2))}))(file)
    assert list(opened(file.getvalue()).active.iter_rows(min_row=2, values_only=True)) == [("a", -1.25)]


def test_too_many_rows_point_to_csv(monkeypatch):
    monkeypatch.setattr(sheets, "SHEET_ROWS", 50)
    with pytest.raises(CallError, match=r"room for 49 rows below its header, but there are \d\d; write a CSV, or"):
        written(HOSTILE)


def test_too_long_a_text_points_to_csv():
    def rows(title):
        return pa.table({"source_id": ["a"], "title": [title]})

    sheets.check_rows(rows("😀" * 16_383))
    with pytest.raises(CallError, match="room for 32,767 letters, but a text in the column title has 32,768"):
        sheets.check_rows(rows("😀" * 16_384))


def test_progress_is_told_of_every_row():
    told = []
    written(HOSTILE, tick=told.append)
    assert sum(told) == sum(paid.rows.num_rows for paid in HOSTILE.values())


def test_rows_and_limits_of_a_spreadsheet():
    assert (sheets.SHEET_ROWS, sheets.CELL_LETTERS) == (1_048_576, 32_767)


# -- LibreOffice ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calc(tmp_path_factory, hostile):
    """The sheets that LibreOffice makes of the workbook, and of one in which somebody changed a payout."""
    if SOFFICE is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("calc")
    (folder / "good.xlsx").write_bytes(hostile)
    book = opened(hostile)
    payouts = book["Payouts"]
    column = HOSTILE["source"].rows.column_names.index("payout") + 1
    payouts.cell(3, column).value = payouts.cell(3, column).value + 0.01
    book.save(folder / "changed.xlsx")  # which keeps the formulas, and no results of them
    options = [f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", EXACT_CSV]
    files = [str(folder / "good.xlsx"), str(folder / "changed.xlsx")]
    subprocess.run([SOFFICE, *options, "--outdir", str(folder), *files], check=True, capture_output=True, timeout=120)

    def sheet(name):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    return sheet


@pytest.mark.parametrize("by", SHEETS)
def test_libreoffice_reads_our_rows(calc, by):
    header, *lines = calc(f"good-{SHEETS[by]}")
    rows = HOSTILE[by].rows
    assert header == rows.column_names
    for line, row in zip(lines, texts(rows), strict=True):
        assert [plain(text) for text in line] == [
            plain(text and text.replace("\r\n", "\n")) for text in row
        ]  # its line ends


def test_the_checks_add_up_and_find_a_changed_cell(calc):
    def results(name):
        lines = calc(f"{name}-Summary")
        return {line[0]: line[3] for line in lines if line[3]}

    good, changed = results("good"), results("changed")
    assert set(good.values()) == {"adds up"}
    assert list(good) == ["Where the pool went", "Sheet Payouts", "Sheet Holders", "Sheet Splits", "Paid to holders"]
    assert changed == good | {"Sheet Payouts": "DIFFERS"}
