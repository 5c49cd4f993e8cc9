"""Rules K1 to K6: who is credited with a text that occurs more than once, against a slow computation with dicts."""

from __future__ import annotations

import collections
import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import royaltycli
from royaltycli.api import check
from royaltycli.corpus import shards
from royaltycli.errors import CallError, ManifestError, TableError
from royaltycli.manifest.model import DUPLICATES
from royaltycli.scanning import counts_folder, scan_opened
from royaltycli.storage import write_parquet
from royaltycli.tokens import copies, partialrows, sorting
from royaltycli.tokens.copies import Copies, Credits
from royaltycli.tokens.partialrows import DOCUMENTS
from royaltycli.tokens.sorting import SortedRows
from tests import strategies


def sha256(data):
    return hashlib.sha256(data).digest()


def slowly(documents, how):
    """Credited tokens by source, and the copies; `documents` are (text, source, tokens) in the order of the corpus."""
    credited = collections.Counter({source: 0 for _, source, _ in documents})
    holding = collections.defaultdict(list)
    for text, source, tokens in documents:
        holding[text].append(source)
        if how == "all":
            credited[source] += tokens
    found = collections.Counter()
    for text, sources in holding.items():
        tokens = next(tokens for other, _, tokens in documents if other == text)
        if not tokens:
            continue
        distinct = sorted(set(sources), key=lambda source: sha256(sha256(text) + source.encode()))
        found["within"] += len(sources) - len(distinct)
        found["across"] += len(distinct) - 1
        found["tokens within"] += (len(sources) - len(distinct)) * tokens
        found["tokens across"] += (len(distinct) - 1) * tokens
        if how == "first":
            credited[sources[0]] += tokens
        elif how == "split":
            for place, source in enumerate(distinct):
                credited[source] += tokens // len(distinct) + (place < tokens % len(distinct))
    return dict(credited), Copies(found["within"], found["tokens within"], found["across"], found["tokens across"])


def quickly(documents, how, folder):
    tokens_of = collections.Counter({source: 0 for _, source, _ in documents})
    for _, source, tokens in documents:
        tokens_of[source] += tokens
    rows = [(sha256(text) + source.encode(), tokens, place) for place, (text, source, tokens) in enumerate(documents)]
    columns = zip(*(row for row in rows if row[1]), strict=True) if any(row[1] for row in rows) else [[], [], []]
    table = pa.table(dict(zip(DOCUMENTS.names, columns, strict=True)), schema=DOCUMENTS)
    with SortedRows("text", DOCUMENTS, folder) as by_text:
        for start in range(0, len(table), 7):
            by_text.add(table.slice(start, 7))
        credited = Credits(how)
        for part in credited.of(by_text.blocks()):
            assert part["documents"].to_pylist() == [0] * len(part) == part["tokens"].to_pylist()
            for row in part.to_pylist():
                tokens_of[row["source_id"]] += row["credited_tokens"]
    return dict(tokens_of), credited.copies


TEXTS = {b"": 0, b"a": 1, b"b": 2, b"c": 3, b"d": 7, b"e": 1000}
HELD = st.lists(st.tuples(st.sampled_from(list(TEXTS)), st.sampled_from("pqrstuvwxyz") | st.integers(10, 99).map(str)))


@settings(max_examples=300, deadline=None)
@given(held=HELD, how=st.sampled_from(DUPLICATES), room=st.integers(1, 2000), most=st.integers(1, 10))
def test_sources_are_credited_as_a_slow_computation_credits_them(tmp_path_factory, held, how, room, most):
    documents = [(text, source, TEXTS[text]) for text, source in held]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "SORT_BYTES", room)
        patch.setattr(sorting, "SORT_RUNS", 4)
        patch.setattr(copies, "COPIES_HELD", most)
        assert quickly(documents, how, tmp_path_factory.getbasetemp()) == slowly(documents, how)


@pytest.mark.parametrize("how", DUPLICATES)
def test_a_text_that_a_great_many_sources_hold_is_credited_without_holding_them_all(tmp_path, monkeypatch, how):
    monkeypatch.setattr(sorting, "SORT_BYTES", 3000)
    monkeypatch.setattr(copies, "COPIES_HELD", 20)
    held = []
    joined = copies._joined
    monkeypatch.setattr(copies, "_joined", lambda before, block: held.append(len(before.keys)) or joined(before, block))
    documents = [(b"lol", f"{number * 7919 % 1009}", 3) for number in range(3000)] + [(b"x", "0", 5)]
    assert quickly(documents, how, tmp_path) == slowly(documents, how)
    assert len(held) > 100
    assert max(held) <= 20


