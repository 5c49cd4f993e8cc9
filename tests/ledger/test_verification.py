"""Rule L21: `royalty ledger verify` finds any changed byte, in the journal and in the inputs."""

from __future__ import annotations

import random
import shutil
import sqlite3

import numpy as np
import pytest

from royaltycli.errors import LedgerDamage, LedgerError
from royaltycli.ledger.escrow import redistribute, release
from royaltycli.ledger.journal import FILE
from royaltycli.ledger.payments import settle
from royaltycli.ledger.transfers import transfer
from royaltycli.ledger.verification import verify
from tests.ledger.corpora import A, B, C, Ledger

POLICY = '[deductions]\nfee = "10%"\nreserve = "5%"\n'


def make(folder):
    """A small ledger with a transaction of every kind."""
    ledger = Ledger(folder)
    lost = "holder_id,reachable,advance\nc,no,\na,yes,1\n"
    ledger.close("2026", 100, ("x", 1, A), ("y", 2, B), ("z", 1, C), ("w", 1, {}), policy=POLICY, holders=lost)
    ledger.close("2027", 100, ("x", 1, A), ("y", 1, B), ("w", 1, {}), policy=POLICY, date="2027-12-31")
    ledger.restate("2026", 90, ("x", 2, A), ("y", 2, B), ("z", 1, C), ("w", 1, {}), policy=POLICY, holders=lost)
    settle(ledger.path, "2026", "returned", {"a": None})
    settle(ledger.path, "2026", "paid", None)
    release(ledger.path, "c")
    redistribute(ledger.path, 1, "holders")
    transfer(ledger.path, "a", "d", name="D and sons")
    return ledger


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def copy(sound, tmp_path):
    """A copy of the sound ledger, to be changed."""
    shutil.copytree(sound.path, tmp_path / "ledger")
    return tmp_path / "ledger"


def content(file):
    """Everything that a journal says, or None if it cannot be read."""
    try:
        database = sqlite3.connect(file)
        tables = ("sqlite_schema", "transactions", "accounts", "periods", "parties", "moves", "balances")
        columns = {"sqlite_schema": "type, name, tbl_name, sql"}
        return [
            database.execute(f"SELECT {columns.get(table, '*')} FROM {table} ORDER BY 1, 2").fetchall()
            for table in tables
        ]
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    finally:
        database.close()


def damage(path, **options):
    """What is found wrong with a ledger."""
    with pytest.raises(LedgerDamage) as error:
        verify(path, **options)
    assert error.value.exit_status == 1
    return str(error.value)


def test_a_sound_ledger(sound):
    verified = verify(sound.path)
    assert (verified.transactions, verified.periods) == (8, 2)
    assert verified.head == sound.state().head.hex()


def test_any_changed_byte_of_the_journal_is_found_or_changes_nothing(copy, long_form):
    file = copy / FILE
    good, before = file.read_bytes(), content(file)
    chance, found = random.Random(7), 0
    places = range(len(good)) if long_form else chance.sample(range(len(good)), 40)
    # The head of the file, and bytes that are not zero, are where something stands.
    places = [*range(16, 100, 2), *places, *chance.sample([at for at, byte in enumerate(good) if byte], 80)]
    for at in places:
        data = bytearray(good)
        data[at] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        try:
            verify(copy)
        except (LedgerDamage, LedgerError):
            found += 1
        else:
            assert content(file) == before, f"byte {at} was changed unnoticed"
    assert found > len(places) // 4


def test_any_changed_byte_of_an_input_is_found(copy, long_form):
    chance = random.Random(3)
    for file in sorted((copy / "inputs").iterdir()):
        good = file.read_bytes()
        for at in chance.sample(range(len(good)), min(len(good), 200 if long_form else 3)):
            data = bytearray(good)
            data[at] ^= 1 << chance.randrange(8)
            file.write_bytes(data)
            assert "is not what a period was closed with" in damage(copy)
        file.unlink()
        assert "is missing, with which a period was closed" in damage(copy)
        file.write_bytes(good)
    verify(copy)


