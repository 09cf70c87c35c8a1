"""Who talks to whom, and the names of a connection: addresses, uid, Community ID."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from ipaddress import ip_address

from analyzer.dataclass import dataclass
from analyzer.flows import Flow
from analyzer.packets.addresses import packed_text

_TCP = b"\x06\x00"  # protocol number and the padding byte of Community ID v1


@dataclass(slots=True)
class Endpoints:
    """Addresses and ports of a flow's two ends, the lower endpoint (direction 0) first."""

    ips: tuple[str, str]
    ports: tuple[int, int]
    community_id: str


def endpoints(flow: Flow) -> Endpoints:
    """Read a flow's key (grouping.KEY: four 64-bit halves, two ports, family)."""
    key = flow.key
    v4 = key[36] == 1
    raw_low, raw_high = (key[12:16], key[28:32]) if v4 else (key[0:16], key[16:32])
    low, high = key[32:34], key[34:36]
    # Community ID v1 orders by address, then port, as the key does: seed 0, addresses, protocol, ports
    digest = hashlib.sha1(b"\0\0" + raw_low + raw_high + _TCP + low + high, usedforsecurity=False).digest()
    return Endpoints(
        ips=(packed_text(raw_low), packed_text(raw_high)),
        ports=(low[0] << 8 | low[1], high[0] << 8 | high[1]),
        community_id="1:" + b2a_base64(digest, newline=False).decode("ascii"),
    )


def flow_key(ip: str, port: int, other_ip: str, other_port: int) -> bytes:
    """The canonical key (grouping.KEY) of two endpoints given as text."""
    a, b = ip_address(ip), ip_address(other_ip)
    low, high = sorted((int(end), number) for end, number in ((a, port), (b, other_port)))
    ports = low[1].to_bytes(2, "big") + high[1].to_bytes(2, "big")
    return low[0].to_bytes(16, "big") + high[0].to_bytes(16, "big") + ports + bytes([a.version == 4])


def uid(flow: Flow) -> str:
    """ "C" and 16 hexadecimal digits, from the four-tuple, the first packet's time and number: the same at every run."""
    seed = b"%b %d %d" % (flow.key, flow.first_ns, flow.stream)
    return "C" + hashlib.blake2b(seed, digest_size=8).hexdigest()
