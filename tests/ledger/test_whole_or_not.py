"""Rule L5: a transaction is written whole or not at all, whatever fails, who kills it, and how many write at once."""

from __future__ import annotations

import errno
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from royaltycli.errors import LedgerError, RoyaltyError
from royaltycli.ledger.booking import close_period
from royaltycli.ledger.journal import FILE
from royaltycli.ledger.verification import verify
from tests.disk import Disk, failing
from tests.ledger.corpora import CENT, A, B, Ledger, write_tokens
from tests.ledger.syscalls import Calls, library
from tests.ledger.test_verification import content

ROYALTY = [sys.executable, "-m", "royaltycli"]
MANY = [(f"source-{number}", number + 1, {f"holder-{number}": "1"}) for number in range(300)]

needs_library = pytest.mark.skipif(library() is None, reason="this Python has SQLite within itself")


@pytest.fixture(params=["new", "old"])
def case(request, tmp_path):
    """A ledger, what to close in it next, its content before, and after."""
    ledger = Ledger(tmp_path)
    if request.param == "old":
        ledger.close("2026", 100, *MANY[:200])
    given = ledger.given("2027", 100, *MANY)
    before = content(ledger.path / FILE) if request.param == "old" else None
    shutil.copytree(ledger.path, tmp_path / "base") if request.param == "old" else (tmp_path / "base").mkdir()
    close_period(ledger.path, given)
    return ledger, given, before, content(ledger.path / FILE)


def restore(ledger):
    shutil.rmtree(ledger.path)
    shutil.copytree(ledger.folder / "base", ledger.path)


def old_or_new(ledger, before, after):
    """Which of the two a ledger is; a new one that holds nothing yet is the old."""
    file = ledger.path / FILE
    now = content(file) if file.exists() and file.stat().st_size else None
    if now is not None and not any(now):
        now = None
    assert now in (before, after)
    return "new" if now == after else "old"


@needs_library
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_a_fault_at_any_call_of_the_database(case, number, long_form):
    ledger, given, before, after = case
    restore(ledger)
    with Calls().in_use() as calls:
        close_period(ledger.path, given)
    assert {"unlink"} <= set(calls.names)
    assert len(calls.names) > 20
    failed = []
    for at in range(1, len(calls.names) + 1, 1 if long_form else 4):
        restore(ledger)
        with Calls(at, lambda _name: number).in_use():
            try:
                close_period(ledger.path, given)
            except LedgerError as error:
                failed.append(str(error))
        old_or_new(ledger, before, after)
        close_period(ledger.path, given)
        assert old_or_new(ledger, before, after) == "new"
    assert all("cannot be written or read" in said for said in failed)
    assert len(failed) > len(calls.names) // 12


KILLS = """
import json, os, shutil, signal, sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from royaltycli.ledger.booking import Given, close_period
from royaltycli.ledger.verification import verify
from royaltycli.payout.currency import find_currency
from tests.ledger.syscalls import Calls
from tests.ledger.test_verification import content

folder, tokens, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
ledger, file = folder / "ledger", folder / "ledger" / "journal.sqlite"
given = Given("2027", Decimal(100), Fraction(1), find_currency("USD"), tokens)

def forked(work):
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def run(at):
    def kill(_name):
        os.kill(os.getpid(), signal.SIGKILL)
    def work():
        with Calls(at, kill).in_use():
            close_period(ledger, given)
        os._exit(0)
    return work

def check():
    close_period(ledger, given)
    verify(ledger)
    os._exit(0)

at, seen = 1, []
while True:
    shutil.rmtree(ledger)
    shutil.copytree(folder / "base", ledger)
    killed = forked(run(at))
    now = content(file) if file.exists() and file.stat().st_size else None
    seen.append(json.dumps(now, default=bytes.hex))
    if killed == 0:
        break
    assert killed == -signal.SIGKILL, killed
    assert forked(check) == 0
    at += step
print(json.dumps(seen))
"""


