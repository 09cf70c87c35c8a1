"""`Decoder`: frames in, TCP segments and ICMP errors out, everything else counted by reason."""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import BATCH_BYTES, PAD, Frames
from analyzer.dataclass import dataclass
from analyzer.packets import datagrams, shapes
from analyzer.packets.columns import RST, Decoded, Segments
from analyzer.packets.fragments import Reassembler
from analyzer.packets.headers import TCP_HEADER, Rows, empty, gather, join, row_type, segments
from analyzer.packets.icmp import tcp_error
from analyzer.packets.layers import Layer, Packet
from analyzer.packets.walk import walk

# Between both headers may lie extensions: each is fetched for itself.
IP_ROW, TCP_ROW = np.dtype("V40"), np.dtype(f"V{TCP_HEADER}")
UDP_REASONS = frozenset(("udp", "dns", "dtls", "quic"))


@dataclass(slots=True)
class Walked:
    """TCP segments that the walk found, and where.

    Attributes:
        index: of the frames. v4: version of each one's innermost IP header.
        ip_at, tcp_at, end: offsets in the data, of headers and of the end of the captured bytes.
        wire: bytes of TCP header and payload on the wire.
        extra: datagrams put together, to stand after the frames' own data.
    """

    index: list[int] = field(default_factory=list)
    v4: list[bool] = field(default_factory=list)
    ip_at: list[int] = field(default_factory=list)
    tcp_at: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    wire: list[int] = field(default_factory=list)
    extra: bytearray = field(default_factory=bytearray)

    def add(self, index: int, packet: Packet, start: int, extra_at: int) -> None:
        """`start`: offset of the frame in the data. `extra_at`: where `extra` will stand."""
        if packet.assembled:
            start = extra_at + len(self.extra)
            self.extra += packet.data
        self.index.append(index)
        self.v4.append(packet.v4)
        self.ip_at.append(start + packet.ip_at)
        self.tcp_at.append(start + packet.at)
        self.end.append(start + packet.end)
        self.wire.append(packet.wire - packet.at)

    def segments(self, frames: Frames, data: NDArray[np.uint8], v4: bool) -> Segments:
        """Those of one IP version."""
        chosen = np.array(self.v4, np.bool_) == v4
        if not chosen.any():
            return empty(data)
        ip_at, tcp_at, end, wire = (
            np.array(column, np.int64)[chosen] for column in (self.ip_at, self.tcp_at, self.end, self.wire)
        )
        heads = (gather(data, ip_at, IP_ROW), gather(data, tcp_at, TCP_ROW))
        joined = np.hstack([head.view(np.uint8).reshape(len(head), -1) for head in heads])
        rows: Rows = joined.view(row_type(0, IP_ROW.itemsize, v4))[:, 0]
        return segments(frames, np.array(self.index)[chosen], rows, v4, ip_at, tcp_at, wire, end)


class Decoder:
    """Decodes one capture, batch by batch. It remembers nothing but IP fragments that wait for the rest.

    Attributes:
        fragments: how many overlapped and how many datagrams were given up.
    """

    def __init__(self) -> None:
        self.fragments = Reassembler()
        keep_memory()

    def feed(self, frames: Frames) -> Decoded:
        """Decode a batch. The segments point into `frames.data`, or into a copy when fragments were put together."""
        decoded = Decoded(empty(frames.data))
        parts, left = shapes.common(frames)
        if len(left):
            more, left = shapes.others(frames, left, decoded)
            parts += more
        found = Walked()
        for index in left.tolist():
            self._walk(frames, index, decoded, found)
        data = frames.data
        if found.extra:
            data = np.concatenate((data, np.frombuffer(bytes(found.extra) + bytes(PAD), np.uint8)))
        parts += [found.segments(frames, data, v4) for v4 in (True, False)]
        decoded.segments = join(parts, data)
        drop_reset_text(decoded.segments)
        decoded.tcp = len(decoded.segments)
        shapes.count_ports(decoded, "tcp", decoded.segments.src_port, decoded.segments.dst_port)
        return decoded

    def _walk(self, frames: Frames, index: int, decoded: Decoded, found: Walked) -> None:
        start, captured = int(frames.start[index]), int(frames.captured[index])
        packet = Packet(
            data=frames.data[start : start + captured].tobytes(),
            end=captured,
            wire=int(frames.original[index]),
            time_ns=int(frames.time_ns[index]),
        )
        end = walk(packet, int(frames.link_type[index]), self.fragments)
        if end is Layer.FOUND_TCP:
            found.add(index, packet, start, len(frames.data))
        elif end is Layer.FOUND_ICMP:
            decoded.icmp_frames += 1
            if error := tcp_error(packet, frames.first_frame + index):
                decoded.icmp.append(error)
        elif isinstance(end, str):
            shapes.count(decoded.reasons, end, 1)
            if end == "dns":
                datagrams.keep_packet(packet, frames.first_frame + index, decoded)
            if packet.ports and end in UDP_REASONS:
                key = ("udp", min(packet.ports))
                decoded.ports[key] = decoded.ports.get(key, 0) + 1


def drop_reset_text(found: Segments) -> None:
    """What a reset carries says why, to people: it is no part of the stream, and no receiver hands it on (RFC 9293 section
    3.5.3). From here on it is not there."""
    reset = (found.flags & RST) != 0
    if reset.any():
        found.payload[reset] = found.wire_payload[reset] = 0


def keep_memory() -> None:
    """Let the C library keep what a batch's columns took, for the columns of the next batch.

    glibc gives a few freed megabytes back to the system, which clears every page anew when they are wanted again; once it
    has freed one block of this size, it keeps up to twice as much (mallopt(3), M_MMAP_THRESHOLD). Elsewhere it does nothing.
    """
    np.empty(BATCH_BYTES, np.uint8)
