"""The one door to a file on another machine: an open file that reads the parts it is asked for, and the next ahead."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future

from royaltycli.remote.locations import locate
from royaltycli.remote.waiting import begun

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

    With `ahead`, the part that follows is asked for while the last one is worked on, up to the byte `stop`:
    for a file that is read from one end to the other.
    """

    def __init__(self, fetch: Fetch, size: int, *, ahead: bool = False, stop: int | None = None) -> None:
        super().__init__()
        self._fetch, self._size, self._ahead = fetch, size, ahead
        self._stop = size if stop is None else min(stop, size)
        self._position = 0
        self._coming: tuple[range, Future[bytes]] | None = None

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
        start = self._position
        stop = self._size if size < 0 else min(self._size, start + size)
        if start >= stop:
            return b""
        data = self._arrived(start, stop)
        if len(data) < stop - start:
            data += self._fetch(start + len(data), stop)
        self._position = stop
        if self._ahead and stop < self._stop:
            self._send_for(range(stop, min(self._stop, stop + len(data))))
        return data

    def _arrived(self, start: int, stop: int) -> bytes:
        """What was asked for ahead, if it is what is wanted now."""
        coming, self._coming = self._coming, None
        if coming is None or coming[0].start != start:
            return b""
        return coming[1].result()[: stop - start]

    def _send_for(self, part: range) -> None:
        self._coming = (part, begun(lambda: self._fetch(part.start, part.stop)))
