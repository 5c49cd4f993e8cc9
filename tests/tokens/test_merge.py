"""Partial tables become the same token table whatever the memory, and errors name the first document."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import royaltycli
from royaltycli.api import check
from royaltycli.errors import DocumentError, TableError
from royaltycli.manifest.identifiers import encode_value, source_id
from royaltycli.scanning import counts_folder, scan_opened
from royaltycli.tokens import copies, partialrows, sorting, tablerows
from royaltycli.tokens.grouping import ROWS
from royaltycli.tokens.ids import holder_ids, source_ids
from royaltycli.tokens.partialrows import SOURCE_ROWS
from royaltycli.tokens.sourcegroups import SourceGroups
from royaltycli.tokens.table import SCHEMA

MANIFEST = """
[[holder]]
id = "ann"
name = "Ann Author"
[[source]]
id = "empty"
path = "empty/*.jsonl"
[[source]]
id = "book"
title = "A Book"
path = "book.txt"
holders = [{ id = "ann", share = "1/3" }, { id = "press", share = "2/3" }]
license = "proprietary"
epochs = 1.50
[[collection]]
id = "posts"
path = "*.jsonl"
source = "by"
holder = "of"
"""
POSTS = [
    {"by": by, "of": of, "text": f"{text} text"}
    for text, (by, of) in enumerate(
        [("zoe", "ann"), ("\u00e9", "press"), ("=1", "@b c"), ("zoe", "ann"), ("a/b", "ann"), ("@x", "zo\u00eb")] * 7
    )
]
CORPUS = {
    "corpus.toml": MANIFEST,
    "book.txt": "A book.",
    "empty/0.jsonl": [],
    "a.jsonl": POSTS[:20],
    "b.jsonl": POSTS[20:],
}


@pytest.fixture
def narrow(monkeypatch):
    """As little memory as can be: every row is sorted in a file."""
    monkeypatch.setattr(sorting, "SORT_BYTES", 1)
    monkeypatch.setattr(sorting, "SORT_RUNS", 3)
    monkeypatch.setattr(partialrows, "ROWS_TOGETHER", 1)
    monkeypatch.setattr(copies, "COPIES_HELD", 1)


def test_the_table_is_the_same_to_the_byte_however_little_memory_there_is(folder, request):
    place = folder(CORPUS)
    royaltycli.scan(place, output=place / "roomy")
    request.getfixturevalue("narrow")
    table = royaltycli.scan(place, output=place / "narrow")
    assert (place / "narrow").read_bytes() == (place / "roomy").read_bytes()
    rows = [(row["source_id"], [tuple(holder.values()) for holder in row["holders"]]) for row in table.to_pylist()]
    assert rows == [
        ("book", [("ann", "Ann Author", "1/3"), ("press", "press", "2/3")]),
        ("empty", []),
        ("posts/%3D1", [("%40b%20c", "@b c", "1")]),
        ("posts/@x", [("zo\u00eb", "zo\u00eb", "1")]),
        ("posts/a/b", [("ann", "Ann Author", "1")]),
        ("posts/zoe", [("ann", "Ann Author", "1")]),
        ("posts/\u00e9", [("press", "press", "1")]),
    ]
    zoe = [hashlib.sha256(post["text"].encode()).digest() for post in POSTS if post["by"] == "zoe"]
    assert table["digest"][5].as_py() == hashlib.sha256(b"".join(zoe)).digest()
    assert table["documents"].to_pylist() == [1, 0, 7, 7, 7, 14, 7]
    assert list(place.glob("*partial*")) == []


def test_the_golden_table(folder):
    """What version 0.1.0 found in this corpus, column by column."""
    table = royaltycli.scan(folder(CORPUS)).replace_schema_metadata(None)
    assert table.schema.equals(SCHEMA)
    sums = [hashlib.sha256(repr(table[name].to_pylist()).encode()).hexdigest()[:12] for name in table.column_names]
    assert dict(zip(table.column_names, sums, strict=True)) == GOLDEN


GOLDEN = {
    "source_id": "28f2d6d76f58",
    "title": "09c201298884",
    "holders": "1468c0432c85",
    "license": "85f77a14a1cc",
    "documents": "8a3059e19fd5",
    "bytes": "64c6d53d5432",
    "tokens": "e7f3074f1283",
    "epochs": "91bd0f2eb4a0",
    "digest": "94804fdb9f61",
    "credited_tokens": "e7f3074f1283",  # the same as the tokens, as there is no copy
}


@pytest.mark.parametrize("fixture", [None, "narrow"])
def test_totals_do_not_depend_on_the_parts_of_the_table(folder, request, monkeypatch, fixture):
    """Its seven sources have four holders, three of them 7 or 14 documents; of two as large the first by id is larger."""
    monkeypatch.setattr(tablerows, "ROW_GROUP", 2)
    if fixture:
        request.getfixturevalue(fixture)
    place = folder(CORPUS)
    with counts_folder(None) as kept:
        totals = scan_opened(check(place), kept, kept / "tokens.parquet", top=4).totals
    assert (totals.sources, totals.holders, totals.documents) == (7, 4, 43)
    assert totals.largest["source_id"].to_pylist() == ["posts/zoe", "posts/%3D1", "posts/@x", "posts/a/b"]


# -- two holders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", [None, "narrow"])
def test_of_several_sources_with_two_holders_the_first_in_the_corpus_is_named(folder, request, fixture):
    files = {
        "1.jsonl": [{"by": "z", "of": "p", "text": "1"}, {"by": "a", "of": "p", "text": "2"}],
        "2.jsonl": [{"by": "b", "of": "p", "text": "3"}, {"by": "z", "of": "q", "text": "4"}],
        "3.jsonl": [{"by": "a", "of": "q", "text": "5"}, {"by": "z", "of": "r", "text": "6"}],
    }
    place = folder({**CORPUS, "a.jsonl": [], "b.jsonl": [], **files})
    if fixture:
        request.getfixturevalue(fixture)
    with pytest.raises(DocumentError) as error:
        royaltycli.scan(place, output=place / "tokens.parquet")
    assert str(error.value) == (
        "2.jsonl: the source 'z' has the holder 'q' here, but 'p' in 1.jsonl; "
        "mend the documents, or give the collection fixed `holders`"
    )
    assert not (place / "tokens.parquet").exists()


def test_of_several_in_one_file_it_is_the_first_document_too(folder):
    names = [("z", "p"), ("a", "p"), ("a", "q"), ("z", "q")]
    rows = [{"by": by, "of": of, "text": str(number)} for number, (by, of) in enumerate(names)]
    place = folder({**CORPUS, "a.jsonl": rows, "b.jsonl": []})
    with pytest.raises(
        DocumentError, match=r"^a\.jsonl:3: the source 'a' has the holder 'q' here, but 'p' in a\.jsonl:2;"
    ):
        royaltycli.scan(place, output=place / "tokens.parquet")


def test_a_copy_names_no_other_holder(folder):
    rows = [{"by": "z", "of": "p", "text": "the same"}, {"by": "a", "of": "q", "text": "the same"}]
    place = folder({**CORPUS, "a.jsonl": rows, "b.jsonl": []})
    table = royaltycli.scan(place, duplicates="first", verify=0)
    credited = dict(zip(table["source_id"].to_pylist(), table["credited_tokens"].to_pylist(), strict=True))
    assert (credited["posts/a"], credited["posts/z"]) == (0, 2)


# -- sums ----------------------------------------------------------------------------------------

ROW = {"owner": 0, "place": 0, "holder": None, "documents": 1, "bytes": 1, "tokens": 1, "credited_tokens": 1}
NUMBERS = st.integers(0, 2**63 - 1) | st.sampled_from([2**62, 2**63 - 1, 2**32 - 1, 2**32])


def summed(numbers, block):
    rows = [{**ROW, "source_id": name, "tokens": number, "digests": bytes(32)} for name, number in numbers]
    table = pa.Table.from_pylist(rows, schema=SOURCE_ROWS)
    groups = list(SourceGroups().of(table.slice(at, block) for at in range(0, len(table), block)))
    return [(row["source_id"], row["tokens"], row["digest"]) for group in groups for row in group.to_pylist()]


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from("abc"), NUMBERS)), block=st.integers(1, 5))
def test_sums_are_exact_or_an_error_that_names_the_source(rows, block):
    rows.sort(key=lambda row: row[0])
    expected = {}
    for name, number in rows:
        expected.setdefault(name, []).append(number)
    too_large = [name for name, numbers in expected.items() if sum(numbers) >= 2**63]
    if too_large:
        with pytest.raises(
            TableError, match=f"the tokens of {too_large[0]} come to 2..63 or more, which no table holds; split"
        ):
            summed(rows, block)
    else:
        digest = {name: hashlib.sha256(bytes(32) * len(numbers)).digest() for name, numbers in expected.items()}
        assert summed(rows, block) == [(name, sum(numbers), digest[name]) for name, numbers in expected.items()]


# -- ids and row groups --------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.none() | st.text(max_size=6) | st.sampled_from(["", "@a", "-a", "a b", "%", "ok", "a\n"])))
def test_ids_of_columns_are_those_of_single_values(values):
    column, names = pa.array(values, pa.large_string()), pa.array(["c"] * len(values), pa.large_string())
    nameless = pa.array(["own"] * len(values), pa.large_string())
    assert source_ids(names, column, nameless).to_pylist() == [
        "own" if v is None else source_id("c", v) for v in values
    ]
    assert holder_ids(column).to_pylist() == [None if v is None else encode_value(v) for v in values]


@pytest.mark.parametrize("cuts", [[100], [1] * 100, [30, 0, 70]])
def test_row_groups_depend_on_rows_alone_and_hold_no_more_text_than_they_may(monkeypatch, cuts):
    monkeypatch.setattr(tablerows, "ROW_GROUP", 8)
    monkeypatch.setattr(tablerows, "ROW_GROUP_BYTES", 100)
    holders = [[], [{"id": "h" * 30, "name": "n" * 30, "share": "1"}]]
    rows = [
        {"source_id": f"{number:0{5 + 40 * (number > 50)}}", "holders": holders[number > 80]} for number in range(100)
    ]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    ends = np.cumsum([0, *cuts]).tolist()
    groups = list(tablerows.row_groups(table.slice(a, b - a) for a, b in itertools.pairwise(ends)))
    assert pa.concat_tables(groups).equals(table)
    assert [len(group) for group in groups] == [8] * 6 + [5] + [3] * 9 + [2, *[1] * 18]


def test_without_rows_there_is_one_empty_row_group(folder):
    place = folder({"corpus.toml": '[[collection]]\nid = "c"\npath = "*.jsonl"\nsource = "by"\n', "a.jsonl": []})
    assert len(royaltycli.scan(place, output=place / "t.parquet")) == 0
    assert pq.read_metadata(place / "t.parquet").num_row_groups == 1


def test_rows_of_partial_tables_have_a_count_and_a_place_for_each_document():
    assert ROWS.names[-3:] == ["digests", "counts", "places"]
