"""What Windows and macOS do otherwise, played here: drives, junctions, names in other capitals, and what they refuse."""

from __future__ import annotations

import errno
import json
import ntpath
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import Future
from pathlib import Path, PureWindowsPath
from unittest.mock import Mock

import pytest

from royaltycli import cli, storage
from royaltycli.bench.method import processes
from royaltycli.cli.results import place_of
from royaltycli.corpus.files import find_files
from royaltycli.errors import CallError, OutputError
from royaltycli.ledger import journal
from royaltycli.manifest import patterns
from royaltycli.manifest.reading import read_manifest
from royaltycli.parallel.processes import WorkerProcess
from royaltycli.policies import text_of
from royaltycli.remote import names
from royaltycli.remote.locations import Location
from royaltycli.remote.waiting import all_of, asked
from royaltycli.workspace import local_folder

SOURCE = '[[source]]\nid = "{}"\npath = {}\n'


@pytest.fixture
def found(folder, monkeypatch):
    """The files that the paths of some sources mean, and what is said of them; the corpus lies in a folder of its own."""
    root = folder({"corpus/books/a.txt": "a", "corpus/junction/b.txt": "b", "elsewhere/b.txt": "b"})
    monkeypatch.chdir(root / "corpus")

    def find(*sources):
        manifest = "".join(SOURCE.format(f"s{number}", json.dumps(path)) for number, path in enumerate(sources))
        Path("corpus.toml").write_text(manifest, encoding="utf-8")
        found = find_files(read_manifest(Path("corpus.toml"))[0])
        return [file.name for file in found.files], [problem.what for problem in found.problems]

    return find


@pytest.mark.parametrize("path", ["/", "/**", "/books/*.txt", "/books/a.txt"])
def test_a_path_from_the_top_of_a_drive_is_absolute_without_its_letter(found, monkeypatch, path):
    """Which Python says of none on Windows any more since 3.13."""
    monkeypatch.setattr(os.path, "isabs", lambda _path: False)
    assert found(path) == ([], [f"source 's0': path {path!r} is absolute"])


def test_a_pattern_may_begin_with_a_drive(folder, monkeypatch):
    root = folder({"C:/books/a.txt": "a", "corpus/books/b.txt": "b"})
    monkeypatch.chdir(root)
    monkeypatch.setattr(os.path, "splitdrive", ntpath.splitdrive)
    matched = patterns.matches(str(root / "corpus"), "C:/books/*.txt", outside=True)
    assert [match.name for match in matched] == ["C:/books/a.txt"]


@pytest.mark.parametrize("path", ["books\\a.txt", "books\\*.txt", "**\\a.txt", ".\\books"])
def test_a_backslash_parts_folders_on_windows(found, monkeypatch, path):
    with monkeypatch.context() as patched:
        patched.setattr(os, "sep", "\\")
        assert found(path) == (["books/a.txt"], [])
    assert found(path)[0] == []


class _Entry:
    """An entry of a folder as Windows has it, where `junction` leads elsewhere."""

    def __init__(self, entry):
        self.name, self.path = entry.name, entry.path
        self.is_symlink, self.is_dir = entry.is_symlink, entry.is_dir
        self.status = entry.stat()

    def stat(self, **_options):
        return _marked(self.status) if self.name == "junction" else self.status


def _marked(status):
    names = ("st_mode", "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
    return types.SimpleNamespace(**{name: getattr(status, name) for name in names}, st_reparse_tag=0xA0000003)


@pytest.fixture
def junction(found, monkeypatch):
    """Makes the folder `junction` lead to `elsewhere`, and none of its signs those of a symbolic link."""
    real, scan, look = os.path.realpath, os.scandir, os.lstat

    class Entries(list):
        def __enter__(self):
            return self

        def __exit__(self, *_error):
            pass

    monkeypatch.setattr(os, "scandir", lambda folder: Entries(map(_Entry, scan(folder))))
    monkeypatch.setattr(os, "lstat", lambda path: _marked(look(path)) if str(path).endswith("junction") else look(path))
    monkeypatch.setattr(
        os.path, "realpath", lambda path, **how: real(path, **how).replace("/corpus/junction", "/elsewhere")
    )
    return found


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("junction/b.txt", "path 'junction/b.txt' leaves the manifest's folder"),
        ("junction", "path 'junction' leaves the manifest's folder"),
        ("junction/*.txt", "cannot read 'junction/': outside the manifest's folder"),
        ("j*/b.txt", "cannot read 'junction/': outside the manifest's folder"),
    ],
)
def test_a_junction_leads_out_no_more_than_a_link(junction, path, said):
    assert junction(path) == ([], [f"source 's0': {said}"])


def test_no_folder_is_searched_through_a_junction(junction):
    assert junction("**/*.txt") == (["books/a.txt"], [])


@pytest.fixture
def any_capitals(found):
    """The files of a disk that takes no heed of capitals: a second name of each is a link to the same file."""
    for name in ("corpus.toml", "books/a.txt"):
        place = Path(name)
        place.touch()
        os.link(place, place.with_name(place.name.upper()))
    return found


@pytest.mark.parametrize("other", ["books/A.TXT", "books/*.TXT"])
def test_a_file_is_paid_once_in_whatever_capitals_it_is_named(any_capitals, other):
    said = "source 's1': 'books/A.TXT' also belongs to source 's0' at corpus.toml:1"
    assert any_capitals("books/a.txt", other) == (["books/a.txt"], [said])


def test_a_source_may_name_a_file_twice_in_other_capitals(any_capitals):
    assert any_capitals("books/*.[tT][xX][tT]")[0] in (["books/a.txt"], ["books/A.TXT"])


