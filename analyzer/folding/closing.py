"""FINs and RSTs: which of them ended the connection. Anybody can forge one; what its sender and the peer do next tells."""

from __future__ import annotations

from analyzer.dataclass import dataclass
from analyzer.flows import Flow
from analyzer.reassembly import seq_distance

MISFIT_NS = 30_000_000_000
"""A RST whose sequence number is not the expected one closes the connection only if this much later nothing took it back:
most likely it is forged, or packets before it are missing."""

MAX_UNSEEN = 1 << 20
"""Bytes that may be missing from the capture at one place."""


@dataclass(slots=True)
class End:
    """A FIN or RST as it came. `direction` as in Flow; `seq`: the number behind its payload; `ack`: None without ACK flag;
    `heard_ns`: when the other side's latest payload before it was looked at; None if there was none."""

    direction: int
    how: str
    frame: int
    time_ns: int
    seq_fits: bool
    ttl: int
    ip_id: int
    heard_ns: int | None
    seq: int = 0
    ack: int | None = None


def unheeded(ends: list[End], flow: Flow) -> list[End]:
    """Those that ended nothing: their sender went on, and the peer (as far as it can be seen) acknowledged that."""
    if not ends or _nothing_behind(ends, flow):
        return []
    return [end for end in ends if _went_on(end, ends, flow)]


def _nothing_behind(ends: list[End], flow: Flow) -> bool:
    """Nearly always: FINs, and no payload after the first of them."""
    low, high = flow.lanes
    last = max(low.last_payload_frame or 0, high.last_payload_frame or 0)
    return not [end for end in ends if end.how != "fin" or end.frame < last]


def _went_on(end: End, ends: list[End], flow: Flow) -> bool:
    lane, peer = flow.lanes[end.direction], flow.lanes[1 - end.direction]
    last = lane.last_payload_seq
    if last is not None and lane.last_payload_frame is not None and lane.last_payload_frame > end.frame:
        ahead = seq_distance(last & 0xFFFFFFFF, end.seq)
        beyond = ahead > 0 or (ahead < 0 and not end.seq_fits)  # equal: what was missing before it came late
        if beyond and _is_heard(last & 0xFFFFFFFF, peer.last_ack, peer.packets):
            return True
    if end.how == "fin":
        return False
    later = (one for one in ends if one.how == "fin" and one.direction == end.direction and one.frame > end.frame)
    return any(_is_heard((fin.seq + 1) & 0xFFFFFFFF, peer.last_ack, peer.packets) for fin in later)


def _is_heard(seq: int, acknowledged: int | None, packets: int) -> bool:
    if acknowledged is None:
        return packets == 0  # the peer's side was not captured
    return seq_distance(acknowledged, seq) >= 0


def reach(direction: int, ends: list[End], flow: Flow, base: int, end: int) -> int:
    """Offset up to which this direction is known to have spoken, though no packet may show it: by the numbers of its own
    FIN, RST or latest acknowledgement, or by what the peer acknowledged. `base`: sequence number of its first byte; `end`:
    offset behind what was seen. Behind a RST that fitted no other RST tells anything: devices that race the real packets
    send several, each with a number further on."""
    expected, furthest = base + end, 0
    guesses = _guesses(direction, ends)
    marks = [one.seq if one.direction == direction else one.ack for one in ends if one not in guesses]
    last_seq = flow.lanes[direction].last_seq
    if any(one.seq == last_seq for one in guesses):
        last_seq = None
    fins = [one.seq for one in ends if one.direction == direction and one.how == "fin"]
    for seq in (*marks, flow.lanes[1 - direction].last_ack, last_seq):
        if seq is None:
            continue
        behind_fin = (seq - 1) & 0xFFFFFFFF in fins  # it takes a number, and is no byte
        ahead = (seq - expected - behind_fin) & 0xFFFFFFFF
        if furthest < ahead <= MAX_UNSEEN:
            furthest = ahead
    return end + furthest if furthest > 1 else end  # one more than seen is a FIN


def _guesses(direction: int, ends: list[End]) -> list[End]:
    """RSTs of this direction behind one that fitted."""
    own = [one for one in ends if one.direction == direction and one.how == "rst"]
    fitting = next((place for place, one in enumerate(own) if one.seq_fits), len(own))
    return own[fitting + 1 :]


def closing_time(ends: list[End]) -> int | None:
    """When these ends closed the connection: the first RST, or the second side's FIN; None if they did not."""
    sides: set[int] = set()
    doubtful = None
    for end in ends:
        if end.how == "fin":
            sides.add(end.direction)
        if len(sides) == 2 or (end.how == "rst" and end.seq_fits):
            return end.time_ns
        if end.how == "rst" and doubtful is None:
            doubtful = end.time_ns + MISFIT_NS
    return doubtful
