"""What `royalty init` writes: a manifest that loads as it stands, whatever lies in the folder."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from royaltycli.corpus.files import find_files
from royaltycli.errors import CallError
from royaltycli.manifest.reading import read_manifest
from royaltycli.manifest.starter import starter
from tests.conftest import packed

EXPECTED = """\
# What a model was trained on, source by source. Paths are relative to this file.
# `royalty check` says whether it is right; `royalty scan` counts the tokens of every source.

[corpus]
name = "{name}"
encoding = "o200k_base"        # or r50k_base, cl100k_base, or the path of a tokenizer.json
# train_tokens = "300e9"       # the size of the whole training run, if this is only a part of it

[[source]]
id = "a-book"
path = "books/A Book.txt"

[[collection]]
id = "posts"
path = "posts.jsonl.zst"
text = "text"    # the field that holds the text
source = "author"    # the field whose value names the source
holder = "author"    # the field whose value names the holder

# What else a [[source]] or [[collection]] may say:
#
#   title = "Quantum Mechanics, a Short Course"      # of a source
#   holder = "a-rao"                                 # who is paid; in a collection, the field that names them
#   holders = [{{ id = "a-rao", share = "70%" }}, {{ id = "press", share = "30%" }}]
#   license = "CC-BY-4.0"
#   epochs = 1.5                                     # how often training saw it; 1 unless stated
#
# Names and numbers of holders, which must stand outside of any source:
#
#   [[holder]]
#   id = "a-rao"
#   name = "Asha Rao"
#   orcid = "0000-0002-1825-0097"                    # or isni, ipi
"""


def loaded(root):
    """The starter of a folder, as tables; what it says must hold, and every document be in it."""
    text, _ = starter(root)
    Path(root, "corpus.toml").write_text(text, encoding="utf-8")
    corpus, problems = read_manifest(root / "corpus.toml")
    found = find_files(corpus)
    assert problems + found.problems == []
    Path(root, "corpus.toml").unlink()
    return tomllib.loads(text), [file.name for file in found.files]


def test_a_starter_as_it_is_written(folder):
    root = folder({"books/A Book.txt": "", "posts.jsonl.zst": [{"author": "maya", "text": "hi"}], "notes.pdf": ""})
    assert starter(root)[0] == EXPECTED.format(name=root.name)
    assert loaded(root)[1] == ["books/A Book.txt", "posts.jsonl.zst"]


def test_its_comments_are_right_too(folder):
    root = folder({"a.txt": ""})
    lines = starter(root)[0].splitlines()
    at = lines.index("# What else a [[source]] or [[collection]] may say:")
    more = "\n".join(
        line.removeprefix("#")
        for line in lines[at + 1 :]
        if (line.startswith(("#   ", "#")) and "=" in line) or "[[" in line
    )
    more = more.replace('   holder = "a-rao" ', "   # ")
    Path(root, "corpus.toml").write_text('[[source]]\nid = "a"\npath = "a.txt"\n' + more)
    corpus, problems = read_manifest(root / "corpus.toml")
    assert problems == []
    assert [(holder.id, holder.name) for holder in corpus.holders] == [("a-rao", "Asha Rao"), ("press", "press")]


def test_many_files_of_one_kind_are_one_source(folder):
    root = folder({f"essays/{number // 9}/{number}.md": "" for number in range(13)} | {"essays/x.txt": ""})
    tables, names = loaded(root)
    assert tables["source"] == [{"id": "essays", "path": "essays/**/*.md"}, {"id": "x", "path": "essays/x.txt"}]
    assert len(names) == 14


def test_files_of_rows_in_one_folder_are_one_collection(folder):
    rows = [{"Body": "text", "Site": "example.org", "n": 1}]
    root = folder({"news/[1]/a.jsonl": rows, "news/[1]/b.jsonl": rows, "news/c.jsonl": rows})
    tables, names = loaded(root)
    assert tables["collection"] == [
        {"id": "1", "path": "news/[[]1]/*.jsonl", "text": "Body", "source": "Site"},
        {"id": "c", "path": "news/c.jsonl", "text": "Body", "source": "Site"},
    ]
    assert names == ["news/[1]/a.jsonl", "news/[1]/b.jsonl", "news/c.jsonl"]


def test_rows_that_name_no_source_are_a_source(folder):
    root = folder(
        {"a.jsonl": [{"n": 1, "short": "x", "long": "x" * 90}], "b.jsonl": "", "c.jsonl": "{", "d.jsonl": "[]\n"}
    )
    tables, _ = loaded(root)
    assert tables["source"] == [
        {"id": "a", "path": "a.jsonl", "text": "long"},
        {"id": "b", "path": "b.jsonl", "text": "text"},
        {"id": "c", "path": "c.jsonl", "text": "text"},
        {"id": "d", "path": "d.jsonl", "text": "text"},
    ]


@pytest.mark.parametrize(
    ("names", "source", "holder"),
    [
        (("source", "author"), "source", None),
        (("author", "publisher"), "author", "author"),
        (("url", "User"), "User", "User"),
        (("source", "Rights_Holder", "author"), "source", "Rights_Holder"),
    ],
)
def test_a_holder_is_guessed_where_a_source_has_but_one(folder, names, source, holder):
    """Of a source that several authors write for, the documents would name several holders, which no scan takes."""
    tables, _ = loaded(folder({"a.jsonl": [{"text": "x", **dict.fromkeys(names, "y")}]}))
    (made,) = tables["collection"]
    assert (made["source"], made.get("holder")) == (source, holder)


def test_columns_of_parquet(folder):
    root = folder({"broken.parquet": "PAR1"})
    pq.write_table(pa.table({"id": [1], "publisher": ["p"], "content": ["c"]}), root / "news.parquet")
    pq.write_table(pa.table({"id": [1]}), root / "tokens.parquet")  # a scan's own result
    tables, _ = loaded(root)
    assert tables["collection"] == [
        {"id": "news", "path": "news.parquet", "text": "content", "source": "publisher", "holder": "publisher"}
    ]
    assert tables["source"] == [{"id": "broken", "path": "broken.parquet", "text": "text"}]


def test_ids_are_valid_and_unique(folder):
    root = folder(
        dict.fromkeys(
            [
                "a/Übung 1.txt",
                "b/übung-1.md",
                "c/übung_1.txt",
                "c/—.txt",
                "c/-=.txt",
                "c/a-2.txt",
                "c/a.txt",
                "d/a.txt",
            ],
            "",
        )
    )
    tables, _ = loaded(root)
    assert [source["id"] for source in tables["source"]] == [
        "übung-1", "übung-1-2", "source", "a-2", "a", "übung_1", "source-2", "a-3",
    ]  # fmt: skip


def test_a_link_to_another_document_is_not_a_second_source(folder):
    root = folder({f"a/{number}.txt": "" for number in range(13)} | {"b/x.txt": ""})
    Path(root, "a", "link.txt").symlink_to("../b/x.txt")
    Path(root, "a", "out.txt").symlink_to("/etc/hosts")
    os.mkfifo(root / "a" / "pipe.txt")
    tables, names = loaded(root)
    assert [type(source["path"]) for source in tables["source"]] == [list]
    assert len(names) == 14


def test_a_folder_without_documents(folder):
    root = folder({"a.pdf": "", ".hidden.txt": "", "tokens.parquet": ""})
    with pytest.raises(CallError) as caught:
        starter(root)
    endings = ".txt .md .html .htm .jsonl .ndjson .parquet .warc .wet, each plain or with .gz or .zst"
    assert str(caught.value) == f"'{root}' holds no documents; they end in {endings}"


@pytest.mark.parametrize("name", ["no", "a.txt"])
def test_no_folder(folder, name):
    path = folder({"a.txt": ""}) / name
    with pytest.raises(CallError) as caught:
        starter(path)
    assert str(caught.value) == f"'{path}' is no folder; name one that holds documents"


NAMES = st.text(st.sampled_from("aB1 .-_[]*?{}\"'\\#=@%é書\u0301\u2028\x07~"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
ENDINGS = st.sampled_from([".txt", ".TXT", ".md", ".html.gz", ".jsonl", ".jsonl.gz", ".parquet", ".pdf"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60, deadline=None
)
@given(
    st.sets(
        st.tuples(st.lists(NAMES, max_size=2), NAMES, ENDINGS).map(
            lambda path: "/".join([*path[0], path[1] + path[2]])
        ),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_the_names_it_loads_and_misses_nothing(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("corpus")
    written = set()
    for name in names:
        path = root / name
        if not any(parent.is_file() for parent in path.parents) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed("", path.suffix))
            written.add(name)
    readable = {
        name for name in written if not name.endswith(".pdf") and not any(char in name for char in "\u2028\x07")
    }
    expected = {name for name in readable if not any(part.startswith(".") for part in name.split("/"))}
    try:
        assert set(loaded(root)[1]) == expected
    except CallError:
        assert not expected


def test_web_archives(folder):
    tables, names = loaded(folder({"crawl/a.warc.wet.gz": "", "crawl/b.warc.wet.gz": "", "crawl/c.warc.wat.gz": ""}))
    assert tables["collection"] == [{"id": "crawl", "path": "crawl/*.wet.gz", "format": "warc"}]
    assert len(names) == 2


def test_the_splits_of_a_dataset_folder(folder):
    row = [{"text": "x", "author": "a"}]
    shards = [f"data/{split}-0000{n}-of-00002.jsonl" for split in ("train", "test_x") for n in range(2)]
    tables, names = loaded(folder(dict.fromkeys(shards, row)))
    said = {"text": "text", "source": "author", "holder": "author"}
    assert tables["collection"] == [
        {"id": "data-test_x", "path": "data/test_x-*-of-*.jsonl", **said},
        {"id": "data-train", "path": "data/train-*-of-*.jsonl", **said},
    ]
    assert len(names) == 4


@pytest.mark.parametrize(
    ("row", "preset"),
    [
        ({"text": "x", "id": "1", "dump": "d", "url": "https://a.example", "file_path": "s3"}, "fineweb"),
        ({"text": "x", "meta": {"pile_set_name": "Pile-CC"}}, "pile"),
        ({"id": "1", "text": "x", "source": "peS2o", "added": "2023"}, "dolma"),
        ({"hexsha": "0", "content": "x", "max_stars_repo_name": "a/b"}, "the-stack"),
        ({"id": "0", "content": "x", "max_stars_repo_name": "a/b"}, "starcoder"),
        ({"text": "x", "meta": {"url": "https://a.example"}, "red_pajama_subset": "c4"}, "redpajama"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_published_datasets_are_known_by_their_fields(folder, row, preset, kind):
    root = folder({"a.jsonl": [row]} if kind == "jsonl" else {})
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist([row]), root / "a.parquet")
    assert loaded(root)[0]["collection"] == [{"id": "a", "path": f"a.{kind}", "format": preset}]


def test_fields_with_names_that_are_quoted(folder):
    tables, _ = loaded(folder({"a.jsonl": [{"a.b": "x" * 90, "url": "https://a.example"}]}))
    assert tables["collection"] == [{"id": "a", "path": "a.jsonl", "text": '"a.b"', "source": "domain(url)"}]
