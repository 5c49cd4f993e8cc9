"""What stands in a URL or a path: its host, the domain that was registered for that, its first folder."""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.manifest.model import Function

_SCHEME = r"^\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#\\]*@)?"
_HOST = _SCHEME + r"(?P<host>\[[^\]/?#\\]*\]|[^/?#\\:@]*)(?::[0-9]*)?(?:[/?#\\]|\s*$)"
"""A URL up to its path: only one that says `//` has a host. A backslash ends the host, as browsers take it."""

_FOLDER = r"^/*(?:\.{1,2}/+)*(?P<folder>[^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+)/"
"""A path up to its first folder: `.` and `..` before it are none, and no part of the pattern takes them for one."""

_POINTS = re.compile("[.\u3002\uff0e\uff61]")
"""What parts the labels of a host, in other scripts too."""

LABEL_CHARS = 63
"""The longest label that the DNS takes. A longer one stays as it is: time for its ASCII form grows with its square."""

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
    cleaned = pa.array([of(host) or None for host in encoded.dictionary.to_pylist()], pa.large_string())
    return cleaned.take(encoded.indices)


@lru_cache(maxsize=HOSTS_KNOWN)
def clean_host(host: str) -> str:
    """A host in the one form that all its ways of writing share: small letters, ASCII, no point at the end.

    A label that browsers would refuse is written in ASCII nevertheless, but for one that is longer than LABEL_CHARS.
    """
    host = host.strip()
    if not host.isascii():
        host = ".".join(_ascii(label) for label in _mapped(host).split("."))
    return host.lower().rstrip(".")


def _mapped(host: str) -> str:
    """A host in the letters and points that browsers take for those that it has; a label that they refuse as it is."""
    import idna

    try:
        return idna.uts46_remap(host, std3_rules=False)
    except idna.IDNAError:
        labels = _POINTS.split(host)
        return host if len(labels) == 1 else ".".join(map(_mapped, labels))


def _ascii(label: str) -> str:
    """A label of a host in ASCII, by the letters alone: what idna forbids besides, browsers send."""
    if label.isascii() or len(label) > LABEL_CHARS:
        return label
    return "xn--" + label.encode("punycode").decode("ascii")


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
