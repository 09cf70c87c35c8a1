"""Where a direction begins: the sequence number of its first byte, and what its SYN announced."""

from __future__ import annotations

from functools import lru_cache

from analyzer.flows import Flow
from analyzer.folding.closing import MAX_UNSEEN
from analyzer.reassembly import seq_distance

KEEP_ALIVE = 2
"""A capture that starts with a keep-alive probe shows a sequence number one too low (RFC 9293 section 3.8.4), from which the
first byte seems to be one missing byte away."""
DISORDER_BYTES, DISORDER_SEGMENTS = 65_536, 48
"""How far back, and among how many segments, bytes of a direction that starts inside the connection may come after later
ones."""


def first_byte(flow: Flow, direction: int, syn_seq: int | None, seq: int) -> int:
    """Sequence number of a direction's first byte: after the SYN if one was seen, else as the peer acknowledges. `seq`: of
    its first payload, or of any byte if there is none. If that lies far away, it is forged or another connection's, and
    only what follows can tell."""
    base = syn_seq if syn_seq is not None else flow.lanes[direction].base
    if base is None or seq == (base + 1) & 0xFFFFFFFF or is_far(seq, base):
        return seq
    if syn_seq is None and seq_distance(seq, base) == KEEP_ALIVE:
        return seq
    return (base + 1) & 0xFFFFFFFF


def is_far(seq: int, other: int) -> bool:
    """Too far from each other for bytes of one connection's beginning."""
    return abs(seq_distance(seq, other)) > MAX_UNSEEN


def begins_earlier(seq: int, base: int, carried: int) -> bool:
    """A direction whose SYN was not captured: do these bytes belong before those that came first?"""
    return carried < DISORDER_SEGMENTS and -DISORDER_BYTES <= seq_distance(seq, base) < 0


@lru_cache(maxsize=256)
def announced_mss(options: bytes) -> int | None:
    """The maximum segment size among these options of a TCP header (RFC 9293 section 3.7.1)."""
    at = 0
    while at + 1 < len(options):
        kind, size = options[at], options[at + 1]
        if kind == 0:
            return None
        if kind == 1:
            at += 1
            continue
        if kind == 2 and size == 4 and at + 4 <= len(options):
            return options[at + 2] << 8 | options[at + 3]
        at += max(2, size)
    return None
