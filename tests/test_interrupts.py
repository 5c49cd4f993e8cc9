"""Rule "Interrupting leaves nothing half-written and says so in one line", with the real program.

A scan is interrupted when it is seen to read the corpus, and killed at any moment; its output is cut off
by a reader that has had enough, or that was never there.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pyarrow as pa
import pytest

from royaltycli.storage import PARTIAL, write_parquet
from royaltycli.tokens.table import SCHEMA, read_tokens, with_metadata

PROGRAM = [sys.executable, "-m", "royaltycli"]
SCAN = ["scan", "--engine", "tiktoken", "--workers", "2"]
PAYOUT = ["payout", "--profit", "500e6", "--rate", "0.2"]
COUNTED = ".tokens.parquet.shards"
SAID = "error: interrupted; nothing was written\n"
MANIFEST = '[[collection]]\nid = "posts"\npath = "posts/*"\nsource = "author"\n'


def make_corpus(folder, documents, files=1):
    """Some posts, of which tiktoken counts a few thousand in a second; several files hold the same ones."""
    chance = random.Random(5)
    words = ["".join(chance.choices("aeiounrstlmd", k=chance.randint(2, 9))) for _ in range(5000)]
    rows = (
        {"author": f"author-{number % 50}", "text": " ".join(chance.choices(words, k=300))}
        for number in range(documents)
    )
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / "corpus.toml").write_text(MANIFEST, encoding="utf-8")
    (folder / "posts").mkdir()
    if files == 1:
        (folder / "posts" / "a.jsonl.gz").write_bytes(gzip.compress(lines, 1, mtime=0))
    else:
        for number in range(files):
            (folder / "posts" / f"{number}.jsonl").write_bytes(lines)
    return folder


@pytest.fixture(scope="module", params=["one process", "worker processes"])
def corpus(request, tmp_path_factory):
    """A corpus that takes tiktoken many seconds, small enough to count in one process, or not."""
    folder = tmp_path_factory.mktemp("corpus")
    return make_corpus(folder, 15_000) if request.param == "one process" else make_corpus(folder, 5_000, 9)


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("small"), 600)


def start(arguments, folder, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([*PROGRAM, *arguments], cwd=folder, **pipes)


def wait_until_it_reads(process):
    """Wait until a scan, or a worker of it, has a file of the corpus open; gives the workers."""
    watched = psutil.Process(process.pid)
    for _ in range(6000):
        assert process.poll() is None
        workers = watched.children()
        for each in [watched, *workers]:
            with contextlib.suppress(psutil.Error):
                if any(".jsonl" in file.path for file in each.open_files()):
                    return workers
        time.sleep(0.01)
    raise AssertionError("it never read the corpus")


def is_gone(workers):
    return not psutil.wait_procs(workers, timeout=100)[1]


def names(folder):
    """What lies in a folder, but for what a scan has counted on the way."""
    return sorted(path.name for path in folder.iterdir() if path.name != COUNTED)


def leftovers(folder):
    return list(folder.glob(f".*{PARTIAL}"))


OLD = b"the table of an earlier scan"


@pytest.fixture
def before(corpus):
    """The names of all files, one of which is an earlier table. Nothing of the corpus is counted yet."""
    shutil.rmtree(corpus / COUNTED, ignore_errors=True)
    (corpus / "tokens.parquet").write_bytes(OLD)
    return names(corpus)


def test_ctrl_c_ends_a_scan_in_one_line(corpus, before):
    with start(SCAN, corpus) as process:
        workers = wait_until_it_reads(process)
        process.send_signal(signal.SIGINT)
        output, said = process.communicate(timeout=300)
    assert is_gone(workers)
    assert (process.returncode, output, said) == (130, "", SAID)
    assert ((corpus / "tokens.parquet").read_bytes(), names(corpus)) == (OLD, before)


@pytest.mark.usefixtures("before")
def test_workers_are_out_of_reach_of_the_keys_of_a_terminal(corpus):
    """Those reach a group of processes, and a worker that Python still loads would complain."""
    with start(SCAN, corpus) as process:
        for worker in wait_until_it_reads(process):
            waited = time.monotonic() + 60
            while os.getpgid(worker.pid) == os.getpgid(process.pid):  # until it has become a program of its own
                assert time.monotonic() < waited
                time.sleep(0.01)
        process.send_signal(signal.SIGINT)


CRASHING = """
import atexit, os, signal, threading
from royaltycli.__main__ import main

