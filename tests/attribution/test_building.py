"""Rules U1 to U3: an index is whole or not at all, goes on where it was, and notices every bit that changes."""

from __future__ import annotations

import errno
import json
import os
import shutil

import numpy as np
import pyarrow as pa
import pytest

from royaltycli import attributing
from royaltycli.attribution import building, folder
from royaltycli.attribution.calibration import read_calibration
from royaltycli.attribution.folder import MACHINE
from royaltycli.attribution.folds import FOLDS
from royaltycli.attribution.index import open_index
from royaltycli.errors import AttributionError, OutputError
from royaltycli.notes import written
from tests.attribution.conftest import prose


def files(place):
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def logged(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"id": 1, "text": "river stone"}', encoding="utf-8")
    return tmp_path / "log.jsonl"


@pytest.fixture
def index(copied):
    return copied(
        {name: {f"{n}.txt": prose(10 * seed + n) for n in range(3)} for seed, name in enumerate(("ann", "bob"))}
    )


def test_the_same_corpus_gives_the_same_bytes(index, tmp_path):
    attributing.index(tmp_path, tmp_path / "again")
    assert files(tmp_path / "again") == files(index.path)


@pytest.mark.parametrize(
    ("gone", "half"),
    [
        ("index.json", "units.parquet"),
        ("calibration.json", "machine-weights.npy"),
        ("models/*/part.json", "text.npy"),
        ("read/*/part.json", "tokens.npy"),
    ],
)
def test_a_build_that_was_broken_off_goes_on_to_the_same_index(index, tmp_path, gone, half):
    """What is written last of each part is what says that it is whole; a file half-written beside it goes."""
    whole = files(index.path)
    for path in index.path.glob(gone):
        path.unlink()
        path.with_name(f".{half}.0123456789ab.partial").write_bytes(b"half")
    attributing.index(tmp_path, index.path)
    assert files(index.path) == whole


def test_only_what_has_changed_is_read_again(index, tmp_path):
    assert attributing.index(tmp_path, index.path).new == 0
    (tmp_path / "ann" / "0.txt").write_text(prose(99), encoding="utf-8")
    before = set(index.about["read"])
    assert attributing.index(tmp_path, index.path).new == 1
    assert before.isdisjoint(open_index(index.path).about["read"])
    assert {path.name for path in (index.path / "read").iterdir()} == set(open_index(index.path).about["read"])


def test_every_file_is_under_its_digest(index):
    listed = set(index.about["digests"]) | {"index.json", "calibration.json", "calibration-prior.npy", *MACHINE}
    assert set(files(index.path)) == listed


def test_a_changed_bit_is_found(index):
    for name in index.about["digests"]:
        path = index.path / name
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(AttributionError, match="is missing or damaged"):
            open_index(index.path)
        path.write_bytes(good)
    open_index(index.path)


