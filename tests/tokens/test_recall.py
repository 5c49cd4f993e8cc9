"""Rule C10: a scan that finds all as the last one left it looks at no counts, and says what that one said."""

from __future__ import annotations

import base64
import os
from importlib.metadata import version

import pyarrow as pa
import pytest

from royaltycli import api, scanning, storage
from royaltycli.errors import CallError, OutputError
from royaltycli.tokens import partials, recall, scan
from royaltycli.tokens.partials import folder_of
from royaltycli.tokens.recall import LAST, tables_in
from royaltycli.tokens.scan import count, finish

MANIFEST = """
[corpus]
train_tokens = 1000
[[source]]
id = "book"
path = "book"
title = "A Book"
[[collection]]
id = "posts"
path = "posts.jsonl"
source = "author"
"""

CORPUS = {
    "corpus.toml": MANIFEST,
    "book/a.txt": "One day.",
    "book/b.txt": "One day.",
    "posts.jsonl": [{"author": author, "text": "hello"} for author in ("a", "b", None)],
}


@pytest.fixture
def place(folder):
    place = folder(CORPUS)
    scanned(place)
    return place


def scanned(place, top=3, workers=None, on="local", **options):
    """What a scan comes to, its largest sources as rows."""
    with scanning.counts_folder(place / "tokens.parquet") as folder:
        plan = scanning.plan_opened(api.check(place), folder, **options)
        came_to = scanning.run_planned(plan, place / "tokens.parquet", top=top, workers=workers, on=on)
    return came_to, came_to.totals.largest.to_pylist()


@pytest.fixture
def merged(monkeypatch):
    """How often a token table is written from now on."""
    times, merge = [], scan.merge

    def noted(*arguments, **named):
        times.append(1)
        return merge(*arguments, **named)

    monkeypatch.setattr(scan, "merge", noted)
    return times


def test_what_has_not_changed_is_recalled_word_for_word(place, merged):
    fresh, rows = scanned(place, fresh=True)
    assert merged == [1]
    table = (place / "tokens.parquet").read_bytes()
    again, same_rows = scanned(place)
    assert merged == [1]
    assert (again.totals.sources, again.unchanged, fresh.unchanged) == (4, 3, 0)
    assert (again.written, fresh.written) == (False, True)
    assert again.totals.nameless == fresh.totals.nameless != ()
    assert again.totals.copies == fresh.totals.copies != type(fresh.totals.copies)()
    assert (again.notes, again.verified, same_rows) == (fresh.notes, fresh.verified, rows)
    for name in ("holders", "documents", "bytes", "tokens", "credited_tokens", "duplicates"):
        assert getattr(again.totals, name) == getattr(fresh.totals, name)
    assert (place / "tokens.parquet").read_bytes() == table


def touch(path):
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def edit(path, text):
    path.write_text(text, encoding="utf-8")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


CHANGES = {
    "a file touched": lambda place: touch(place / "book/a.txt"),
    "a file with the times it had": lambda place: rewrite(place / "book/a.txt", "Two day."),
    "a new file": lambda place: edit(place / "book/c.txt", "More."),
    "a file gone": lambda place: (place / "book/b.txt").unlink(),
    "a file of another name": lambda place: (place / "book/b.txt").rename(place / "book/c.txt"),
    "a comment in the manifest": lambda place: edit(place / "corpus.toml", MANIFEST + "# changed\n"),
    "the table changed": lambda place: flip(place / "tokens.parquet"),
    "the table gone": lambda place: (place / "tokens.parquet").unlink(),
    "a partial table gone": lambda place: tables_in(folder_of(place / "tokens.parquet"))[0].unlink(),
    "a partial table changed": lambda place: flip(tables_in(folder_of(place / "tokens.parquet"))[0]),
    "what is remembered changed": lambda place: flip(folder_of(place / "tokens.parquet") / LAST),
    "what is remembered gone": lambda place: (folder_of(place / "tokens.parquet") / LAST).unlink(),
}


def rewrite(path, text):
    """Write what is as long as before, and set the times back: only the disk's own time of change tells."""
    status = path.stat()
    edit(path, text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_has_changed_is_seen(place, merged, change):
    change(place)
    scanned(place)
    assert merged == [1]
    table = (place / "tokens.parquet").read_bytes()
    scanned(place)
    assert merged == [1]  # and is remembered from then on
    scanned(place, fresh=True)
    assert (place / "tokens.parquet").read_bytes() == table


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "r50k_base"},
        {"verify": "100%"},
        {"engine": "tiktoken"},
        {"duplicates": "first"},
        {"top": 4},
        {"rehash": True},
        {"fresh": True},
    ],
    ids=str,
)
def test_what_is_asked_for_otherwise_is_not_recalled(place, merged, options):
    scanned(place, **options)
    assert merged == [1]


