"""A folder for the parts of a longer work: one process at a time has it, and nothing half-written stays in it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from royaltycli.errors import OutputError
from royaltycli.storage import LOCKS, PARTIAL, remove_leftover

try:
    import fcntl
except ImportError:  # Windows, where LOCKS says so
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def working_folder(folder: Path) -> Iterator[Path]:
    """A folder for the parts of a longer work, made if it is not there, that nobody else uses meanwhile.

    What a killed process left half-written in it is removed, and at the end the folder itself if nothing
    is in it. Raises OutputError if somebody does use it.
    """
    try:
        lock = _lock_folder(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{folder} cannot be used for what is counted on the way ({reason})") from error
    try:
        for leftover in folder.glob(f".*{PARTIAL}") if LOCKS else ():
            with contextlib.suppress(OSError):
                remove_leftover(leftover)
        yield folder
    finally:
        with contextlib.suppress(OSError):  # it is not empty
            folder.rmdir()
        if lock is not None:
            os.close(lock)


def _lock_folder(folder: Path) -> int | None:
    """Make a folder and lock it until the descriptor that is given back is closed. Raises OSError and OutputError."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        if not LOCKS:
            return None
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock_at_once(lock)
            if folder.exists() and os.path.samestat(os.fstat(lock), folder.stat()):
                return lock
        except BlockingIOError as error:
            os.close(lock)
            mend = "wait for it to end, or name another output"
            raise OutputError(f"another scan is under way that keeps its counts in {folder}; {mend}") from error
        except OSError:
            os.close(lock)
            raise
        os.close(lock)  # whoever had it before has just removed it


def _lock_at_once(descriptor: int) -> None:
    """Raises BlockingIOError if somebody else has the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # some network drives have no locks
        return


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
    reason = (error.strerror or str(error)).lower()
    return OutputError(f"{folder} cannot be used for what is sorted on the way ({reason}); make room there")
