"""Other addresses in place of those of a capture: the same one always for the same one, and of the same kind."""

from __future__ import annotations

import re
from dataclasses import field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from analyzer.dataclass import dataclass

_LIKE_V4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_LIKE_V6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")

PRIVATE_V4 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
LINK_LOCAL_V4, LINK_LOCAL_V6 = IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10")
LOCAL_V6 = IPv6Network("fc00::/7")
TARGETS_V4 = {
    "private": IPv4Network("10.0.0.0/8"),
    "link-local": LINK_LOCAL_V4,
    "public": IPv4Network("192.88.99.0/24"),
    "other": IPv4Network("198.18.0.0/15"),
}
"""Kind -> the network that its new addresses are of. Public ones are of one that nobody has (RFC 7526); if there are more of
them than it holds, and for what is neither, those for tests (RFC 2544)."""
TARGETS_V6 = {
    "private": IPv6Network("fd00::/16"),
    "link-local": IPv6Network("fe80::/64"),
    "public": IPv6Network("3ffe::/32"),
    "other": IPv6Network("2001:db8::/32"),
}
"""The same. 3ffe::/16 was given back (RFC 3701)."""


@dataclass(slots=True)
class Addresses:
    """New addresses in order of appearance."""

    _ip: dict[bytes, bytes] = field(default_factory=dict)
    _mac: dict[bytes, bytes] = field(default_factory=dict)
    _given: dict[tuple[int, str], int] = field(default_factory=dict)

    def ip(self, packed: bytes) -> bytes:
        """For 4 or 16 bytes. Addresses that name no host (multicast, loopback, unspecified) stay."""
        new = self._ip.get(packed)
        if new is None:
            new = self._ip[packed] = self._new(packed)
        return new

    def mac(self, old: bytes) -> bytes:
        """For 6 bytes. Groups and zeros stay."""
        if old[0] & 1 or not any(old):
            return old
        new = self._mac.get(old)
        if new is None:
            new = self._mac[old] = b"\x02\0" + (len(self._mac) + 1).to_bytes(4, "big")
        return new

    def text(self, told: str) -> str:
        """A text with the addresses in it replaced."""
        return _LIKE_V6.sub(self._in_text, _LIKE_V4.sub(self._in_text, told))

    def _in_text(self, match: re.Match[str]) -> str:
        try:
            return str(ip_address(self.ip(ip_address(match.group()).packed)))
        except ValueError:
            return match.group()

    def _new(self, packed: bytes) -> bytes:
        old = ip_address(packed)
        if old.is_multicast or old.is_loopback or old.is_unspecified or packed == b"\xff" * 4:
            return packed
        if isinstance(old, IPv6Address) and old.ipv4_mapped is not None:
            return packed[:12] + self.ip(packed[12:])
        kind = _kind(old)
        number = self._given[len(packed), kind] = self._given.get((len(packed), kind), 0) + 1
        targets = TARGETS_V4 if len(packed) == 4 else TARGETS_V6
        if number >= targets[kind].num_addresses - 1:
            kind, number = "other", number + 65_536
        return targets[kind][number].packed


def _kind(old: IPv4Address | IPv6Address) -> str:
    if isinstance(old, IPv4Address):
        if old in LINK_LOCAL_V4:
            return "link-local"
        if any(old in network for network in PRIVATE_V4):
            return "private"
    elif old in LINK_LOCAL_V6:
        return "link-local"
    elif old in LOCAL_V6:
        return "private"
    return "public" if old.is_global else "other"
