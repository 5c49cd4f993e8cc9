"""Rule "Every result file appears whole or not at all", and the seal that shows any changed bit.

A `Disk` counts the calls to the operating system that a write makes, and fails, corrupts or kills the process
at any one of them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from royaltycli import storage
from royaltycli.errors import OutputError, TableError
from royaltycli.storage import PARTIAL, read_sealed, write_parquet, write_parquet_parts, write_text, write_whole
from tests.disk import Disk, failing

OLD, NEW = b"what was there before\n" * 1000, b"what is written now\n" * 3000
TABLE = pa.table({"source_id": ["a", "b"], "tokens": pa.array([1, 2], pa.int64())})
TABLE = TABLE.replace_schema_metadata({"royalty.schema": "1", "royalty.encoding": "o200k_base"})


def write_csv_like(path):
    write_whole(path, lambda file: [file.write(NEW[start : start + 1000]) for start in range(0, len(NEW), 1000)])


WRITERS = {
    "text": (lambda path: write_text(path, NEW.decode()), NEW),
    "pieces": (write_csv_like, NEW),
    "parquet": (lambda path: write_parquet(path, TABLE), None),
    "parts": (lambda path: write_parquet_parts(path, TABLE.schema, iter([TABLE.slice(0, 1), TABLE.slice(1)])), None),
}


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "result"
    path.write_bytes(OLD)
    return path


def written(write, tmp_path):
    """What a writer writes when nothing goes wrong."""
    path = tmp_path / "elsewhere"
    write(path)
    data = path.read_bytes()
    path.unlink()
    return data


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# -- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_fault_at_any_call_leaves_the_old_file_and_nothing_beside_it(place, tmp_path, name, number):
    write = WRITERS[name][0]
    new = written(write, tmp_path)
    failed = []
    for at in itertools.count(1):
        place.write_bytes(OLD)
        said = None
        with Disk(at, failing(number)).in_use() as disk:
            try:
                write(place)
            except OutputError as error:
                said = str(error)
        if said is not None:
            reason = os.strerror(number).lower()
            assert said == f"{place} cannot be written ({reason}); what was there before is unchanged"
            failed.append(disk.calls[at - 1])
        assert place.read_bytes() == (new if said is None else OLD)
        assert names(tmp_path) == ["result"]
        if len(disk.calls) < at:
            break
    assert {"open", "write", "read", "chmod", "fsync", "replace"} <= set(failed)


def test_only_what_comes_after_the_rename_may_fail_unnoticed(place):
    """The folder's own sync makes the rename survive a power cut; the file is whole either way.

    Before it, only the look for what a killed process left may fail.
    """
    unnoticed = []
    for at in range(1, 60):
        place.write_bytes(OLD)
        with Disk(at, failing(errno.EIO)).in_use() as disk, contextlib.suppress(OutputError):
            write_text(place, NEW.decode())
            if len(disk.calls) >= at:
                unnoticed.append((disk.calls[at - 1], "replace" in disk.calls[: at - 1]))
    before = {call for call, renamed in unnoticed if not renamed}
    after = [call for call, renamed in unnoticed if renamed]
    assert before <= {"stat", "fstat"}  # Python's versions look for files with other calls.
    assert after == ["open", "fsync", "close"]


def test_an_error_of_the_writer_leaves_the_old_file(place, tmp_path):
    def write(file):
        file.write(NEW)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(place, write)
    assert (place.read_bytes(), names(tmp_path)) == (OLD, ["result"])


def test_a_disk_that_takes_little_at_a_time_gets_it_all(place, monkeypatch):
    class Slow(io.FileIO):
        def write(self, data):
            return super().write(bytes(data)[:7])

    opened = pathlib.Path.open
    slow = lambda path, mode="r", *_, **__: io.BufferedRandom(Slow(path, mode)) if "+" in mode else opened(path, mode)  # noqa: E731
    monkeypatch.setattr(pathlib.Path, "open", slow)
    write_text(place, NEW.decode())
    assert place.read_bytes() == NEW


@pytest.mark.parametrize("name", WRITERS)
def test_what_reads_back_otherwise_is_not_kept(place, tmp_path, name):
    """A planted fault: between writing and reading back, one bit of the partial file changes."""
    write = WRITERS[name][0]

    def corrupt(_name):
        (partial,) = tmp_path.glob(f".*{PARTIAL}")
        file = os.open(partial, os.O_RDWR)
        os.pwrite(file, bytes([os.pread(file, 1, 50)[0] ^ 1]), 50)
        os.close(file)

    with Disk().in_use() as disk:
        write(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").unlink()
    at = len(disk.calls) - disk.calls[::-1].index("fsync", disk.calls[::-1].index("replace"))
    assert disk.calls[at - 1] == "fsync"
    with Disk(at + 1, corrupt).in_use(), pytest.raises(OutputError) as error:
        write(place)
    assert str(error.value) == f"{place} reads back otherwise than it was written; check the disk"
    assert (place.read_bytes(), names(tmp_path)) == (OLD, ["result"])


# -- kills ---------------------------------------------------------------------------------------

VERSION = "version {0} of the result\n"
LINES = 20_000

REPEATED = f"""
import sys
from pathlib import Path
from royaltycli.storage import write_text
place, first, times = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
for number in range(first, first + times):
    write_text(place, {VERSION!r}.format(number) * {LINES})
