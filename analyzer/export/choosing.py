"""Which frames of a file belong to the connections that were reported: a second look at the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import Capture, Frames, ReadOptions, open_capture
from analyzer.errors import CaptureError
from analyzer.export.marks import Marks, Wanted
from analyzer.knowledge import services
from analyzer.packets.columns import FIN, RST, SYN, Decoded, Segments
from analyzer.packets.decode import Decoder
from analyzer.packets.fragments import Reassembler
from analyzer.packets.layers import Packet
from analyzer.packets.walk import walk

OVERLAPPING = 3
"""Connections of one four-tuple that late packets can still be of: a flood of them must not be searched for each packet."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MASK = (1 << 64) - 1


def batches(path: str, reading: ReadOptions) -> Iterator[tuple[Capture, Frames]]:
    """Every batch of frames up to the end or the first damage, which the analysis has told about."""
    try:
        with open_capture(path, reading) as capture:
            for frames in capture:
                if len(frames):
                    yield capture, frames
    except CaptureError:
        return


def count_frames(path: str, reading: ReadOptions) -> int:
    """How many frames a file has: those of the next one in a ring go on from there."""
    return sum(len(frames) for _, frames in batches(path, reading))


class Chooser:
    """Tells the wanted frames of a file. `everything`: all packets of the connections, not the handshake's alone; `reading`: as
    the analysis read it."""

    def __init__(self, marks: Marks, reading: ReadOptions, *, everything: bool) -> None:
        self.marks, self.everything, self._reading = marks, everything, reading
        self._of_key: dict[bytes, tuple[list[int], list[Wanted]]] = {}
        for key, wanted in marks.wanted.items():
            ordered = sorted(wanted, key=lambda one: one.first)
            self._of_key[key] = ([one.first for one in ordered], ordered)
        self._hashes = np.array(sorted({_hash_of(key) for key in marks.wanted}), np.uint64)
        self._pairs = {frozenset((key[0:16], key[16:32])) for key in marks.wanted}

    def choose(self, path: str, before: int) -> set[int]:
        """The numbers of the wanted frames, counted within the file; `before`: frames of the input before this file."""
        decoder = Decoder()
        chosen = {frame - before for frame in self.marks.icmp | self.marks.frames | set(self.marks.comments)}
        fragments = False
        for _, frames in batches(path, self._reading):
            decoded = decoder.feed(frames)
            fragments |= "fragment" in decoded.reasons
            chosen.update(self._of(decoded.segments, before))
            if self.everything:
                chosen.update(self._beside(decoded, before))
        if fragments:
            chosen.update(self._fragments(path))
        return {frame for frame in chosen if frame > 0}

    def find(self, key: bytes, frame: int) -> Wanted | None:
        """The connection of this four-tuple that this frame belongs to; of two that overlap the later one."""
        known = self._of_key.get(key)
        if known is None:
            return None
        firsts, connections = known
        place = bisect_right(firsts, frame)
        recent = reversed(connections[max(0, place - OVERLAPPING) : place])
        return next((one for one in recent if frame <= one.last), None)

    def _of(self, seg: Segments, before: int) -> Iterator[int]:
        for row in np.flatnonzero(np.isin(_hashes(seg), self._hashes)).tolist():
            frame = int(seg.frame[row])
            one = self.find(key_of(seg, row), frame + before)
            ends = bool(seg.flags[row] & (SYN | FIN | RST))
            if one is not None and (self.everything or one.handshake(frame + before, ends)):
                yield frame

    def _beside(self, decoded: Decoded, before: int) -> Iterator[int]:
        """Packets beside TLS that findings were told from."""
        beside, seg = self.marks.beside, decoded.segments
        yield from (datagram.frame for datagram in decoded.dns if beside.wants_lookup(datagram))
        if not beside.hosts:
            return
        ports = np.array(sorted(services.revocation_ports()), np.uint16)
        for row in np.flatnonzero(np.isin(seg.src_port, ports) | np.isin(seg.dst_port, ports)).tolist():
            frame = int(seg.frame[row])
            if beside.wants_segment(*ends_of(seg, row), frame + before):
                yield frame

    def _fragments(self, path: str) -> Iterator[int]:
        """Fragments between two hosts of which a connection is wanted. One frame at a time: rare."""
        reassembler = Reassembler()
        for _, frames in batches(path, self._reading):
            for index in range(len(frames)):
                start, captured = int(frames.start[index]), int(frames.captured[index])
                data = frames.data[start : start + captured].tobytes()
                packet = Packet(data, captured, int(frames.original[index]), int(frames.time_ns[index]))
                end = walk(packet, int(frames.link_type[index]), reassembler)
                ends = frozenset(ip.rjust(16, b"\0") for ip in (packet.source, packet.target))
                if (end == "fragment" or packet.assembled) and ends in self._pairs:
                    yield frames.first_frame + index


def ends_of(seg: Segments, row: int) -> tuple[bytes, bytes, tuple[int, int]]:
    """Source, target (16 bytes each) and their ports of a segment."""
    source = (int(seg.src_hi[row]) << 64 | int(seg.src_lo[row])).to_bytes(16, "big")
    target = (int(seg.dst_hi[row]) << 64 | int(seg.dst_lo[row])).to_bytes(16, "big")
    return source, target, (int(seg.src_port[row]), int(seg.dst_port[row]))


def key_of(seg: Segments, row: int) -> bytes:
    """The canonical four-tuple (grouping.KEY) of a segment."""
    ends = (
        (int(seg.src_hi[row]) << 64 | int(seg.src_lo[row]), int(seg.src_port[row])),
        (int(seg.dst_hi[row]) << 64 | int(seg.dst_lo[row]), int(seg.dst_port[row])),
    )
    return key_from(ends, bool(seg.v4[row]))


def key_from(ends: Iterable[tuple[int, int]], v4: bool) -> bytes:
    """The same of two (address as a number, port)."""
    low, high = sorted(ends)
    ports = low[1].to_bytes(2, "big") + high[1].to_bytes(2, "big")
    return low[0].to_bytes(16, "big") + high[0].to_bytes(16, "big") + ports + bytes([v4])


def _hashes(seg: Segments) -> NDArray[np.uint64]:
    """The same for both directions; equal for different connections now and then, so it only rules out."""
    source = (seg.src_hi ^ seg.src_lo * _ODD) + seg.src_port.astype(np.uint64)
    target = (seg.dst_hi ^ seg.dst_lo * _ODD) + seg.dst_port.astype(np.uint64)
    mixed: NDArray[np.uint64] = (source * _ODD + target * _ODD).astype(np.uint64, copy=False)
    return mixed


def _hash_of(key: bytes) -> int:
    odd, total = int(_ODD), 0
    for at, port_at in ((0, 32), (16, 34)):
        hi, lo = int.from_bytes(key[at : at + 8], "big"), int.from_bytes(key[at + 8 : at + 16], "big")
        end = (hi ^ lo * odd & _MASK) + int.from_bytes(key[port_at : port_at + 2], "big")
        total += end * odd
    return total & _MASK
