"""Copies of what a period was closed with, under their digests (docs/spec-ledger.md, rule L2)."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from royaltycli.errors import LedgerError, reason_of
from royaltycli.limits import READ_BYTES
from royaltycli.remote.names import remote_place
from royaltycli.remote.reading import in_memory
from royaltycli.storage import write_whole

FOLDER = "inputs"
TOKENS = "the token table"
POLICY = "the policy"


def name_of(given: Path | bytes, what: str) -> str:
    """The name that a copy of a file, or of a shipped policy, has: its digest, and its ending.

    In errors it is `what`, such as `the policy`. Raises LedgerError, and RemoteError for a remote one.
    """
    # A policy is read as TOML whatever its file is called, so its name makes no other policy of it.
    ending = ".toml" if isinstance(given, bytes) or what == POLICY else given.suffix.lower()
    with _reading(given, what) as file:
        return f"{_digest(file)}{ending}"


def keep(ledger: Path, given: Path | bytes, name: str, what: str) -> None:
    """Copy a file into the ledger, under the name that it had when it was read. Raises LedgerError, OutputError."""
    place = ledger / FOLDER / name
    if is_kept(place):
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger {ledger} cannot be begun ({reason_of(error)}); name another folder") from error
    with _reading(given, what) as file:
        if not _is_of(file, name):
            raise LedgerError(f"{given!s} changed while it was being read; let it come to rest and try again")
        file.seek(0)
        write_whole(place, lambda copy: shutil.copyfileobj(file, copy, READ_BYTES))


def is_kept(place: Path) -> bool:
    """Whether a copy is there and has the digest that its name says."""
    try:
        with place.open("rb") as file:
            return _is_of(file, place.name)
    except OSError:
        return False


def path_of(ledger: Path, name: str) -> Path:
    """The copy of that name. Raises LedgerError if it is missing, or has changed by as much as a bit."""
    place = ledger / FOLDER / name
    if not os.path.isfile(place):
        raise LedgerError(f"{place} is missing, with which a period was closed; restore a copy of the ledger")
    if not is_kept(place):
        raise LedgerError(f"{place} is not what a period was closed with; restore a copy of the ledger")
    return place


@contextlib.contextmanager
def _reading(given: Path | bytes, what: str) -> Iterator[BinaryIO]:
    if isinstance(given, bytes):
        yield io.BytesIO(given)
        return
    if (elsewhere := remote_place(given)) is not None:
        yield in_memory(elsewhere)
        return
    if not os.path.isfile(given):
        first = "run `royalty scan` first, or " if what == TOKENS else ""
        raise LedgerError(f"there is no file {os.fspath(given)!r}; {first}name {what}")
    try:
        with given.open("rb") as file:
            yield file
    except OSError as error:
        raise LedgerError(f"{given} cannot be read ({reason_of(error)}); name {what} that can be") from error


def _is_of(file: BinaryIO, name: str) -> bool:
    """Whether a file has the digest that a name of a copy says."""
    return _digest(file) == name.partition(".")[0]


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(READ_BYTES):
        digest.update(block)
    return digest.hexdigest()
