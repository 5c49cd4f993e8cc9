"""Rule C10: what was counted before is not counted again, and the table is that of a scan that counts everything."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import royaltycli
from royaltycli import api, scanning
from royaltycli.cli import console
from royaltycli.corpus import shards
from royaltycli.errors import DocumentError, OutputError, TableError
from royaltycli.manifest import patterns
from royaltycli.tokens import engines, partials, plan, shardwork
from royaltycli.tokens.encodings import find_encoding
from royaltycli.tokens.partials import folder_of, settings_of
from royaltycli.tokens.recall import tables_in
from tests import strategies

MANIFEST = """
[[source]]
id = "book"
path = "book"
[[source]]
id = "page"
path = "page.html"
[[collection]]
id = "posts"
path = "posts"
source = "author"
"""

CORPUS = {
    "corpus.toml": MANIFEST,
    "book/a.txt": "One day.",
    "book/b.md.gz": "# Another day",
    "page.html": "<p>Some <b>day</b></p>",
    "posts/a.jsonl": [{"author": author, "text": f"hello {author}", "by": "x"} for author in "abcab"],
    "posts/b.jsonl.zst": [{"author": "a", "text": "hello again", "by": "y"}],
}


@pytest.fixture
def place(folder):
    return folder(CORPUS)


def scan(place, **options):
    output = place / "tokens.parquet"
    royaltycli.scan(place, output=output, **options)
    return output.read_bytes()


def anew(place):
    """The table of a scan that knows of nothing before, of the same corpus."""
    output = place / "anew.parquet"
    royaltycli.scan(place, output=output)
    data = output.read_bytes()
    output.unlink()
    shutil.rmtree(folder_of(output))
    return data


def planned(place, **options):
    return scanning.plan_opened(api.check(place), folder_of(place / "tokens.parquet"), **options)


def reasons(place, **options):
    """Why each file is counted or not."""
    return {one.piece.file.name: one.why for one in planned(place, **options).pieces}


def engine_of(place, **options):
    """Which engine a scan says has counted."""
    return scanning.run_planned(planned(place, **options), place / "tokens.parquet").engine


def other(reasons, usual):
    return {name: why for name, why in reasons.items() if why != usual}


def tables_of(place):
    """The partial tables beside the token table."""
    return tables_in(folder_of(place / "tokens.parquet"))


def counted_by(monkeypatch):
    """The names of the files that are counted from now on."""
    names, count = [], shardwork.count_shard

    def noted(shard, *rest):
        names.extend(piece.file.name for piece in shard.pieces)
        return count(shard, *rest)

    monkeypatch.setattr(shardwork, "count_shard", noted)
    return names


OPENED = """
import os, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import royaltycli
royaltycli.scan(sys.argv[1], output=sys.argv[1] + "/tokens.parquet", workers=int(sys.argv[2]))
here = os.path.realpath(sys.argv[1])
print(sorted({os.path.relpath(path, here) for path in opened if path.startswith(here) and "tokens" not in path[len(here):]}))
"""


def opened_by_a_scan(place, workers="1"):
    line = [sys.executable, "-c", OPENED, str(place), workers]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def test_a_corpus_that_has_not_changed_is_not_read(place):
    assert "book/a.txt" in opened_by_a_scan(place)
    first = (place / "tokens.parquet").read_bytes()
    assert opened_by_a_scan(place) == "['corpus.toml']"
    assert (place / "tokens.parquet").read_bytes() == first


def test_a_new_a_changed_and_a_removed_file_cost_only_themselves(place, monkeypatch):
    scan(place)
    (place / "book" / "a.txt").write_text("One night.", encoding="utf-8")
    (place / "book" / "c.txt").write_text("New.", encoding="utf-8")
    (place / "posts" / "b.jsonl.zst").unlink()
    assert other(reasons(place), plan.UNCHANGED) == {"book/a.txt": plan.TOUCHED, "book/c.txt": plan.NEW}
    counted = counted_by(monkeypatch)
    table = scan(place)
    assert counted == ["book/a.txt", "book/c.txt"]
    assert table == anew(place)


def test_a_file_that_was_only_touched_is_read_but_not_counted(place, monkeypatch):
    first = scan(place)
    os.utime(place / "book" / "a.txt", (1, 1))
    assert other(reasons(place), plan.UNCHANGED) == {"book/a.txt": plan.TOUCHED}
    counted = counted_by(monkeypatch)
    assert scan(place) == first
    assert counted == []
    assert set(reasons(place).values()) == {plan.UNCHANGED}


def test_a_corpus_that_was_copied_is_read_but_not_counted(place, monkeypatch, tmp_path_factory):
    first = scan(place)
    copy = tmp_path_factory.mktemp("copy") / "corpus"
    shutil.copytree(place, copy)
    assert set(reasons(copy).values()) == {plan.TOUCHED}
    counted = counted_by(monkeypatch)
    assert scan(copy) == first
    assert counted == []


def test_a_change_that_shows_in_neither_size_nor_time_is_found_by_rehash(place, monkeypatch):
    monkeypatch.setattr(patterns, "stamp_of", lambda status: (status.st_mtime_ns, 2, 3))
    first, was = scan(place), (place / "book" / "a.txt").stat().st_mtime_ns
    (place / "book" / "a.txt").write_text("One dog.", encoding="utf-8")
    os.utime(place / "book" / "a.txt", ns=(was, was))
    assert scan(place) == first
    assert set(reasons(place, rehash=True).values()) == {plan.AGAIN}
    counted = counted_by(monkeypatch)
    assert scan(place, rehash=True) == anew(place) != first
    assert counted[:1] == ["book/a.txt"]


def test_a_change_that_shows_in_the_size_alone_is_seen(place, monkeypatch):
    monkeypatch.setattr(patterns, "stamp_of", lambda status: (status.st_mtime_ns, 2, 3))
    first, was = scan(place), (place / "book" / "a.txt").stat().st_mtime_ns
    (place / "book" / "a.txt").write_text("One day and a night.", encoding="utf-8")
    os.utime(place / "book" / "a.txt", ns=(was, was))
    assert other(reasons(place), plan.UNCHANGED) == {"book/a.txt": plan.TOUCHED}
    assert scan(place) == anew(place) != first


def test_a_partial_table_is_read_once_for_all_the_files_in_it(place, monkeypatch):
    scan(place)
    read, rows_in = [], shardwork.rows_in
    monkeypatch.setattr(shardwork, "rows_in", lambda path: read.append(path) or rows_in(path))
    scan(place, rehash=True)
    assert len(read) == len(set(read)) == 1


def test_fresh_counts_everything(place, monkeypatch):
    first = scan(place)
    assert set(reasons(place, fresh=True).values()) == {plan.NEW}
    counted = counted_by(monkeypatch)
    assert scan(place, fresh=True) == first
    assert len(counted) == 5


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        ('id = "page"', 'id = "page"\nstrip = "html"', ["page.html"]),
        ('id = "page"', 'id = "page"\nerrors = "replace"', ["page.html"]),
        ('id = "page"', 'id = "page"\nformat = "text"', ["page.html"]),
        ('source = "author"', 'source = "by"', ["posts/a.jsonl", "posts/b.jsonl.zst"]),
        ('source = "author"', 'source = "author"\nholder = "author"', ["posts/a.jsonl", "posts/b.jsonl.zst"]),
        ('source = "author"', 'source = "author"\ntext = "by"', ["posts/a.jsonl", "posts/b.jsonl.zst"]),
        ('source = "author"', 'source = "author"\nholders = [{ id = "a", share = 1 }]\nepochs = 2', []),
        ('id = "book"', 'id = "library"\ntitle = "A title"\nlicense = "MIT"', []),
        ("[[source]]", '[[source]]\nid = "first"\npath = "corpus.txt"\n[[source]]', ["corpus.txt"]),
    ],
)
def test_what_counts_depend_on_in_the_manifest(place, before, after, again):
    scan(place)
    (place / "corpus.toml").write_text(MANIFEST.replace(before, after, 1), encoding="utf-8")
    (place / "corpus.txt").write_text("Text.", encoding="utf-8")
    assert sorted(other(reasons(place), plan.UNCHANGED)) == again
    assert scan(place) == anew(place)


def test_another_encoding_counts_again(place):
    scan(place)
    assert set(reasons(place, encoding="r50k_base").values()) == {plan.OTHERWISE}
    royaltycli.scan(place, output=place / "tokens.parquet", encoding="r50k_base")
    assert set(reasons(place, encoding="r50k_base").values()) == {plan.UNCHANGED}


LETTERS = [bytes([byte]) for byte in range(256)]


def vocabulary(tokens):
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def test_another_vocabulary_or_another_splitting_counts_again(folder):
    """Each alone: with the same splitting, and with the same vocabulary."""
    place = folder(
        CORPUS
        | {"letters.tiktoken": vocabulary(LETTERS), "more.tiktoken": vocabulary([*LETTERS, b"da"])}
        | {"book/a.txt": "a day 1234567"}
    )
    ways = [("letters", "r50k_base"), ("more", "r50k_base"), ("more", "cl100k_base")]
    for name, pattern in ways:
        options = {"encoding": str(place / f"{name}.tiktoken"), "pattern": pattern}
        assert plan.UNCHANGED not in reasons(place, **options).values()
        scan(place, **options)
        assert set(reasons(place, **options).values()) == {plan.UNCHANGED}


@pytest.mark.parametrize(
    ("name", "keys", "libraries"),
    [
        ("a.jsonl", 'source = "by"', set()),
        ("a.jsonl", 'source = "folder(by)"', set()),
        ("a.jsonl", 'source = "by"\nstrip = "html"', {"selectolax"}),
        ("a.jsonl", 'source = "host(by)"', {"idna"}),
        ("a.jsonl", 'source = "by"\nholder = "domain(by)"', {"idna", "publicsuffixlist"}),
        ("a.warc", 'source = "WARC-Record-ID"', {"fastwarc"}),
    ],
)
def test_another_version_of_a_library_counts_again_what_is_read_with_it(folder, monkeypatch, name, keys, libraries):
    place = folder({"corpus.toml": f'[[collection]]\nid = "c"\npath = "{name}"\n{keys}\n', name: ""})
    opened = api.check(place)

    def settings():
        return settings_of(opened.files[0], opened.corpus.collections[0], find_encoding("o200k_base"))

    first, found = settings(), set()
    for library in ("selectolax", "fastwarc", "idna", "publicsuffixlist"):
        monkeypatch.setattr(partials, "version", lambda one, new=library: "99" if one == new else version(one))
        found |= {library} if settings() != first else set()
    assert found == libraries


def test_counts_of_another_version_of_this_program_are_counted_again(place, monkeypatch):
    scan(place)
    monkeypatch.setattr(partials, "VERSION", "another")
    assert set(reasons(place).values()) == {plan.OTHERWISE}


def test_more_to_verify_counts_again_and_less_does_not(place):
    scan(place)
    assert set(reasons(place, verify="100%").values()) == {plan.LESS}
    scan(place, verify="100%")
    assert set(reasons(place, verify=0).values()) == set(reasons(place).values()) == {plan.UNCHANGED}
    os.utime(place / "book" / "a.txt", (1, 1))
    scan(place)
    assert set(reasons(place, verify="100%").values()) == {plan.UNCHANGED}  # what was only touched stays verified


def test_what_the_reference_counted_needs_no_recount(place):
    scan(place, engine="tiktoken")
    assert set(reasons(place, verify="100%").values()) == {plan.UNCHANGED}


def test_what_was_counted_otherwise_is_counted_anew_by_the_reference_that_is_asked_for(place, monkeypatch):
    """An engine that was found to be wrong at one document may be wrong at others, which were not recounted."""
    right = anew(place)
    with monkeypatch.context() as wrong:
        wrong.setattr(engines.Gigatoken, "count", lambda _, texts: np.ones(len(texts), dtype=np.int64))
        assert scan(place, verify=0) != right
    assert set(reasons(place, engine="tiktoken").values()) == {plan.LESS}
    assert scan(place, engine="tiktoken") == right
    assert set(reasons(place).values()) == set(reasons(place, engine="tiktoken").values()) == {plan.UNCHANGED}
    scan(place, verify="100%", fresh=True)
    assert set(reasons(place, engine="tiktoken").values()) == {plan.UNCHANGED}


def test_a_scan_that_counts_nothing_names_the_engine_that_has_counted(place):
    scan(place, engine="tiktoken")
    assert engine_of(place) == "tiktoken"
    (place / "book" / "c.txt").write_text("One more day.")
    assert engine_of(place) == "gigatoken"  # which has counted what is new
    scan(place, verify="100%", fresh=True)
    assert engine_of(place, verify="100%") == "gigatoken"  # all of it was recounted, and not counted by the reference
    assert engine_of(place, engine="tiktoken") == "gigatoken"  # which takes that over


def test_what_was_recounted_is_said_though_the_reference_counts_what_is_new(place, capsys):
    scan(place, verify="100%")
    (place / "book" / "c.txt").write_text("One more day.")
    before = scanning.run_planned(planned(place, engine="tiktoken"), place / "tokens.parquet")
    assert (before.engine, before.verified) == ("tiktoken", 9)
    assert not [note for note in before.notes if "nothing was recounted" in note]
    console.show_scan(api.check(place), before, place / "tokens.parquet", 1)
    assert "9 of 10 documents recounted with tiktoken: all equal." in capsys.readouterr().err


def test_what_was_recounted_is_noted_of_each_file_for_the_scan_that_finds_others_gone(place):
    scan(place, verify="100%")
    (place / "book" / "a.txt").unlink()
    (place / "posts" / "a.jsonl").unlink()
    again = scanning.run_planned(planned(place, verify="100%"), place / "tokens.parquet")
    assert (again.verified, again.totals.documents, again.engine) == (3, 3, "gigatoken")


def test_where_only_the_reference_is_there_it_takes_over_what_was_recounted_enough(place, monkeypatch):
    """Another machine may have counted with another engine, and `royalty merge` has no say in that."""
    scan(place)
    monkeypatch.setattr(engines, "gigatoken_version", lambda: "")
    assert set(reasons(place).values()) == {plan.UNCHANGED}
    assert set(reasons(place, verify="100%").values()) == {plan.LESS}
    scan(place)
    read = counted_by(monkeypatch)
    scan(place, engine="tiktoken")
    assert sorted(read) == sorted(reasons(place))


def test_a_partial_table_with_any_changed_byte_is_as_good_as_none(place, long_form):
    first = scan(place)
    (partial,) = tables_of(place)
    data = partial.read_bytes()
    for at in range(0, len(data), 1 if long_form else 199):
        partial.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert set(reasons(place).values()) == {plan.NEW}
    partial.write_bytes(data[:1000])
    assert scan(place) == first
    assert partial.read_bytes() == data


@pytest.mark.parametrize("junk", [b"", b"PAR1", b"{}"])
def test_what_else_lies_in_the_folder_does_no_harm(place, junk):
    first = scan(place)
    folder = folder_of(place / "tokens.parquet")
    digest = "0123456789abcdef" * 4
    (folder / "junk.parquet").write_bytes(junk)
    (folder / f"{digest}.parquet").write_bytes(junk)
    shutil.copy(place / "tokens.parquet", folder / "table.parquet")
    shutil.copy(place / "tokens.parquet", folder / f"{digest[::-1]}.parquet")
    (folder / ".x.partial").write_bytes(junk)
    others = set(folder.iterdir())
    (folder / f".{digest}.parquet.0123456789ab.partial").write_bytes(junk)
    assert set(reasons(place).values()) == {plan.UNCHANGED}
    assert scan(place, fresh=True) == first
    assert set(folder.iterdir()) == others


def test_counts_beside_what_is_dear(folder):
    """A folder for the counts may hold anything else, which stays: the corpus, other results, the table itself."""
    place = folder({"corpus.toml": '[[source]]\nid = "a"\npath = "data/a.txt"\n', "data/a.txt": "One day."})
    pq.write_table(pa.table({"x": [1]}), place / "data" / "other.parquet")
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    output = place / "data" / "tokens.parquet"
    for _ in range(2):
        table = royaltycli.scan(place, output=output, counts=place / "data", fresh=True)
        assert royaltycli.read_tokens(output).equals(table)
    assert royaltycli.merge(place, output=output, counts=place / "data").equals(table)
    assert {path: path.read_bytes() for path in before} == before


def test_what_is_of_no_use_any_more_is_removed(place):
    scan(place)
    for encoding in ("r50k_base", "cl100k_base"):
        scan(place, encoding=encoding)
        assert len(tables_of(place)) == 1


def test_a_scan_that_fails_keeps_what_it_has_counted(place, monkeypatch):
    monkeypatch.setattr(shards.together, "__defaults__", (1,))  # a shard for each file
    (place / "posts" / "b.jsonl.zst").write_bytes(b"broken")
    with pytest.raises(DocumentError):
        scan(place)
    assert other(reasons(place), plan.UNCHANGED) == {"posts/b.jsonl.zst": plan.NEW}
    (place / "posts" / "b.jsonl.zst").unlink()
    assert scan(place) == anew(place)


def test_a_call_that_fails_leaves_no_folder(place):
    with pytest.raises(royaltycli.RoyaltyError):
        scan(place, encoding="nothing")
    assert not folder_of(place / "tokens.parquet").exists()


def test_two_scans_into_one_table_are_one_too_many(place):
    with (
        scanning.counts_folder(place / "tokens.parquet"),
        pytest.raises(OutputError, match="another royalty is at work in"),
    ):
        scan(place)
    assert scan(place)


def test_a_table_that_is_lost_while_the_scan_goes_on_is_an_error(place):
    scan(place)
    with scanning.counts_folder(place / "tokens.parquet") as folder:
        made = scanning.plan_opened(api.check(place), folder)
        assert {one.why for one in made.pieces} == {plan.UNCHANGED}
        tables_of(place)[0].unlink()
        from royaltycli.tokens.scan import run

        with pytest.raises(TableError, match="does not exist"):
            run(made, place / "tokens.parquet")


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz é\n", max_size=30)), min_size=1, max_size=30)


@strategies.examples(8, 200)
@given(before=ROWS, data=st.data(), size=st.integers(15, 300))
def test_a_file_in_pieces_that_changes_anywhere(tmp_path_factory, before, data, size):
    """A piece whose bytes are the same is not counted again, and the whole is what a new scan counts."""
    place = tmp_path_factory.mktemp("corpus")
    (place / "corpus.toml").write_text('[[collection]]\nid = "c"\npath = "rows"\nsource = "author"\n')
    (place / "rows").mkdir()
    after = list(before)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(after)))
        if data.draw(st.booleans()):
            after.insert(at, data.draw(ROWS)[0])
        elif len(after) > 1:
            after.pop(at - 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards.cut, "__defaults__", (size,))
        patch.setattr(shards.together, "__defaults__", (size,))
        for rows in (before, after):
            listed = [{"author": author, "text": text} for author, text in rows]
            (place / "rows" / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
            pq.write_table(pa.Table.from_pylist(listed), place / "rows" / "b.parquet", row_group_size=2)
            assert scan(place, workers=2) == anew(place)
        assert set(reasons(place).values()) == {plan.UNCHANGED}


def test_lines_added_to_a_big_file_cost_only_its_end(folder, monkeypatch):
    lines = [{"author": "a", "text": f"line {number}"} for number in range(1000)]
    place = folder({"corpus.toml": '[[collection]]\nid = "c"\npath = "a.jsonl"\nsource = "author"\n', "a.jsonl": lines})
    monkeypatch.setattr(shards.cut, "__defaults__", (1000,))
    scan(place)
    with (place / "a.jsonl").open("a") as file:
        file.write('{"author": "b", "text": "one more"}\n')
    counted = counted_by(monkeypatch)
    assert scan(place) == anew(place)
    pieces = (place / "a.jsonl").stat().st_size // 1000 + 1
    assert len(counted) - pieces <= 2  # the new scan counts them all


def in_members(rows, each=3):
    """Rows as a gzip file of many members, which break within lines."""
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    step = max(1, len(text) * each // len(rows) - 7)
    return b"".join(gzip.compress(text[at : at + step], mtime=0) for at in range(0, len(text), step))


@pytest.fixture
def packed_place(folder, monkeypatch):
    """A corpus of one packed file that is cut into some dozen pieces."""
    monkeypatch.setattr(shards.cut, "__defaults__", (4,))
    monkeypatch.setattr(shards.together, "__defaults__", (4,))
    manifest = '[[collection]]\nid = "c"\npath = "a.jsonl*"\nsource = "author"\n'
    return folder({"corpus.toml": manifest, "a.jsonl.gz": in_members(PACKED_ROWS)})


PACKED_ROWS = [{"author": f"a{number % 5}", "text": f"line {number} " * (number % 7)} for number in range(40)]


def pieces_of(place):
    return [one.piece for one in scanning.plan_opened(api.check(place), folder_of(place / "tokens.parquet")).pieces]


def test_a_packed_file_in_pieces_counts_as_the_plain_one(packed_place):
    counted = scan(packed_place)
    assert len(pieces_of(packed_place)) > 10
    assert scan(packed_place, rehash=True) == scan(packed_place, workers=3) == counted
    (packed_place / "a.jsonl.gz").unlink()
    text = "".join(json.dumps(row) + "\n" for row in PACKED_ROWS)
    (packed_place / "a.jsonl").write_text(text)
    assert scan(packed_place) == counted


def test_a_packed_file_that_has_not_changed_is_not_searched_for_frames(packed_place, monkeypatch):
    searched, search = [], shards.frame_starts
    monkeypatch.setattr(shards, "frame_starts", lambda file, spacing: searched.append(file) or search(file, spacing))
    scan(packed_place)
    first = pieces_of(packed_place)
    assert len(searched) == 1
    assert set(reasons(packed_place).values()) == {plan.UNCHANGED}
    for options in ({}, {"fresh": True}, {"encoding": "r50k_base"}):
        made = scanning.plan_opened(api.check(packed_place), folder_of(packed_place / "tokens.parquet"), **options)
        assert [one.piece for one in made.pieces] == first
    assert len(searched) == 3  # for a fresh scan, and for another encoding


def test_after_an_interruption_a_packed_file_is_cut_as_before(packed_place, monkeypatch):
    scan(packed_place)
    first = pieces_of(packed_place)
    kept = tables_of(packed_place)
    for path in kept[::2]:
        path.unlink()
    assert pieces_of(packed_place) == first
    counted = counted_by(monkeypatch)
    assert scan(packed_place) == anew(packed_place)
    assert len(counted) == len(kept[::2]) + len(first)


def test_members_added_to_a_packed_file_cost_only_its_end(packed_place, monkeypatch):
    scan(packed_place)
    before = len(pieces_of(packed_place))
    with (packed_place / "a.jsonl.gz").open("ab") as file:
        file.write(in_members([{"author": "b", "text": "one more"}]))
    counted = counted_by(monkeypatch)
    assert scan(packed_place) == anew(packed_place)
    assert len(counted) - len(pieces_of(packed_place)) <= 2 < before


@strategies.examples(6, 50)
@given(data=st.data())
def test_a_packed_file_in_pieces_that_changes_anywhere(tmp_path_factory, data):
    """Whatever becomes of the file, what stays counted is what a new scan counts."""
    place = tmp_path_factory.mktemp("corpus")
    (place / "corpus.toml").write_text('[[collection]]\nid = "c"\npath = "a.jsonl.gz"\nsource = "author"\n')
    rows, each = PACKED_ROWS[:12], data.draw(st.integers(1, 5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards.cut, "__defaults__", (4,))
        patch.setattr(shards.together, "__defaults__", (1 << 20,))
        for _ in range(2):
            (place / "a.jsonl.gz").write_bytes(in_members(rows, each))
            assert scan(place, workers=2) == anew(place)
            at = data.draw(st.integers(0, 11))
            rows = [*rows[:at], {"author": "b", "text": data.draw(st.sampled_from(["", "x", "x\ny"]))}, *rows[at + 1 :]]


def test_the_settings_of_many_sources_are_found_once_for_all_that_are_read_alike(folder, monkeypatch):
    sources = [(f"s{number}", "") for number in range(20)] + [("t", 'strip = "html"\n'), ("u", 'errors = "replace"\n')]
    manifest = "".join(f'[[source]]\nid = "{name}"\npath = "{name}.html"\n{how}' for name, how in sources)
    place = folder({"corpus.toml": manifest} | {f"{name}.html": f"<p>{name}</p>" for name, _ in sources})
    found = []
    monkeypatch.setattr(partials, "settings_of", lambda *given: found.append(settings_of(*given)) or found[-1])
    opened = api.check(place)
    settings = partials.Settings(opened.corpus.sources, find_encoding("o200k_base", None))
    each = [settings.of(file) for file in opened.files]
    assert len(found) == len(set(found)) == 3
    assert [each.count(one) for one in found] == [20, 1, 1]
