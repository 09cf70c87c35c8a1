"""One block's segments grouped by connection, with numpy: what `flows.py` needs so that Python never sees most packets."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from analyzer.dataclass import dataclass
from analyzer.packets.columns import ACK, RST, SYN, Segments

KEY = np.dtype([("lo_hi", ">u8"), ("lo_lo", ">u8"), ("hi_hi", ">u8"), ("hi_lo", ">u8"), ("ports", ">u4"), ("v4", "u1")])
"""A canonical four-tuple: the lower endpoint first. Its bytes are the key of a flow."""

BURST = 4
"""Rows of one flow behind each other, on average, from which on it pays to sort bursts."""


def new_salt() -> list[int]:
    """Secret multipliers of the flow hash, so that a sender cannot choose addresses that collide."""
    return [int.from_bytes(os.urandom(8), "little") | 1 for _ in range(5)]


class Block:
    """One block's rows sorted by flow. Groups are numbered in order of their first rows; `split` adds more behind them
    (then `renumber`).

    Attributes:
        seg: the rows. direction: 0 if a row goes from the lower to the higher endpoint, else 1.
        group, rank: the group of each row, and its place in that group.
        keys: canonical four-tuple of each group. first_row: its first row.
    """

    def __init__(self, seg: Segments, salt: list[int]) -> None:
        self.seg = seg
        words, flipped = _key_words(seg)
        self.direction: NDArray[np.uint8] = flipped.astype(np.uint8)
        order, edge = _sorted_rows(words, salt)
        starts = np.flatnonzero(edge)
        stops = np.append(starts[1:], len(seg))
        first = order[starts]
        rank = np.argsort(first)
        self._order = order
        self.starts: list[int] = starts[rank].tolist()
        self.stops: list[int] = stops[rank].tolist()
        self.first_row: list[int] = first[rank].tolist()
        self.keys = _key_bytes(words, first[rank])
        place = np.empty(len(rank), np.int64)
        place[rank] = np.arange(len(rank))
        self.group: NDArray[np.int64] = np.empty(len(seg), np.int64)
        self.group[order] = np.repeat(place, stops - starts)
        self.rank: NDArray[np.int64] = np.empty(len(seg), np.int64)
        self.rank[order] = np.arange(len(seg)) - np.repeat(starts, stops - starts)
        syn = np.flatnonzero((seg.flags & (SYN | ACK)) == SYN)
        self.syn_rows: list[tuple[int, int]] = list(zip(syn.tolist(), self.group[syn].tolist(), strict=True))

    def rows(self, g: int) -> NDArray[np.int64]:
        """Rows of one group, ascending."""
        return self._order[self.starts[g] : self.stops[g]]

    def split(self, g: int, row: int) -> int:
        """Make the rows of group `g` from `row` on a group of their own; its number."""
        at = self.starts[g] + int(np.searchsorted(self.rows(g), row))
        fresh = len(self.keys)
        self.keys.append(self.keys[g])
        self.first_row.append(row)
        self.starts.append(at)
        self.stops.append(self.stops[g])
        self.stops[g] = at
        return fresh

    def renumber(self, first: int) -> None:
        """Give the rows of the groups from `first` on, made by `split`, their group and rank. Once for all of them: a
        sender can open a four-tuple again with every packet."""
        for g in range(first, len(self.keys)):
            rows = self.rows(g)
            self.group[rows] = g
            self.rank[rows] = np.arange(len(rows))


def _key_words(seg: Segments) -> tuple[list[NDArray[np.uint64]], NDArray[np.bool_]]:
    """The canonical four-tuple of each row as words, lower endpoint first, and whether the row goes the other way.

    An IPv4 address and its port fit one word, so that the common block needs two.
    """
    port_bits = np.uint64(16)
    if bool(seg.v4.all()):
        source, target = seg.src_lo << port_bits | seg.src_port, seg.dst_lo << port_bits | seg.dst_port
        return [np.minimum(source, target), np.maximum(source, target)], source > target
    flipped = (seg.src_hi > seg.dst_hi) | (
        (seg.src_hi == seg.dst_hi)
        & ((seg.src_lo > seg.dst_lo) | ((seg.src_lo == seg.dst_lo) & (seg.src_port > seg.dst_port)))
    )
    a, b = seg.src_port.astype(np.uint64), seg.dst_port.astype(np.uint64)
    ports = np.where(flipped, b << port_bits | a, a << port_bits | b)
    return [
        np.where(flipped, seg.dst_hi, seg.src_hi),
        np.where(flipped, seg.dst_lo, seg.src_lo),
        np.where(flipped, seg.src_hi, seg.dst_hi),
        np.where(flipped, seg.src_lo, seg.dst_lo),
        ports << np.uint64(1) | seg.v4.astype(np.uint64),
    ], flipped


def _key_bytes(words: list[NDArray[np.uint64]], rows: NDArray[np.int64]) -> list[bytes]:
    key = np.zeros(len(rows), KEY)
    if len(words) == 2:
        low, high = words[0][rows], words[1][rows]
        mask = np.uint64(0xFFFF)
        key["lo_lo"], key["hi_lo"], key["v4"] = low >> np.uint64(16), high >> np.uint64(16), 1
        key["ports"] = (low & mask) << np.uint64(16) | (high & mask)
    else:
        for name, word in zip(("lo_hi", "lo_lo", "hi_hi", "hi_lo"), words, strict=False):
            key[name] = word[rows]
        key["ports"], key["v4"] = words[4][rows] >> np.uint64(1), words[4][rows] & np.uint64(1)
    raw, size = key.tobytes(), KEY.itemsize
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def _sorted_rows(words: list[NDArray[np.uint64]], salt: list[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Row numbers sorted by flow (stable), and where a new flow begins. Bursts are sorted as one."""
    count = len(words[0])
    new = np.ones(count, np.bool_)
    np.not_equal(words[0][1:], words[0][:-1], out=new[1:])
    for word in words[1:]:
        new[1:] |= word[1:] != word[:-1]
    bursts = np.flatnonzero(new)
    if len(bursts) > count // BURST:
        return _sorted(words, salt)
    order, edge = _sorted([word[bursts] for word in words], salt)
    sizes = np.diff(bursts, append=count)[order]
    begins = np.cumsum(sizes) - sizes
    edges = np.zeros(count, np.bool_)
    edges[begins[edge]] = True
    return np.arange(count) + np.repeat(bursts[order] - begins, sizes), edges


