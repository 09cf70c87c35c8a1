"""How a connection went: outcome, how it closed, and what the capture does not show of it."""

from __future__ import annotations

from analyzer.connection import Closed, Outcome, Side, StepRow, Visibility
from analyzer.dataclass import dataclass
from analyzer.flows import Flow
from analyzer.folding.arrival import REPEATED
from analyzer.folding.closing import End
from analyzer.folding.conversation import Conversation
from analyzer.folding.timeline import NOT_STAGES, Timeline
from analyzer.knowledge import limit
from analyzer.tls.messages import Alert, ClientHello, OpaqueRecord
from analyzer.tls.names import TLS13, AlertLevel, ContentType, HandshakeType

SMALLEST_FULL_SEGMENT = 500
"""Bytes: a hole or a lost segment below this is no full-size one (the smallest MSS in use is 536, RFC 9293 3.7.1)."""
TWO_ALERTS = 80
"""Bytes of two encrypted alerts at most, padded: more is an answer."""
MOST_FLIGHT_13 = (4, 6)
"""Encrypted records that a TLS 1.3 handshake takes of client and server, if each message has one of its own."""


@dataclass(slots=True)
class Clock:
    """`now_ns`: the latest time stamp of the capture so far. `over`: the capture has ended."""

    now_ns: int
    over: bool


def visibility(
    conversation: Conversation, client: int, timeline: Timeline, open_end: bool, evicted: bool
) -> Visibility:
    """What the capture shows, and what it does not."""
    lanes = conversation.flow.lanes
    halves = (conversation.halves[client], conversation.halves[1 - client])
    missing = [0, 0]
    cut = False
    for at, half in enumerate(halves):
        for _, size, by_snap_length in half.assembler.holes if half.assembler is not None else ():
            cut |= by_snap_length
            missing[at] += 0 if by_snap_length else size
    gap_side = Side.CLIENT if missing[0] and not missing[1] else Side.SERVER if missing[1] and not missing[0] else None
    conflicts = [half.assembler for half in halves if half.assembler is not None and half.assembler.conflicts]
    syn_seen = conversation.syn_seen
    starts_inside = not syn_seen and not _starts_at_hello(timeline)
    return Visibility(
        syn_seen=syn_seen,
        client_bytes=payload_bytes(conversation, client),
        server_bytes=payload_bytes(conversation, 1 - client),
        gap_bytes=missing[0] + missing[1],
        gap_side=gap_side,
        truncated_packets=halves[0].truncated + halves[1].truncated,
        truncated_handshake=cut,
        conflicts=sum([a.conflicts for a in conflicts]),
        conflict_frames=tuple(sorted({f for a in conflicts for f in a.conflict_frames})) if conflicts else (),
        undecided=any(a.undecided for a in conflicts),
        one_sided=_one_sided(conversation, client),
        mid_stream=starts_inside and bool(lanes[0].bytes or lanes[1].bytes),
        open_end=open_end,
        evicted=evicted,
    )


def payload_bytes(conversation: Conversation, direction: int) -> int:
    """Payload bytes seen of one direction. What came twice, sent again or copied by a mirror port, counts once as far as
    the sequence numbers tell; of packets cut by the snapshot length, all bytes that they had."""
    half, lane = conversation.halves[direction], conversation.flow.lanes[direction]
    assembler = half.assembler
    if assembler is not None and not conversation.settled:
        return assembler.next - sum([size for _, size, cut in assembler.holes if not cut])
    if lane.base is None or lane.last_payload_seq is None or lane.bytes >> 32:
        return lane.bytes  # the numbers have wrapped
    extent = (lane.last_payload_seq - lane.base - 1) & 0xFFFFFFFF
    return max(min(lane.bytes, extent), assembler.next if assembler is not None else 0)


def _starts_at_hello(timeline: Timeline) -> bool:
    """The stream can be read from its first byte: the client's hello, or plain text before one, was there. A ServerHello
    alone is only an answer: what it answers, and what became of that, is missing."""
    return any(
        HandshakeType.client_hello in direction.messages
        or direction.preamble is not None
        or direction.not_tls is not None
        for direction in (timeline.client, timeline.server)
    )