def test_rule_k3_a_text_is_split_in_whole_tokens_and_what_is_left_goes_by_digest():
    """Spelled out: 7 tokens among three sources, of which one holds it twice."""
    text, sources = b"a text", ["book", "posts/ann", "web/example.org"]
    by_hash = sorted(sources, key=lambda source: hashlib.sha256(sha256(text) + source.encode()).hexdigest())
    assert by_hash == ["book", "posts/ann", "web/example.org"]
    documents = [(text, source, 7) for source in ["book", "posts/ann", "book", "web/example.org"]]
    assert slowly(documents, "split")[0] == {"book": 3, "posts/ann": 2, "web/example.org": 2}


# -- whole scans ---------------------------------------------------------------------------------

TEXT = "One text of some tokens, which is often copied."
MANIFEST = """
[corpus]
{0}
[[source]]
id = "book"
path = "book.txt"
epochs = 1.5
[[collection]]
id = "posts"
path = "*.jsonl"
source = "by"
[[source]]
id = "web"
path = "web"
"""
CORPUS = {
    "book.txt": TEXT,
    "web/1.txt": TEXT,
    "web/2.txt": TEXT,
    "web/3.txt": "another",
    "web/4.txt": "",
    "web/5.txt": "",
    "a.jsonl": [
        {"by": "ann", "text": "first"},
        {"by": "bob", "text": "short"},
        {"by": "ann", "text": "short"},
        {"by": "zoe", "text": TEXT},
    ],
}


def tokens_of(table, column="credited_tokens"):
    return dict(zip(table["source_id"].to_pylist(), table[column].to_pylist(), strict=True))


def test_every_copy_counts_unless_the_manifest_says_otherwise(folder):
    table = royaltycli.scan(folder({**CORPUS, "corpus.toml": MANIFEST.format("")}))
    assert table["credited_tokens"].equals(table["tokens"])
    assert table.schema.metadata[b"royalty.duplicates"] == b"all"


@pytest.mark.parametrize("how", DUPLICATES)
def test_the_manifest_says_how_and_the_option_goes_before_it(folder, how):
    place = folder({**CORPUS, "corpus.toml": MANIFEST.format(f'duplicates = "{how}"')})
    by_manifest = royaltycli.scan(place)
    other = {"all": "split", "first": "all", "split": "first"}[how]
    assert royaltycli.scan(place, duplicates=other).schema.metadata[b"royalty.duplicates"] == other.encode()
    (place / "corpus.toml").write_text(MANIFEST.format(""))
    assert royaltycli.scan(place, duplicates=how)["credited_tokens"].equals(by_manifest["credited_tokens"])


def test_the_first_in_the_order_of_the_manifest_is_credited_whatever_the_batches(folder):
    """Sources stand before collections in the order of the corpus, and `bob` before `ann` with that text."""
    place = folder({**CORPUS, "corpus.toml": MANIFEST.format("")})
    table = royaltycli.scan(place, duplicates="first")
    full, credited = tokens_of(table, "tokens"), tokens_of(table)
    text = full["book"]
    assert credited == {**full, "web": full["web"] - 2 * text, "posts/zoe": 0, "posts/ann": 1}
    assert full["posts/ann"] == 2


def test_the_first_is_the_first_of_the_whole_file_however_many_batches_it_is_read_in(folder):
    """Of three row groups of two documents, as one piece: `zoe` has the text in the first, others in all."""
    rows = [("ann", "one"), ("zoe", TEXT), ("bob", TEXT), ("zoe", "two"), ("bob", "six"), ("cat", TEXT)]
    place = folder({"corpus.toml": '[[collection]]\nid = "c"\npath = "a.parquet"\nsource = "by"\n'})
    table = pa.table({"by": [by for by, _ in rows], "text": [text for _, text in rows]})
    pq.write_table(table, place / "a.parquet", row_group_size=2)
    found = royaltycli.scan(place, duplicates="first")
    text = tokens_of(found, "tokens")["c/cat"]
    assert tokens_of(found) == {"c/ann": 1, "c/bob": 1, "c/cat": 0, "c/zoe": text + 1}


