"""What passes between the steps of the walk through one frame: `Packet`, `Layer`, and the codes that name layers."""

from __future__ import annotations

from enum import Enum, auto

from analyzer.dataclass import dataclass

IPV4_TYPE, IPV6_TYPE = 0x0800, 0x86DD
ARP_TYPES = (0x0806, 0x8035)  # ARP and its reverse

IP_ICMP, IP_IGMP, IP_IPV4, IP_TCP, IP_UDP, IP_IPV6 = 1, 2, 4, 6, 17, 41
IP_FRAGMENT, IP_GRE, IP_ESP, IP_AH, IP_ICMPV6, IP_SCTP = 44, 47, 50, 51, 58, 132
"""Protocol numbers (IANA)."""

MAX_IP_HEADERS = 7
"""An IP header and six tunnels in it; deeper is no real traffic."""
MAX_TAGS = 4
"""VLAN tags and their like in one row."""


class Layer(Enum):
    """What stands at `Packet.at`."""

    ETHERNET = auto()
    TYPED = auto()  # after an ethertype, which is in `Packet.code`
    TOKEN_RING = auto()
    FDDI = auto()
    LLC = auto()
    MPLS = auto()
    PPPOE = auto()
    PPP = auto()
    SERIAL = auto()  # PPP with its address bytes, or Cisco HDLC
    HDLC = auto()
    COOKED = auto()
    COOKED_2 = auto()
    LOOPBACK = auto()
    IP = auto()  # the version says which
    IPV4 = auto()
    IPV6 = auto()
    FRAGMENT = auto()  # a fragment's bytes (IPv4), or its header (IPv6)
    PROTOCOL = auto()  # after an IP header; the protocol number is in `Packet.code`
    GRE = auto()
    UDP = auto()
    VXLAN = auto()
    GENEVE = auto()
    GTP_U = auto()
    TCP = auto()
    ICMP = auto()
    FOUND_TCP = auto()  # the end of the walk: a good TCP header is at `Packet.at`
    FOUND_ICMP = auto()


Next = Layer | str
"""The layer that comes next, or the reason why the walk ends (reasons.py)."""


@dataclass(slots=True)
class Packet:
    """How far the walk has come in one packet. All offsets point into `data`.

    Attributes:
        data: the frame, or an IP datagram put together from fragments.
        at: where the next header starts.
        end: where the captured bytes of the present layer end.
        wire: where they would end if the capture had not cut them; at least `end`.
        time_ns: when the frame came.
        code: ethertype or IP protocol of what comes next.
        ip_at: where the innermost IP header so far starts.
        ip_headers, tags: how many have been passed; tags since the last IP header.
        v4: version of the innermost IP header. source, target: its addresses, 4 or 16 bytes.
        ports: source and destination port, once TCP or UDP is reached.
        assembled: `data` was put together.
    """

    data: bytes
    end: int
    wire: int
    time_ns: int
    at: int = 0
    code: int = 0
    ip_at: int = 0
    ip_headers: int = 0
    tags: int = 0
    v4: bool = True
    source: bytes = b""
    target: bytes = b""
    ports: tuple[int, int] | None = None
    assembled: bool = False

    def lacks(self, size: int, malformed: str) -> str | None:
        """Why the next `size` bytes cannot be read: cut by the capture, or never there (`malformed`). None if they can."""
        if self.at + size <= self.end:
            return None
        return malformed if self.at + size > self.wire else "truncated"

    def u16(self, offset: int) -> int:
        """Two bytes at `offset` from here."""
        at = self.at + offset
        return self.data[at] << 8 | self.data[at + 1]
