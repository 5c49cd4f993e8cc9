"""A folder for the parts of a longer work: one process at a time has it, and nothing half-written stays in it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from royaltycli.errors import OutputError, RemoteError, reason_of
from royaltycli.remote.locations import Location
from royaltycli.remote.names import remote_place
from royaltycli.remote.writing import check_folder, names_in, remove
from royaltycli.storage import LOCKS, PARTIAL, remove_leftovers

try:
    import fcntl
except ImportError:  # Windows, where LOCKS says so
    fcntl = None  # type: ignore[assignment]


LEFTOVER = re.compile(rf"\.[0-9a-f]{{64}}\.parquet\.[0-9a-f]+{re.escape(PARTIAL)}")
"""What a killed process may leave of a part whose name is a digest; all else in the folder is somebody else's."""


@contextlib.contextmanager
def working_folder(folder: Path, *, shared: bool = False) -> Iterator[Path]:
    """A folder for the parts of a longer work, made if it is not there, that nobody else uses meanwhile.

    With `shared`, others that share it as well may use it. Unless it is, what a killed process left half-written
    in it is removed, and at the end the folder itself if nothing is in it. Raises OutputError if somebody does
    use it. A folder in a store is neither made nor locked, as stores know no such thing.
    """
    if (place := remote_place(folder)) is not None:
        check_folder(place)
        yield folder
        return
    try:
        lock = _lock_folder(folder, shared=shared)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be used for what is counted on the way ({reason_of(error)}); name another folder"
        ) from error
    try:
        if not shared:
            remove_leftovers(path for path in folder.glob(f".*{PARTIAL}") if LEFTOVER.fullmatch(path.name))
        yield folder
    finally:
        if not shared:  # or another may be about to write into it
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()
        if lock is not None:
            os.close(lock)


def _lock_folder(folder: Path, *, shared: bool) -> int | None:
    """Make a folder and lock it until the descriptor that is given back is closed. Raises OSError and OutputError."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        if not LOCKS:
            return None
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock_at_once(lock, shared=shared)
            if folder.exists() and os.path.samestat(os.fstat(lock), folder.stat()):
                return lock
        except BlockingIOError as error:
            os.close(lock)
            mend = "wait for it to end, or name another output"
            raise OutputError(f"another royalty is at work in {folder}; {mend}") from error
        except OSError:
            os.close(lock)
            raise
        os.close(lock)  # whoever had it before has just removed it


def _lock_at_once(descriptor: int, *, shared: bool) -> None:
    """Raises BlockingIOError if somebody else has the lock, and does not share it."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # some network drives have no locks
        return


def parts_in(folder: Path, name: re.Pattern[str]) -> list[Path]:
    """The files in a folder that have such a name, in the order of their names. Raises RemoteError."""
    place = remote_place(folder)
    if place is not None:
        names = names_in(place)
    else:
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(folder / one for one in names if name.fullmatch(one))


def remove_part(path: Path) -> None:
    """Remove a file of a folder, if that can be done."""
    with contextlib.suppress(OSError, RemoteError):
        if (place := remote_place(path)) is not None:
            remove(place)
        else:
            path.unlink()


def absolute(folder: Path) -> Path:
    """A folder by the name that it has wherever the program stands."""
    return folder if remote_place(folder) is not None else folder.absolute()


def scratch_of(folder: Path) -> Path:
    """Where files lie that are of use only meanwhile: in a folder, or on this machine if that is in a store."""
    return folder if remote_place(folder) is None else Path(tempfile.gettempdir())


def scratch_file(folder: Path) -> IO[bytes]:
    """A file in `folder` for what memory has no room for: without a name, and gone with whoever opened it.

    Raises OutputError if there can be none.
    """
    try:
        return tempfile.TemporaryFile(dir=folder, suffix=PARTIAL)
    except OSError as error:
        raise no_room(folder, error) from error


def no_room(folder: Path, error: OSError) -> OutputError:
    """The error for a `scratch_file` that cannot be written, or read again."""
    return OutputError(f"{folder} cannot be used for what is sorted on the way ({reason_of(error)}); make room there")


def local_folder(place: Location) -> Path:
    """The folder on this machine for what belongs to a result on another one: in the user's cache, by its name.

    Raises OutputError if the user has none.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 -- which never raises
    if cache == "~/.cache":  # as it was written
        raise OutputError(
            "you have no home folder, where what is counted on the way is kept; name a folder with `--counts`"
        )
    name = hashlib.sha256(str(place).encode()).hexdigest()[:16]
    return Path(cache, "royalty", name)