@pytest.mark.parametrize("changed", ["royaltycli", "pyarrow", "regex"])
def test_another_version_recalls_nothing(place, merged, monkeypatch, changed):
    monkeypatch.setattr(recall, "version", lambda package: "99" if package == changed else version(package))
    scanned(place)
    assert merged == [1]


def test_what_was_recounted_of_files_that_were_only_touched_since_is_said_again(place):
    assert scanned(place, verify="100%")[0].verified == 5
    touch(place / "book/a.txt")
    assert scanned(place, verify="100%")[0].verified == 5


def test_another_version_of_a_library_that_documents_are_read_with_recalls_nothing(folder, merged, monkeypatch):
    place = folder({"corpus.toml": '[[source]]\nid = "page"\npath = "a.html"\nstrip = "html"', "a.html": "<p>One day."})
    scanned(place)
    monkeypatch.setattr(partials, "version", lambda package: "99" if package == "selectolax" else version(package))
    scanned(place)
    assert merged == [1, 1]


def test_a_change_in_a_list_of_sources_is_seen(folder, merged):
    """The manifest itself is the same."""
    manifest = '[corpus]\nsources = "list.csv"\n'
    place = folder({"corpus.toml": manifest, "list.csv": "id,path,title\nbook,a.txt,A Book\n", "a.txt": "One day."})
    assert scanned(place)[1][0]["title"] == "A Book"
    edit(place / "list.csv", "id,path,title\nbook,a.txt,A Tale\n")
    assert scanned(place)[1][0]["title"] == "A Tale"
    assert merged == [1, 1]


def test_another_engine_is_not_said_to_be_the_last_ones(place, merged):
    """Where nothing is recounted, all else is the same."""
    assert scanned(place, verify=0)[0].engine == "gigatoken"
    assert scanned(place, verify=0, engine="tiktoken")[0].engine == "tiktoken"
    assert merged == [1, 1]


def test_the_same_vocabulary_by_another_name_is_another_in_the_table(place, merged):
    letters = b"".join(base64.b64encode(bytes([byte])) + b" %d\n" % byte for byte in range(256))
    for name in ("one.tiktoken", "two.tiktoken"):
        (place / name).write_bytes(letters)
        assert scanned(place, encoding=str(place / name), pattern="r50k_base")[0].encoding == name
    assert merged == [1, 1]


def test_a_table_that_another_has_put_there_meanwhile_is_not_this_scans(place, merged, monkeypatch):
    """Between the writing of the table and its being remembered, somebody else writes another one to its place."""
    table, remove_others = place / "tokens.parquet", scan.remove_others

    def late(*arguments):
        monkeypatch.setattr(scan, "remove_others", remove_others)
        remove_others(*arguments)
        other(place, "r50k_base", table)

    monkeypatch.setattr(scan, "remove_others", late)
    scanned(place, fresh=True)
    merged.clear()
    scanned(place)
    assert merged == [1]
    assert table.read_bytes() == other(place, "o200k_base", place / "other.parquet")


def other(place, encoding, output):
    """The table of a scan that keeps its counts elsewhere."""
    with scanning.counts_folder(output, place / f"counts-{encoding}") as folder:
        plan = scanning.plan_opened(api.check(place), folder, encoding=encoding)
        finish(count(plan), output)
    return output.read_bytes()


def test_nothing_of_the_users_own_is_written_over(place):
    """In a folder that is named with --counts, what is called so may lead elsewhere, but not be written through."""
    precious = place / "precious.txt"
    edit(precious, "mine")
    last = folder_of(place / "tokens.parquet") / LAST
    last.unlink()
    last.symlink_to(precious)
    edit(place / "book/c.txt", "More.")
    scanned(place)
    scanned(place)
    assert precious.read_text(encoding="utf-8") == "mine"


HOSTILE = {
    "of another table": lambda last: storage.write_part(last, pa.table({"a": [1]})),
    "nested deeply": lambda last: storage.write_part(
        last, pa.table({"a": [1]}).replace_schema_metadata({recall.METADATA: b"[" * 100_000})
    ),
    "empty": lambda last: last.write_bytes(b""),
    "a folder": lambda last: (last.unlink(), last.mkdir()),
    "a pipe": lambda last: (last.unlink(), os.mkfifo(last)),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_whatever_lies_there_instead_is_as_good_as_nothing(place, merged, make):
    make(folder_of(place / "tokens.parquet") / LAST)
    scanned(place)
    assert merged == [1]


def test_a_call_that_cannot_be_is_refused_all_the_same(place):
    with pytest.raises(CallError, match="workers is 0"):
        scanned(place, workers=0)
    with pytest.raises(CallError, match="on is 'moon'"):
        scanned(place, on="moon")


def test_a_scan_that_cannot_be_remembered_is_a_scan(place, merged, monkeypatch):
    def full(*_arguments):
        raise OutputError("the disk is full")

    edit(place / "book/c.txt", "More.")
    monkeypatch.setattr(recall, "write_part", full)
    scanned(place)
    scanned(place)
    assert merged == [1, 1]
