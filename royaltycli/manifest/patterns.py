"""Finds the files that a pattern matches, below the manifest's folder.

`*`, `?` and `[…]` match within one name, `**` any number of folders. Neither matches hidden names, and
`**` does not follow links. Python's own `glob` passes over folders that it may not read, and over
links that lead out; here each is a match that says why it cannot be used.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from royaltycli.manifest.paths import ALLOW_OUTSIDE, Refusal, is_absolute, is_inside, is_junction, refused
from royaltycli.manifest.wording import CONTROL

NOT_INSIDE = Refusal("outside the manifest's folder", ALLOW_OUTSIDE)
NOT_REGULAR = Refusal("a device, a pipe or a socket", "remove it, or use a narrower pattern")
NO_NAME = Refusal("a name with control characters, or not in UTF-8", "rename it")
NO_PERMISSION = Refusal("no permission", "give yourself permission to read it")

_ANY_FOLDERS = None


class NamePattern(NamedTuple):
    """A pattern for one name: what all names that it matches begin with, and what tells whether it matches one."""

    start: str
    match: Callable[[str], object]


Part = str | NamePattern | None
"""One part of a pattern: a name as it stands, a pattern for a name, or `**`."""


Stamp = tuple[int | str, ...]
"""What changes when a file is written. Of one on this machine: when it was last written and last touched in
any way, in nanoseconds, and its number on the disk. Of a remote one: its version, as its store names it."""


@dataclass(frozen=True, slots=True)
class Match:
    """A file: its name as reached from the manifest's folder, its real path, its size in bytes and its stamp.

    With `refusal` it is something that matches but cannot be used; a folder's name then ends in `/`.
    """

    name: str
    path: str
    size: int = 0
    stamp: Stamp = (0, 0, 0)
    refusal: Refusal | None = None


class Meant(NamedTuple):
    """What a path means: a file that it names itself, a folder, or a pattern; with its name, clean, and its files."""

    kind: Literal["file", "folder", "pattern"]
    name: str
    matches: Sequence[Match]


def is_pattern(text: str) -> bool:
    """Whether a path has characters that match others."""
    return re.search(r"[*?\[]", text) is not None


def clean_name(path: str) -> str:
    """A path as files are named by: without parts that mean nothing, such as `./` and a `/` at the end."""
    name = "/".join(part for part in path.split("/") if part not in ("", "."))
    return f"/{name}" if path.startswith("/") else name


class Listing:
    """The entries of the folder that was listed last, in the order of their names, once it is asked for again.

    A manifest may have a great many patterns of one folder: each then looks only at names that begin like it. Of
    one that is asked for once, as most are, no entries are kept, each of which takes half a kilobyte.
    """

    def __init__(self) -> None:
        self._folder: str | None = None
        self._entries: list[os.DirEntry[str]] = []
        self._names: list[str] | None = None

    def beginning(self, folder: str, start: str) -> Iterator[os.DirEntry[str]]:
        """The entries of a folder whose names begin with `start`. Raises OSError if it cannot be listed."""
        if folder != self._folder:
            self._folder, self._entries, self._names = folder, [], None
            with os.scandir(folder) as entries:
                yield from (entry for entry in entries if entry.name.startswith(start))
            return
        if self._names is None:
            with os.scandir(folder) as entries:
                self._entries = sorted(entries, key=lambda entry: entry.name)
            self._names = [entry.name for entry in self._entries]
        at = bisect_left(self._names, start)
        while at < len(self._names) and self._names[at].startswith(start):
            yield self._entries[at]
            at += 1


def matches(root: str, pattern: str, *, outside: bool, listing: Listing | None = None) -> list[Match]:
    """Every file that `pattern` matches, in no particular order; `root` is the real path of the folder.

    With a `listing`, what was listed for the pattern before is not listed anew.
    """
    drive, below = os.path.splitdrive(pattern)  # of which there are some on Windows alone
    walk = _Walk(root, parts_of(below), outside=outside, listing=listing)
    return walk.run(f"{drive}/", f"{drive}/") if is_absolute(pattern) else walk.run(root, "")


def parts_of(pattern: str) -> list[Part]:
    """The parts of a pattern."""
    parts: list[Part] = []
    for written in pattern.split("/"):
        if written == "**":
            if not parts or parts[-1] is not _ANY_FOLDERS:
                parts.append(_ANY_FOLDERS)
        elif written not in ("", "."):
            parts.append(_name_pattern(written) if is_pattern(written) else written)
    if parts and parts[-1] is _ANY_FOLDERS:
        parts.append(_name_pattern("*"))
    return parts


def fits(names: Sequence[str], parts: Sequence[Part]) -> bool:
    """Whether the names of some folders and of a file in them are what the parts of a pattern mean."""
    places = {0}  # in the pattern, at which the names so far may end
    for number, name in enumerate(names):
        after: set[int] = set()
        todo = list(places)
        for at in todo:
            part = parts[at] if at < len(parts) else ""
            if part is _ANY_FOLDERS:
                todo.append(at + 1)
                if number < len(names) - 1 and not name.startswith("."):
                    after.add(at)
            elif name == part if isinstance(part, str) else part.match(name):
                after.add(at + 1)
        places = after
    return len(parts) in places


def files_below(root: str, folder: str, name: str, *, outside: bool) -> list[Match]:
    """Every file in a folder and the folders in it, but for hidden ones; `name` is the folder's own, clean."""
    walk = _Walk(root, [_ANY_FOLDERS, _name_pattern("*")], outside=outside)
    return walk.run(folder, name if name in ("", "/") else f"{name}/")


