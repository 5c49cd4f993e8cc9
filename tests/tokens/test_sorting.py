"""Rows sorted in memory and in files: the same order, and equal rows as they came."""

from __future__ import annotations

import errno
import os

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import OutputError
from royaltycli.tokens import sorting
from royaltycli.tokens.sorting import SortedRows

SCHEMA = pa.schema([("key", pa.large_string()), ("number", pa.int64())])
KEYS = st.lists(st.sampled_from(["", "a", "aa", "b", "\u00e9", "\uffff", "\U0001f600"]) | st.text(max_size=3))


def sorted_by(keys, folder, room, runs, together):
    with SortedRows("key", SCHEMA, folder) as rows, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "SORT_BYTES", room)
        patch.setattr(sorting, "SORT_RUNS", runs)
        table = pa.table({"key": keys, "number": range(len(keys))}, schema=SCHEMA)
        for start in range(0, len(keys), together):
            rows.add(table.slice(start, together))
        return [(row["key"], row["number"]) for block in rows.blocks() for row in block.to_pylist()]


@settings(max_examples=200, deadline=None)
@given(keys=KEYS, room=st.integers(1, 500), runs=st.integers(2, 5), together=st.integers(1, 9))
def test_rows_come_in_order_and_equal_ones_as_they_came_whatever_the_memory(
    tmp_path_factory, keys, room, runs, together
):
    expected = sorted(zip(keys, range(len(keys)), strict=True), key=lambda row: row[0].encode())
    assert sorted_by(keys, tmp_path_factory.getbasetemp(), room, runs, together) == expected


def test_one_key_for_all_rows_comes_in_blocks_as_small_as_any(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "SORT_BYTES", 1000)
    monkeypatch.setattr(sorting, "SORT_RUNS", 4)
    sizes, numbers = [], []
    with SortedRows("key", SCHEMA, tmp_path) as rows:
        for number in range(2000):
            rows.add(pa.table({"key": ["same"], "number": [number]}, schema=SCHEMA))
        for block in rows.blocks():
            sizes.append(block.nbytes)
            numbers += block["number"].to_pylist()
    assert numbers == list(range(2000))
    assert max(sizes) < 2000


def test_few_rows_make_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "scratch_file", lambda _folder: pytest.fail("a file was made"))
    assert sorted_by(["b", "a"], tmp_path, 1 << 20, 64, 1) == [("a", 1), ("b", 0)]


def test_files_have_no_names_and_are_closed(tmp_path):
    assert len(sorted_by(["b", "a"] * 50, tmp_path, 20, 3, 1)) == 100
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path, monkeypatch):
    class Full:
        closed = False

        def write(self, _data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def flush(self):
            pass

        def close(self):
            pass

    monkeypatch.setattr(sorting, "scratch_file", lambda _folder: Full())
    with pytest.raises(OutputError) as error:
        sorted_by(["b", "a"], tmp_path, 1, 3, 1)
    assert str(error.value) == (
        f"{tmp_path} cannot be used for what is sorted on the way (no space left on device); make room there"
    )