@pytest.mark.parametrize("name", ["calibration.json", "calibration-prior.npy"])
def test_a_changed_calibration_is_found(index, name):
    data = bytearray((index.path / name).read_bytes())
    data[-20] ^= 1
    (index.path / name).write_bytes(data)
    with pytest.raises(AttributionError, match="is missing or damaged"):
        read_calibration(index)


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.EMFILE, OSError, "Too many open files"),
        (
            errno.EACCES,
            AttributionError,
            r"cannot be read \(permission denied\); mend that, and run the command again$",
        ),
        (errno.ENOENT, AttributionError, "is missing or damaged; run `royalty index` again$"),
    ],
)
@pytest.mark.parametrize("door", ["pathlib.Path.read_text", "numpy.load", "pathlib.Path.open"])
def test_only_what_is_missing_or_wrong_is_damaged(index, monkeypatch, door, number, kind, said):
    def refuse(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    (models,) = (index.path / "models").iterdir()
    calls = {
        "pathlib.Path.read_text": lambda: folder.read_json(index.path / "index.json"),
        "numpy.load": lambda: folder.load(models, "text"),
        "pathlib.Path.open": lambda: folder.check_digests(index.path, index.about["digests"]),
    }
    assert (models / "text.npy").is_file()
    monkeypatch.setattr(door, refuse)
    with pytest.raises(kind, match=said):
        calls[door]()


def test_what_was_damaged_is_made_anew(index, tmp_path):
    """And is never taken for good because it is there."""
    whole = files(index.path)
    for path in [*index.path.glob("*/*/*"), index.path / "calibration.json", index.path / "calibration-prior.npy"]:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    attributing.index(tmp_path, index.path)
    assert files(index.path) == whole


def test_a_corpus_that_has_lost_its_text_leaves_the_index_as_it_is(index, tmp_path):
    whole = files(index.path)
    for path in tmp_path.glob("*/*.txt"):
        path.write_text("", encoding="utf-8")
    with pytest.raises(AttributionError, match="leads to no text"):
        attributing.index(tmp_path, index.path)
    assert files(index.path) == whole


def test_a_build_that_is_interrupted_says_that_the_next_one_goes_on(index, tmp_path, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    (tmp_path / "ann" / "0.txt").write_text(prose(99), encoding="utf-8")
    monkeypatch.setattr(building, "calibrate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        attributing.index(tmp_path, index.path)
    assert written() == building.KEPT


@pytest.mark.parametrize("name", ["index.json", "calibration.json", "models/*/part.json"])
def test_a_list_that_is_nested_without_end_is_damaged_and_made_anew(index, tmp_path, name):
    whole = files(index.path)
    (place,) = index.path.glob(name)
    place.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(AttributionError, match="damaged"):
        attributing.attribute(logged(tmp_path), index=index.path)
    attributing.index(tmp_path, index.path)
    assert files(index.path) == whole


@pytest.mark.parametrize("part", ["read", "models"])
def test_what_others_put_beside_the_files_of_a_part_is_none_of_them(index, tmp_path, part):
    (place,) = (index.path / part).iterdir()
    (place / "folder").mkdir()
    (place / ".DS_Store").write_bytes(b"one")
    attributing.index(tmp_path, index.path)
    (place / ".DS_Store").write_bytes(b"two")
    assert attributing.attribute(logged(tmp_path), index=index.path).outputs == 1


def test_documents_of_several_sources_are_a_unit_of_their_own(tmp_path):
    rows = [{"text": prose(1), "by": ["ann", "bob"]}, {"text": prose(2), "by": ["ann"]}]
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    manifest = '[[collection]]\nid = "posts"\npath = "posts.jsonl"\nsource = "by"\nholder = "by"\nlists = "split"\n'
    (tmp_path / "corpus.toml").write_text(manifest, encoding="utf-8")
    attributing.index(tmp_path, tmp_path / "index")
    index = open_index(tmp_path / "index")
    named = {tuple(index.source_ids[source] for source in unit.sources) for unit in index.units}
    assert named == {("posts/ann", "posts/bob"), ("posts/ann",)}


def test_copies_make_one_unit_of_their_sources_the_earliest_first(corpus):
    text = prose(1)
    index = corpus({"eve": {"a.txt": text}, "ann": {"b.txt": text, "c.txt": prose(2)}})
    named = {tuple(index.source_ids[source] for source in unit.sources): unit.earliest for unit in index.units}
    assert named == {("eve", "ann"): 1, ("ann",): 1}
    assert index.tokens == sum(index.sizes) < 2 * len(text)


def test_rule_u3_units_are_sources_in_the_order_of_the_corpus_and_copies_have_no_tokens():
    """Of two shards; the second and the third document are copies of the first, whose two sources come first."""
    rows = [(["d", "b"], 10), (["a"], 11), (["b", "c"], 12), (["b", "d"], 5), (["b"], 6), (["b"], 7)]
    columns = {"sources": [sources for sources, _ in rows], "tokens": [tokens for _, tokens in rows]}
    sketches = np.array([0, 0, 0, 1, 2, 3], np.uint32)[:, None] * 64 + np.arange(64, dtype=np.uint32)
    table = pa.table(columns)
    grouped = building._group([table[:2], table[2:]], [sketches[:2], sketches[2:]])
    assert grouped.sources == ["a", "b", "c", "d"]
    assert grouped.units == [((3, 1, 0, 2), 2), ((1, 3), 2), ((1,), 1)]
    assert grouped.unit.tolist() == [0, 0, 0, 1, 2, 2]
    assert grouped.kept.tolist() == [True, False, False, True, True, True]
    assert grouped.sizes.tolist() == [10, 5, 13]


@pytest.mark.parametrize("beside", [" \n", "By Ann Lee. All rights reserved."])
def test_a_document_that_is_nearly_all_of_its_unit_is_cut_into_folds(corpus, beside):
    """Rule U19: a book with an empty file beside it, or a title page, is cut as one that is alone."""
    index = corpus({"one": {"book.txt": prose(1), "page.txt": beside}, "two": {"a.txt": prose(2), "b.txt": prose(3)}})
    for weights in index.weights.values():
        assert [np.count_nonzero(folds) for folds in weights] == [FOLDS, 2]


def test_nothing_of_others_is_touched(index, tmp_path):
    (index.path / "models" / "mine").mkdir()
    (index.path / "models" / "mine" / "weights.bin").write_bytes(b"mine")
    attributing.index(tmp_path, index.path)
    assert (index.path / "models" / "mine" / "weights.bin").read_bytes() == b"mine"
    (index.path / ".DS_Store").write_bytes(b"hidden")
    shutil.copy(tmp_path / "corpus.toml", index.path / "corpus.toml")
    with pytest.raises(OutputError, match=r"holds corpus\.toml, which is of no index"):
        attributing.index(tmp_path, index.path)
