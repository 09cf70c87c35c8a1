"""Whether the other side ever had what one side sent: its own acknowledgements tell."""

from __future__ import annotations

from analyzer.folding.conversation import Conversation

REPEATED = 2
"""Sent again this often without an answer: nobody is there. Once happens on any lossy path."""


def never_arrived(conversation: Conversation, direction: int, start: int, end: int) -> bool:
    """The peer never had all bytes of this direction between these offsets.

    An acknowledgement that is merely not there is no proof: the capture may end before it, or lack the peer's packets. Proof
    is that the sender sent them again and again (it would not, had it been told), or that the peer ended the connection with
    a FIN that acknowledges less, and its packets of later are there. A RST may be forged: it counts together with a
    retransmission.
    """
    half = conversation.halves[direction]
    assembler, acked = half.assembler, half.acked
    if assembler is None or acked is None or acked >= end or conversation.settled:
        return False
    ends = [one for one in conversation.ends if one.direction != direction and one.ack is not None]
    heard = [assembler.offset(one.ack) for one in ends if one.ack is not None]
    if max(heard, default=0) >= end:
        return False  # the latest acknowledgement in the capture is an old one
    again = sum([count for at, count in assembler.tries.items() if max(start, acked) <= at < end])
    if again >= REPEATED:
        return True
    later = (conversation.flow.lanes[1 - direction].last_frame or 0) > max(assembler.frames(start, end), default=0)
    return later and any(one.how == "fin" or again for one in ends)
