"""The one door to a file on another machine: an open file that reads the parts it is asked for, and the next ahead."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future
from typing import BinaryIO

from royaltycli.errors import RemoteError
from royaltycli.limits import READ_BYTES
from royaltycli.remote.finding import find_file
from royaltycli.remote.locations import Location, locate
from royaltycli.remote.waiting import asked, begun, waited

Fetch = Callable[[int, int], bytes]
"""Gives the bytes of a file from a first one to before a last one, all of them, or raises RemoteError."""


def fetcher(name: str, size: int, version: str) -> Fetch:
    """How to read a remote file of which size and version were found. A file that has changed is an error."""
    place = locate(name)
    if place.scheme == "https":
        from royaltycli.remote import web

        return lambda start, stop: web.fetch(name, size, version, start, stop)
    if place.scheme == "hf":
        from royaltycli.remote import hub

        return lambda start, stop: hub.fetch(place, size, start, stop)
    from royaltycli.remote import objects

    return lambda start, stop: objects.fetch(place, size, version, start, stop)


class RemoteFile(io.RawIOBase):
    """A remote file, open for reading; each read is one request.

    With `ahead`, for a file that is read from one end to the other, requests are for READ_BYTES at least, however
    little is read at a time, and the part that follows is asked for while the last one is worked on, up to the
    byte `stop`.
    """

    def __init__(self, fetch: Fetch, size: int, *, ahead: bool = False, stop: int | None = None) -> None:
        super().__init__()
        self._fetch, self._size = fetch, size
        self._ahead_to = 0 if not ahead else size if stop is None else min(stop, size)
        self._position = 0
        self._held_from, self._held = 0, b""
        self._coming: tuple[int, Future[bytes]] | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a byte, counted from the start, from here or from the end."""
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        """The byte that is read next."""
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, or all; fewer only at the end of the file. Raises RemoteError."""
        stop = self._size if size < 0 else min(self._size, self._position + size)
        parts = []
        while self._position < stop:
            if not self._held_from <= self._position < self._held_from + len(self._held):
                self._held_from, self._held = self._position, self._part(self._position, stop)
            start = self._position - self._held_from
            part = self._held[start : start + stop - self._position]
            parts.append(part)
            self._position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, start: int, stop: int) -> bytes:
        """The bytes from `start` on, perhaps not up to `stop`, perhaps beyond it."""
        coming, self._coming = self._coming, None
        if coming is not None and coming[0] == start:
            data = waited(coming[1])
        else:
            data = self._fetch(start, max(stop, min(start + READ_BYTES, self._ahead_to)))
        end = start + len(data)
        if end < self._ahead_to:
            following = min(end + max(len(data), READ_BYTES), self._ahead_to)
            self._coming = (end, begun(lambda: self._fetch(end, following)))
        return data


def open_found(place: Location) -> RemoteFile:
    """A file on another machine, in the version that is there now. Raises RemoteError if there is none."""
    if not place.path:
        raise RemoteError(f"{place} names no file", f"write {place}/FILE")
    found = find_file(place)
    if found is None:
        raise RemoteError(f"{place} does not exist", "run `royalty scan` first, or name another")
    return RemoteFile(fetcher(found.path, found.size, found.version), found.size, ahead=True)


def in_memory(place: Location) -> BinaryIO:
    """The whole of a file on another machine. Raises RemoteError."""
    return io.BytesIO(asked(lambda: open_found(place).read()))