def match_file(name: str, path: str, status: os.stat_result) -> Match:
    """A match for a real path, with the refusal if it is no regular file that may be read."""
    refusal = None
    if not stat.S_ISREG(status.st_mode):
        refusal = NOT_REGULAR
    elif CONTROL.search(name):
        refusal = NO_NAME
    elif not os.access(path, os.R_OK):
        refusal = NO_PERMISSION
    return Match(name, path, status.st_size, stamp_of(status), refusal)


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file."""
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _name_pattern(written: str) -> NamePattern:
    """A hidden name is matched only by a pattern that begins with a point itself."""
    pattern = re.compile(("" if written.startswith(".") else r"(?!\.)") + fnmatch.translate(written))
    return NamePattern(re.split(r"[*?\[]", written, maxsplit=1)[0], pattern.match)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder itself, and does not lead to one."""
    return entry.is_dir(follow_symlinks=False) and not is_junction(entry.stat(follow_symlinks=False))


class _Walk:
    """One pattern on its way through the folders; an own stack, as folders may be nested very deeply."""

    def __init__(self, root: str, parts: list[Part], *, outside: bool, listing: Listing | None = None) -> None:
        self.root, self.outside, self.parts, self.listing = root, outside, parts, listing or Listing()
        self.found: dict[str, Match] = {}
        self.todo: list[tuple[str, str, int]] = []

    def run(self, start: str, prefix: str) -> list[Match]:
        seen: set[tuple[str, int]] = set()
        if self.parts:
            self.todo.append((start, prefix, 0))
        while self.todo:
            folder, prefix, at = self.todo.pop()
            if (prefix, at) in seen:
                continue
            seen.add((prefix, at))
            part = self.parts[at]
            try:
                if part is _ANY_FOLDERS:
                    self._descend(folder, prefix, at)
                elif isinstance(part, str):
                    self._take_name(folder, prefix, at, part)
                else:
                    self._take_all(folder, prefix, at, part)
            except OSError as error:
                self._refuse(prefix or "./", error)
        return list(self.found.values())

    def _descend(self, folder: str, prefix: str, at: int) -> None:
        self.todo.append((folder, prefix, at + 1))
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and _is_folder(entry):
                    self.todo.append((entry.path, f"{prefix}{entry.name}/", at))

    def _take_all(self, folder: str, prefix: str, at: int, part: NamePattern) -> None:
        if part.start:
            self._take_these(self.listing.beginning(folder, part.start), prefix, at, part)
        else:
            with os.scandir(folder) as entries:
                self._take_these(entries, prefix, at, part)

    def _take_these(self, entries: Iterator[os.DirEntry[str]], prefix: str, at: int, part: NamePattern) -> None:
        last, matched = at == len(self.parts) - 1, part.match
        for entry in entries:
            if not matched(entry.name):
                continue
            name = prefix + entry.name
            try:  # and no `with`, which would take as long as all else for a file
                if entry.is_symlink():
                    self._follow(name, entry.path, at)
                elif entry.is_dir(follow_symlinks=False):
                    if not last and _is_folder(entry):
                        self.todo.append((entry.path, f"{name}/", at + 1))
                    elif not last:
                        self._follow(name, entry.path, at)
                elif last:
                    self.found[name] = match_file(name, entry.path, entry.stat(follow_symlinks=False))
            except OSError as error:
                self._refuse(name, error)

    def _take_name(self, folder: str, prefix: str, at: int, part: str) -> None:
        path = os.path.join(folder, part)
        if os.path.lexists(path):
            try:
                self._follow(prefix + part, path, at)
            except OSError as error:
                self._refuse(prefix + part, error)

    def _follow(self, name: str, path: str, at: int) -> None:
        """Goes to where a path really leads, if it may."""
        real = os.path.realpath(path)
        is_folder = os.path.isdir(real)
        if is_folder == (at == len(self.parts) - 1):
            return  # a folder where a file is meant, or the other way round
        if not self.outside and not is_inside(self.root, real):
            name += "/" if is_folder else ""
            self.found[name] = Match(name, real, refusal=NOT_INSIDE)
        elif is_folder:
            self.todo.append((real, f"{name}/", at + 1))
        else:
            self.found[name] = match_file(name, real, os.stat(real))

    def _refuse(self, name: str, error: OSError) -> None:
        """Makes an error of the operating system a match that cannot be used."""
        refusal = refused("", error)
        refusal = Refusal(refusal.what.strip(), refusal.mend)
        denied = isinstance(error, PermissionError)
        self.found[name] = Match(name, name, refusal=NO_PERMISSION if denied else refusal)
