"""When a handshake has been followed to its end, and when it is followed no further."""

from __future__ import annotations

from analyzer.folding.half import Half
from analyzer.tls.stream import State

FOLLOWED_RECORDS_13, FOLLOWED_BYTES_13 = 12, 32 * 1024
"""TLS 1.3 hides what a record is: after this much of one direction its handshake is certainly over."""
FOLLOWED_BYTES = 48 * 1024
"""Encrypted bytes of one direction after which the connection is settled if the other has sent any."""
ENOUGH_BYTES = 256 * 1024
"""Bytes of a connection of which nothing could be told until then; nothing will."""
MOST_BYTES, MOST_SEGMENTS = 8 * 1024 * 1024, 131_072
"""Of a connection that are followed at most, whatever they are: no handshake needs a tenth of it."""
MAX_EVENTS = 4_000
"""Events of one direction; a peer that sends more tiny records is followed no further."""
CONVERSATION_COST, SEGMENT_COST, BYTE_COST = 6_000, 320, 3
"""Bytes of memory (measured): for a connection with payload, for each segment of it, and for each byte, which is there as a
packet, in the stream, and parsed."""
MOST_HELD = 1024 * 1024
"""Payload of a connection that is held at most; of more, only the places are kept."""


def is_settled(halves: tuple[Half, Half], followed: int, segments: int, tls13: bool) -> bool:
    """The handshake is over, or nothing can be told any more. `followed`, `segments`: payload bytes looked at so far, and
    in how many segments."""
    a, b = halves
    if followed >= MOST_BYTES or segments >= MOST_SEGMENTS:
        return True
    sums = a.sums, b.sums
    encrypted = max(sums[0].opaque_bytes, sums[1].opaque_bytes)
    if encrypted >= ENOUGH_BYTES or max(len(a.events), len(b.events)) >= MAX_EVENTS:
        return True
    if sums[0].opaque_records and sums[1].opaque_records:
        if encrypted >= FOLLOWED_BYTES:
            return True
        if tls13:
            return all(s.opaque_records >= FOLLOWED_RECORDS_13 or s.opaque_bytes >= FOLLOWED_BYTES_13 for s in sums)
        return bool(sums[0].app_records and sums[1].app_records)
    states = {_state(a), _state(b)}
    if states <= {State.NOT_TLS, State.BROKEN, State.OPAQUE}:
        return State.OPAQUE not in states
    return followed >= ENOUGH_BYTES and not states & {State.CLEAR, State.OPAQUE}


def _state(half: Half) -> State:
    return half.stream.state if half.stream is not None else State.START


def memory(followed: int, segments: int, settled: bool) -> int:
    """About how many bytes of memory a connection takes of which so much was looked at; 0 before its first payload."""
    if not segments:
        return 0
    payload = 0 if settled else min(followed, MOST_HELD) * BYTE_COST
    return CONVERSATION_COST + segments * SEGMENT_COST + payload
