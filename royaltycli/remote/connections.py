"""Connections to web servers, on which the head of an answer has to come within a time.

The limits of a socket are for each of its reads: a server that sends a byte of a head now and then, or that only
ever says `100 Continue`, would hold whoever reads there for ever.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading

import urllib3

from royaltycli.limits import CONNECT_SECONDS, HEAD_SECONDS, SILENCE_SECONDS


class _Connection(urllib3.connection.HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as the class above it says itself
        """The answer, as soon as its head is there. Raises ProtocolError if it takes too long."""
        late = threading.Event()

        def break_off() -> None:
            late.set()
            if self.sock is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # and not TLS's own, which asks the server

        timer = threading.Timer(HEAD_SECONDS, break_off)
        timer.daemon = True
        timer.start()
        try:
            return super().getresponse()
        finally:
            timer.cancel()
            if late.is_set():  # what was cut off may look whole
                raise urllib3.exceptions.ProtocolError(f"the answer did not begin within {HEAD_SECONDS:,} seconds")


class _SecureConnection(_Connection, urllib3.connection.HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


@functools.lru_cache(maxsize=64)
def pool(address: str, port: int, host: str, secure: bool) -> urllib3.HTTPConnectionPool:  # noqa: FBT001
    """Connections to one address of a host, whose certificate must be the host's."""
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS)
    if not secure:
        return _Pool(address, port, timeout=timeout, maxsize=4)
    return _SecurePool(address, port, timeout=timeout, maxsize=4, assert_hostname=host, server_hostname=host)
