"""Results on other machines: written in one step, read back and compared."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from royaltycli.errors import OutputError, RemoteError
from royaltycli.limits import READ_BYTES
from royaltycli.remote.locations import Location
from royaltycli.remote.names import check_file, check_store, folder_there
from royaltycli.remote.reading import open_found
from royaltycli.remote.waiting import asked


def check_writable(place: Location) -> None:
    """Raises OutputError and RemoteError if no result can stand there, as far as that is known beforehand."""
    check_file(place)
    from royaltycli.remote import objects

    if asked(lambda: objects.has_below(place)):
        raise folder_there(place)


def check_folder(place: Location) -> None:
    """As `check_writable`, of a folder in which files are to be written."""
    check_store(place, "folder")
    from royaltycli.remote import objects

    asked(lambda: objects.has_below(place))


def send(place: Location, file: BinaryIO) -> None:
    """Write an open file to a store. Raises RemoteError.

    Whoever reads there meanwhile sees what was there before or the whole of what is new.
    """
    from royaltycli.remote import objects

    asked(lambda: objects.put(place, file))


def check_sent(place: Location, digest: bytes) -> None:
    """Read back what was sent to a store, whose SHA-256 must be `digest`. Raises OutputError."""
    try:
        stored = asked(lambda: _digest(place))
    except RemoteError as error:  # as with keys that may only write
        raise OutputError(
            f"{place} was written, but cannot be read back to be compared ({error.what}); "
            "look there whether it is whole, and use keys that may read there"
        ) from error
    if stored != digest:
        raise OutputError(f"{place} reads back otherwise than it was written; write it again")


def _digest(place: Location) -> bytes:
    stored = hashlib.sha256()
    with open_found(place) as file:
        while block := file.read(READ_BYTES):
            stored.update(block)
    return stored.digest()


def names_in(place: Location) -> list[str]:
    """The names of the files that lie in a folder of a store themselves. Raises OutputError and RemoteError."""
    check_store(place, "folder")
    from royaltycli.remote import objects

    found = asked(lambda: list(objects.below(place, deep=False)))
    return [one.path.rpartition("/")[2] for one in found]


def remove(place: Location) -> None:
    """Remove a file from a store. Raises RemoteError."""
    from royaltycli.remote import objects

    asked(lambda: objects.remove(place))
