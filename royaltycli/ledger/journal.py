"""The journal in its database: opened, read and added to, and nothing else (docs/spec-ledger.md, rules L1 to L5)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.errors import LedgerError, reason_of
from royaltycli.ledger.accounts import Account, Balances, Moves, changes
from royaltycli.ledger.chain import START, Posting, canonical
from royaltycli.ledger.parties import SCHEMA as PARTIES_SCHEMA
from royaltycli.ledger.parties import Parties
from royaltycli.ledger.state import Logged, State
from royaltycli.notes import note
from royaltycli.progress import Tell, say_nothing
from royaltycli.remote.names import check_here

FILE = "journal.sqlite"
ENDINGS = ("", "-journal", "-wal", "-shm")
"""Of its name, and of those of the files that SQLite may put beside it."""

FORMAT = 2
"""The version of the schema, in the database's own `user_version`."""

APPLICATION = 0x726F7961
"""The database's own `application_id`: "roya"."""

WAIT_SECONDS = 60
"""How long a command waits for another one that is writing."""

ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of the ledger in `folder`, open; nothing of it is in memory."""

    folder: Path
    database: sqlite3.Connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Nobody else writes meanwhile, and what is written is there in whole at the end, or not at all."""
        with errors(self.folder):
            self.database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.database.execute("COMMIT")
                note(f"the ledger {self.folder} has been written", is_result=True)
            finally:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """What is read is of one moment."""
        with errors(self.folder):
            self.database.execute("BEGIN")
            try:
                yield
            finally:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")

    def is_new(self) -> bool:
        """Whether nothing has been written yet."""
        (tables,) = self.database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return bool(tables == 0)

    def begin(self) -> None:
        """Make the tables of a new ledger."""
        for statement in statements():
            self.database.execute(statement)
        self.database.executemany("INSERT INTO accounts VALUES (?, ?)", account_names())
        self.database.execute(f"PRAGMA application_id = {APPLICATION}")
        self.database.execute(f"PRAGMA user_version = {FORMAT}")

    def state(self) -> State:
        """All that a transaction may depend on, but for the moves of those before it."""
        periods = tuple(name for (name,) in self.database.execute("SELECT name FROM periods ORDER BY number"))
        balances = self.integers("SELECT key, amount FROM balances ORDER BY key", 2)
        held = Balances(balances[:, 0].copy(), balances[:, 1].copy())
        return State(tuple(self.log()), periods, self.parties(), held)

    def schema(self) -> list[tuple[str | None, ...]]:
        """Every table, index, view and trigger, as the database has it."""
        return self.database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()

    def head(self) -> bytes:
        """The digest of the last transaction."""
        row = self.database.execute("SELECT digest FROM transactions ORDER BY number DESC LIMIT 1").fetchone()
        return START if row is None else bytes(row[0])

    def log(self) -> Iterator[Logged]:
        """Every transaction, without its moves."""
        for number, kind, about, found in self.database.execute(
            "SELECT number, kind, about, digest FROM transactions ORDER BY number"
        ):
            yield Logged(number, kind, json.loads(about), found)

    def parties(self) -> Parties:
        """All parties."""
        rows = self.database.execute("SELECT class, id, name FROM parties ORDER BY number")
        tables = [PARTIES_SCHEMA.empty_table()]
        while some := rows.fetchmany(ROWS_AT_ONCE):
            columns = [pa.array(column, pa.string()) for column in zip(*some, strict=True)]
            tables.append(pa.table(columns, schema=PARTIES_SCHEMA))
        return Parties(pa.concat_tables(tables).combine_chunks())

    def moves(self, number: int) -> Moves:
        """The moves of one transaction."""
        return Moves(
            self.integers(
                "SELECT period, from_account, from_party, to_account, to_party, amount FROM moves WHERE number = ?"
                " ORDER BY line",
                6,
                (number,),
            )
        )

    def integers(self, query: str, width: int, values: tuple[Any, ...] = ()) -> Numbers:
        """The rows of a query, all of whose columns are integers. Raises TypeError if one is not."""
        rows, found = self.database.execute(query, values), array("q")
        while some := rows.fetchmany(ROWS_AT_ONCE):
            found.extend(chain.from_iterable(some))
        return np.frombuffer(found, np.int64).reshape(-1, width) if found else np.empty((0, width), np.int64)

    def append(self, state: State, posting: Posting, tell: Tell = say_nothing) -> State:
        """Book a transaction, and what it makes of the balances; gives the state after it."""
        changed = changes(posting.moves)
        new = state.after(posting, changed)
        number, execute, many = new.log[-1].number, self.database.execute, self.database.executemany
        counts = (len(posting.moves.rows), posting.parties.num_rows, len(posting.periods))
        row = (number, posting.kind, canonical(posting.about), *counts, new.head)
        execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        for place, name in enumerate(posting.periods, len(state.periods) + 1):
            execute("INSERT INTO periods VALUES (?, ?)", (place, name))
        first = len(state.parties) + 1
        for batch in posting.parties.to_batches(max_chunksize=ROWS_AT_ONCE):
            columns = (column.to_pylist() for column in batch.columns)
            numbers = range(first, first + len(batch))
            many("INSERT INTO parties VALUES (?, ?, ?, ?)", zip(numbers, *columns, strict=True))
            first += len(batch)
        rows = posting.moves.rows
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            numbered = zip(repeat(number, len(some)), range(start, start + len(some)), *some.T.tolist(), strict=True)
            many("INSERT INTO moves VALUES (?, ?, ?, ?, ?, ?, ?, ?)", numbered)
            tell("writing", start + len(some), len(rows))
        self._keep_balances(new, changed)
        return new

    def _keep_balances(self, state: State, changed: Balances) -> None:
        """Write the balances that have changed, and remove those that are at zero."""
        held = state.balances
        for start in range(0, len(changed.keys), ROWS_AT_ONCE):
            keys = changed.keys[start : start + ROWS_AT_ONCE]
            places = np.searchsorted(held.keys, keys)
            there = np.append(held.keys, -1)[places] == keys
            rows = zip(keys[there].tolist(), held.amounts[places[there]].tolist(), strict=True)
            self.database.executemany("INSERT OR REPLACE INTO balances VALUES (?, ?)", rows)
            gone = ((key,) for key in keys[~there].tolist())
            self.database.executemany("DELETE FROM balances WHERE key = ?", gone)


