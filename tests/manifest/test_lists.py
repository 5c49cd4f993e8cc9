"""List files: the same sources and holders from CSV, JSONL and Parquet, and what is said of wrong ones."""

# A golden message stands on one line, as the user reads it.

from __future__ import annotations

import csv
import hashlib
import io
import json
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from royaltycli.manifest import lists

FILES = {"a.txt": "a", "b.txt": "b", "c.txt": "c"}
ALL_COLUMNS = "id, title, path, holder, holders, license, epochs, format, text, strip, errors"
ROWS = [
    {
        "id": "one",
        "title": "One, the first",
        "path": ["a.txt", "b.txt"],
        "holders": [{"id": "x", "share": "70%"}, {"id": "y", "share": "0.3"}],
        "epochs": "1.5",
    },
    {"id": "two", "path": ["c.txt"], "holders": ["x", "y"], "license": "CC0"},
]
CSV = (
    'id,title,path,holders,epochs,license\none,"One, the first",a.txt; b.txt,x=70%; y=0.3,1.5,\n\ntwo,,c.txt,x;y,,CC0\n'
)


def parquet(rows, **options):
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


COLUMNS = dict.fromkeys(("id", "title", "path", "holders", "epochs", "license"))
STRUCTS = [
    {**COLUMNS, **row, "holders": [part if isinstance(part, dict) else {"id": part} for part in row["holders"]]}
    for row in ROWS
]
CELLS = ["x=70%;y=0.3", "x;y"]
TEXTS = [{**row, "holders": cell} for row, cell in zip(STRUCTS, CELLS, strict=True)]
DECIMALS = [{**row, "epochs": Decimal(row["epochs"] or 1)} for row in STRUCTS]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.csv", CSV),
        ("list.CSV", "\ufeff" + CSV.replace("\n", "\r\n")),
        ("list.jsonl", ROWS),
        ("list.jsonl", [{**row, "holders": cell} for row, cell in zip(ROWS, CELLS, strict=True)]),
        ("list.jsonl", "\ufeff\n" + "\r\n".join(map(json.dumps, ROWS))),
        ("list.parquet", parquet(STRUCTS)),
        ("list.parquet", parquet(TEXTS)),
        ("list.parquet", parquet(DECIMALS)),
    ],
)
def test_the_same_sources_from_every_kind_of_list(read, name, content):
    corpus = read(f'corpus.sources = "{name}"', {**FILES, name: content})
    one, two = corpus.sources
    assert (one.id, one.title, one.patterns, one.epochs) == (
        "one",
        "One, the first",
        ("a.txt", "b.txt"),
        Decimal("1.5"),
    )
    assert [(part.holder, part.share) for part in one.holders] == [("x", Fraction(7, 10)), ("y", Fraction(3, 10))]
    assert (two.id, two.title, two.patterns, two.license, two.epochs) == ("two", None, ("c.txt",), "CC0", 1)
    assert [(part.holder, part.share) for part in two.holders] == [("x", Fraction(1, 2)), ("y", Fraction(1, 2))]
    assert [holder.id for holder in corpus.holders] == ["x", "y"]


def test_the_digests_of_lists_are_kept_by_path(read):
    files = {
        **FILES,
        "lists/b.csv": "id,path\nb,b.txt\n",
        "lists/a.csv": "id,path\na,a.txt\n",
        "h.csv": "id,name\nx,Xenia\n",
    }
    corpus = read('[corpus]\nsources = ["lists/b.csv", "lists/a.csv"]\nholders = "h.csv"', files)
    assert corpus.lists == tuple(
        (name, hashlib.sha256(files[name].encode()).hexdigest()) for name in ("h.csv", "lists/a.csv", "lists/b.csv")
    )
    assert [(source.id, str(source.place)) for source in corpus.sources] == [
        ("b", "lists/b.csv:2"),
        ("a", "lists/a.csv:2"),
    ]
    assert [(holder.id, holder.name) for holder in corpus.holders] == [("x", "Xenia")]


def test_the_place_of_a_row_is_its_first_line(read):
    files = {**FILES, "list.csv": 'id,license,path\n\na,"CC0",a.txt\nb,,b.txt\n'}
    assert [source.place.line for source in read('corpus.sources = "list.csv"', files).sources] == [3, 4]


