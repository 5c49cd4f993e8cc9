"""Containment: a path in a manifest stays inside the manifest's folder, and names a regular file or a folder.

What counts is the real path, after all links were followed. A link that leads out, and a sibling
folder whose name begins alike, are outside.

Paths are texts here, not Path objects: with a hundred thousand of them that halves the time.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from royaltycli.limits import READ_BYTES
from royaltycli.manifest.wording import shown

JUNCTION = 0xA0000003
"""What Windows marks a folder with that leads elsewhere, which is no symbolic link."""

READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""How a file is opened: its bytes as they are, and without waiting for who writes to a pipe."""

ALLOW_OUTSIDE = "copy it into the folder, or allow it with --outside"
"""How to mend a path that leaves the folder."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not opened, and how to mend that."""

    what: str
    mend: str


def resolve(folder: Path, relative: str, *, outside: bool) -> Path | Refusal:
    """The real path of the file or folder that `relative` names, or why it is refused.

    `folder` is the manifest's folder. With `outside`, absolute paths and paths out of it are fine too.
    Nothing is opened.
    """
    found = look_up(os.path.realpath(folder), relative, outside=outside)
    return found if isinstance(found, Refusal) else Path(found[0])


def look_up(root: str, relative: str, *, outside: bool) -> tuple[str, os.stat_result] | Refusal:
    """As `resolve`, for a folder whose real path is `root`; with the status of what was found."""
    refusal = check_written(relative, outside=outside)
    if refusal is not None:
        return refusal
    quoted = f"path {shown(relative)}"
    try:
        real = _real(root, relative)
        if not outside and not is_inside(root, real):
            return Refusal(f"{quoted} leaves the manifest's folder", ALLOW_OUTSIDE)
        status = os.stat(real)
    except OSError as error:
        return refused(quoted, error)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        return Refusal(f"{quoted} is a device, a pipe or a socket", "name a file or a folder")
    return real, status


def is_inside(root: str, real: str) -> bool:
    """Whether one real path is another, or below it."""
    try:
        return os.path.commonpath((root, real)) == root
    except ValueError:  # on different drives
        return False


def check_written(relative: str, *, outside: bool) -> Refusal | None:
    """Why a path or pattern, in which there is no control character, is refused before the disk is looked at."""
    if not relative:
        return Refusal("the path is empty", "name a file, a folder or a pattern such as books/*.txt")
    if not outside and is_absolute(relative):
        mend = "write it relative to the manifest's folder, or allow it with --outside"
        return Refusal(f"path {shown(relative)} is absolute", mend)
    return None


def is_absolute(path: str) -> bool:
    """Whether a path begins elsewhere: at a drive of Windows, or at a slash, which is absolute there as well."""
    return path.startswith(("/", os.sep)) or bool(os.path.splitdrive(path)[0])


def is_junction(status: os.stat_result) -> bool:
    """Whether what a name itself stands for is a folder of Windows that leads elsewhere."""
    return getattr(status, "st_reparse_tag", 0) == JUNCTION


def refused(quoted: str, error: OSError) -> Refusal:
    """What an error of the operating system means for the thing that `quoted` names."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Refusal(f"{quoted} does not exist", "check its spelling; paths are relative to the manifest's folder")
    if error.errno == errno.ENAMETOOLONG:
        return Refusal(f"{quoted} is longer than the system allows", "use a shorter one")
    if error.errno == errno.ELOOP:
        return Refusal(f"{quoted} is a link that leads round to itself", "mend the link")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Refusal(f"{quoted} may not be read by you", "give yourself permission to read it")
    words = (error.strerror or "unknown reason").lower()
    return Refusal(f"{quoted} cannot be read ({words})", "check the disk")


def open_regular(path: str | Path) -> BinaryIO:
    """Opens a regular file to read. Raises OSError for anything else, and never waits for a pipe's writer."""
    return os.fdopen(descriptor_of(path), "rb")


def descriptor_of(path: str | Path) -> int:
    """An open regular file by its number alone, as `open_regular` opens it; a good deal faster for a small file."""
    file = os.open(path, READING)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file")
    except BaseException:
        os.close(file)
        raise
    return file


def read_regular(path: Path, quoted: str, most: int) -> bytes | Refusal:
    """The bytes of a regular file of at most `most` bytes; `quoted` names it in a refusal."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Refusal(f"{quoted} is a folder", "name a file")
        if not stat.S_ISREG(mode):
            return Refusal(f"{quoted} is a device, a pipe or a socket", "name a regular file")
        with open_regular(path) as file:
            data = _read(file, most + 1)
    except OSError as error:
        return refused(quoted, error)
    if len(data) > most:
        return Refusal(f"{quoted} is larger than {most:,} bytes", "keep long lists of sources in list files, in parts")
    return data


def _read(file: BinaryIO, most: int) -> bytes:
    """The bytes of a file, up to `most`: memory is taken for what is there, and not for all that could be."""
    data = io.BytesIO()
    while block := file.read(min(READ_BYTES, most - data.tell())):
        data.write(block)
    return data.getvalue()


def _real(root: str, relative: str) -> str:
    """The real path below a real root. Most paths hold no link: then a look at each part is enough."""
    here = root
    if not is_absolute(relative):
        for part in relative.split("/"):
            here = os.path.join(here, part)
            if part == ".." or os.sep in part or _leads_elsewhere(here):
                break
        else:
            return os.path.normpath(here)
    return os.path.realpath(os.path.join(root, relative))


def _leads_elsewhere(path: str) -> bool:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISLNK(status.st_mode) or is_junction(status)