def _sorted(words: list[NDArray[np.uint64]], salt: list[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The same, row by row.

    The row number rides in the low bits of a keyed 64-bit hash, so one plain sort does it. Should two flows ever get the
    same hash, the salt is drawn again.
    """
    count = len(words[0])
    bits = np.uint64(max(1, (count - 1).bit_length()))
    row = np.arange(count, dtype=np.uint64)
    while True:
        mix = np.zeros(count, np.uint64)
        for word, factor in zip(words, salt, strict=False):
            mix = (mix ^ (mix >> np.uint64(29)) ^ word) * np.uint64(factor)
        mix ^= mix >> np.uint64(32)
        tagged = np.sort((mix << bits) | row)
        order = (tagged & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
        tagged >>= bits
        edge = np.empty(count, np.bool_)
        edge[0] = True
        np.not_equal(tagged[1:], tagged[:-1], out=edge[1:])
        inside = np.flatnonzero(~edge)
        here, before = order[inside], order[inside - 1]
        if all(bool((word[here] == word[before]).all()) for word in words):
            return order, edge
        salt[:] = new_salt()


@dataclass(slots=True)
class Tallies:
    """Per lane (2 * group + direction), as plain lists: counts, and facts of the rows that matter. `last`,
    `last_payload` and `last_ack` are -1 where there is no such row; then the facts of that row mean nothing."""

    packets: list[int]
    bytes: list[int]
    max_segment: list[int]
    first_frame: list[int]
    last: list[int]
    last_frame: list[int]
    last_ns: list[int]
    last_payload: list[int]
    last_payload_frame: list[int]
    last_payload_ns: list[int]
    last_payload_seq: list[int]
    last_ack: list[int]
    last_ack_value: list[int]
    last_ack_seq: list[int]


def tally(block: Block) -> Tallies:
    """Count the rows of each lane and find its first and last ones."""
    seg, size = block.seg, 2 * len(block.keys)
    lane = block.group * 2 + block.direction
    row = np.arange(len(seg))
    last = np.full(size, -1)
    first, last_payload, last_ack = last.copy(), last.copy(), last.copy()
    last[lane] = row  # where an index repeats, the last assignment stays
    first[lane[::-1]] = row[::-1]
    carrying = np.flatnonzero(seg.wire_payload > 0)
    last_payload[lane[carrying]] = carrying
    acking = np.flatnonzero((seg.flags & (ACK | RST)) == ACK)
    last_ack[lane[acking]] = acking
    biggest = np.zeros(size, np.int64)
    np.maximum.at(biggest, lane, seg.wire_payload)
    return Tallies(
        packets=np.bincount(lane, minlength=size).tolist(),
        bytes=np.bincount(lane, seg.wire_payload, size).astype(np.int64).tolist(),
        max_segment=biggest.tolist(),
        first_frame=seg.frame[first].tolist(),
        last=last.tolist(),
        last_frame=seg.frame[last].tolist(),
        last_ns=seg.time_ns[last].tolist(),
        last_payload=last_payload.tolist(),
        last_payload_frame=seg.frame[last_payload].tolist(),
        last_payload_ns=seg.time_ns[last_payload].tolist(),
        last_payload_seq=(seg.seq[last_payload].astype(np.int64) + seg.wire_payload[last_payload]).tolist(),
        last_ack=last_ack.tolist(),
        last_ack_value=seg.ack[last_ack].tolist(),
        last_ack_seq=(seg.seq[last_ack].astype(np.int64) + seg.wire_payload[last_ack]).tolist(),
    )
