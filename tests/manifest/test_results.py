"""Rule D9: results of this tool are no documents, wherever a folder or a pattern finds them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from royaltycli import api
from royaltycli.corpus.files import find_files
from royaltycli.manifest.reading import read_manifest
from royaltycli.manifest.results import COLUMNS
from royaltycli.manifest.starter import starter
from royaltycli.report.formats import writer
from royaltycli.storage import write_parquet, write_whole
from tests.cli.golden import make_payout, make_tokens, small_table
from tests.manifest.conftest import complaints_here

SOURCE = '[[source]]\nid = "a"\npath = {path!r}\n{more}\n'
RESULTS = {
    **{f"payout by {by}": api.payout(small_table(), profit=100, rate=1, by=by) for by in ("source", "holder", "split")},
    **{f"shares by {by}": api.shares(small_table(), by=by) for by in ("source", "holder", "license", "collection")},
}


def found(path, more=""):
    Path("corpus.toml").write_text(SOURCE.format(path=path, more=more), encoding="utf-8")
    return find_files(read_manifest(Path("corpus.toml"))[0])


def names(path, more=""):
    files = found(path, more)
    assert files.problems == []
    return [file.name for file in files.files]


def refused(*results):
    listed = ", ".join(map(repr, results))
    why = "a result of royalty, by its first line; move it elsewhere, or use a narrower pattern"
    return [f"corpus.toml:1: source 'a': cannot read {listed}: {why}"]


def test_the_columns_are_those_of_the_results():
    assert sorted(COLUMNS) == sorted(tuple(rows.column_names) for rows in RESULTS.values())


@pytest.mark.parametrize("path", [".", "*", "**/*.parquet"])
def test_a_sealed_table_is_passed_over_wherever_it_lies(here, path):
    root = here({"sub/a.txt": ""})
    make_tokens(root / "counts.parquet")
    make_payout(root / "sub" / "payout.PARQUET")
    pq.write_table(small_table(), root / "unsealed.parquet")
    files = found(path)
    assert files.problems == []
    assert "unsealed.parquet" in [file.name for file in files.files]
    assert {"counts.parquet", "sub/payout.PARQUET"} & {file.name for file in files.files} == set()
    assert "counts.parquet" in files.skipped


def test_a_sealed_table_is_passed_over_whatever_the_format(here):
    root = here({"a.txt": ""})
    make_payout(root / "a.parquet")
    make_payout(root / "a.dat")
    assert names("a.[tp]*", 'format = "text"') == ["a.txt"]
    assert names("a.[td]*", 'format = "parquet"') == ["a.txt"]


def test_a_seal_that_does_not_hold_hides_nothing(here):
    """Words in a document must not take its file out of the corpus."""
    root = here({})
    words = "sha256 of this file with these digits as zeros: " + "0" * 64
    pq.write_table(small_table().select(["source_id"]).set_column(0, "text", [[words, words]]), root / "posts.parquet")
    assert names(".") == ["posts.parquet"]


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "markdown"])
@pytest.mark.parametrize("result", RESULTS)
def test_a_result_in_text_beside_the_manifest_is_an_error(here, result, ending):
    root = here({"a.txt": "", "sub/a.txt": ""})
    write_whole(root / "rows.txt", writer(ending, RESULTS[result]))
    found(".")
    assert complaints_here() == refused("rows.txt")
    assert names("sub") == ["sub/a.txt"]
    assert names("rows.txt") == ["rows.txt"]


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "markdown"])
def test_a_result_that_an_editor_has_saved_anew_is_still_one(here, ending):
    """With a byte order mark and the line ends of Windows."""
    root = here({})
    write_whole(root / "rows.txt", writer(ending, RESULTS["payout by source"]))
    rows = (root / "rows.txt").read_bytes().replace(b"\n", b"\r\n")
    (root / "rows.txt").write_bytes(b"\xef\xbb\xbf" + rows)
    found(".")
    assert complaints_here() == refused("rows.txt")


def test_all_that_look_like_results_are_named_at_once(here):
    root = here({"notes.md": "| source_id |\n", "essay.md": "One day."})
    for name, kind in (("payout.md", "markdown"), ("payout.jsonl", "jsonl"), ("payout.csv", "csv")):
        write_whole(root / name, writer(kind, RESULTS["payout by source"]))
    files = found(".")
    assert complaints_here() == refused("payout.jsonl", "payout.md")
    assert files.skipped == ("payout.csv",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "{",
        "[",
        "[\n",
        "[\n]\n",
        "source_id,title\n",
        " | source_id | title | holders | tokens | seen_tokens | share |\n",
        "source_id,title,holders,tokens,seen_tokens,share,more\n",
        '{"source_id": "a", "text": "One day."}\n',
        "[" * 100_000,
        '{"a":' * 10_000,
        "\ufeff",
    ],
)
def test_what_only_reads_a_little_like_one_is_a_document(here, text):
    here({"a.txt": text})
    assert names(".") == ["a.txt"]


def test_bytes_that_are_no_text_are_left_to_the_reader(here):
    here({"a.txt": b"\xff\x00", "b.jsonl": b'{"\xff'})
    assert names(".") == ["a.txt", "b.jsonl"]


def test_a_corpus_may_hold_tables_with_the_same_header_further_down(here):
    root = here({})
    (root / "sub").mkdir()
    write_whole(root / "sub" / "rows.md", writer("markdown", RESULTS["payout by source"]))
    assert names(".") == ["sub/rows.md"]


def test_a_starter_leaves_results_out(here):
    root = here({f"{letter}.md": letter for letter in "abcdefghijklmnop"})
    make_payout(root / "payout.parquet")
    write_parquet(root / "more.parquet", RESULTS["shares by holder"])
    write_whole(root / "payout.md", writer("markdown", RESULTS["payout by holder"]))
    Path("corpus.toml").write_text(starter(root)[0], encoding="utf-8")
    corpus, problems = read_manifest(Path("corpus.toml"))
    files = find_files(corpus)
    assert problems + files.problems == []
    assert [file.name for file in files.files] == [f"{letter}.md" for letter in "abcdefghijklmnop"]
    assert json.dumps("payout") not in starter(root)[0]
