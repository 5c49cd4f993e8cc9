"""Results on other machines: written in one step, read back and compared."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import BinaryIO

from royaltycli.errors import OutputError, RemoteError
from royaltycli.limits import READ_BYTES
from royaltycli.remote.finding import find_file
from royaltycli.remote.locations import WRITABLE, Location, is_remote, locate, written
from royaltycli.remote.reading import RemoteFile, fetcher
from royaltycli.remote.waiting import begun


def place_of(path: str | os.PathLike[str]) -> Location | None:
    """The place that a path names on another machine; None if it is on this one. Raises RemoteError."""
    text = written(path)
    return locate(text) if is_remote(text) else None


def named_file(name: str | os.PathLike[str]) -> Path:
    """The path of a result, which names no folder. Raises OutputError and RemoteError.

    A slash at the end says that it does, and is lost in a Path; so is a point after it.
    """
    place = place_of(name)
    if place is not None:
        _check_file(place)
    if os.fspath(name).removesuffix(".").endswith(("/", os.sep)):
        raise _is_folder(place or Path(name))
    return Path(name)


def named_path(name: str | os.PathLike[str]) -> Path:
    """The path of a name, which is none that a Path would make another of. Raises RemoteError."""
    place_of(name)
    return Path(name)


def _is_folder(place: Location | Path) -> OutputError:
    return OutputError(f"{place} is a folder; name a file in it")


def real_path(path: str | os.PathLike[str]) -> Path:
    """The path of a file or a folder without links. Raises OutputError for a name that there cannot be."""
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:  # a zero byte, or half a surrogate pair
        raise OutputError(f"{str(path)!r} is no name that a file can have; name another") from error


def real_name(path: str | os.PathLike[str]) -> str:
    """The one name of a file, however it is written: of one on this machine its real path.

    Raises RemoteError and OutputError for a name that there cannot be.
    """
    place = place_of(path)
    return str(real_path(path) if place is None else place)


def check_writable(place: Location) -> None:
    """Raises OutputError and RemoteError if no result can stand there, as far as that is known beforehand."""
    _check_file(place)
    from royaltycli.remote import objects

    if begun(lambda: objects.has_below(place)).result():
        raise _is_folder(place)


def check_folder(place: Location) -> None:
    """As `check_writable`, of a folder in which files are to be written."""
    _check_store(place, "folder")
    from royaltycli.remote import objects

    begun(lambda: objects.has_below(place)).result()


def _check_file(place: Location) -> None:
    """Raises OutputError if the name of a place is that of no file in a store."""
    _check_store(place, "file")
    if not place.path:
        raise OutputError(f"{place} names no file; write {place}/FILE")


def _check_store(place: Location, kind: str) -> None:
    """Raises OutputError if a place is in no store, where a `kind` could be."""
    if place.scheme not in WRITABLE:
        mend = f"name a {kind} here, or in a store ({', '.join(f'{scheme}://' for scheme in WRITABLE)})"
        raise OutputError(f"{place} cannot be written to; {mend}")


def send(place: Location, file: BinaryIO) -> None:
    """Write an open file to a store. Raises RemoteError.

    Whoever reads there meanwhile sees what was there before or the whole of what is new.
    """
    from royaltycli.remote import objects

    begun(lambda: objects.put(place, file)).result()


def check_sent(place: Location, digest: bytes) -> None:
    """Read back what was sent to a store, whose SHA-256 must be `digest`. Raises OutputError."""
    try:
        stored = begun(lambda: _digest(place)).result()
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


def open_found(place: Location) -> RemoteFile:
    """A file on another machine, in the version that is there now. Raises RemoteError if there is none."""
    if not place.path:
        raise RemoteError(f"{place} names no file", f"write {place}/FILE")
    found = find_file(place)
    if found is None:
        raise RemoteError(f"{place} does not exist", "run `royalty scan` first, or name another")
    return RemoteFile(fetcher(found.path, found.size, found.version), found.size, ahead=True)


def names_in(place: Location) -> list[str]:
    """The names of the files that lie in a folder of a store themselves. Raises OutputError and RemoteError."""
    _check_store(place, "folder")
    from royaltycli.remote import objects

    found = begun(lambda: list(objects.below(place, deep=False))).result()
    return [one.path.rpartition("/")[2] for one in found]


def remove(place: Location) -> None:
    """Remove a file from a store. Raises RemoteError."""
    from royaltycli.remote import objects

    begun(lambda: objects.remove(place)).result()


def in_memory(place: Location) -> BinaryIO:
    """The whole of a file on another machine. Raises RemoteError."""
    return io.BytesIO(begun(lambda: open_found(place).read()).result())


def local_folder(place: Location) -> Path:
    """The folder on this machine for what belongs to a result on another one: in the user's cache, by its name."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    name = hashlib.sha256(str(place).encode()).hexdigest()[:16]
    return Path(cache, "royalty", name)
