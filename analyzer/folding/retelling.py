"""A conversation that went as one before: the record is told again with its own frames, times and counters.

What follows from what was said was worked out for the first of them (`fold`); only what belongs to this conversation alone is
looked up anew. It saves time and nothing else: in full, `fold` comes to the same record.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from analyzer.certificates.chain import assess
from analyzer.connection import (
    Alert,
    CertificateRequest,
    Closed,
    Connection,
    Outcome,
    Seen,
    SentChain,
    Side,
    StepRow,
    Steps,
    Visibility,
)
from analyzer.dataclass import dataclass
from analyzer.folding import outcome as judge
from analyzer.folding.case import Setting
from analyzer.folding.conversation import Conversation
from analyzer.folding.credentials import ca_list
from analyzer.folding.ends import endings
from analyzer.folding.familiar import Key, Likeness, Telling
from analyzer.folding.identity import endpoints, uid
from analyzer.folding.presence import hidden_facts, seen_facts, troubled_end
from analyzer.folding.timeline import build
from analyzer.folding.traffic import round_trip, traffic
from analyzer.folding.unread import speaks_late, unread_bytes
from analyzer.tls import messages as wire
from analyzer.tls.messages import Certificate, Event, Handshake, OpaqueRecord
from analyzer.tls.names import ContentType, HandshakeType

MAX_PLOTS = 4_096
"""Ways in which two directions met that are remembered at most."""
_CERTIFICATE, _REQUEST = int(HandshakeType.certificate), int(HandshakeType.certificate_request)


@dataclass(slots=True)
class Plot:
    """What conversations of one key have in common.

    Attributes:
        record: of the first one. smooth: nothing troubled it: all facts seen follow from what was said.
        alerts: (alert, number of its event, or None for the one after the handshake).
        numbers: of the events with the server's chain, the request, and the client's chain.
    """

    record: Connection
    smooth: bool
    alerts: tuple[tuple[Alert, int | None], ...]
    numbers: tuple[int | None, int | None, int | None]


_plots: dict[Key, Plot] = {}


def remember(conversation: Conversation, like: Likeness, conn: Connection) -> None:
    """The record of a conversation of this likeness, worked out in full."""
    whole = (
        conn.established and conn.outcome is Outcome.ESTABLISHED and not conn.malformed and not conn.visibility.limited
    )
    if not whole or conn.preamble or conn.not_tls or conn.client_auth_13 or conn.first_client_hello:
        return
    alerts: list[tuple[Alert, int | None]] = []
    for alert in conn.alerts:
        at = int(alert.side is Side.SERVER)
        half, telling = conversation.halves[like.client ^ at], like.tellings[at]
        number = next(
            (
                n
                for n, event in enumerate(half.events)
                if _is_alert(event) and telling.where(n)[0][-1] == alert.frame and (alert, n) not in alerts
            ),
            None,
        )
        if not alert.after_handshake or (number is None and not speaks_late(conversation, half)):
            return
        alerts.append((alert, number))
    server, client = like.tellings[1].script.numbers, like.tellings[0].script.numbers
    if len(_plots) >= MAX_PLOTS:
        _plots.clear()
    smooth = _is_smooth(conn) and not conn.seen & Seen.TROUBLED_END
    numbers = server.get(_CERTIFICATE), server.get(_REQUEST), client.get(_CERTIFICATE)
    _plots[like.key] = Plot(conn, smooth, tuple(alerts), numbers)


def _is_alert(event: Event) -> bool:
    return isinstance(event, OpaqueRecord) and event.content_type == ContentType.alert


def retell(conversation: Conversation, like: Likeness, setting: Setting) -> Connection | None:
    """The record of a conversation that went as one before; None if none did."""
    plot = _plots.get(like.key)
    if plot is None:
        return None
    flow, c, s = conversation.flow, like.client, 1 - like.client
    known, ends, (client, server) = plot.record, endpoints(conversation.flow), like.tellings
    halves, files = conversation.halves, setting.files_from(flow.first_frame)
    said, answers = halves[c].events, halves[s].events
    server_chain = _sent(known.server_chain, server, plot.numbers[0], answers)
    request = _asked(known.certificate_request, server, plot.numbers[1], answers)
    client_chain = _sent(known.client_chain, client, plot.numbers[2], said)
    hello, choice = said[0], answers[0]
    left = _unread(conversation, c) if conversation.settled else (0, 0)
    sent = traffic(conversation, c, known.client.app_records, left[0], client.script.clear_end)
    answered = traffic(conversation, s, known.server.app_records, left[1], server.script.clear_end)
    if not conversation.settled:
        conversation.forget()  # its steps may be asked for, its bytes are not
    conn = _same(known)
    conn.capture = files[0][1] if files else setting.capture
    conn.stream = flow.stream
    conn.uid = uid(flow)
    conn.community_id = ends.community_id
    conn.ts_ns = flow.first_ns
    conn.end_ns = max(flow.first_ns, flow.last_ns)
    conn.time_digits = setting.time_digits
    conn.client_ip = ends.ips[c]
    conn.client_port = ends.ports[c]
    conn.server_ip = ends.ips[s]
    conn.server_port = ends.ports[s]
    conn.closed = _closed(conversation, known.closed)
    conn.client_hello = hello.body if isinstance(hello, Handshake) else None  # type: ignore[assignment]
    conn.server_hello = choice.body if isinstance(choice, Handshake) else None  # type: ignore[assignment]
    conn.server_chain = server_chain
    conn.client_chain = client_chain
    conn.client_certificate_frames = () if plot.numbers[2] is None else client.where(plot.numbers[2])[0]
    conn.certificate_request = request
    conn.alerts = _alerts(conversation, like, plot)
    conn.endings = endings(conversation, c)
    hellos = {"ClientHello": client.where(0)[0], "ServerHello": server.where(0)[0]}
    conn.steps = Steps(None, partial(_rows, conversation, c), hellos)
    conn.client, conn.server = sent, answered
    conn.rtt_ns = round_trip(conversation, c)
    conn.icmp = tuple(flow.icmp)
    conn.expected = setting.expects(ends.ports)
    conn.visibility = Visibility(known.visibility.syn_seen, sent.bytes, answered.bytes)
    conn.local_time_doubt = setting.local_time_doubt
    conn.files = files
    alike = plot.smooth and _is_smooth(conn) and not troubled_end(conn)
    conn.seen = known.seen if alike else seen_facts(conn)
    conn.hidden = hidden_facts(conn, conn.seen)
    return conn


def _same(known: Connection) -> Connection:
    """A record with what conversations that went alike have in common. (To name sixty arguments costs more than all else.)"""
    conn = Connection.__new__(Connection)
    conn.roles_known = known.roles_known
    conn.outcome = known.outcome
    conn.version = known.version
    conn.version_code = known.version_code
    conn.cipher = known.cipher
    conn.cipher_code = known.cipher_code
    conn.curve = known.curve
    conn.server_name = known.server_name
    conn.next_protocol = known.next_protocol
    conn.resumed = known.resumed
    conn.established = known.established
    conn.ssl_history = known.ssl_history
    conn.ja3 = known.ja3
    conn.ja3s = known.ja3s
    conn.ja4 = known.ja4
    conn.server_certificate_state = known.server_certificate_state
    conn.client_certificate_state = known.client_certificate_state
    conn.dh_bits = known.dh_bits
    conn.server_signature_scheme = known.server_signature_scheme
    conn.client_signature_scheme = known.client_signature_scheme
    conn.ocsp_stapled = known.ocsp_stapled
    conn.finished = known.finished
    conn.tls = known.tls
    conn.first_client_hello = conn.hello_retry_request = conn.client_auth_13 = None
    conn.preamble = conn.not_tls = None
    conn.not_tls_answer = b""
    conn.malformed = ()
    conn.findings, conn.diagnosis, conn.worked_beside = (), None, None
    return conn


def _is_smooth(conn: Connection) -> bool:
    """Nothing was sent again, refused or held up."""
    client, server = conn.client, conn.server
    return not (
        conn.icmp
        or client.retransmitted
        or server.retransmitted
        or client.unacked_full_size
        or server.unacked_full_size
        or client.zero_window_frame
        or server.zero_window_frame
    )


def _unread(conversation: Conversation, client: int) -> tuple[int, int]:
    """Of the client and of the server; it is no part of what makes a likeness."""
    client_late, server_late = [speaks_late(conversation, conversation.halves[client ^ at]) for at in (0, 1)]
    return (
        unread_bytes(conversation, client, tail=client_late),
        unread_bytes(conversation, 1 - client, tail=server_late),
    )


def _rows(conversation: Conversation, client: int) -> list[StepRow]:
    return build(conversation, client).rows


def _sent(known: SentChain | None, telling: Telling, number: int | None, events: Sequence[Event]) -> SentChain | None:
    body = _body(events, number)
    if known is None or number is None or not isinstance(body, Certificate):
        return None
    frames, time_ns = telling.where(number)
    return SentChain(known.side, frames, time_ns, assess(body.certificates), known.size, known.records)


def _asked(
    known: CertificateRequest | None, telling: Telling, number: int | None, events: Sequence[Event]
) -> CertificateRequest | None:
    body = _body(events, number)
    if known is None or number is None or not isinstance(body, wire.CertificateRequest):
        return None
    frames, time_ns = telling.where(number)
    return CertificateRequest(
        frames, time_ns, known.certificate_types, known.signature_schemes, ca_list(body), known.size, known.records
    )


def _body(events: Sequence[Event], number: int | None) -> wire.Body | None:
    """Of a message; the chain and the list in it are asked for again, so that equal ones are one object everywhere."""
    event = events[number] if number is not None else None
    return event.body if isinstance(event, Handshake) else None


def _closed(conversation: Conversation, known: Closed) -> Closed:
    end = conversation.ends[0]
    after_ns = judge.after_ns(conversation.flow, end)
    return Closed(known.by, known.how, known.stage, known.stage_side, end.frame, end.time_ns, after_ns, known.echo)


def _alerts(conversation: Conversation, like: Likeness, plot: Plot) -> tuple[Alert, ...]:
    out = []
    for known, number in plot.alerts:
        at = int(known.side is Side.SERVER)
        if number is not None:
            frames, time_ns = like.tellings[at].where(number)
            frame = frames[-1]
        else:
            tail = conversation.halves[like.client ^ at].tail
            frame, time_ns = (known.frame, known.time_ns) if tail is None else tail[:2]
        out.append(Alert(known.side, None, None, frame, time_ns, True, True, False))
    return tuple(out)