@needs_library
def test_killed_at_any_call_of_the_database(case, long_form):
    ledger, given, before, after = case
    line = [sys.executable, "-c", KILLS, str(ledger.folder), str(given.tokens), "1" if long_form else "9"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=600, check=True)
    texts = [json.dumps(one, default=bytes.hex) for one in (before, after)]
    nothing = json.dumps([[]] * 7)
    seen = [text if text != nothing else "null" for text in json.loads(done.stdout)]
    assert len(seen) > 3
    assert set(seen) <= set(texts)
    assert seen[0] == texts[0]
    assert seen[-1] == texts[1]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_a_fault_while_inputs_are_copied(case, number, long_form):
    ledger, given, before, after = case
    restore(ledger)
    with Disk().in_use() as disk:
        close_period(ledger.path, given)
    assert {"write", "fsync", "replace"} <= set(disk.calls)

    points = [at for at, name in enumerate(disk.calls, 1) if name != "close"]
    refused = 0
    for at in points if long_form else points[:: max(1, len(points) // 10)]:
        restore(ledger)
        with Disk(at, failing(number)).in_use():
            try:
                close_period(ledger.path, given)
            except RoyaltyError:
                refused += 1
        old_or_new(ledger, before, after)
        close_period(ledger.path, given)
        assert old_or_new(ledger, before, after) == "new"
    assert refused > 2


def test_the_program_killed_again_and_again(tmp_path, long_form):
    """At random moments, the real program; what it has closed in the end is as if it had never been killed."""
    write_tokens(tmp_path / "tokens.parquet", *MANY)
    line = [*ROYALTY, "close", "2026", "--profit", "100", "--rate", "1", "--quiet"]
    started = time.monotonic()
    subprocess.run([*line, "--ledger", "whole"], cwd=tmp_path, check=True)
    took = time.monotonic() - started
    chance, kills = random.Random(5), 0
    while kills < (100 if long_form else 3):
        with subprocess.Popen(line, cwd=tmp_path) as process:
            time.sleep(chance.uniform(took / 3, took))
            process.send_signal(signal.SIGKILL)
        if process.returncode == 0:
            shutil.rmtree(tmp_path / "ledger")
        kills += 1
    subprocess.run(line, cwd=tmp_path, check=True)
    assert content(tmp_path / "ledger" / FILE) == content(tmp_path / "whole" / FILE)
    verify(tmp_path / "ledger")


EIGHT = """
import os, sys
from pathlib import Path
import royaltycli.policies.holders, royaltycli.policies.reading, royaltycli.policies.usage, royaltycli.tokens.table
from royaltycli import accounting
from royaltycli.errors import LedgerError

def close(number):
    how = {"profit": str(100 + number % 2), "rate": "1", "tokens": Path("tokens.parquet"), "ledger": Path("ledger")}
    try:
        return "closed" if accounting.close("2026", **how).is_new else "unchanged"
    except LedgerError as error:
        return str(error)

read, start = os.pipe()
children = []
for number in range(8):
    if not os.fork():
        os.close(start)
        os.read(read, 1)  # which ends when all are there
        os.write(1, (close(number) + "\\n").encode())
        os._exit(0)
os.close(start)
for _ in range(8):
    os.wait()
"""


def test_eight_closes_at_once(tmp_path, long_form):
    """Of two inputs: one takes effect, whoever has the same finds that, and whoever has the other is refused."""
    write_tokens(tmp_path / "tokens.parquet", *MANY)
    for _ in range(40 if long_form else 2):
        shutil.rmtree(tmp_path / "ledger", ignore_errors=True)
        line = [sys.executable, "-c", EIGHT]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
        won = Ledger(tmp_path).state().log[0].about["profit"]
        lost = "101" if won == "100" else "100"
        mend = "book the difference with `royalty restate 2026`"
        refused = f"period 2026 is closed with profit {won} (not {lost}); {mend}"
        assert sorted(done.stdout.splitlines()) == ["closed", *[refused] * 4, *["unchanged"] * 3]
        assert len(Ledger(tmp_path).state().log) == 1
        verify(tmp_path / "ledger")


def test_one_who_waits_too_long_is_told(case, monkeypatch):
    from royaltycli.ledger import journal

    ledger, given, *_ = case
    monkeypatch.setattr(journal, "WAIT_SECONDS", 0.05)
    with journal.opened(ledger.path) as found, found.writing():
        with pytest.raises(LedgerError, match="is being written by another command; wait for it to end"):
            close_period(ledger.path, replace(given, period="2028"))
        found.database.execute("ROLLBACK")
        found.database.execute("BEGIN")


def test_another_that_was_quicker_is_seen(tmp_path, monkeypatch):
    """Between the computation and the writing somebody else closes a period, without paying: it is computed anew."""
    from royaltycli.ledger import booking

    ledger = Ledger(tmp_path)
    ledger.close("2026", 1, ("x", 1, A), ("y", 2, B))
    given = ledger.given("2028", 1, ("x", 1, A), ("y", 2, B))
    other = ledger.given("2027", 1, ("x", 1, A), ("y", 2, B), policy='name = "p"\n[payment]\nminimum = "1000"\n')
    keep = booking.inputs.keep
    first = []

    def slow(*rest):
        keep(*rest)
        if not first:
            first.append(True)
            close_period(ledger.path, other)

    monkeypatch.setattr(booking.inputs, "keep", slow)
    close_period(ledger.path, given)
    assert ledger.state().periods == ("2026", "2027", "2028")
    assert ledger.paid("2028") == {"a": 66 * CENT, "b": 134 * CENT}
    verify(ledger.path)
