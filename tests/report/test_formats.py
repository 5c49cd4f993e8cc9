"""One result, the same in every format."""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from royaltycli import api
from royaltycli.report.formats import writer
from royaltycli.storage import SEAL_KEY, read_sealed
from tests.report.hostile import MONEY, POOL, RESULTS, texts, tokens


def written(kind, rows):
    file = io.BytesIO()
    writer(kind, rows)(file)
    return file.getvalue()


def only_once(pairs):
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def refuse(text):
    raise AssertionError(f"not JSON: {text}")


def strictly(data):
    """JSON as a strict reader takes it; a number with a point would be a float, and so a mistake."""
    return json.loads(data.decode(), object_pairs_hook=only_once, parse_constant=refuse, parse_float=refuse)


def as_texts(objects):
    return [[None if value is None else str(value) for value in row.values()] for row in objects]


@pytest.mark.parametrize("name", RESULTS)
def test_json_is_an_array_of_objects(name):
    rows = strictly(written("json", RESULTS[name]))
    assert [list(row) for row in rows] == [RESULTS[name].column_names] * RESULTS[name].num_rows
    assert as_texts(rows) == texts(RESULTS[name])


@pytest.mark.parametrize("name", RESULTS)
def test_jsonl_is_an_object_a_line(name):
    lines = written("jsonl", RESULTS[name]).split(b"\n")
    assert lines.pop() == b""
    assert [strictly(line) for line in lines] == strictly(written("json", RESULTS[name]))


def test_money_and_shares_are_exact_texts_and_counts_numbers():
    row = strictly(written("json", RESULTS["payout by source"]))[1]
    assert {name: type(value) for name, value in row.items() if value is not None} == {
        "source_id": str,
        "holders": str,
        "tokens": int,
        "seen_tokens": str,
        "share": str,
        "payout": str,
        "currency": str,
        "credited_tokens": int,
    }


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_no_rows_are_still_json(kind):
    assert written(kind, RESULTS["payout by source"].slice(0, 0)) == {"json": b"[\n]\n", "jsonl": b""}[kind]


@pytest.mark.parametrize("name", RESULTS)
def test_parquet_is_typed_and_sealed(name, tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(written("parquet", RESULTS[name]))
    read_back = read_sealed(path)
    assert read_back.schema.types == RESULTS[name].schema.types
    assert read_back.to_pydict() == RESULTS[name].to_pydict()
    assert SEAL_KEY in pq.read_metadata(path).metadata


def test_parquet_has_money_with_the_currencys_places():
    """Rule R3: dollars 2, yen 0, dinars 3."""
    types = [
        RESULTS[name].schema.field("payout").type for name in ("payout by source", "payout in yen", "payout in dinars")
    ]
    assert types == [pa.decimal128(38, 2), pa.decimal128(38, 0), pa.decimal128(38, 3)]
    assert sum(RESULTS["payout by source"]["payout"].to_pylist()) == POOL


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "markdown", "xlsx"])
def test_whoever_waits_is_told_of_every_row(kind):
    rows, told = pa.table({"source_id": [f"s{number}" for number in range(40_000)]}), []
    writer(kind, rows, tick=told.append)(io.BytesIO())
    assert sum(told) == 40_000


# -- Markdown ---------------------------------------------------------------------------------------

CELL = re.compile(r"(?:[^|\\]|\\.)*")
ESCAPED = re.compile(r"\\(.)")


def cells(line):
    """The cells of a line as GitHub's Markdown has them: a backslash makes the next character text."""
    assert line.startswith("| ")
    assert line.endswith(" |")
    return [ESCAPED.sub(r"\1", part.strip()) for part in CELL.findall(line[1:-1]) if part]


@pytest.mark.parametrize("name", RESULTS)
def test_markdown_has_the_same_cells(name):
    """But for line ends and runs of blanks, which a cell cannot hold."""
    lines = written("markdown", RESULTS[name]).decode().split("\n")
    assert lines.pop() == ""
    assert cells(lines[0]) == RESULTS[name].column_names
    expected = [[" ".join((text or "").split()) for text in row] for row in texts(RESULTS[name])]
    assert [cells(line) for line in lines[2:]] == expected


def test_markdown_puts_numbers_to_the_right():
    lines = written("markdown", RESULTS["payout by source"]).decode().split("\n")
    assert lines[1] == "| --- | --- | --- | ---: | ---: | ---: | ---: | --- | ---: |"


def test_markdown_knows_numbers_by_their_types_too():
    rows = pa.table(
        {"place": ["a.txt"], "documents": [3], "excess": [Decimal("0.100")], "low": ["0.1"], "copy": [True]}
    )
    lines = written("markdown", rows).decode().split("\n")
    assert lines[1:3] == ["| --- | ---: | ---: | ---: | --- |", "| a.txt | 3 | 0.100 | 0.1 | true |"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a|b", r"a\|b"),
        ("\\", r"\\"),
        ("two\nlines", "two lines"),
        ("<script>", r"\<script\>"),
        ("__init__", r"\_\_init\_\_"),
        ("![x](y)", r"!\[x\](y)"),
        ("*`~$&", r"\*\`\~\$\&"),
    ],
)
def test_markdown_shows_a_title_as_it_is(text, cell):
    rows = pa.table({"title": [text]})
    assert written("markdown", rows).decode() == f"| title |\n| --- |\n| {cell} |\n"


# -- the same at any time ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "markdown", "parquet"])
def test_the_same_rows_give_the_same_bytes(kind):
    again = api.payout(tokens(), by="split", **MONEY)
    assert written(kind, again) == written(kind, RESULTS["payout by split"])
