"""Which addresses an agent may name as a target: https ones on the public internet, unless the settings allow more.

Names are checked here before anything is sent; the addresses that a name resolves to are checked with `Guard.permits` when the
connection is made, and the connection goes to the very address that was checked.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from reenact.errors import InvalidInput

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses inside IPv6 ones: the well-known prefix of NAT64 (RFC 6052)."""
_LOCAL_TRANSLATED = ipaddress.IPv6Network("64:ff9b:1::/48")
"""NAT64 prefixes of a network's own choice (RFC 8215): what is inside them cannot be told."""
_INNER_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "localdomain")
"""Ends of names that mean something inside a network only (RFC 6761, RFC 6762, RFC 8375, and what clouds use)."""
_NUMBERS = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+)){0,3}")
"""What resolvers read as an IPv4 address in one to four parts, in decimal, octal or hexadecimal (inet_aton)."""


class Guard:
    """What agents may name. `allowed` opens more: host names, `host:port`, addresses, networks, or `*` for everything."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """Take the exceptions.

        Raises:
            InvalidInput: an exception that is no host, address or network.
        """
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        self._is_open = False
        for exception in allowed:
            self._allow(exception.strip().lower())

    def objection(self, url: str) -> str | None:
        """Return why the origin of *url* may not be called, as a sentence; None when it may, as far as its name tells."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            return f"The target {url!r} is no URL: {error}."
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme not in {"http", "https"} or not host:
            return f"The target {url!r} is no http or https URL."
        if self._is_open or host in self._hosts or f"{host}:{port}" in self._hosts:
            return None
        address = read_address(host)
        if address is not None and self._is_listed(address):
            return None
        if address is not None and not is_public(address):
            return f"The target {host} is not on the public internet. {_ALLOW}"
        if address is None and (host.endswith(tuple("." + name for name in _INNER_NAMES)) or host in _INNER_NAMES):
            return f"The target {host} names something inside a network. {_ALLOW}"
        if parts.scheme != "https":
            return f"The target {host} must be called by https. {_ALLOW}"
        return None

    def permits(self, host: str, port: int, address: str) -> bool:
        """Return whether *host* may be reached at *address*, which it was resolved to."""
        host = host.lower().rstrip(".")
        if self._is_open or host in self._hosts or f"{host}:{port}" in self._hosts:
            return True
        ip = ipaddress.ip_address(address.partition("%")[0])
        return is_public(ip) or self._is_listed(ip)

    def _is_listed(self, address: Ip) -> bool:
        return any(_inner(address) in network for network in self._networks)

    def _allow(self, exception: str) -> None:
        if exception == "*":
            self._is_open = True
            return
        try:
            self._networks.append(ipaddress.ip_network(exception, strict=False))
        except ValueError:
            if not re.fullmatch(r"[a-z0-9_.-]+(:\d{1,5})?|\[[0-9a-f:.]+\]:\d{1,5}", exception):
                message = f"{exception!r} is no host, address or network that targets could be allowed by."
                raise InvalidInput(message, "allowed_targets") from None
            self._hosts.add(exception.replace("[", "").replace("]", ""))


_ALLOW = "A server's owner can allow it in the setting allowed_targets."


def read_address(host: str) -> Ip | None:
    """Return the IP address that *host* is, in any of the spellings that resolvers understand; None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if not _NUMBERS.fullmatch(host.lower()):
        return None
    numbers = [_number(part) for part in host.lower().split(".")]
    value = numbers.pop()
    limit = 256 ** (4 - len(numbers))
    if value >= limit or any(number > 255 for number in numbers):
        return ipaddress.IPv4Address(0)  # no address at all: one that is never public
    for place, number in enumerate(numbers):
        value += number << (8 * (3 - place))
    return ipaddress.IPv4Address(value)


def is_public(address: Ip) -> bool:
    """Return whether *address* is one of the public internet, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address) and address in _LOCAL_TRANSLATED:
        return False
    inner = _inner(address)
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def _inner(address: Ip) -> Ip:
    """Return the IPv4 address that is meant by an IPv6 one that only carries it; any other as it is."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address.teredo is None else address.teredo[1]
    return address


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    is_octal = len(text) > 1 and text[0] == "0" and not set(text) & set("89")
    return int(text, 8) if is_octal else int(text)
