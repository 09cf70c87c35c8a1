"""What hosts did beside TLS, as far as findings were told from it: lookups of names, and fetching of revocation lists."""

from __future__ import annotations

import re
from dataclasses import field
from ipaddress import ip_address

from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.export.addresses import Addresses
from analyzer.judgement.revocation import addresses_of
from analyzer.knowledge import services
from analyzer.packets.columns import Datagram
from analyzer.sightings import dns, http

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+")
_KEPT_LINES = re.compile(rb"(?i)(?:host|content-type|date):")
_OPT = re.compile(rb"\0\0\x29.{6}..", re.DOTALL)
"""The head of an OPT record (RFC 6891): what follows may be a part of the client's address (RFC 7871)."""


@dataclass(slots=True)
class Beside:
    """What of it may be given away.

    Attributes:
        names: those that a finding or an address in a certificate mentions: nobody learns them from a lookup.
        hosts: address (16 bytes) -> first and last frame of connections of this host in which something was found.
    """

    names: set[str] = field(default_factory=set)
    hosts: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def add(self, conn: Connection, first: int, last: int) -> None:
        """Note one connection."""
        if not conn.findings:
            return
        for finding in conn.findings:
            self.names.update(name.lower() for name in _NAME.findall(finding.summary))
        for sent in conn.chains():
            self.names |= addresses_of(sent.chain).hosts
        for ip in (conn.client_ip, conn.server_ip):
            self._widen(ip_address(ip).packed.rjust(16, b"\0"), first, last)

    def join(self, other: Beside) -> None:
        """Take over what another one has."""
        self.names |= other.names
        for host, (first, last) in other.hosts.items():
            self._widen(host, first, last)

    def _widen(self, host: bytes, first: int, last: int) -> None:
        before = self.hosts.get(host, (first, last))
        self.hosts[host] = (min(first, before[0]), max(last, before[1]))

    def wants_lookup(self, datagram: Datagram) -> bool:
        """Is this question or answer about one of the names?"""
        message = dns.parse(datagram.payload)
        return message is not None and message.name in self.names

    def wants_segment(self, source: bytes, target: bytes, ports: tuple[int, int], frame: int) -> bool:
        """Is this a packet to or from where revocation lists are, while a connection of that host was going on?"""
        known = services.revocation_ports()
        for host, port in ((source, ports[1]), (target, ports[0])):
            first, last = self.hosts.get(host, (1, 0))
            if port in known and first <= frame <= last:
                return True
        return False


def clean_lookup(payload: bytes, addresses: Addresses) -> bytes:
    """A DNS message with other addresses in it."""
    message = dns.parse(payload)
    for record in message.records if message is not None else ():
        if record.type in (dns.A, dns.AAAA):
            packed = ip_address(record.value).packed
            payload = payload.replace(packed, addresses.ip(packed))
    options = _OPT.search(payload)
    if options is None:
        return payload
    return payload[: options.end()] + bytes(len(payload) - options.end())


def clean_fetching(payload: bytes) -> bytes:
    """The head of a request for a revocation list, and the status and time of an answer; the rest is zero."""
    asks = http.request(payload) is not None
    if not asks and http.answer(payload) is None:
        return bytes(len(payload))
    head, end, body = payload.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    kept = [line if _KEPT_LINES.match(line) else b"x" * len(line) for line in lines[1:]]
    return b"\r\n".join([lines[0], *kept]) + end + bytes(len(body))
