"""Copies of what a period was closed with, under their digests (docs/spec-ledger.md, rule L2)."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from royaltycli.errors import LedgerError
from royaltycli.limits import READ_BYTES
from royaltycli.remote.writing import in_memory, place_of
from royaltycli.storage import write_whole

FOLDER = "inputs"


def keep(ledger: Path, given: Path, what: str) -> str:
    """Copy a file into the ledger, and give the name that it has there. Raises LedgerError and OutputError.

    In errors it is `what`, such as `the policy`.
    """
    with _reading(given, what) as file:
        ending = "".join(given.suffixes[-1:]).lower()
        name = f"{_digest(file)}{ending}"
        place = ledger / FOLDER / name
        if not is_kept(place):
            file.seek(0)
            _make_folder(ledger)
            write_whole(place, lambda copy: _copy(file, copy))
            if not is_kept(place):
                place.unlink()
                raise LedgerError(f"{what} {given} changed while it was being read; let it come to rest and try again")
    return name


def keep_text(ledger: Path, data: bytes, ending: str) -> str:
    """The same for what is no file."""
    name = f"{hashlib.sha256(data).hexdigest()}{ending}"
    place = ledger / FOLDER / name
    if not is_kept(place):
        _make_folder(ledger)
        write_whole(place, lambda copy: [copy.write(data)])
    return name


def is_kept(place: Path) -> bool:
    """Whether a copy is there and has the digest that its name says."""
    try:
        with place.open("rb") as file:
            return _digest(file) == place.name.partition(".")[0]
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
def _reading(given: Path, what: str) -> Iterator[BinaryIO]:
    if (elsewhere := place_of(given)) is not None:
        yield in_memory(elsewhere)
        return
    if not os.path.isfile(given):
        raise LedgerError(f"there is no file {os.fspath(given)!r}; name {what}")
    try:
        with given.open("rb") as file:
            yield file
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LedgerError(f"{given} cannot be read ({reason}); name {what} that can be") from error


def _make_folder(ledger: Path) -> None:
    try:
        (ledger / FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LedgerError(f"the ledger {ledger} cannot be begun ({reason}); name another folder") from error


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(READ_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _copy(file: BinaryIO, copy: BinaryIO) -> None:
    while block := file.read(READ_BYTES):
        copy.write(block)
