"""What a path names that a person has written: a file of this machine, or one in a store; and the one name it has."""

from __future__ import annotations

import os
from pathlib import Path

from royaltycli.errors import CallError, OutputError
from royaltycli.remote.locations import WRITABLE, Location, is_remote, locate, written


def remote_place(path: str | os.PathLike[str]) -> Location | None:
    """The place that a path names on another machine; None if it is on this one. Raises RemoteError."""
    text = written(path)
    return locate(text) if is_remote(text) else None


def named_file(name: str | os.PathLike[str]) -> Path:
    """The path of a result, which names no folder. Raises OutputError and RemoteError.

    A slash at the end says that it does, and is lost in a Path; so is a point after it.
    """
    place = remote_place(name)
    if place is not None:
        check_file(place)
    if os.fspath(name).removesuffix(".").endswith(("/", os.sep)):
        raise folder_there(place or Path(name))
    return Path(name)


def named_path(name: str | os.PathLike[str]) -> Path:
    """The path of a name, which is none that a Path would make another of. Raises RemoteError."""
    remote_place(name)
    return Path(name)


def check_here(path: str | os.PathLike[str], what: str) -> None:
    """Raises CallError if a path leads to another machine, where `what` cannot be used; and RemoteError."""
    if (place := remote_place(path)) is not None:
        raise CallError(f"{place} is on another machine, but {what} must be on this one; name one here")


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
    place = remote_place(path)
    return str(real_path(path) if place is None else place)


def is_same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two names are of one file; a disk may take them for the same in other capitals, too. Raises as above."""
    names = real_name(one), real_name(other)
    if names[0] == names[1] or names[0].casefold() != names[1].casefold():
        return names[0] == names[1]
    try:
        return Path(names[0]).samefile(names[1])
    except OSError:  # one of them is not there, or both are in a store
        return False


def is_in(inner: str | os.PathLike[str], outer: str | os.PathLike[str]) -> bool:
    """Whether a file is another, or lies in it as in a folder. Raises as above."""
    if remote_place(inner) is not None or remote_place(outer) is not None:
        return f"{real_name(inner)}/".startswith(f"{real_name(outer)}/")
    place = real_path(inner)
    return any(is_same(each, outer) for each in (place, *place.parents))


def check_file(place: Location) -> None:
    """Raises OutputError if the name of a place is that of no file in a store."""
    check_store(place, "file")
    if not place.path:
        raise OutputError(f"{place} names no file; write {place}/FILE")


def check_store(place: Location, kind: str) -> None:
    """Raises OutputError if a place is in no store, where a `kind` could be."""
    if place.scheme not in WRITABLE:
        mend = f"name a {kind} here, or in a store ({', '.join(f'{scheme}://' for scheme in WRITABLE)})"
        raise OutputError(f"{place} cannot be written to; {mend}")


def folder_there(place: Location | Path) -> OutputError:
    """The error for a place where a file is to be written, and which is a folder."""
    return OutputError(f"{place} is a folder; name a file in it")
