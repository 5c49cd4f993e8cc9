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

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(text: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(line.split()[0]) for line in text.strip().splitlines())


# Listed here, as what Python takes for private differs from one release of it to the next.
_NOT_PUBLIC = _networks("""
    0.0.0.0/8        this network
    10.0.0.0/8       private
    100.64.0.0/10    behind a provider's translation
    127.0.0.0/8      this machine
    168.63.129.16/32 what Azure offers each of its machines
    169.254.0.0/16   this link, and what clouds offer each of their machines
    172.16.0.0/12    private
    192.0.0.0/24     of protocols
    192.0.2.0/24     examples
    192.88.99.0/24   relays of 6to4, which are no more
    192.168.0.0/16   private
    198.18.0.0/15    measurements
    198.51.100.0/24  examples
    203.0.113.0/24   examples
    224.0.0.0/4      groups of machines
    240.0.0.0/4      reserved, and all machines
    2001::/23        of protocols: Teredo, measurements, ORCHID
    2001:db8::/32    examples
    3fff::/20        examples
""")

_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
"""All that was given out of IPv6. Without it: local addresses of every kind (fc00::/7, fe80::/10, fec0::/10), groups
(ff00::/8), IPv4 in its old clothes (::/96, ::ffff:0:0:0/96), local translation (64:ff9b:1::/48), what is
discarded (100::/64), and segments of a network (5f00::/16)."""

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_6TO4 = ipaddress.IPv6Network("2002::/16")


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
    inner = _wrapped(ip)
    if inner is not None:
        return is_public(str(inner))
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _PUBLIC_V6:
        return False
    return not any(ip in network for network in _NOT_PUBLIC)


def _wrapped(ip: _Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for on networks that translate."""
    if ip in _MAPPED or ip in _TRANSLATED:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _6TO4:
        return ipaddress.IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    return None


def _trusted() -> set[str]:
    return {name.strip().lower() for name in os.environ.get(TRUSTED, "").split(",")}
