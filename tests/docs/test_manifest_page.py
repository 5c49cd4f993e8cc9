"""docs/manifest.md has every key that the reader takes, and no other; its examples are taken as they stand."""

from __future__ import annotations

import csv
import re

import pytest

from royaltycli.errors import ManifestError
from royaltycli.manifest.identifiers import encode_value, source_id
from royaltycli.manifest.parties import HOLDER_KEYS
from royaltycli.manifest.reading import CORPUS_KEYS, read_manifest
from royaltycli.manifest.sources import COLLECTION_KEYS, SOURCE_KEYS
from tests.docs.pages import ROOT
from tests.docs.tables import code, rows_under

PAGE = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
TABLES = {"Corpus": CORPUS_KEYS, "Source": SOURCE_KEYS, "Collection": COLLECTION_KEYS, "Holder": HOLDER_KEYS}
LEAST = {
    "Corpus": {},
    "Source": {"id": 'id = "s"', "path": 'path = "a.txt"'},
    "Collection": {"id": 'id = "c"', "path": 'path = "a.jsonl"', "source": 'source = "author"'},
    "Holder": {"id": 'id = "h"'},
}


def documented(heading):
    return {code(row[0])[0]: row for row in rows_under(PAGE, f"## {heading}")}


def manifest(heading, lines):
    """A manifest with one such table, and a source if that is none."""
    header = "[corpus]" if heading == "Corpus" else f"[[{heading.lower()}]]"
    source = "" if heading == "Source" else '[[source]]\nid = "other"\npath = "b.txt"\n'
    return "\n".join([header, *lines.values(), source])


@pytest.mark.parametrize("heading", TABLES)
def test_the_keys_are_those_of_the_reader(heading):
    assert list(documented(heading)) == list(TABLES[heading])


@pytest.mark.parametrize(("heading", "key"), [(heading, key) for heading, keys in TABLES.items() for key in keys])
def test_every_example_is_taken(folder, heading, key):
    (example,) = code(documented(heading)[key][-1])
    lists = {"essays.csv": "id,path\nlisted,c.txt\n", "people.csv": "id\nann\n", "bodies.jsonl": [{"id": "press"}]}
    place = folder({"corpus.toml": manifest(heading, {**LEAST[heading], key: example}), **lists})
    _, problems = read_manifest(place / "corpus.toml")
    assert problems == []


@pytest.mark.parametrize("heading", LEAST)
def test_required_means_required(folder, heading):
    """A table with only the required keys is taken, and one that lacks any of them is refused."""
    required = [key for key, row in documented(heading).items() if row[1].endswith("; required")]
    assert required == list(LEAST[heading])
    for left_out in (None, *required):
        keys = {key: line for key, line in LEAST[heading].items() if key != left_out}
        _, problems = read_manifest(folder({"corpus.toml": manifest(heading, keys)}) / "corpus.toml")
        assert bool(problems) == (left_out is not None)


def test_the_manifest_shown_first_is_taken(folder):
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    corpus, problems = read_manifest(folder({"corpus.toml": shown}) / "corpus.toml")
    assert (problems, [source.id for source in corpus.sources], corpus.collections[0].id) == (
        [],
        ["quantum-textbook"],
        "microposts",
    )


def test_the_list_shown_is_taken(folder):
    lines = re.findall(r"^    (.+)$", PAGE[PAGE.index("## List files") :], re.MULTILINE)[:2]
    assert next(csv.reader(lines)) == ["id", "title", "path", "holders", "license", "epochs"]
    files = {"list.csv": "\n".join(lines), "corpus.toml": '[corpus]\nsources = "list.csv"\n'}
    corpus, problems = read_manifest(folder(files) / "corpus.toml")
    assert (problems, corpus.sources[0].id, len(corpus.sources[0].holders)) == ([], "essay-maps", 2)


def test_the_ids_are_as_shown():
    rows = rows_under(PAGE, "## Ids")
    assert len(rows) > 5
    for value, source, holder in rows:
        assert (source_id("microposts", value.strip("`")), encode_value(value.strip("`"))) == (
            source.strip("`"),
            holder.strip("`"),
        )


def test_a_key_that_is_not_documented_would_be_refused(folder):
    files = {"corpus.toml": '[[source]]\nid = "s"\npath = "a.txt"\ncolour = "red"\n', "a.txt": ""}
    _, problems = read_manifest(folder(files) / "corpus.toml")
    with pytest.raises(ManifestError, match="unknown key 'colour'"):
        raise ManifestError(problems)
