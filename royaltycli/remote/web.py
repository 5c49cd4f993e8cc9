"""Files on web servers: parts of a file, over encrypted connections to addresses that were checked.

Every part that is asked for must be of the version and the size that the file had when it was found; where a
connection breaks, the request goes on at the byte where it broke.
"""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin

import urllib3

from royaltycli.errors import RemoteError
from royaltycli.limits import LONGEST_WAIT, REDIRECTS, REQUEST_SECONDS, RETRIES, MiB
from royaltycli.remote.addresses import addresses_of
from royaltycli.remote.connections import pool
from royaltycli.remote.locations import split_url, without_user

CHUNK_BYTES = 1 << 16
WHOLE = 200
"""The answer of a server that sends a whole file where a part was asked for."""

MAY_PASS = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""

Response = urllib3.BaseHTTPResponse


class Origin(NamedTuple):
    """A server that the user's own environment names, which may stand anywhere, and what it gets to know the user."""

    url: str
    headers: dict[str, str]


NOBODY = Origin("", {})


class _Passing(Exception):  # noqa: N818 -- it never leaves this module
    """What went wrong may pass; how long the server asks to wait, in seconds, if it does."""

    def __init__(self, reason: str, wait: float = 0) -> None:
        super().__init__(reason)
        self.wait = wait


def find(url: str) -> tuple[int, str]:
    """The size of a file and its version: its ETag, or else when it was last modified. Raises RemoteError."""
    for attempt in range(RETRIES + 1):
        try:
            with _answer(url, {"Range": "bytes=0-0"}, NOBODY) as response:
                size = _size(url, response, {206, 416})
                version = version_of(response)
                if not version:
                    what = f"{url} has neither an ETag nor a time, by which a change in mid-scan could be noticed"
                    raise RemoteError(what, "copy it to this machine")
                return size, version
        except _Passing as error:
            _wait(url, error, attempt)
    raise AssertionError


def fetch(url: str, size: int, version: str, start: int, stop: int, origin: Origin = NOBODY) -> bytes:
    """The bytes of a file from `start` to `stop`, of this version and size; an empty version is not compared.

    Raises RemoteError.
    """
    got, failures = bytearray(), 0
    while start + len(got) < stop:
        before = len(got)
        try:
            for chunk in _part(url, size, version, range(start + before, stop), origin):
                got += chunk
        except _Passing as error:
            failures = 0 if len(got) - before >= MiB else failures + 1
            _wait(url, error, failures - 1)
    return bytes(got)


def version_of(response: Response) -> str:
    """What tells versions of a file apart: its ETag, or else its time; empty if it has neither."""
    tag: str | None = response.headers.get("ETag")
    if tag:
        return tag
    modified: str | None = response.headers.get("Last-Modified")
    return f"modified {modified}" if modified else ""


def _part(url: str, size: int, version: str, part: range, origin: Origin) -> Iterator[bytes]:
    headers = {"Range": f"bytes={part.start}-{part.stop - 1}"}
    if version.startswith('"'):  # a weak tag never matches in a request; it is compared with the answer's alone
        headers["If-Match"] = version
    with _answer(url, headers, origin) as response:
        if response.status in (404, 410, 412, 416):
            raise _changed(url)
        if _size(url, response, {206}) != size or (version and version_of(response) != version):
            raise _changed(url)
        if not response.headers.get("Content-Range", "").startswith(f"bytes {part.start}-{part.stop - 1}/"):
            raise _Passing("another part was sent than was asked for")
        left, until = len(part), time.monotonic() + REQUEST_SECONDS
        try:
            while left and (chunk := response.read1(min(CHUNK_BYTES, left))):  # what has come, be it one byte
                left -= len(chunk)
                yield chunk
                if left and time.monotonic() > until:
                    raise _Passing(f"the answer took more than {REQUEST_SECONDS:,} seconds")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _Passing(_words(error)) from error
        if left:
            raise _Passing(f"the answer ended {left:,} bytes early")


def _changed(url: str) -> RemoteError:
    return RemoteError(f"{url}: changed while it was being read", "let it come to rest and scan again")


