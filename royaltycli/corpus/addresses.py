"""What stands in a URL or a path: its host, the domain that was registered for that, its first folder."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.manifest.model import Function

_SCHEME = r"^\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#\\]*@)?"
_HOST = _SCHEME + r"(?P<host>\[[^\]/?#\\]*\]|[^/?#\\:@]*)(?::[0-9]*)?(?:[/?#\\]|\s*$)"
"""A URL up to its path: only one that says `//` has a host. A backslash ends the host, as browsers take it."""

_FOLDER = r"^/*(?:\./+)*(?P<folder>[^/]+)/"

HOSTS_KNOWN = 1 << 16
"""How many hosts a process remembers, as the documents of a site mostly stand together."""


def applied(function: Function, values: pa.Array) -> pa.Array:
    """A function of each value, null where it has none. Values that are the same are looked at once."""
    pattern = _FOLDER if function == "folder" else _HOST
    found = pc.struct_field(pc.extract_regex(values, pattern), 0)
    if function == "folder":
        return found
    encoded = pc.dictionary_encode(found)
    of = {"host": clean_host, "domain": registered_domain}[function]
    cleaned = pa.array([_or_none(of, host) for host in encoded.dictionary.to_pylist()], pa.large_string())
    return cleaned.take(encoded.indices)


def _or_none(of: Callable[[str], str], host: str) -> str | None:
    return of(host) or None


@lru_cache(maxsize=HOSTS_KNOWN)
def clean_host(host: str) -> str:
    """A host in the one form that all its ways of writing share: small letters, ASCII, no point at the end."""
    host = host.strip().lower().removesuffix(".")
    if host.isascii():
        return host
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


@lru_cache(maxsize=HOSTS_KNOWN)
def registered_domain(host: str) -> str:
    """The domain that was registered for a host, by the Public Suffix List; the host itself if it has none.

    None have addresses in numbers, names of one part, and hosts that are a public suffix themselves.
    """
    host = clean_host(host)
    if host.endswith("]") or (host[-1:].isdigit() and _is_address(host)):
        return host
    return _suffixes().privatesuffix(host) or host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> Any:
    """The Public Suffix List as the package brings it, with its private part: nothing is downloaded."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