atexit.register(lambda: threading.active_count() > 1 and os.kill(os.getpid(), signal.SIGSEGV))
main()
"""


@pytest.mark.usefixtures("before")
def test_an_interrupted_scan_ends_before_python_would_end_its_threads(corpus):
    """A thread that comes back from an engine while the interpreter is being taken down crashes it."""
    program = [sys.executable, "-c", CRASHING, *SCAN]
    with subprocess.Popen(program, cwd=corpus, stderr=subprocess.PIPE, text=True) as process:
        wait_until_it_reads(process)
        process.send_signal(signal.SIGINT)
        assert (process.communicate(timeout=300)[1], process.returncode) == (SAID, 130)


KEEPING = """
import multiprocessing
from royaltycli.__main__ import main

lock = multiprocessing.get_context("spawn").RLock()
main()
"""


def test_semaphores_that_a_library_made_are_given_back():
    """Else Python's own tracker of them says on standard error that they were leaked."""
    done = subprocess.run([sys.executable, "-c", KEEPING, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_typed_at_a_terminal_ends_a_scan_in_one_line(corpus, before):
    """There the progress stands in the last line, and is wiped."""
    ours, its = pty.openpty()
    name = os.ttyname(its)
    # A leader of a session takes the first terminal that it opens as its own, whose keys send it signals.
    line = f"exec {' '.join([*PROGRAM, *SCAN])} <{name} >{name} 2>{name}"
    with subprocess.Popen(["sh", "-c", line], cwd=corpus, start_new_session=True) as process:
        shown = ""
        while " tokens" not in shown:
            shown += os.read(ours, 1 << 16).decode()
        os.write(ours, b"\x03")
        os.close(its)
        with contextlib.suppress(OSError):  # the end, once all have closed it
            while True:
                shown += os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert process.returncode == 130, shown
    assert shown.endswith("error\x1b[0m: interrupted; nothing was written\r\n")
    assert "Traceback" not in shown
    assert ((corpus / "tokens.parquet").read_bytes(), names(corpus)) == (OLD, before)


INTERRUPTED_AT = """
import os, signal, sys
from royaltycli.__main__ import main

class Finder:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder)
main()
"""


@pytest.mark.parametrize(
    ("module", "status", "expected"), [("typer", -signal.SIGINT, ""), ("pyarrow", 130, SAID), ("tiktoken", 130, SAID)]
)
def test_ctrl_c_while_python_loads_is_no_traceback(small_corpus, module, status, expected):
    """Before a command begins there is nothing to say; after that it is the same line as ever."""
    (small_corpus / "tokens.parquet").write_bytes(OLD)
    line = [sys.executable, "-c", INTERRUPTED_AT.format(module=module), *SCAN]
    done = subprocess.run(line, cwd=small_corpus, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", expected)
    assert (small_corpus / "tokens.parquet").read_bytes() == OLD


WITHIN_EXEC = """
import os, signal
from royaltycli import __main__, api

def check(*_, **__):
    exec("os.kill(os.getpid(), signal.SIGINT)")

api.check = check
__main__.main()
"""


def test_ctrl_c_while_a_class_of_data_is_made_has_the_same_status(tmp_path):
    """Python would end by the signal itself if the interrupt came while it runs text."""
    (tmp_path / "within.py").write_text(WITHIN_EXEC, encoding="utf-8")
    line = [sys.executable, "-m", "within", "scan"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", SAID)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_other_signals_end_a_scan_and_write_nothing(corpus, before, number):
    with start(SCAN, corpus) as process:
        workers = wait_until_it_reads(process)
        process.send_signal(number)
        output, said = process.communicate(timeout=300)
    assert is_gone(workers)
    assert (process.returncode, output, said) == (-number, "", "")
    assert ((corpus / "tokens.parquet").read_bytes(), names(corpus)) == (OLD, before)


def test_a_scan_killed_at_any_moment_leaves_the_old_table_or_the_new_one(small_corpus, long_form):
    table = small_corpus / "tokens.parquet"
    tables = {}
    for encoding in ("r50k_base", "cl100k_base"):
        started = time.monotonic()
        with start([*SCAN, "--encoding", encoding, "--quiet"], small_corpus) as process:
            assert process.wait() == 0
        tables[encoding] = table.read_bytes()
    takes = time.monotonic() - started
    chance = random.Random(7)
    for number in range(100 if long_form else 10):
        encoding = list(tables)[number % 2]
        with start([*SCAN, "--encoding", encoding, "--quiet"], small_corpus) as process:
            time.sleep(chance.uniform(0, takes))
            process.send_signal(signal.SIGTERM if number % 3 == 2 else signal.SIGKILL)
        assert table.read_bytes() in tables.values()
        assert read_tokens(table).num_rows == 50
    with start([*SCAN, "--encoding", "r50k_base", "--quiet"], small_corpus) as process:
        assert process.wait() == 0
    assert (table.read_bytes(), leftovers(small_corpus)) == (tables["r50k_base"], [])


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder with a token table of more rows than a pipe holds."""
    folder = tmp_path_factory.mktemp("many")
    rows = list(range(30_000))
    columns = {
        "source_id": [f"source-{row:05}" for row in rows],
        "title": [f"Title {row}" for row in rows],
        "holders": [[{"id": f"holder-{row % 900}", "name": "Somebody", "share": "1"}] for row in rows],
        "license": [None for row in rows],
        "documents": [1 for row in rows],
        "bytes": rows,
        "tokens": rows,
        "epochs": ["1" for row in rows],
        "digest": [bytes(32) for row in rows],
        "credited_tokens": rows,
    }
    write_parquet(folder / "tokens.parquet", with_metadata(pa.table(columns, schema=SCHEMA), schema="2"))
    return folder


def test_a_result_cut_off_at_any_moment_is_the_old_one_or_the_new_one(many, long_form):
    result, command = many / "payout.csv", [*PAYOUT, "--format", "csv", "-o", "payout.csv", "--quiet"]
    started = time.monotonic()
    with start(command, many) as process:
        assert process.wait() == 0
    takes = time.monotonic() - started
    new = result.read_bytes()
    chance = random.Random(8)
    for number in range(60 if long_form else 4):
        result.write_bytes(OLD)
        with start(command, many) as process:
            time.sleep(chance.uniform(takes / 4, takes))
            process.send_signal(signal.SIGINT if number % 2 else signal.SIGKILL)
            said = process.stderr.read()
        written = {"": (OLD, new), SAID: (OLD,), "error: interrupted; payout.csv was written\n": (new,)}
        assert result.read_bytes() in written[said]
        assert len(leftovers(many)) <= (process.returncode == -signal.SIGKILL)
        with start(command, many) as process:
            assert process.wait() == 0
        assert (result.read_bytes(), leftovers(many)) == (new, [])
    result.unlink()


LATE = """
import os, signal, sys, threading
from pathlib import Path
from royaltycli import __main__, storage
from royaltycli.cli import console

real = {patch}

def interrupted(*args, **options):
    if threading.current_thread() is not threading.main_thread():  # a worker, on the way
        return real(*args, **options)
    os.kill(os.getpid(), signal.SIGINT)

{patch} = interrupted
__main__.main()
"""


@pytest.mark.parametrize(
    ("command", "patch", "said", "files"),
    [
        ("scan", "Path.replace", "what was counted is kept, and the next scan goes on from there", []),
        ("scan", "storage._sync_folder", "tokens.parquet was written", ["tokens.parquet"]),
        ("scan", "console.show_scan", "tokens.parquet was written", ["tokens.parquet"]),
        ("init more", "console.say", "more/corpus.toml was written", ["more/corpus.toml"]),
        ("payout old.parquet -p 1 -r 1 -o a.csv", "console.prove", "a.csv was written", ["a.csv"]),
        ("payout old.parquet -p 1 -r 1", "console.prove", "the output may not be whole", []),
        ("payout old.parquet -p 1 -r 1 -o a.csv", "storage.os.fsync", "nothing was written", []),
        (
            "close 2026 -t old.parquet -p 1 -r 1",
            "console.show_booked",
            "the ledger ledger has been written",
            ["ledger", "ledger/inputs", "ledger/inputs/DIGEST.parquet", "ledger/journal.sqlite"],
        ),
    ],
)
def test_ctrl_c_that_comes_late_says_what_was_written(many, tmp_path, command, patch, said, files):
    (tmp_path / "corpus.toml").write_text('[[source]]\nid = "a"\npath = "more"\n', encoding="utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.txt").write_text("One day.", encoding="utf-8")
    (tmp_path / "old.parquet").symlink_to(many / "tokens.parquet")
    before = set(tmp_path.rglob("*"))
    line = [sys.executable, "-c", LATE.format(patch=patch), *command.split()]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (130, f"error: interrupted; {said}\n")
    new = {path for path in tmp_path.rglob("*") if COUNTED not in path.parts} - before
    assert {re.sub("[0-9a-f]{64}", "DIGEST", str(path.relative_to(tmp_path))) for path in new} == set(files)


# -- readers that have had enough ----------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [*PAYOUT, "--format", "csv"],
        [*PAYOUT, "--format", "json"],
        [*PAYOUT, "--format", "table", "--top", "3000"],
        ["shares", "--format", "markdown"],
    ],
    ids=" ".join,
)
def test_a_reader_that_has_had_enough_is_no_error(many, arguments):
    """As with `royalty payout … | head -1`."""
    with start(arguments, many, text=False) as process:
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "stream", "status"),
    [
        ("--help", "stdout", 0),
        ("scan --help", "stdout", 0),
        ("--version", "stdout", 0),
        ("scan --nonsense", "stderr", 2),
    ],
)
def test_help_and_mistakes_that_nobody_reads_keep_their_status(tmp_path, arguments, stream, status):
    """As with `royalty --help | true`."""
    ours, its = os.pipe()
    os.close(ours)
    with start(arguments.split(), tmp_path, **{stream: its}) as process:
        os.close(its)
        output, said = process.communicate(timeout=300)
    assert (process.returncode, output or "", said or "") == (status, "", "")


CLOSED = [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"]


def with_closed(streams, command, folder):
    line = f"cd {folder}; exec {' '.join([*PROGRAM, *command])} {streams}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("streams", CLOSED)
def test_a_result_for_an_output_that_is_closed_is_an_error(many, streams):
    done = with_closed(streams, PAYOUT, many)
    gone = ">&-" in streams.split()
    assert done.returncode == (2 if gone else 0)
    if streams == ">&-":
        assert done.stderr == "error: the output cannot be written (bad file descriptor)\n"
    assert names(many) == ["tokens.parquet"]


@pytest.mark.parametrize("streams", CLOSED)
def test_a_result_file_is_written_whatever_is_closed(many, streams):
    """The files that are opened must not take the numbers of the closed streams."""
    result = many / "payout.csv"
    assert with_closed(streams, [*PAYOUT, "-o", "payout.csv"], many).returncode == 0
    assert len(result.read_text(encoding="utf-8").splitlines()) == 30_001
    result.unlink()
    assert names(many) == ["tokens.parquet"]


@pytest.mark.parametrize("streams", CLOSED)
def test_an_error_has_its_status_whatever_is_closed(many, streams):
    done = with_closed(streams, ["shares", "nowhere.parquet"], many)
    said = (
        ""
        if "2>&-" in streams
        else "error: nowhere.parquet does not exist; run `royalty scan` first, or name the table\n"
    )
    assert (done.returncode, done.stderr) == (2, said)
