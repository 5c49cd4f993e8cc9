"""Rule C11: a corpus that is counted part by part, in any order, gives the table of one scan."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import royaltycli
from royaltycli import scanning
from royaltycli.api import check
from royaltycli.cli import app
from royaltycli.corpus import shards
from royaltycli.corpus.files import File
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.shards import Part, in_part
from royaltycli.errors import CallError, OutputError, TableError
from royaltycli.tokens import engines
from royaltycli.tokens.partials import rows_in, write_partial

MANIFEST = """
[[source]]
id = "book"
path = "book"
[[collection]]
id = "posts"
path = "posts"
source = "author"
"""
CORPUS = {
    "corpus.toml": MANIFEST,
    **{f"book/{number}.txt": f"Day {number}. " * number for number in range(1, 20)},
    **{
        f"posts/{name}.jsonl{packing}": [{"author": f"a{n % 7}", "text": f"hello {name} {n}"} for n in range(60)]
        for name, packing in (("x", ""), ("y", ".gz"), ("z", ""))
    },
}


@pytest.fixture
def place(folder, monkeypatch):
    monkeypatch.setattr(shards.cut, "__defaults__", (700,))
    return folder(CORPUS)


def count(place, part, **options):
    with scanning.counts_folder(place / "tokens.parquet", shared=True) as folder:
        plan = scanning.plan_opened(check(place), folder, part=part, **options)
        return scanning.count_planned(plan, workers=1)


def merged(place, **options):
    royaltycli.merge(place, output=place / "tokens.parquet", **options)
    return (place / "tokens.parquet").read_bytes()


def whole(place, **options):
    royaltycli.scan(place, output=place / "whole.parquet", **options)
    data = (place / "whole.parquet").read_bytes()
    (place / "whole.parquet").unlink()
    return data


@pytest.mark.parametrize("of", [1, 2, 5, 40])
def test_parts_in_any_order_give_the_table_of_one_scan(place, of):
    numbers = list(range(1, of + 1))
    random.Random(of).shuffle(numbers)
    for number in numbers:
        count(place, f"{number}/{of}")
    assert merged(place) == whole(place)


def test_parts_and_duplicates(place):
    for number in (2, 1):
        count(place, f"{number}/2", duplicates="split")
    assert merged(place, duplicates="split") == whole(place, duplicates="split")


@given(st.lists(st.integers(0, 5000), max_size=60), st.integers(1, 9))
def test_each_piece_is_in_one_part(sizes, of):
    pieces = [
        Piece(File(str(n), str(n), size, "jsonl", None, 0, ()), packed_bytes=size) for n, size in enumerate(sizes)
    ]
    parts = [in_part(pieces, Part(number, of)) for number in range(1, of + 1)]
    assert sorted((piece for part in parts for piece in part), key=lambda piece: int(piece.file.name)) == pieces


def test_parts_are_about_alike():
    pieces = [Piece(File(str(n), str(n), 100, "jsonl", None, 0, ()), packed_bytes=100) for n in range(1600)]
    assert {len(in_part(pieces, Part(number, 16))) for number in range(1, 17)} <= set(range(90, 111))


def test_a_part_is_not_counted_twice(place):
    first = count(place, "1/3")
    again = count(place, "1/3")
    assert first.files
    assert (again.kept, again.files) == (first.kept, frozenset())


def test_nothing_is_merged_while_a_part_is_missing(place):
    count(place, "1/3")
    count(place, "3/3")
    with pytest.raises(TableError) as raised:
        merged(place)
    assert "other files cannot be merged (not counted yet); run the parts that are missing" in str(raised.value)
    assert not (place / "tokens.parquet").exists()
    count(place, "2/3")
    assert merged(place) == whole(place)


def test_a_file_that_changed_since_its_part_was_counted_is_not_merged(place):
    for number in (1, 2):
        count(place, f"{number}/2")
    (place / "book" / "7.txt").write_text("another day, longer than it was before by far, and more", encoding="utf-8")
    with pytest.raises(
        TableError, match=r"^book/7\.txt cannot be merged \(counted before, but size or time is another"
    ):
        merged(place)
    royaltycli.scan(place, output=place / "tokens.parquet")
    assert merged(place) == whole(place)


def test_parts_that_were_counted_otherwise_are_not_merged(place):
    count(place, "1/1", encoding="cl100k_base", verify=0)
    with pytest.raises(TableError, match=r"cannot be merged \(counted before, but with another encoding"):
        merged(place)
    with pytest.raises(TableError, match=r"cannot be merged \(counted before, but fewer documents were recounted"):
        merged(place, encoding="cl100k_base")
    assert merged(place, encoding="cl100k_base", verify=0) == whole(place, encoding="cl100k_base", verify=0)


def test_counts_of_one_piece_that_differ_are_not_merged(place):
    """As where machines see different files by the same name, size and time."""
    counted = count(place, "1/1")
    first = counted.kept[0]
    folder = counted.plan.job.folder
    write_partial(folder, rows_in(first.path).to_batches()[:0], (first.entry._replace(content="0" * 64),))
    with pytest.raises(
        TableError, match=rf"^{re.escape(first.entry.name)} cannot be merged \(counted before, but twice, as"
    ):
        merged(place)
    royaltycli.scan(place, output=place / "tokens.parquet")
    assert merged(place) == whole(place)


def test_of_counts_of_one_piece_those_are_taken_of_which_most_was_recounted(place, monkeypatch):
    monkeypatch.setattr(shards.together, "__defaults__", (1,))  # a partial table for each piece
    with monkeypatch.context() as wrong:
        wrong.setattr(engines.Gigatoken, "count", lambda _, texts: np.ones(len(texts), dtype=np.int64))
        count(place, "1/1", verify=0)
    count(place, "1/1", engine="tiktoken")
    assert merged(place, verify=0) == whole(place)


def test_parts_are_counted_side_by_side_but_not_beside_a_scan(place):
    with scanning.counts_folder(place / "tokens.parquet", shared=True):
        done = threading.Thread(target=count, args=[place, "1/2"])
        done.start()
        done.join()
        with pytest.raises(OutputError, match="another royalty is at work in"):
            royaltycli.scan(place, output=place / "tokens.parquet")
        with pytest.raises(OutputError, match="another royalty is at work in"):
            merged(place)
    with (
        scanning.counts_folder(place / "tokens.parquet"),
        pytest.raises(OutputError, match="another royalty is at work in"),
    ):
        count(place, "2/2")


def test_a_part_with_nothing_to_do_leaves_the_folder_to_others(place):
    with scanning.counts_folder(place / "tokens.parquet", shared=True) as kept:
        count(place, "999/999")
        assert kept.is_dir()


def test_a_part_needs_no_place_for_a_table(place, monkeypatch):
    """It may be that nothing can be written where the command runs."""
    monkeypatch.chdir(place)
    done = CliRunner().invoke(app, ["scan", "--part", "1/2", "--counts", "counts", "-q", "-o", "nowhere/t.parquet"])
    assert (done.exit_code, done.output) == (0, "")


def test_a_part_leaves_what_others_are_writing(place):
    folder = scanning.counts_folder
    with folder(place / "tokens.parquet", shared=True) as kept:
        other = kept / f".{'0' * 64}.parquet.0123456789ab.partial"
        other.write_bytes(b"half")
        count(place, "1/2")
        assert other.read_bytes() == b"half"
    count(place, "2/2")
    merged(place)
    assert not other.exists()


@pytest.mark.parametrize("part", ["0/3", "4/3", "3", "1/0", "a/b", "-1/3", "1/3/5", "", "१/३", f"1/{10**20}"])
def test_a_part_that_is_none(place, part):
    with pytest.raises(CallError, match=r"it must be such as 3/16, the third of sixteen parts$"):
        count(place, part)


def test_eight_parts_at_once_as_commands(folder):
    """Processes side by side, as an array job starts them."""
    place = folder(CORPUS)
    command = [
        sys.executable,
        "-m",
        "royaltycli",
        "scan",
        str(place),
        "-o",
        str(place / "tokens.parquet"),
        "-q",
        "--part",
    ]
    running = [subprocess.Popen([*command, f"{number}/8"]) for number in range(1, 9)]
    assert [process.wait(120) for process in running] == [0] * 8
    assert merged(place) == whole(place)


def test_the_commands(place, monkeypatch):
    monkeypatch.chdir(place)
    done = CliRunner().invoke(app, ["scan", "--part", "1/2"])
    assert done.exit_code == 0
    assert "Corpus  part 1/2\n" in done.stdout
    assert done.stderr == "When all parts are counted, `royalty merge` makes one table of them.\n"
    failed = CliRunner().invoke(app, ["merge"])
    assert failed.exit_code == 2
    assert "cannot be merged (not counted yet)" in failed.stderr
    assert CliRunner().invoke(app, ["scan", "--part", "2/2", "--quiet"]).output == ""
    merge = CliRunner().invoke(app, ["merge"])
    assert merge.exit_code == 0
    assert merge.stderr.endswith("22 of 22 files counted by an earlier scan, and not changed.\nWrote tokens.parquet.\n")
    refused = CliRunner().invoke(app, ["scan", "--part", "1/2", "--on", "ray"])
    assert (refused.exit_code, refused.stderr) == (
        2,
        "error: a part is counted on this machine; leave out `--on`, or `--part`\n",
    )
