"""Alerts, ends, and how far the handshake got."""

from __future__ import annotations

from analyzer.connection import Alert, Ending, Side
from analyzer.folding.case import Case
from analyzer.folding.conversation import Conversation
from analyzer.tls import messages as wire
from analyzer.tls.names import ContentType

_BOTH = frozenset((Side.CLIENT, Side.SERVER))
_ONLY_CLIENT, _ONLY_SERVER = frozenset((Side.CLIENT,)), frozenset((Side.SERVER,))


def alerts(case: Case) -> tuple[Alert, ...]:
    """Every alert, seen or inferred, in order."""
    out: list[Alert] = []
    both = _finished_frame(case)
    for side, direction in ((Side.CLIENT, case.timeline.client), (Side.SERVER, case.timeline.server)):
        for event, frame, time_ns in direction.alerts:
            after = both is not None and frame >= both and case.established
            if isinstance(event, wire.Alert):
                out.append(Alert(side, event.level, event.description, frame, time_ns, False, after, False))
            else:
                inferred = event.content_type != ContentType.alert
                out.append(Alert(side, None, None, frame, time_ns, True, after, inferred))
        if direction.late_alert is not None:
            after = case.timeline.reading is None or case.established
            inferred = case.timeline.reading is not None
            out.append(Alert(side, None, None, *direction.late_alert, True, after, inferred))
    out.sort(key=lambda alert: (alert.frame, alert.time_ns))
    return tuple(out)


def _finished_frame(case: Case) -> int | None:
    """The frame that completes the handshake; None if not both Finished were seen."""
    client, server, reading = case.timeline.client, case.timeline.server, case.timeline.reading
    if reading is not None:
        return client.finished_frame
    if client.finished_frame is None or server.finished_frame is None:
        return None
    return max(client.finished_frame, server.finished_frame)


def finished(case: Case) -> frozenset[Side]:
    """The sides whose Finished was seen, or the record that must be it."""
    client, server, reading = case.timeline.client, case.timeline.server, case.timeline.reading
    if reading is not None:
        return _BOTH if reading.client_flight else frozenset()
    if client.finished_frame is not None:
        return _BOTH if server.finished_frame is not None else _ONLY_CLIENT
    return _ONLY_SERVER if server.finished_frame is not None else frozenset()


def endings(conversation: Conversation, client: int) -> tuple[Ending, ...]:
    """Every FIN and RST, in order; copies and a FIN sent again are left out. `client`: the client's direction."""
    seen: set[int] = set()
    out = []
    for end in conversation.ends:
        side = Side.CLIENT if end.direction == client else Side.SERVER
        first = end.direction not in seen
        seen.add(end.direction)
        out.append(Ending(side, end.how, end.frame, end.time_ns, end.seq_fits, end.ttl, end.ip_id, first))
    return tuple(out)