"""

KILLED_AT = """
import os, signal, sys
from pathlib import Path
from royaltycli.storage import write_text
from tests.disk import Disk
place, at = Path(sys.argv[1]), int(sys.argv[2])
with Disk(at, lambda _: os.kill(os.getpid(), signal.SIGKILL)).in_use() as disk:
    write_text(place, "what is written now\\n" * 3000)
"""

TORN = """
import os, signal, sys
with open(sys.argv[1], "wb") as file:
    file.write(b"version 1 of the")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def child(script, *arguments):
    line = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(line, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True)


def is_whole(data):
    first, _, _ = data.partition(b"\n")
    return first.startswith(b"version ") and data == (first + b"\n") * LINES


def leftovers(folder):
    return list(folder.glob(f".*{PARTIAL}"))


def test_a_kill_at_any_call_leaves_the_old_file_or_the_new_one(place, tmp_path):
    with Disk().in_use() as disk:
        write_text(place, NEW.decode())
    held = []
    for at in range(1, len(disk.calls) + 1):
        place.write_bytes(OLD)
        with child(KILLED_AT, place, at) as process:
            assert process.wait() == -signal.SIGKILL
        held.append(({OLD: "old", NEW: "new"}[place.read_bytes()], len(leftovers(tmp_path))))
        write_text(place, "the next")
        assert (place.read_text(), names(tmp_path)) == ("the next", ["result"])
    opened, replaced = disk.calls.index("open") + 1, disk.calls.index("replace") + 1
    during, after = replaced - opened, len(disk.calls) - replaced
    assert held == [("old", 0)] * opened + [("old", 1)] * during + [("new", 0)] * after


def test_kills_at_random_moments(place, tmp_path, long_form):
    place.write_text(VERSION.format(0) * LINES)
    chance = random.Random(9)
    for number in range(300 if long_form else 20):
        with child(REPEATED, place, 1000 * number, 1000) as process:
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
        assert is_whole(place.read_bytes())
        assert len(leftovers(tmp_path)) <= 1
    write_text(place, "the next")
    assert (place.read_text(), names(tmp_path)) == ("the next", ["result"])


def test_a_torn_file_would_be_noticed(place):
    with child(TORN, place) as process:
        assert process.wait() == -signal.SIGKILL
    assert not is_whole(place.read_bytes())


# -- several writers -----------------------------------------------------------------------------