def test_a_scan_reports_copies_within_and_across_sources_and_passes_over_empty_documents(folder):
    place = folder({**CORPUS, "corpus.toml": MANIFEST.format("")})
    with counts_folder(None) as kept:
        found = scan_opened(check(place), kept, kept / "t.parquet").totals
    text = tokens_of(royaltycli.scan(place), "tokens")["book"]
    assert found.copies == Copies(1, text, 3, 2 * text + 1)
    assert (found.documents, found.sources) == (10, 5)


def test_a_change_of_the_setting_counts_nothing_again(folder):
    place = folder({**CORPUS, "corpus.toml": MANIFEST.format("")})
    tables = [royaltycli.scan(place, output=place / "tokens.parquet", duplicates=how) for how in DUPLICATES]
    assert len({json.dumps(tokens_of(table)) for table in tables}) == 3
    with counts_folder(place / "tokens.parquet") as kept:
        scanned = scan_opened(check(place), kept, place / "tokens.parquet", duplicates="first")
    assert scanned.unchanged == 7


@strategies.examples(8, 200)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["", "x", "a text", "one two three"]))),
    how=st.sampled_from(DUPLICATES),
    cut=st.integers(20, 200),
)
def test_whole_scans_credit_as_the_slow_computation_does_and_write_the_same_bytes(tmp_path_factory, rows, how, cut):
    place = tmp_path_factory.mktemp("corpus")
    half = len(rows) // 2
    for name, part in (("1", rows[:half]), ("2", rows[half:])):
        lines = "".join(json.dumps({"by": by, "text": text}) + "\n" for by, text in part)
        (place / f"{name}.jsonl").write_text(lines)
    (place / "corpus.toml").write_text('[[collection]]\nid = "c"\npath = "*.jsonl"\nsource = "by"\n')
    royaltycli.scan(place, output=place / "in memory", duplicates=how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "SORT_BYTES", cut)
        patch.setattr(partialrows, "ROWS_TOGETHER", 3)
        patch.setattr(shards.cut, "__defaults__", (cut,))
        patch.setattr(shards.together, "__defaults__", (cut,))
        spilt = royaltycli.scan(place, output=place / "spilt", duplicates=how)
    assert (place / "spilt").read_bytes() == (place / "in memory").read_bytes()
    tokens = {"": 0, "x": 1, "a text": 2, "one two three": 3}
    documents = [(text.encode(), f"c/{by}", tokens[text]) for by, text in rows]
    assert tokens_of(spilt) == slowly(documents, how)[0]


# -- wrong calls ---------------------------------------------------------------------------------


def test_an_unknown_way_is_an_error(folder):
    place = folder({**CORPUS, "corpus.toml": MANIFEST.format('duplicates = "none"')})
    with pytest.raises(
        ManifestError, match=r"corpus\.toml:3: \[corpus\]: unknown duplicates 'none'; the choices are all"
    ):
        royaltycli.scan(place)
    (place / "corpus.toml").write_text(MANIFEST.format(""))
    with pytest.raises(CallError, match="duplicates is 'none'; it must be one of all, first, split"):
        royaltycli.scan(place, duplicates="none")


@pytest.mark.parametrize("how", ["first", "split"])
def test_copying_a_text_a_thousand_times_earns_nothing(folder, how):
    rows = [{"by": "thief", "text": TEXT}] * 1000
    place = folder({**CORPUS, "b.jsonl": rows, "corpus.toml": MANIFEST.format("")})
    table = royaltycli.scan(place, duplicates=how)
    text = tokens_of(table, "tokens")["book"]
    assert tokens_of(table, "tokens")["posts/thief"] == 1000 * text
    assert tokens_of(table)["posts/thief"] <= text // 4 + 1


# -- tables of the version before ----------------------------------------------------------------


def test_a_table_of_version_1_is_read_with_every_copy_credited(folder):
    place = folder({**CORPUS, "corpus.toml": MANIFEST.format("")})
    table = royaltycli.scan(place)
    about = {**table.schema.metadata, b"royalty.schema": b"1"}
    del about[b"royalty.seal"]
    old = table.drop_columns(["credited_tokens"]).replace_schema_metadata(about)
    write_parquet(place / "old.parquet", old)
    assert royaltycli.read_tokens(place / "old.parquet")["credited_tokens"].equals(table["tokens"])
    write_parquet(place / "new.parquet", old.replace_schema_metadata({**about, b"royalty.schema": b"2"}))
    with pytest.raises(TableError, match=r"has no column 'credited_tokens'; run `royalty scan` again"):
        royaltycli.read_tokens(place / "new.parquet")
