"""CSV is safe in a spreadsheet and lossless for a program."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.report.csv import FORMULA, FREE_TEXT, neutral, write_csv
from tests.report.hostile import POOL, REST, RESULTS, RUN, texts

PLAIN_NUMBER = re.compile(r"\d+(\.\d+)?")


def written(rows, **options):
    file = io.BytesIO()
    write_csv(file, rows, **options)
    return file.getvalue()


def read(data):
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


def of_titles(titles):
    ids = [f"s{at}" for at in range(len(titles))]
    return pa.table({"source_id": pa.array(ids, pa.string()), "title": pa.array(titles, pa.string())})


def test_a_small_file_to_the_byte():
    rows = pa.table(
        {
            "source_id": ["a", "b", "(not scanned)"],
            "title": ['Say "hi", twice', "=1+1", None],
            "tokens": pa.array([7, 3, None], pa.int64()),
            "payout": pa.array([Decimal("1234567.00"), Decimal("0.10"), Decimal("0.00")], pa.decimal128(38, 2)),
        }
    )
    expected = (
        'source_id,title,tokens,payout\na,"Say ""hi"", twice",7,1234567.00\nb,\'=1+1,3,0.10\n(not scanned),,,0.00\n'
    )
    assert written(rows).decode() == expected


def test_a_header_may_be_free_text_too():
    rows = pa.table({"holder_id": ["a"], "=cmd|calc!A0": ["1"], 'Société, "x"': ["2"]})
    assert read(written(rows))[0] == ["holder_id", "'=cmd|calc!A0", 'Société, "x"']
    assert read(written(rows, raw=True))[0] == rows.column_names


@pytest.mark.parametrize("title", RUN)
def test_a_title_that_would_run_gets_an_apostrophe(title):
    assert read(written(of_titles([title])))[1] == ["s0", "'" + title]


@pytest.mark.parametrize("title", REST)
def test_other_titles_stay_as_they_are(title):
    assert read(written(of_titles([title])))[1] == ["s0", title]


@pytest.mark.parametrize("title", RUN + REST)
def test_raw_leaves_every_title_as_it_is(title):
    assert read(written(of_titles([title]), raw=True))[1] == ["s0", title]


@pytest.mark.parametrize("column", FREE_TEXT)
def test_names_and_licences_are_as_safe_as_titles(column):
    assert read(written(pa.table({column: ["=1+1"]}))) == [[column], ["'=1+1"]]


@pytest.mark.parametrize("name", RESULTS)
def test_no_cell_begins_as_a_formula_does(name):
    """Nor as a field of another file: ids, numbers and currencies cannot, and free text is neutralised."""
    cells = [cell for row in read(written(RESULTS[name])) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+-@|%\t\r\n＝＋－＠")]


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("raw", [False, True])
def test_csv_is_read_back_equal(name, raw):
    header, *rows = read(written(RESULTS[name], raw=raw))
    assert header == RESULTS[name].column_names
    expected = [[text or "" for text in row] for row in texts(RESULTS[name])]
    free = [at for at, column in enumerate(header) if column in FREE_TEXT and not raw]
    assert [[had_back(cell) if at in free else cell for at, cell in enumerate(row)] for row in rows] == expected


@pytest.mark.parametrize("name", RESULTS)
def test_arrow_reads_it_back_equal(name):
    rows = RESULTS[name]
    read_back = pa.csv.read_csv(
        pa.BufferReader(written(rows, raw=True)),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(column_types=rows.schema, null_values=[""], strings_can_be_null=True),
    )
    assert [[text or None for text in row] for row in texts(read_back)] == [
        [text or None for text in row] for row in texts(rows)
    ]


@pytest.mark.parametrize("name", RESULTS)
def test_numbers_are_numbers(name):
    """Plain ones: no separators, no exponent, no sign, no currency."""
    header, *rows = read(written(RESULTS[name]))
    for column in {"sources", "tokens", "seen_tokens", "share", "payout"} & set(header):
        cells = [row[header.index(column)] for row in rows]
        assert all(PLAIN_NUMBER.fullmatch(cell) or cell == "" for cell in cells)


@pytest.mark.parametrize("name", ["payout by source", "payout by holder", "payout by split"])
def test_the_payout_column_sums_to_the_pool(name):
    """Rule R6, read by a program that knows decimals."""
    rows = csv.DictReader(io.StringIO(written(RESULTS[name]).decode(), newline=""))
    assert sum(Decimal(row["payout"]) for row in rows) == POOL


def test_no_row_is_lost_between_batches():
    rows = pa.concat_tables([of_titles(["a", None]).slice(1), of_titles([]), of_titles(["=b", "c"])])
    assert read(written(rows)) == [["source_id", "title"], ["s1", ""], ["s0", "'=b"], ["s1", "c"]]
    assert read(written(rows.slice(0, 0))) == [["source_id", "title"]]


# -- lossless ---------------------------------------------------------------------------------------


def had_back(cell):
    """What a program does that wants the text as it was (FORMULA says how)."""
    ours = cell.startswith("'") and pc.match_substring_regex(pa.array([cell[1:]]), FORMULA)[0].as_py()
    return cell[1:] if ours else cell


tricky = st.text(st.sampled_from("'\"=+-@|%\t\r\n \u00a0\u200f\x00＝ab,"), max_size=6) | st.text(
    st.characters(codec="utf-8")
)


@given(text=tricky)
def test_every_text_can_be_had_back(text):
    cell = neutral(pa.array([text]))[0].as_py()
    assert cell in (text, "'" + text)
    assert had_back(cell) == text


@given(titles=st.lists(tricky | st.none(), max_size=5))
def test_any_titles_make_a_csv_file(titles):
    assert [row[1] for row in read(written(of_titles(titles), raw=True))[1:]] == [title or "" for title in titles]
    assert [had_back(row[1]) for row in read(written(of_titles(titles)))[1:]] == [title or "" for title in titles]


def test_small_amounts_have_no_exponent():
    """Arrow itself writes 0E-8 for zero with eight places."""
    amounts = [Decimal("0E-8"), None, Decimal("0.00000001"), Decimal("43.33000000"), Decimal("-0.00000120")]
    file = io.BytesIO()
    write_csv(file, pa.table({"earned": pa.array(amounts, pa.decimal128(38, 8))}))
    assert file.getvalue() == b"earned\n0.00000000\n\n0.00000001\n43.33000000\n-0.00000120\n"