def _size(url: str, response: Response, expected: set[int]) -> int:
    """The size of the whole file, from the answer to a request for a part. Raises RemoteError."""
    status = response.status
    if status in (401, 403):
        raise RemoteError(f"{url} may not be read by you (status {status})", "ask its owner for permission")
    if status in (404, 410):
        raise RemoteError(f"{url} does not exist (status {status})", "check its spelling")
    if status == WHOLE and response.headers.get("Content-Length") == "0":
        return 0  # of an empty file there is no part, and some servers send all of it
    if status == WHOLE:
        raise RemoteError(f"{url} is sent only as a whole, so that no break could be mended", "copy it to this machine")
    if (coding := response.headers.get("Content-Encoding", "identity")) != "identity":
        raise RemoteError(
            f"{url} is sent packed ({coding!r:.40}), so that no part can be read", "copy it to this machine"
        )
    total = re.fullmatch(r"bytes (?:[0-9]+-[0-9]+|\*)/([0-9]{1,18})", response.headers.get("Content-Range", ""))
    if status not in expected or total is None:
        raise RemoteError(f"{url} cannot be read (status {status})", "check it in a browser")
    return int(total[1])


def _answer(url: str, headers: dict[str, str], origin: Origin) -> Response:
    """The answer to a request, after redirects, each of them to an address that was checked. Raises _Passing."""
    asked, headers = url, {**headers, "Accept-Encoding": "identity", "User-Agent": "royalty"}
    for _ in range(REDIRECTS + 1):
        own = bool(origin.url) and asked.startswith(f"{origin.url}/")
        response = _ask(asked, headers | (origin.headers if own else {}), trusted=own)
        if response.status in MAY_PASS:
            response.close()
            raise _Passing(f"status {response.status}", asked_to_wait(response.headers))
        target = response.headers.get("Location")
        if response.status not in (301, 302, 303, 307, 308) or not target:
            return response
        response.close()
        try:
            asked = urljoin(asked, target)
        except ValueError as error:
            raise _no_address(target) from error
    raise RemoteError(f"{url} is redirected more than {REDIRECTS} times", "name the address that it leads to")


def _ask(url: str, headers: dict[str, str], *, trusted: bool) -> Response:
    """One request, to one of the addresses of its server. Raises RemoteError and _Passing."""
    try:
        parts = split_url(url)
    except ValueError as error:
        raise _no_address(url) from error
    host, secure = parts.hostname or "", parts.scheme == "https"
    if not (secure or trusted) or not host or parts.username is not None:
        raise _no_address(url)
    port = parts.port or (443 if secure else 80)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{parts.query}" if parts.query else "")
    headers = {**headers, "Host": parts.netloc}
    try:
        addresses = [host] if trusted else addresses_of(host, port)
        for address in addresses[:-1]:
            try:
                return pool(address, port, host, secure).urlopen("GET", target, headers=headers, **_AS_ASKED)
            except urllib3.exceptions.HTTPError:
                continue  # the next address may be reached
        return pool(addresses[-1], port, host, secure).urlopen("GET", target, headers=headers, **_AS_ASKED)
    except urllib3.exceptions.SSLError as error:
        what = f"{url}: the server cannot prove who it is ({_words(error)})"
        raise RemoteError(what, "use another address, or see to your certificates (SSL_CERT_FILE)") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _Passing(_words(error)) from error


def _no_address(url: str) -> RemoteError:
    what = f"{without_user(url)} is no address of the form https://HOST/PATH, but was redirected to"
    return RemoteError(what, "name another")


_AS_ASKED: dict[str, Any] = {"redirect": False, "retries": False, "preload_content": False, "decode_content": False}
"""Each answer as it comes: what to do about it is decided here."""


def _wait(url: str, error: _Passing, failures: int) -> None:
    """Wait before the next attempt, longer each time. Raises RemoteError if there have been enough."""
    if failures >= RETRIES:
        what = f"{url} cannot be read ({error}), tried {RETRIES + 1} times"
        raise RemoteError(what, "check the network and try again") from error
    pause(failures, error.wait)


def pause(failures: int, asked: float = 0) -> None:
    """Wait after so many failures before the one that there was now, for as many seconds as asked at the least."""
    backoff = min(LONGEST_WAIT, 2**failures / 5)
    # By a random part of it, so that many workers do not come back all at once.
    time.sleep(min(LONGEST_WAIT, max(asked, random.uniform(backoff / 2, backoff))))  # noqa: S311


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """The seconds that an answer with these headers asks to wait."""
    asked = headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _words(error: Exception) -> str:
    """An error of the network in a few words."""
    reason = getattr(error, "reason", None) or error
    words = getattr(reason, "strerror", None) or re.sub(r"^<[^>]*>: |^\(.*?\): ", "", str(reason))
    return str(words).partition("\n")[0][:160].rstrip(".") or type(reason).__name__