CHANGES = [
    (
        "UPDATE moves SET amount = amount + 1 WHERE number = 2 AND line = 1",
        "transaction 2 (close) does not have the digest",
    ),
    ("UPDATE moves SET to_party = 1 WHERE number = 1 AND line = 2", "transaction 1 (close) does not have the digest"),
    (
        "UPDATE transactions SET about = replace(about, '100', '101') WHERE number = 1",
        "transaction 1 (close) does not have",
    ),
    (
        "UPDATE transactions SET about = about || ' ' WHERE number = 3",
        "transaction 3 (restate) does not have the digest",
    ),
    ("UPDATE transactions SET kind = 'settle' WHERE number = 6", "transaction 6 (settle) does not have the digest"),
    ("UPDATE transactions SET number = 12 WHERE number = 8", "does not have the digest that it was booked with"),
    ("UPDATE parties SET name = 'E' WHERE id = 'd'", "transaction 8 (transfer) does not have the digest"),
    ("UPDATE periods SET name = '2028' WHERE number = 2", "transaction 2 (close) does not have the digest"),
    ("UPDATE accounts SET name = 'gift' WHERE number = 6", "the names of the accounts are not those of royalty"),
    (
        "UPDATE balances SET amount = amount + 1 WHERE rowid IN (SELECT max(key) FROM balances)",
        "the balances beside the journal",
    ),
    ("DELETE FROM balances", "the balances beside the journal are not the sums of its moves"),
    ("DELETE FROM moves WHERE number = 7", "transaction 7 (redistribute) does not have the digest"),
    ("DELETE FROM transactions WHERE number = 5", "does not have the digest that it was booked with"),
    ("INSERT INTO moves VALUES (9, 0, 1, 1, 0, 3, 1, 5)", "there are "),
    ("INSERT INTO parties VALUES (90, 'holder', 'me', 'Me')", "there are "),
    ("INSERT INTO periods VALUES (9, '2029')", "there are 3 periods where the transactions have 2"),
    ("CREATE TABLE more (number INTEGER)", "the tables and triggers of the journal are not those that royalty makes"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_what_somebody_changed_by_hand(copy, change, said):
    """Without the triggers, which are put back as they were."""
    database = sqlite3.connect(copy / FILE, isolation_level=None)
    triggers = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        database.execute(f"DROP TRIGGER {name}")
    database.execute(change)
    for _, sql in triggers:
        database.execute(sql)
    database.close()
    assert said in damage(copy)


def test_a_trigger_that_is_missing_is_found(copy):
    database = sqlite3.connect(copy / FILE, isolation_level=None)
    database.execute("DROP TRIGGER moves_stay")
    database.close()
    assert damage(copy) == "the tables and triggers of the journal are not those that royalty makes"


def test_a_chain_that_was_made_anew_is_found_by_its_inputs(copy):
    """Somebody gives a holder a cent more, and puts every digest and balance right again."""
    from royaltycli.ledger import journal
    from royaltycli.ledger.accounts import Moves
    from royaltycli.ledger.chain import Posting
    from royaltycli.ledger.state import EMPTY

    with journal.opened(copy) as found:
        state, all_parties = EMPTY, found.parties().table
        postings = []
        for logged in found.log():
            rows = found.moves(logged.number).rows.copy()
            if logged.number == 2:
                rows[1, 5] += 1_000_000
                rows[2, 5] -= 1_000_000
            (periods, parties) = found.database.execute(
                "SELECT periods, parties FROM transactions WHERE number = ?", (logged.number,)
            ).fetchone()
            names = (("2026", "2027")[len(state.periods)],) if periods else ()
            posting = Posting(
                logged.kind, logged.about, names, all_parties.slice(len(state.parties), parties), Moves(rows)
            )
            postings.append(posting)
            state = state.after(posting)
        old = state.log
    (copy / FILE).unlink()
    with journal.opened(copy, create=True) as found, found.writing():
        found.begin()
        state = EMPTY
        for posting in postings:
            state = found.append(state, posting)
    assert old
    assert "transaction 2 (close of 2027): its moves are not what its inputs come to, from line 1 on" in damage(copy)


def test_a_transaction_of_a_kind_that_is_not_known(copy):
    from royaltycli.ledger import journal
    from royaltycli.ledger.accounts import Moves
    from royaltycli.ledger.chain import Posting

    with journal.opened(copy) as found, found.writing():
        state, nothing = found.state(), Moves(np.empty((0, 6), np.int64))
        found.append(state, Posting("gift", {}, (), state.parties.since(len(state.parties)), nothing))
    assert "gift is no kind of transaction that this version of royalty knows" in damage(copy)


def test_a_journal_that_was_cut_short_is_told_by_its_head(sound, copy):
    shorter = Ledger(copy.parent)
    head = shorter.state().head.hex()
    transfer(copy, "d", "b")
    longer = shorter.state().head.hex()
    verify(copy, head=head)
    verify(copy, head=longer.upper())
    shutil.copy(sound.path / FILE, copy / FILE)
    said = f"no transaction has the digest {longer}, so the journal was cut short, or is another one"
    assert damage(copy, head=longer) == said


def test_no_ledger_is_no_damage(tmp_path):
    with pytest.raises(LedgerError, match="there is no ledger"):
        verify(tmp_path / "ledger")


def test_it_tells_how_far_it_is(sound):
    told = []
    verify(sound.path, tell=lambda *told_of: told.append(told_of))
    steps = [("verifying transactions", number, 8) for number in range(1, 9)]
    assert told == [("checking the database", 0, 0), *steps]