def _one_sided(conversation: Conversation, client: int) -> Side | None:
    """Only this side's packets are there, though they acknowledge what the other side must have sent."""
    lanes = conversation.flow.lanes
    for direction in (0, 1):
        if lanes[1 - direction].packets == 0 and lanes[direction].last_ack is not None:
            return Side.CLIENT if direction == client else Side.SERVER
    return None


def unacked_full_size(conversation: Conversation, direction: int) -> bool:
    """A full-size segment of this direction was sent at least three times and never acknowledged; or (seen from behind
    the black hole) it never arrived here while smaller ones behind it did."""
    half, lane = conversation.halves[direction], conversation.flow.lanes[direction]
    assembler = half.assembler
    acknowledged = half.acked
    if assembler is None or acknowledged is None or conversation.settled:
        return False
    if lane.max_segment >= SMALLEST_FULL_SEGMENT:
        stuck = assembler.tries.get(acknowledged, 0)
        if stuck >= REPEATED and acknowledged < assembler.high and assembler.retransmitted_full >= REPEATED:
            return True
    behind = assembler.waiting
    return behind is not None and acknowledged <= assembler.next and behind - assembler.next >= SMALLEST_FULL_SEGMENT


def closed(conversation: Conversation, client: int, timeline: Timeline, clock: Clock, established: bool) -> Closed:
    """Who ended the connection, how, and after which handshake message."""
    flow = conversation.flow
    if conversation.ends:
        end = conversation.ends[0]
        side = Side.CLIENT if end.direction == client else Side.SERVER
        name, stage_side = _stage(timeline.rows, end.frame)
        peer = timeline.server if side is Side.CLIENT else timeline.client
        echo = any(
            isinstance(event, OpaqueRecord) or event.level == AlertLevel.fatal
            for event, frame, _ in peer.alerts
            if frame <= end.frame
        ) or (peer.late_alert is not None and peer.late_alert[0] <= end.frame)
        return Closed(side, end.how, name, stage_side, end.frame, end.time_ns, after_ns(flow, end), echo)
    name, stage_side = _stage(timeline.rows, None)
    silent = clock.now_ns - flow.last_ns >= limit("never_answers_s") * 1_000_000_000
    timed_out = not established and ((silent and _all_acknowledged(conversation)) or is_repeated(conversation))
    return Closed(None, "timeout" if timed_out else "open", name, stage_side, None, flow.last_ns)


def after_ns(flow: Flow, end: End) -> int | None:
    """Since the other side's latest payload before this end; None if there was none."""
    last, heard = flow.lanes[1 - end.direction].last_payload_ns, end.heard_ns
    if last is None or last > end.time_ns or (heard is not None and last < heard <= end.time_ns):
        last = heard
    return None if last is None or last > end.time_ns else end.time_ns - last


def _stage(rows: list[StepRow], before: int | None) -> tuple[str, Side | None]:
    """The last handshake message up to this frame, and whose it was; ("", None) if there is none."""
    for row in reversed(rows):
        if (before is None or row[0] <= before) and row[4] not in NOT_STAGES:
            return row[4], row[3]
    return "", None


def is_repeated(conversation: Conversation) -> bool:
    """Something was sent again and again and never answered."""
    for direction, half in enumerate(conversation.halves):
        if half.opened and half.syn_count >= REPEATED and conversation.flow.lanes[1 - direction].packets == 0:
            return True
        if half.assembler is not None and half.assembler.tries:
            stuck, tries = half.acked, half.assembler.tries
            if any(count >= REPEATED and (stuck is None or at >= stuck) for at, count in tries.items()):
                return True
    return False


def _all_acknowledged(conversation: Conversation) -> bool:
    """TCP delivered everything: if nothing follows, a program is silent (a capture that was cut out of a larger one
    looks different: acknowledgements are missing as well)."""
    spoke = [half.assembler for half in conversation.halves if half.assembler is not None]
    return bool(spoke) and all(
        half.assembler is None or (half.acked or 0) >= half.assembler.high for half in conversation.halves
    )