def test_eight_writers_at_once_leave_one_of_their_files_whole(place, tmp_path, long_form):
    place.write_text(VERSION.format(0) * LINES)
    times = 200 if long_form else 20
    writers = [child(REPEATED, place, 1000 * number, times) for number in range(8)]
    while any(writer.poll() is None for writer in writers):
        assert is_whole(place.read_bytes())
    assert [writer.wait() for writer in writers] == [0] * 8
    for writer in writers:
        writer.stdout.close()
    last = [VERSION.format(1000 * number + times - 1) * LINES for number in range(8)]
    assert place.read_text() in last
    assert names(tmp_path) == ["result"]


def test_what_a_living_writer_writes_is_not_taken_for_a_leftover(place, tmp_path):
    (tmp_path / f".result.0123456789ab{PARTIAL}").write_bytes(b"of a process that was killed")
    (tmp_path / f".other.0123456789ab{PARTIAL}").write_bytes(b"of another result")

    def write(file):
        file.write(b"the outer")
        write_text(place, "the inner")
        assert place.read_bytes() == b"the inner"

    write_whole(place, write)
    assert place.read_bytes() == b"the outer"
    assert names(tmp_path) == [f".other.0123456789ab{PARTIAL}", "result"]


def test_what_is_only_named_like_a_leftover_is_left_alone(place, tmp_path):
    """A pipe without a writer would be waited for; a link could lead to a file of someone else."""
    (tmp_path / "mine").write_bytes(b"of someone else")
    os.mkfifo(tmp_path / f".result.pipe{PARTIAL}")
    (tmp_path / f".result.link{PARTIAL}").symlink_to("mine")
    (tmp_path / f".result.nowhere{PARTIAL}").symlink_to("nowhere")
    (tmp_path / f".result.to-pipe{PARTIAL}").symlink_to(f".result.pipe{PARTIAL}")
    (tmp_path / f".result.folder{PARTIAL}").mkdir()
    before = names(tmp_path)
    line = [sys.executable, "-c", REPEATED, place, "1", "1"]
    subprocess.run(line, cwd=Path(__file__).parents[1], timeout=60, check=True, stdout=subprocess.DEVNULL)
    assert is_whole(place.read_bytes())
    assert ((tmp_path / "mine").read_bytes(), names(tmp_path)) == (b"of someone else", before)


def test_a_writer_whose_new_file_was_taken_for_a_leftover_makes_another(place, tmp_path, monkeypatch):
    """Between making a file and locking it another writer may remove it."""
    real, removed = storage.fcntl.flock, []

    def flock(*arguments):
        for partial in leftovers(tmp_path) if not removed else ():
            partial.unlink()
            removed.append(partial)
        real(*arguments)

    monkeypatch.setattr(storage.fcntl, "flock", flock)
    write_text(place, "after all")
    assert (len(removed), place.read_text(), names(tmp_path)) == (1, "after all", ["result"])


# -- places --------------------------------------------------------------------------------------


def test_a_link_to_a_result_stays_a_link(tmp_path):
    (tmp_path / "results").mkdir()
    link = tmp_path / "latest.csv"
    link.symlink_to("results/2026.csv")  # which is not there yet
    for text in ("first", "second"):
        write_text(link, text)
        assert (str(link.readlink()), (tmp_path / "results" / "2026.csv").read_text()) == ("results/2026.csv", text)
    assert names(tmp_path / "results") == ["2026.csv"]