def test_a_source_may_have_very_many_holders(read):
    holders = ";".join(f"holder-{number}:1" for number in range(12_000))
    files = {**FILES, "list.csv": f"id,path,holders\na,a.txt,{holders}\n"}
    (source,) = read('corpus.sources = "list.csv"', files).sources
    assert len(holders) > 131_072  # what Python's reader takes unless told otherwise
    assert len(source.holders) == 12_000


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("l.csv", "", [f"l.csv:1: the list file has no header; name the columns: {ALL_COLUMNS}"]),
        ("l.csv", "id,pth\na,a.txt\n", ["l.csv:1: unknown column 'pth'; did you mean 'path'?"]),
        ("l.csv", "id;path\na;a.txt\n", ["l.csv:1: the columns are not parted by commas; save the file as CSV with commas"]),
        ("l.csv", "id,path,path\na,a.txt,a.txt\n", ["l.csv:1: column 'path' is given twice; keep one of them"]),
        ("l.csv", "path\na.txt\n", ["l.csv:1: there is no column 'id'; add it, with a value in each row"]),
        ("l.csv", "id,path\n,a.txt\n", ['l.csv:2: a source: it has no id; add one, such as id = "my-book"']),
        ("l.csv", "id,path\na,a.txt,x\nb\n", ["l.csv:2: the row has 3 cells, but the header has 2; a cell that holds a comma must be in quotation marks", "l.csv:3: the row has 1 cells, but the header has 2; a cell that holds a comma must be in quotation marks"]),
        ("l.csv", 'id,path\na,"a.txt"x\n', ["l.csv:2: not valid CSV: ',' expected after '\"'; mend the quotation marks of this row"]),
        ("l.csv", 'id,path\na,"a.txt\n', ["l.csv:2: not valid CSV: unexpected end of data; mend the quotation marks of this row"]),
        ("l.csv", b"id,path\nb,b.txt\n\xff,a.txt\n", ["l.csv:3: not valid UTF-8 at byte 17 (0xff); save the file as UTF-8"]),
        ("l.csv", 'id,title,path\na,"two\nlines",a.txt\na,,a.txt\n', [
            "l.csv:2: source 'a': title 'two\\nlines' holds a control character (U+000A); remove it",
            "l.csv:4: source 'a': 'a.txt' also belongs to source 'a' at l.csv:2; let each file belong to one source or collection",
            "l.csv:4: source 'a': the id is given twice, first to a source at l.csv:2; give each an id of its own",
        ]),
        ("l.csv", "id,path,holders\na,a.txt,x=70%;y=40%\n", ["l.csv:2: source 'a': the shares of its holders make 1.1, not 1; change them so that they make 1 (100%) exactly; a third is written 1/3"]),
        ("l.csv", "id,path\na,no.txt\n", ["l.csv:2: source 'a': path 'no.txt' does not exist; check its spelling; paths are relative to the manifest's folder"]),
        ("l.csv", "id,path\na,a.txt;\n", ["l.csv:2: source 'a': the path is empty; name a file, a folder or a pattern such as books/*.txt"]),
        ("l.jsonl", "[1]\n", ['l.jsonl:1: the line must be an object, but is a list; write one object a line, such as {"id": "my-book", …}']),
        ("l.jsonl", '{"id": "a", "path": "a.txt"}\n{\n', ["l.jsonl:2: not valid JSON at column 2: expecting property name enclosed in double quotes; write one object a line"]),
        ("l.jsonl", '{"id": "a", "path": "a.txt", "epochs": NaN}', ["l.jsonl:1: not valid JSON: NaN is no number; write one object a line"]),
        ("l.jsonl", '{"id": "a", "id": "b", "path": "a.txt"}', ["l.jsonl:1: not valid JSON: the key 'id' is given twice; write one object a line"]),
        ("l.jsonl", "[" * 100_000, ["l.jsonl:1: not valid JSON: nested too deeply; write one object a line"]),
        ("l.jsonl", '{"id": ' + "9" * 5000 + "}", ["l.jsonl:1: not valid JSON: a number with too many digits; write one object a line"]),
        ("l.jsonl", '{"id": "a", "path": "a.txt", "pages": 1}', [f"l.jsonl:1: source 'a': unknown key 'pages'; the keys are {ALL_COLUMNS}"]),
        ("l.jsonl", '{"id": "a", "path": "a.txt", "title": "\\ud800"}', ["l.jsonl:1: source 'a': title '\\ud800' holds a control character (U+D800); remove it"]),
        ("l.jsonl", "\u2028", ["l.jsonl:1: not valid JSON at column 1: expecting value; write one object a line"]),
        ("l.parquet", parquet([{"id": "a", "path": "a.txt", "pages": 1}]), [f"l.parquet: unknown column 'pages'; the columns are {ALL_COLUMNS}"]),
        ("l.parquet", parquet([{"id": "a", "path": "a.txt"}, {"id": None, "path": "b.txt"}]), ['l.parquet:2: a source: it has no id; add one, such as id = "my-book"']),
        ("l.parquet", parquet([{"id": "a", "path": "a.txt", "epochs": 1.5}]), ["l.parquet:1: source 'a': epochs must be a number, but is a binary float; write a decimal or a text, such as 1.5 or \"1.5\""]),
        ("l.parquet", b"PAR1", ["l.parquet: not valid Parquet after row 0: Parquet file size is 4 bytes, smaller than the minimum file footer (8 bytes); write the file again"]),
        ("l.xlsx", "x", ["l.xlsx: the list file's ending is not known; end its name in .csv, .jsonl or .parquet"]),
        ("l.csv/x", "x", ["l.csv: the list file is a folder; name a file"]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_wrong_list(complaints, name, content, expected):
    said = complaints(f'corpus.sources = "{name.removesuffix("/x")}"', {**FILES, name: content})
    assert said == expected


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ('"no.csv"', "corpus.toml:2: [corpus]: list file: path 'no.csv' does not exist; check its spelling; paths are relative to the manifest's folder"),
        ('"../l.csv"', "corpus.toml:2: [corpus]: list file: path '../l.csv' leaves the manifest's folder; copy it into the folder, or allow it with --outside"),
        ('["l.csv", "l.csv"]', "corpus.toml:2: [corpus]: list file 'l.csv' is named twice; name it once"),
        ("1", "corpus.toml:2: [corpus]: sources must be a text or a list of texts, but is a number; put each in quotation marks"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_found(complaints, sources, expected):
    assert complaints(f"[corpus]\nsources = {sources}", {**FILES, "l.csv": "id,path\na,a.txt\n"}) == [expected]


def test_a_flipped_bit_in_a_parquet_list_is_noticed(complaints):
    rows = [{"id": f"source-{number}", "path": "a.txt"} for number in range(3)]
    data = bytearray(parquet(rows, compression="none", use_dictionary=False, write_page_checksum=True))
    data[data.index(b"source-1")] ^= 1
    (said,) = complaints('corpus.sources = "l.parquet"', {**FILES, "l.parquet": bytes(data)})
    assert said.startswith("l.parquet: not valid Parquet after row 0: ")


def test_a_list_that_is_too_large(complaints, monkeypatch):
    monkeypatch.setattr(lists, "LIST_BYTES", 10)
    said = complaints('corpus.sources = "l.csv"', {**FILES, "l.csv": "id,path\na,a.txt\n"})
    assert said == ["l.csv: the list file is larger than 10 bytes; keep long lists of sources in list files, in parts"]


def test_a_parquet_list_that_unpacks_to_too_much(complaints, monkeypatch):
    data = parquet([{"id": f"s{number}", "path": "a" * 100} for number in range(1000)])
    monkeypatch.setattr(lists, "LIST_BYTES", len(data))
    (said,) = complaints('corpus.sources = "l.parquet"', {"l.parquet": data})
    assert said == f"l.parquet: unpacks to more than {len(data):,} bytes; split the list into several files"


def test_a_long_list(read):
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["id", "path", "holders", "epochs"])
    rows.writerows([f"s{number}", f"{number}.txt", "x=70%;y=30%", "1.5"] for number in range(20_000))
    corpus = read('corpus.sources = "l.csv"', {"l.csv": out.getvalue()})
    assert (len(corpus.sources), corpus.sources[-1].place.line) == (20_000, 20_001)
