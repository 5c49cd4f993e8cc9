"""What a file on another machine is called, by its text alone: `s3://`, `gs://`, `az://`, `hf://` and `https://`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import SplitResult, urlsplit

from royaltycli.errors import RemoteError

STORES = {"s3": "bucket", "gs": "bucket", "az": "container"}
"""The object stores, and what the first part of a name is in each."""

SCHEMES = (*STORES, "hf", "https")
WRITABLE = tuple(STORES)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FOLDED = re.compile(rf"([a-z][a-z0-9+.-]+):/+|({'|'.join((*SCHEMES, 'http'))}):$", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_REVISION = r"refs/convert/\w+|refs/pr/\d+|[^/@]+"
"""The hub's own revisions, of conversions to Parquet and of proposals, have slashes in their names."""

_DATASET = re.compile(rf"(datasets/[\w.-]+/[\w.-]+(?:@(?:{_REVISION}))?)((?:/.*)?)", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Location:
    """A place on another machine.

    `host` is the bucket or container; `datasets/OWNER/NAME` and perhaps `@REVISION` of Hugging Face; or the
    host and perhaps the port of a web server. `path` has no slash at its beginning.
    """

    scheme: str
    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}/{self.path}" if self.path else f"{self.scheme}://{self.host}"


def is_remote(text: str) -> bool:
    """Whether a text names something on another machine, as far as its beginning tells."""
    return _SCHEME.match(text) is not None


def written(path: str | os.PathLike[str]) -> str:
    """A path as text. A Path makes one slash of two, and a backslash on Windows: undone for `s3://bucket/file`.

    It is undone for every name that begins like one, so that a store misspelt is no folder on this machine; a
    single letter is a drive.
    """
    slashed = path.as_posix() if isinstance(path, PurePath) else os.fspath(path)
    found = _FOLDED.match(slashed) if isinstance(path, os.PathLike) else None
    return f"{found[1] or found[2]}://{slashed[found.end() :]}" if found else os.fspath(path)


def without_user(text: str) -> str:
    """A name without the user and the password that it may begin with, which belong into no message and no table."""
    scheme, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def locate(text: str) -> Location:
    """The place that a text names, such as `s3://bucket/folder/file.jsonl`. Raises RemoteError."""
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if scheme == "http":
        what = f"{without_user(text)} is sent in the clear, where anyone on the way could change it"
        raise RemoteError(what, "use https://")
    if found is None or scheme not in SCHEMES:
        known = ", ".join(f"{known}://" for known in SCHEMES)
        raise RemoteError(f"{without_user(text)} is of no known kind", f"use {known}, or a file on this machine")
    rest = text[found.end() :]
    if _CONTROL.search(rest) or any(part in (".", "..") for part in rest.split("/")):
        what = f"{text!r} holds a control character, or . or .. as a part"
        raise RemoteError(what, "write the name in full")
    if scheme == "https":
        return _web(text)
    if "//" in rest.rstrip("/"):  # another name in a store, and the same one as a Path
        raise RemoteError(f"{text} has an empty part, between two slashes", "write the name with one of them")
    if scheme == "hf":
        return _hub(text, rest)
    host, _, path = rest.partition("/")
    if not _BUCKET.fullmatch(host):
        raise RemoteError(f"{text} names no {STORES[scheme]}", f"write {scheme}://{STORES[scheme].upper()}/PATH")
    return Location(scheme, host, path.strip("/"))


def split_url(url: str) -> SplitResult:
    """The parts of a URL, whose port is a number that a port can have, and whose host a name server can be asked for.

    Raises ValueError for any other.
    """
    parts = urlsplit(url)
    if parts.port == 0:
        raise ValueError("nobody listens at port 0")
    (parts.hostname or "").encode("idna")  # as the socket library does, late
    return parts


def _hub(text: str, rest: str) -> Location:
    found = _DATASET.fullmatch(rest)
    if found is None:
        raise RemoteError(f"{text} names no dataset of Hugging Face", "write hf://datasets/OWNER/NAME/PATH")
    return Location("hf", found[1], found[2].strip("/"))


def _web(text: str) -> Location:
    shown = without_user(text)
    try:
        parts = split_url(text)
    except ValueError as error:
        raise RemoteError(f"{shown} has a host or a port that no web server can have", "check its spelling") from error
    if not _HOST.fullmatch(parts.netloc):
        mend = "write https://HOST/PATH, without user or password"
        raise RemoteError(f"{shown} names no web server", mend)
    query = f"?{parts.query}" if parts.query else ""
    return Location("https", parts.netloc.lower(), parts.path.removeprefix("/") + query)
