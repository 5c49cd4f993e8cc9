"""How a manifest writes which field is meant, and how documents name their sources."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.manifest.model import Naming
from royaltycli.manifest.naming import field_text, parse_field
from royaltycli.manifest.presets import PRESETS, preset

HEAD = '[[collection]]\nid = "c"\npath = "a.jsonl"\n'
FILES = {"a.jsonl": [{"text": "x"}]}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("author", Naming(("author",))),
        ("Author Name", Naming(("Author Name",))),
        (" author ", Naming(("author",))),
        ("meta.repo.name", Naming(("meta", "repo", "name"))),
        ('"meta.repo"', Naming(("meta.repo",))),
        ('meta."a.b".c', Naming(("meta", "a.b", "c"))),
        ('"a ""b"""', Naming(('a "b"',))),
        ('"domain(url)"', Naming(("domain(url)",))),
        ("domain(url)", Naming(("url",), "domain")),
        ("host( meta.url )", Naming(("meta", "url"), "host")),
        ('folder("a)b")', Naming(("a)b",), "folder")),
        ("'The Wikipedia'", Naming(fixed="The Wikipedia")),
        ("'author'", Naming(fixed="author")),
        ("'it''s'", Naming(fixed="it's")),
    ],
)
def test_what_is_written_is_meant(read, written, expected):
    toml = json.dumps(written)
    assert read(f"{HEAD}source = {toml}", FILES).collections[0].source == expected


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_every_field_can_be_written(names):
    assert parse_field(field_text(tuple(names))) == tuple(names)


