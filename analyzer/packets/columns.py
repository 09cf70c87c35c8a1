"""`Segments`: the TCP segments of one batch, one numpy column a field. The columns are the documentation."""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from analyzer.dataclass import dataclass

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20


@dataclass(slots=True)
class Segments:
    """TCP segments in the order of their frames. An IPv4 address stands in the low 32 bits of the `_lo` column.

    Attributes:
        frame: frame number, 1-based. A reassembled datagram has the number of its last fragment.
        time_ns: nanoseconds since 1970-01-01 UTC.
        v4: True for IPv4.
        src_hi, src_lo, dst_hi, dst_lo: the innermost addresses as two 64-bit halves.
        src_port, dst_port: TCP ports.
        seq, ack: as on the wire.
        flags: the low byte of the TCP flags.
        window: as on the wire, not scaled.
        tcp_at: offset in `data` of the TCP header.
        payload_at: offset in `data` of the first payload byte.
        payload: captured payload bytes (padding of the link excluded); 0 for a reset, whose text is no part of the stream.
        wire_payload: payload bytes on the wire; larger than `payload` when the capture cut the packet.
        ttl: IPv4 TTL or IPv6 hop limit (of the innermost header).
        ip_id: IPv4 identification; 0 for IPv6.
        checksum_at: not verified here; `ip_at` lets reassembly verify the few that matter.
        ip_at: offset in `data` of the innermost IP header.
        data: the bytes that the offsets point into.
    """

    frame: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    v4: NDArray[np.bool_]
    src_hi: NDArray[np.uint64]
    src_lo: NDArray[np.uint64]
    dst_hi: NDArray[np.uint64]
    dst_lo: NDArray[np.uint64]
    src_port: NDArray[np.uint16]
    dst_port: NDArray[np.uint16]
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    window: NDArray[np.uint16]
    tcp_at: NDArray[np.int64]
    payload_at: NDArray[np.int64]
    payload: NDArray[np.int64]
    wire_payload: NDArray[np.int64]
    ttl: NDArray[np.uint8]
    ip_id: NDArray[np.uint16]
    ip_at: NDArray[np.int64]
    data: NDArray[np.uint8]
    _first: NDArray[np.uint8] | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def first(self) -> NDArray[np.uint8]:
        """The first captured payload byte of each; where there is none it means nothing. Each is a look into memory that is
        far from the one before: done once, when somebody asks."""
        if self._first is None:
            self._first = self.data[self.payload_at]
        return self._first


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP or ICMPv6 error and the TCP connection that it quotes.

    Attributes:
        frame, time_ns: of the ICMP packet.
        reporter: address of who sent it, as text.
        v4: ICMP (True) or ICMPv6.
        type, code: as on the wire.
        mtu: next-hop MTU of fragmentation-needed or packet-too-big; None otherwise.
        quoted: (source address, source port, destination address, destination port) of the quoted TCP header.
        quoted_seq: its sequence number.
    """

    frame: int
    time_ns: int
    reporter: str
    v4: bool
    type: int
    code: int
    mtu: int | None
    quoted: tuple[str, int, str, int]
    quoted_seq: int


@dataclass(slots=True)
class Datagram:
    """A UDP datagram that somebody wants to read. `source`, `target`: address as text, and port."""

    frame: int
    time_ns: int
    source: tuple[str, int]
    target: tuple[str, int]
    payload: bytes


@dataclass(slots=True)
class Decoded:
    """What one batch gave.

    Attributes:
        segments: every TCP segment.
        icmp: every ICMP error that quotes TCP.
        tcp: frames with a TCP header read. icmp_frames: frames with an ICMP header read.
        reasons: why each other frame gave neither (names: packets/reasons.py), reason -> count; so
            frames = tcp + icmp_frames + sum(reasons).
        dns: UDP datagrams of port 53, in no order; they are counted in `reasons` as well.
        ports: ("tcp" or "udp", the lower of both ports) -> packets, for telling what is there when no TLS is.
    """

    segments: Segments
    icmp: list[IcmpError] = field(default_factory=list)
    tcp: int = 0
    icmp_frames: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    dns: list[Datagram] = field(default_factory=list)
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
