"""What each side sent, on TCP level."""

from __future__ import annotations

from analyzer.connection import SideTraffic
from analyzer.folding import outcome as judge
from analyzer.folding.conversation import Conversation
from analyzer.folding.timeline import Direction


def handshake_end(line: Direction) -> int:
    """Offset behind the last handshake message in clear."""
    return max([message.span.end for message in line.messages.values()], default=0)


def traffic(conv: Conversation, direction: int, app_records: int, clear_end: int) -> SideTraffic:
    """Counters of one direction. `clear_end`: see `handshake_end`."""
    lane, half = conv.flow.lanes[direction], conv.halves[direction]
    assembler = half.assembler
    size = judge.payload_bytes(conv, direction)
    after = size - clear_end if app_records else 0
    zero_ns = half.zero_ns
    if half.zero_since is not None:
        zero_ns = max(zero_ns, conv.flow.last_ns - half.zero_since)
    return SideTraffic(
        packets=lane.packets,
        bytes=size,
        app_records=app_records,
        app_bytes=after if after > 0 else 0,
        first_frame=lane.first_frame,
        last_frame=lane.last_frame,
        last_payload_ns=lane.last_payload_ns,
        last_payload_frame=lane.last_payload_frame,
        last_ns=lane.last_ns,
        syn_frame=half.syn_frame,
        syn_count=half.syn_count,
        mss=half.mss,
        max_segment=lane.max_segment,
        ttl=half.ttl if half.ttl > 0 else 0,
        ip_id=half.ip_id if half.ip_id > 0 else 0,
        data_ttl=half.data_ttl,
        data_ip_id=half.data_ip_id,
        acked_bytes=half.acked,
        sent_bytes=assembler.high if assembler else 0,
        retransmitted=assembler.retransmitted if assembler else 0,
        retransmitted_frames=tuple(assembler.again_frames) if assembler else (),
        retransmitted_full=assembler.retransmitted_full if assembler else 0,
        unacked_full_size=judge.unacked_full_size(conv, direction),
        zero_window_frame=half.zero_frame,
        zero_window_ns=zero_ns,
        after_close_bytes=half.after_close_bytes,
    )


def round_trip(conv: Conversation, direction: int) -> int | None:
    """SYN to SYN-ACK to the first ACK: the longer of the two parts seen here. `direction`: the client's."""
    client, server = conv.halves[direction], conv.halves[1 - direction]
    parts = []
    if client.syn_ns is not None and server.syn_ns is not None and client.syn_count == 1:
        parts.append(server.syn_ns - client.syn_ns)
    if server.syn_ns is not None and client.ack_ns is not None:
        parts.append(client.ack_ns - server.syn_ns)
    return max((part for part in parts if part >= 0), default=None)
