"""What each side sent, on TCP level."""

from __future__ import annotations

from analyzer.connection import SideTraffic
from analyzer.folding import outcome as judge
from analyzer.folding.conversation import Conversation


def traffic(conv: Conversation, direction: int, app_records: int, unread: int, clear_end: int) -> SideTraffic:
    """Counters of one direction. `unread`: see `unread_bytes`; `clear_end`: see `Direction`."""
    lane, half = conv.flow.lanes[direction], conv.halves[direction]
    assembler = half.assembler
    size = judge.payload_bytes(conv, direction)
    after = size - clear_end if app_records or unread else 0
    zero_ns = half.zero_ns
    if half.zero_since is not None:
        zero_ns = max(zero_ns, conv.flow.last_ns - half.zero_since)
    out = SideTraffic()  # 27 arguments by name cost three times as much
    out.packets = lane.packets
    out.bytes = size
    out.app_records = app_records
    out.app_bytes = after if after > 0 else 0
    out.unread_bytes = unread
    out.first_frame = lane.first_frame
    out.last_frame = lane.last_frame
    out.last_payload_ns = lane.last_payload_ns
    out.last_payload_frame = lane.last_payload_frame
    out.last_ns = lane.last_ns
    out.syn_frame = half.syn_frame
    out.syn_count = half.syn_count
    out.mss = half.mss
    out.max_segment = lane.max_segment
    out.ttl = half.ttl if half.ttl > 0 else 0
    out.ip_id = half.ip_id if half.ip_id > 0 else 0
    out.data_ttl = half.data_ttl
    out.data_ip_id = half.data_ip_id
    out.acked_bytes = half.acked
    out.sent_bytes = assembler.high if assembler else 0
    out.retransmitted = assembler.retransmitted if assembler else 0
    out.retransmitted_frames = tuple(assembler.again_frames) if assembler else ()
    out.retransmitted_full = assembler.retransmitted_full if assembler else 0
    out.unacked_full_size = judge.unacked_full_size(conv, direction)
    out.zero_window_frame = half.zero_frame
    out.zero_window_ns = zero_ns
    out.after_close_bytes = half.after_close_bytes
    return out


def round_trip(conv: Conversation, direction: int) -> int | None:
    """SYN to SYN-ACK to the first ACK: the longer of the two parts seen here. `direction`: the client's."""
    client, server = conv.halves[direction], conv.halves[1 - direction]
    parts = []
    if client.syn_ns is not None and server.syn_ns is not None and client.syn_count == 1:
        parts.append(server.syn_ns - client.syn_ns)
    if server.syn_ns is not None and client.ack_ns is not None:
        parts.append(client.ack_ns - server.syn_ns)
    return max([part for part in parts if part >= 0], default=None)