def statements() -> list[str]:
    """The statements that make the tables, as the database keeps them."""
    text = resources.files("royaltycli.ledger").joinpath("schema.sql").read_text(encoding="utf-8")
    blocks = (block for block in text.split("\n\n") if block.strip())
    bare = ("\n".join(line for line in block.splitlines() if not line.startswith("--")) for block in blocks)
    return [block.strip().removesuffix(";") for block in bare]


def expected_schema() -> list[tuple[str | None, ...]]:
    """What `Journal.schema` is in a journal that nobody has changed."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        new = Journal(Path(), database)
        new.begin()
        return new.schema()


def account_names() -> list[tuple[int, str]]:
    """The rows of the table of accounts."""
    return [(int(account), account.name.lower().replace("_", " ")) for account in Account]


@contextlib.contextmanager
def opened(folder: Path, *, create: bool = False) -> Iterator[Journal]:
    """The journal of the ledger in a folder; with `create` it may be a new one.

    Raises LedgerError if there is none, if it is damaged or of another version, or if it cannot be opened.
    """
    file = folder / FILE
    if sqlite3.sqlite_version_info < (3, 37):
        raise LedgerError(f"the SQLite of this Python is {sqlite3.sqlite_version}; a ledger needs 3.37 or later")
    if create:
        _make_folder(folder)
    else:
        check_there(folder)
    with errors(folder):
        address = f"{_address(file.absolute().as_uri())}?mode={'rwc' if create else 'rw'}"
        database = sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            # One file beside the journal while it is written, and a power cut takes back nothing that was said.
            for setting in ("journal_mode = DELETE", "synchronous = EXTRA", "fullfsync = ON", "trusted_schema = OFF"):
                database.execute(f"PRAGMA {setting}")
            journal = Journal(folder, database)
            _check_kind(journal, create=create)
            yield journal
        finally:
            database.close()


def _address(address: str) -> str:
    """The address of a file as SQLite takes it, which knows no other machine but by a name that begins with it."""
    return address if address.startswith("file:///") else address.replace("//", "////", 1)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger {folder} cannot be begun ({reason_of(error)}); name another folder") from error


def check_there(folder: Path) -> None:
    """Raises LedgerError if there is no journal, or nobody may tell whether there is one; CallError in a store."""
    check_here(folder, "a ledger")
    try:
        is_there = stat.S_ISREG((folder / FILE).stat().st_mode)
    except PermissionError as error:
        raise LedgerError(
            f"the ledger {folder} may not be read by you; give yourself permission to read its folder"
        ) from error
    except (OSError, ValueError):
        is_there = False
    if not is_there:
        raise _none(folder)


def _check_kind(journal: Journal, *, create: bool) -> None:
    if journal.is_new():
        if not create:
            raise _none(journal.folder)
        return
    (application,) = journal.database.execute("PRAGMA application_id").fetchone()
    (version,) = journal.database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise LedgerError(f"{journal.folder / FILE} is no journal of royalty; name another folder with `--ledger`")
    if version != FORMAT:
        raise LedgerError(
            f"{journal.folder / FILE} has format {version}, where this version of royalty reads {FORMAT}; "
            "use the version of royalty that made it"
        )


def _none(folder: Path) -> LedgerError:
    return LedgerError(f"there is no ledger in {folder}; `royalty close` begins one, or name another with `--ledger`")


@contextlib.contextmanager
def errors(folder: Path) -> Iterator[None]:
    """What the database says, as a LedgerError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise LedgerError(
                f"the ledger {folder} is being written by another command; wait for it to end, and try again"
            ) from error
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise LedgerError(
                f"the ledger {folder} cannot be written or read ({error}); mend that, and run the command again"
            ) from error
        raise damaged(folder, str(error)) from error


def damaged(folder: Path, what: str) -> LedgerError:
    """The error for a journal that makes no sense."""
    return LedgerError(f"{folder / FILE} is damaged ({what}); restore a copy of the ledger, and have it verified")
