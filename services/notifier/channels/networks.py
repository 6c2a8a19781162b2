"""Where we may be sent by an address that somebody else typed. Pure: names are resolved elsewhere, once.

A URL is read here alone, into the pieces that the connection is made of, so that no second reader can see another host.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = IPv6Network("::/96")
# Printable ASCII but for what readers of URLs disagree about.
_SOUND = re.compile(r"[!#-\[\]_a-z~]+", re.IGNORECASE)


class Blocked(Exception):
    """An address that must not be called; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Place(msgspec.Struct, frozen=True):
    """A URL in its pieces; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == default else f"{host}:{self.port}"


class Policy(msgspec.Struct, frozen=True):
    """What may be called: public addresses over https on some ports, and the `networks` that an operator names. A
    `local` stack may also call its own machine, in clear text. Link-local and multicast addresses are for nobody."""

    local: bool = False
    ports: frozenset[int] = frozenset({443, 8443})
    networks: tuple[Network, ...] = ()

    def place(self, url: str) -> Place:
        """The URL in its pieces. Raises `Blocked`."""
        if len(url) > 2000 or not _SOUND.fullmatch(url):
            raise Blocked("url_malformed")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise Blocked("url_malformed") from None
        if parts.scheme not in ("https", "http") or not host or parts.fragment or len(host) > 253:
            raise Blocked("url_malformed")
        if "@" in parts.netloc:
            raise Blocked("url_with_credentials")
        if parts.scheme == "http" and not self.local:
            raise Blocked("not_https")
        port = port or (443 if parts.scheme == "https" else 80)
        if port not in self.ports and not self.local:
            raise Blocked("port_not_allowed")
        literal = _literal(host)
        if literal is not None:
            self.check(literal)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Place(parts.scheme, host, port, target)

    def check(self, address: Address) -> None:
        """Raises `Blocked` unless `address` may be connected to."""
        for each in _meant(address):
            if each.is_link_local or each.is_multicast or each.is_unspecified:
                raise Blocked("address_not_public")
            named = any(each.version == network.version and each in network for network in self.networks)
            own = self.local and (each.is_loopback or each.is_private)
            if not (each.is_global or named or own):
                raise Blocked("address_not_public")


def networks(text: str) -> tuple[Network, ...]:
    """The networks in a list with commas between them. Raises `ValueError`."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _meant(address: Address) -> list[Address]:
    """The address, and those that it carries inside it: a mapped, tunnelled or translated one leads there too."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    its: list[Address] = [address]
    if address.sixtofour is not None:
        its.append(address.sixtofour)
    if address.teredo is not None:
        its.extend(address.teredo)
    if address in _NAT64 or (address in _V4_COMPATIBLE and not address.is_loopback):
        its.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return its