def is_established(timeline: Timeline, tls13: bool) -> bool:
    """The handshake completed as far as can be seen."""
    client, server = timeline.client, timeline.server
    if tls13:
        reading = timeline.reading
        if reading is None or reading.auth.client_refused:
            return False
        if reading.auth.refused:
            return False
        if reading.client_flight:
            answered = reading.tickets or server.app_records or server.unread or server.behind_lost > TWO_ALERTS
            maybe_alert = bool(server.lost) and server.lost[-1].missing <= TWO_ALERTS
            return reading.auth.arrived and bool(answered or not maybe_alert)
        # coalesced or padded records: both sides went on talking long after any handshake
        return len(reading.auth.client_records) > 2 and len(reading.auth.server_records) > 6
    if any(isinstance(event, Alert) and event.level == AlertLevel.fatal for event, *_ in client.alerts + server.alerts):
        return False  # whoever has finished encrypts its alerts: what looked like a Finished was none
    finished = (client.finished_frame is not None, server.finished_frame is not None)
    data = (client.app_records > 0, server.app_records > 0)
    if _may_be_13(timeline) and not any(finished):
        data = (client.app_records > MOST_FLIGHT_13[0], server.app_records > MOST_FLIGHT_13[1])
    hello = bool(client.messages or server.messages)
    return hello and (all(finished) or all(data) or (any(finished) and any(data) and (data != finished)))


def _may_be_13(timeline: Timeline) -> bool:
    """The client offers TLS 1.3 and the server's choice was not seen: what looks like data may be the handshake."""
    hello = timeline.client.messages.get(HandshakeType.client_hello)
    offered = hello.body.supported_versions if hello is not None and isinstance(hello.body, ClientHello) else None
    return TLS13 in (offered or ()) and HandshakeType.server_hello not in timeline.server.messages


def outcome(
    timeline: Timeline, ending: Closed, view: Visibility, *, established: bool, any_payload: bool, repeated: bool
) -> Outcome:
    """How it went. Silence alone is `unknown` (nobody gave up); a flight sent again and again without an answer (`repeated`)
    is `failed`."""
    client, server = timeline.client, timeline.server
    if not any_payload:
        return Outcome.UNKNOWN if view.one_sided or view.gap_bytes else Outcome.NO_DATA
    if client.not_tls is not None or server.not_tls is not None:
        begun = view.open_end and (client.preamble or server.preamble)  # one side had no time to follow
        return Outcome.UNKNOWN if view.limited or begun or _pseudo(timeline) else Outcome.NOT_TLS
    if not (client.tls or server.tls) or _pseudo(timeline):
        return Outcome.UNKNOWN
    if established:
        return Outcome.ESTABLISHED
    alerts = [event for direction in (client, server) for event, _, _ in direction.alerts]
    if any(isinstance(event, Alert) and event.level == AlertLevel.fatal for event in alerts):
        return Outcome.FAILED
    if timeline.reading is not None and (timeline.reading.auth.refused or timeline.reading.auth.client_refused):
        return Outcome.FAILED
    if view.limited or not (client.messages or server.messages):
        return Outcome.UNKNOWN
    if any(isinstance(event, OpaqueRecord) and event.content_type == ContentType.alert for event in alerts):
        return Outcome.FAILED  # its code cannot be read, but it came before the handshake was complete
    if timeline.reading is not None and timeline.reading.auth.client_records and not timeline.reading.client_flight:
        # records of unknown content: the handshake may well be over
        return Outcome.UNKNOWN
    if ending.how in ("fin", "rst"):
        return Outcome.FAILED
    return Outcome.FAILED if ending.how == "timeout" and repeated else Outcome.UNKNOWN


def _pseudo(timeline: Timeline) -> bool:
    """The fixed hello of a relay that only looks like TLS."""
    hello = timeline.client.messages.get(HandshakeType.client_hello)
    return hello is not None and isinstance(hello.body, ClientHello) and hello.body.fixed_pattern is not None