FORM = (
    "write it such as author or meta.repo; "
    "a name that holds a point, a bracket or a quotation mark stands in double quotation marks"
)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('source = "a..b"', f"corpus.toml:4: collection 'c': source 'a..b' is not written as a field; {FORM}"),
        ('source = ".a"', f"corpus.toml:4: collection 'c': source '.a' is not written as a field; {FORM}"),
        ("source = '\"a'", f"corpus.toml:4: collection 'c': source '\"a' is not written as a field; {FORM}"),
        ("source = \"'a\"", f"corpus.toml:4: collection 'c': source \"'a\" is not written as a field; {FORM}"),
        ('source = "domain()"', f"corpus.toml:4: collection 'c': source '' is not written as a field; {FORM}"),
        ('source = "domain(host(a))"', f"corpus.toml:4: collection 'c': source 'host(a)' is not written as a field; {FORM}"),
        ('source = "a"\ntext = "(x"', f"corpus.toml:5: collection 'c': text '(x' is not written as a field; {FORM}"),
        ('source = "domian(url)"', "corpus.toml:4: collection 'c': source has the unknown function 'domian'; did you mean 'domain'?"),
        ('source = "upper(url)"', "corpus.toml:4: collection 'c': source has the unknown function 'upper'; the functions are domain, host, folder"),
        (
            "source = \"a\"\nholder = \"'press'\"",
            "corpus.toml:5: collection 'c': holder is a fixed value; write holders = [\"press\"] for the same holder everywhere",
        ),
        ('source = "a"\nlists = "all"', "corpus.toml:5: collection 'c': unknown lists 'all'; the choices are split, first, joint"),
        ('source = "a"\nsplit = "a b"', "corpus.toml:5: collection 'c': split 'a b' is no word; write it such as split = \"train\""),
        ('source = "a"\nformat = "warc"\ntext = "b"', "corpus.toml:6: collection 'c': a record of a web archive has no field that holds the text; leave text out"),
        (
            'format = "warc"\nsource = "a.b"',
            "corpus.toml:5: collection 'c': the headers of a web archive hold no other fields; write it such as domain(WARC-Target-URI)",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_a_wrong_naming(complaints, keys, expected):
    files = FILES if "split" not in keys else {}
    assert expected in complaints(HEAD + keys, files)


# -- presets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_set_of_keys_that_the_manifest_overrides(read, name):
    files = {"a.json.gz": [{"x": 1}], "dataset_infos.json": "{}", "README.md": "About."}
    head = f'[[collection]]\nid = "c"\npath = "."\nformat = "{name}"\n'
    by_name = read(head, files).collections[0]
    by_keys = read(
        HEAD.replace("a.jsonl", ".") + "".join(f"{key} = {value!r}\n" for key, value in preset(name).items())
    )
    assert (by_name.source, by_name.reading.text) == (
        by_keys.collections[0].source,
        by_keys.collections[0].reading.text,
    )
    other = read(head + 'text = "body"\nsource = "by"', files).collections[0]
    assert (other.source, other.reading.text) == (Naming(("by",)), ("body",))


def test_every_preset_says_where_it_comes_from():
    import tomllib
    from importlib.resources import files

    data = tomllib.loads(files("royaltycli.manifest").joinpath("presets.toml").read_text(encoding="utf-8"))
    assert tuple(data) == PRESETS
    for said in data.values():
        assert said["address"].startswith("https://")
        assert said["seen"]
        assert {"text", "source"} <= set(said)


# -- dataset folders ---------------------------------------------------------------------------------------


def files_of(read, keys, *names):
    from royaltycli.corpus.files import find_files

    corpus = read(f'[[collection]]\nid = "c"\nsource = "by"\n{keys}', dict.fromkeys(names, ""))
    found = find_files(corpus)
    assert found.problems == []
    return [file.name for file in found.files], list(found.skipped)


def test_a_dataset_folder(read):
    names = ["README.md", "dataset_infos.json", "data/train-00000-of-00001.parquet", "data/x.json.gz", "data/y.jsonl"]
    taken, passed = files_of(read, 'format = "fineweb"\npath = "d"', *(f"d/{name}" for name in names))
    assert taken == ["d/data/train-00000-of-00001.parquet", "d/data/x.json.gz", "d/data/y.jsonl"]
    assert passed == ["d/README.md", "d/dataset_infos.json"]


@pytest.mark.parametrize(
    ("split", "names", "expected"),
    [
        ("train", ["data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"], [0]),
        ("train", ["data/train-00000-of-00001.parquet", "data/train_sft-00000-of-00001.parquet"], [0]),
        ("train_sft", ["data/train-00000-of-00001.parquet", "data/train_sft-00000-of-00001.parquet"], [1]),
        ("train", ["training/a.jsonl", "dev/a.jsonl", "a-train.jsonl", "trainer.jsonl"], [0, 2]),
        ("validation", ["dev.jsonl", "my_val_2.jsonl", "train.jsonl"], [0, 1]),
        ("test", ["train/eval.jsonl", "train/b.jsonl"], [0]),
        ("train", ["a.jsonl", "b/c.parquet"], [0, 1]),
    ],
)
def test_the_files_of_a_split(read, split, names, expected):
    names = [f"train-set/{name}" for name in names]
    taken, _ = files_of(read, f'path = "train-set"\nsplit = "{split}"', *names)
    assert sorted(taken) == sorted(names[at] for at in expected)


def test_a_split_that_is_not_there(complaints):
    text = '[[collection]]\nid = "c"\npath = "d"\nsource = "by"\nsplit = "test"'
    said = "corpus.toml:1: collection 'c': folder 'd' has no split 'test', only 'train.jsonl', 'val.jsonl'; "
    mend = "name a split that is there, or the files by a pattern"
    assert complaints(text, {"d/train.jsonl": "", "d/val.jsonl": ""}) == [said + mend]
    text = '[[collection]]\nid = "c"\npath = "d/*"\nsource = "by"\nsplit = "train"'
    assert complaints(text, {"d/train.jsonl": ""}) == [
        "corpus.toml:1: collection 'c': split is one of a folder, but 'd/*' is a pattern; leave split out"
    ]
    text = '[[collection]]\nid = "c"\npath = ["d/train.jsonl", "e"]\nsource = "by"\nsplit = "train"'
    assert complaints(text, {"d/train.jsonl": "", "e/train.jsonl": "", "e/test.jsonl": ""}) == [
        "corpus.toml:1: collection 'c': split is one of a folder, but 'd/train.jsonl' is a file; leave split out"
    ]
