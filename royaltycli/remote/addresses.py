"""Which addresses a name from a manifest may lead to.

A manifest may come from a stranger, and must not reach what only this machine can reach: services on it,
in its network, or of its cloud, such as the one at 169.254.169.254 that hands out credentials. So a name is
resolved once, what comes out is checked, and the connection goes to exactly that.
"""

from __future__ import annotations

import ipaddress
import os
import socket

from royaltycli.errors import RemoteError

TRUSTED = "ROYALTY_TRUSTED_HOSTS"
"""The environment variable that names hosts, with their ports, that may stand at a private address."""

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host, all of them public unless the user trusts it. Raises RemoteError, and OSError."""
    name = host.strip("[]")
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if f"{host}:{port}" not in _trusted():
        for address in addresses:
            if not is_public(address):
                what = f"{host} is at {address}, a private address, where a manifest must not reach"
                raise RemoteError(what, f"if you trust it, set {TRUSTED}={host}:{port} in your environment")
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is one of the internet at large; one wrapped into another counts as what is inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return all(part.is_global and not part.is_multicast for part in (ip, *_wrapped(ip)))


def _wrapped(ip: _Address) -> list[_Address]:
    """The IPv4 addresses that an IPv6 address stands for on networks that translate."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    teredo = ip.teredo or ()
    inner = [ip.ipv4_mapped, ip.sixtofour, *teredo]
    if ip in _TRANSLATED:
        inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [part for part in inner if part is not None]


def _trusted() -> set[str]:
    return {name.strip().lower() for name in os.environ.get(TRUSTED, "").split(",")}
