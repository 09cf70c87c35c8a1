"""What a side sent after the handshake had been followed to its end: it is not read, but its bytes are counted."""

from __future__ import annotations

from analyzer.folding.conversation import Conversation
from analyzer.folding.half import Half
from analyzer.reassembly import seq_distance
from analyzer.tls.names import ContentType
from analyzer.tls.preamble import HEADER


def unread_bytes(conversation: Conversation, direction: int, *, tail: bool) -> int:
    """Payload bytes of this direction behind its last record that was read; 0 while everything is. `tail`: `Half.tail` was
    read too, and is no part of them. Whatever shows that there were more counts: the capture may lack them."""
    if not conversation.settled:
        return 0
    half, lane = conversation.halves[direction], conversation.flow.lanes[direction]
    assembler = half.assembler
    if assembler is None or lane.bytes >> 31:
        return lane.bytes  # nothing of it was read, or the numbers have gone too far round to be compared
    here = assembler.base + _read_up_to(half)
    marks = [end.seq for end in conversation.ends if end.direction == direction and end.how == "fin"]
    marks += [
        seq for seq in (lane.last_payload_seq, conversation.flow.lanes[1 - direction].last_ack) if seq is not None
    ]
    if half.tail is not None:
        marks.append(half.tail[4])
    size = max([seq_distance(seq, here) for seq in marks], default=0)
    if tail and half.tail is not None:
        size -= HEADER + half.tail[3]
    return size if size > 1 else 0  # one more than was read is a FIN


def _read_up_to(half: Half) -> int:
    """Offset behind the last record that was whole when it was decided to read no further."""
    span = getattr(half.events[-1], "span", None) if half.events else None
    if span is not None:
        return int(span.end)
    return half.assembler.next if half.assembler is not None else 0


def speaks_late(conversation: Conversation, half: Half) -> bool:
    """An alert of this direction came after what was followed (before TLS 1.3, where no record says that it is one)."""
    return conversation.settled and half.tail is not None and half.tail[2] == ContentType.alert