def test_the_mode_of_a_file_is_kept_and_a_new_one_follows_the_umask(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        write_text(old, "x")
        write_text(new, "x")
    finally:
        os.umask(before)
    assert [oct(path.stat().st_mode & 0o777) for path in (old, new)] == ["0o640", "0o640"]
    old.chmod(0o604)
    write_text(old, "y")
    assert old.stat().st_mode & 0o777 == 0o604


# -- seals ---------------------------------------------------------------------------------------


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "table.parquet"
    write_parquet(path, TABLE)
    return path


def test_a_table_reads_as_it_was_written_and_as_plain_parquet(sealed):
    assert read_sealed(sealed).equals(TABLE)
    assert pq.read_table(sealed).equals(TABLE)
    metadata = read_sealed(sealed).schema.metadata
    assert {key: metadata[key] for key in TABLE.schema.metadata} == TABLE.schema.metadata


READ_ALONE = """
import pathlib, sys
import psutil, pyarrow.dataset, pyarrow.parquet
from royaltycli.storage import read_sealed
before = psutil.Process().num_threads()
read_sealed(pathlib.Path(sys.argv[1]))
print(psutil.Process().num_threads() - before)
"""


def test_a_table_is_read_without_threads_of_arrow(tmp_path):
    """With them, the program may abort or hang when it ends (apache/arrow issues 34314 and 50482)."""
    path = tmp_path / "wide.parquet"
    write_parquet(path, pa.table({f"column {number}": [1, 2, 3] for number in range(12)}))
    done = subprocess.run([sys.executable, "-c", READ_ALONE, str(path)], check=True, capture_output=True, text=True)
    assert done.stdout == "0\n"


def test_the_same_table_gives_the_same_bytes(sealed, tmp_path):
    again = tmp_path / "again.parquet"
    write_parquet(again, pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]))
    assert again.read_bytes() == sealed.read_bytes()


def damaged(path):
    with pytest.raises(TableError) as error:
        read_sealed(path)
    return str(error.value) == f"{path} is damaged, or was not written by royalty; run `royalty scan` again"


def test_every_flipped_bit_is_noticed(sealed):
    good = sealed.read_bytes()
    assert 500 < len(good) < 3000
    with sealed.open("r+b", buffering=0) as file:
        for at in range(8 * len(good)):
            byte = good[at // 8]
            file.seek(at // 8)
            file.write(bytes([byte ^ 1 << at % 8]))
            assert damaged(sealed), at
            file.seek(at // 8)
            file.write(bytes([byte]))
    assert read_sealed(sealed).equals(TABLE)


def test_every_cut_and_every_addition_is_noticed(sealed):
    good = sealed.read_bytes()
    for data in [good[:length] for length in range(len(good))] + [good + b"\0", b"\0" + good, good + good]:
        sealed.write_bytes(data)
        assert damaged(sealed)


def test_page_checksums_alone_would_miss_a_flipped_bit(sealed):
    """What the seal is for: the encoding's name stands in the footer, which no page checksum covers."""
    data = sealed.read_bytes()
    at = data.index(b"o200k_base")
    sealed.write_bytes(data[:at] + b"n" + data[at + 1 :])
    read = pq.read_table(sealed, page_checksum_verification=True)
    assert read.schema.metadata[b"royalty.encoding"] == b"n200k_base"
    assert damaged(sealed)


@pytest.fixture
def silent(sealed):
    """A table with a flipped bit that a reader who verifies nothing takes for another text."""
    good, chunk = sealed.read_bytes(), pq.read_metadata(sealed).row_group(0).column(0)
    end = (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size
    for at in range(end - 1, 0, -1):
        sealed.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with contextlib.suppress(OSError):
            if not pq.read_table(sealed).equals(TABLE):
                return sealed
    raise AssertionError("every flipped bit is noticed by itself")


def test_pages_are_written_with_checksums(silent):
    with pytest.raises(OSError, match="CRC checksum verification failed"):
        pq.read_table(silent, page_checksum_verification=True)


def test_page_checksums_are_verified_beside_the_seal(silent, monkeypatch):
    """As a bit may flip between the reading for the seal and that for the rows."""
    monkeypatch.setattr(storage, "is_sealed", lambda _file: True)
    with pytest.raises(TableError, match="crc checksum verification failed"):
        read_sealed(silent)


def test_a_table_with_a_seal_of_something_else_is_refused(sealed):
    """Someone who changes the file and writes a seal of the right form still has the wrong one."""
    data = sealed.read_bytes()
    at = data.index(storage.SEAL_START) + len(storage.SEAL_START)
    sealed.write_bytes(data[:at] + b"0" * 64 + data[at + 64 :])
    assert damaged(sealed)