def test_files_in_other_capitals_are_several_where_the_disk_has_several(folder, found):
    folder({"corpus/CORPUS.TOML": "", "corpus/books/A.TXT": "another"})
    assert found("books/a.txt", "books/A.TXT") == (["books/a.txt", "books/A.TXT"], [])


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("file:///C:/books%20of%202026/journal.sqlite", "file:///C:/books%20of%202026/journal.sqlite"),
        ("file://server/share/ledger/journal.sqlite", "file:////server/share/ledger/journal.sqlite"),
    ],
)
def test_a_ledger_may_lie_on_another_machine_of_the_network(uri, address):
    """SQLite takes no name of a machine where an address has it, and the ledger would be said to be damaged."""
    assert journal._address(uri) == address
    with pytest.raises(sqlite3.OperationalError, match=r"unable to open database file"):
        sqlite3.connect(f"{address}?mode=rw", uri=True)


def test_a_ledger_is_on_the_disk_itself_before_it_is_said_to_be_written(tmp_path):
    """Which macOS does only if it is asked to by name."""
    with journal.opened(tmp_path / "ledger", create=True) as opened:
        assert opened.database.execute("PRAGMA fullfsync").fetchone() == (1,)


def test_a_policy_is_passed_on_in_utf_8_whatever_the_terminal_speaks(tmp_path):
    """As it is read again, and not in the code page of Windows."""
    speaks = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252", "LC_ALL": "C"}
    line = [sys.executable, "-m", "royaltycli", "policies", "uk-plr"]
    done = subprocess.run(line, cwd=tmp_path, env=os.environ | speaks, capture_output=True, check=True)
    assert "£" in done.stdout.decode("utf-8")
    assert done.stdout.decode("utf-8") == text_of("uk-plr")


def test_a_worker_is_in_a_group_of_its_own(monkeypatch):
    """Which Ctrl-C does not reach: Windows has another word for it."""
    begun = []
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(subprocess, "Popen", lambda _command, **options: begun.append(options) or Mock())
    WorkerProcess(print, None)
    assert begun[0]["creationflags"] == 0x200


@pytest.mark.parametrize(("name", "status"), [("nt", 0), ("posix", 2)])
def test_a_reader_who_has_had_enough_is_no_error_on_windows_either(monkeypatch, name, status):
    monkeypatch.setattr(cli, "_discard", lambda _stream: None)
    with monkeypatch.context() as patched:
        patched.setattr(os, "name", name)
        with pytest.raises(SystemExit) as ending:
            cli._end_for(OSError(errno.EINVAL, "Invalid argument"), cli.main)
    assert ending.value.code == status


def test_a_result_that_may_only_be_read_leaves_nothing_beside_it_on_windows(tmp_path, monkeypatch):
    """Where no such file can be renamed over, and none removed."""
    monkeypatch.setattr(storage, "LOCKS", False)

    def refusing(act):
        def refuse(path, *others, **options):
            if any(not each.stat().st_mode & stat.S_IWUSR for each in (path, *others) if each.exists()):
                raise PermissionError(errno.EACCES, "Access is denied")
            return act(path, *others, **options)

        return refuse

    monkeypatch.setattr(Path, "replace", refusing(Path.replace))
    monkeypatch.setattr(Path, "unlink", refusing(Path.unlink))
    place = tmp_path / "payout.csv"
    place.write_text("before", encoding="utf-8")
    place.chmod(0o444)
    with pytest.raises(OutputError, match=r"payout\.csv cannot be written \(access is denied\); what was there before"):
        storage.write_text(place, "after")
    assert [path.name for path in tmp_path.iterdir()] == ["payout.csv"]


def test_without_a_home_folder_counts_are_kept_where_the_call_says(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    said = "you have no home folder, where what is counted on the way is kept; name a folder with `--counts`"
    with pytest.raises(OutputError) as caught:
        local_folder(Location("s3", "bucket", "tokens.parquet"))
    assert str(caught.value) == said


@pytest.mark.parametrize("other", ["Tokens.parquet", "LEDGER/INPUTS/a.csv"])
def test_a_result_takes_the_place_of_nothing_that_it_is_made_from_in_other_capitals(folder, monkeypatch, other):
    monkeypatch.chdir(folder({"tokens.parquet": "", "ledger/inputs/a.csv": ""}))
    os.link("tokens.parquet", "Tokens.parquet")
    Path("LEDGER").mkdir()
    monkeypatch.setattr(Path, "samefile", lambda one, other: str(one).lower() == str(other).lower())
    with pytest.raises(CallError, match=r"and would be lost; name another file$"):
        place_of(other, None, "tokens.parquet", Path("ledger/inputs"))


def test_a_result_in_a_folder_of_windows_is_known_to_lie_in_it(monkeypatch):
    monkeypatch.setattr(names, "real_path", lambda path: PureWindowsPath("C:/work", path))
    monkeypatch.setattr(names, "Path", PureWindowsPath)
    assert names.is_in("ledger\\inputs\\a.csv", "ledger\\inputs")
    assert not names.is_in("ledger\\inputs2\\a.csv", "ledger\\inputs")


def test_nobody_waits_for_another_machine_without_an_end(monkeypatch):
    """To which Windows lets no interrupt through."""
    waits, result = [], Future.result
    monkeypatch.setattr(Future, "result", lambda of, timeout=None: waits.append(timeout) or result(of, timeout))
    answered = threading.Event()
    threading.Timer(0.3, answered.set).start()
    assert asked(answered.wait)
    assert all_of(lambda number: time.sleep(0.01) or number, range(3)) == [0, 1, 2]
    assert waits == [0, 0, 0, 0]


def test_a_benchmark_asks_windows_for_no_more_processes_than_it_has(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with processes(64) as pool:
        assert pool is not None
