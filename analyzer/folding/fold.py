"""`fold`: one conversation -> one `Connection`. Facts only."""

from __future__ import annotations

from analyzer import knowledge
from analyzer.connection import CertificateState, Connection, Outcome, Side
from analyzer.folding import familiar, retelling
from analyzer.folding import outcome as judge
from analyzer.folding.case import Case, Setting, body, body_of, client_hello, server_hello
from analyzer.folding.conversation import Conversation
from analyzer.folding.credentials import (
    certificate_request,
    client_certificate_frames,
    client_state,
    resumption,
    sent_chain,
    server_state,
)
from analyzer.folding.ends import alerts, endings, finished
from analyzer.folding.identity import endpoints, uid
from analyzer.folding.presence import hidden_facts, seen_facts
from analyzer.folding.timeline import build, history
from analyzer.folding.traffic import round_trip, traffic
from analyzer.tls import messages as wire
from analyzer.tls.names import HandshakeType

MAX_ODDITIES = 50
"""Oddities that a record lists; of more, it has the number."""


def fold(conversation: Conversation, setting: Setting, clock: judge.Clock, *, evicted: bool = False) -> Connection:
    """The record of a conversation that is over (or is reported as it stands)."""
    like = None if evicted else familiar.likeness(conversation)
    known = retelling.retell(conversation, like, setting) if like is not None else None
    if known is not None:
        return known
    conn = _fold(conversation, setting, clock, evicted)
    conn.seen = seen_facts(conn)  # computed from the record itself, before anybody else has it
    conn.hidden = hidden_facts(conn, conn.seen)
    if like is not None:
        retelling.remember(conversation, like, conn)
    return conn


def _fold(conversation: Conversation, setting: Setting, clock: judge.Clock, evicted: bool) -> Connection:
    ends = endpoints(conversation.flow)
    client, roles_known = _client_direction(conversation, ends.ports, setting)
    timeline = build(conversation, client)
    established = judge.is_established(timeline, conversation.tls13)
    closed = judge.closed(conversation, client, timeline, clock, established)
    view = judge.visibility(conversation, client, timeline, closed.how == "open", evicted)
    lanes = conversation.flow.lanes
    outcome = judge.outcome(
        timeline,
        closed,
        view,
        established=established,
        any_payload=bool(lanes[0].bytes or lanes[1].bytes),
        repeated=judge.is_repeated(conversation),
    )
    established = outcome is Outcome.ESTABLISHED
    return _record(Case(conversation, setting, client, ends, timeline, established, closed, view, outcome), roles_known)


def _record(case: Case, roles_known: str) -> Connection:
    """One line a field."""
    line, flow = case.timeline, case.conversation.flow
    c, s = case.client, 1 - case.client
    ips, ports = case.ends.ips, case.ends.ports
    hello, choice = client_hello(line.client), server_hello(line.server)
    version = choice.selected_version if choice else None
    exchange = body(line.server, HandshakeType.server_key_exchange, wire.ServerKeyExchange)
    verify = body(line.client, HandshakeType.certificate_verify, wire.CertificateVerify)
    group = exchange.curve if exchange and exchange.curve is not None else choice.key_share_group if choice else None
    request = certificate_request(case)
    resumed = resumption(case, choice)
    states = server_state(case, choice, resumed), client_state(case, choice, request, resumed)
    server_chain = sent_chain(case, Side.SERVER) if states[0] is CertificateState.SENT else None
    client_chain = sent_chain(case, Side.CLIENT) if states[1] is CertificateState.SENT else None
    auth = line.reading.auth if line.reading and not resumed else None
    files = case.setting.files_from(flow.first_frame)
    return Connection(
        capture=files[0][1] if files else case.setting.capture,
        stream=flow.stream,
        uid=uid(flow),
        community_id=case.ends.community_id,
        ts_ns=flow.first_ns,
        end_ns=max(flow.first_ns, flow.last_ns),
        time_digits=case.setting.time_digits,
        client_ip=ips[c],
        client_port=ports[c],
        server_ip=ips[s],
        server_port=ports[s],
        roles_known=roles_known,
        outcome=case.outcome,
        closed=case.closed,
        version=knowledge.version_name(version) if version is not None else None,
        version_code=version,
        cipher=knowledge.cipher_suite(choice.cipher_suite) if choice else None,
        cipher_code=choice.cipher_suite if choice else None,
        curve=knowledge.group(group) if group is not None else None,
        server_name=hello.server_name if hello else None,
        next_protocol=choice.alpn if choice else None,
        resumed=resumed,
        established=case.established,
        ssl_history=history(line.rows),
        ja3=(hello.ja3 or None) if hello else None,
        ja3s=(choice.ja3s or None) if choice else None,
        ja4=(hello.ja4 or None) if hello else None,
        client_hello=hello,
        server_hello=choice,
        first_client_hello=body_of(line.client.first_hello, wire.ClientHello),
        hello_retry_request=body_of(line.server.hello_retry, wire.ServerHello),
        server_chain=server_chain,
        client_chain=client_chain,
        server_certificate_state=states[0],
        client_certificate_state=states[1],
        client_certificate_frames=client_certificate_frames(case, auth),
        certificate_request=request,
        dh_bits=exchange.dh_bits if exchange else None,
        server_signature_scheme=exchange.signature_scheme if exchange else None,
        client_signature_scheme=verify.signature_scheme if verify else None,
        ocsp_stapled=HandshakeType.certificate_status in line.server.messages,
        client_auth_13=auth,
        alerts=alerts(case),
        endings=endings(case.conversation, c),
        steps=line.steps,
        client=traffic(case.conversation, c, line.client.app_records, line.client.unread, line.client.clear_end),
        server=traffic(case.conversation, s, line.server.app_records, line.server.unread, line.server.clear_end),
        rtt_ns=round_trip(case.conversation, c),
        finished=finished(case),
        icmp=tuple(flow.icmp),
        preamble=line.client.preamble or line.server.preamble,
        not_tls=_not_tls(case),
        not_tls_answer=_not_tls_answer(line.client.not_tls, line.server.not_tls),
        expected=case.setting.expects(ports),
        tls=line.client.tls or line.server.tls,
        visibility=case.view,
        malformed=_malformed(case),
        local_time_doubt=case.setting.local_time_doubt,
        files=files,
    )


def _not_tls(case: Case) -> tuple[str, Side, bytes] | None:
    for side, direction in ((Side.CLIENT, case.timeline.client), (Side.SERVER, case.timeline.server)):
        if direction.not_tls is not None:
            return direction.not_tls.protocol, side, direction.not_tls.sample
    return None


def _not_tls_answer(said: wire.NotTls | None, answer: wire.NotTls | None) -> bytes:
    return b"" if said is None or answer is None else answer.sample


def _malformed(case: Case) -> tuple[str, ...]:
    line, ignored = case.timeline, case.conversation.ignored
    counted = [(side, half.stream.suppressed) for side in Side if (half := case.half(side)).stream is not None]
    strange = line.client.malformed or line.server.malformed or line.client.odd or line.server.odd
    if not (strange or ignored or any(count for _, count in counted)):
        return ()
    out = [*line.client.malformed, *line.server.malformed]
    out += [
        f"{side.value}: {count:,} more alerts or messages of one kind, only counted" for side, count in counted if count
    ]
    for end in ignored:
        who, what = "client" if end.direction == case.client else "server", "FIN" if end.how == "fin" else "RST"
        out.append(f"{who} (frame {end.frame:,}): a {what} that nobody heeded; the connection went on")
    for side, direction in (("client", line.client), ("server", line.server)):
        for message in direction.messages.values():
            body = message.body
            odd = (body.reason,) if isinstance(body, wire.Unreadable) else getattr(body, "oddities", ())
            out += [f"{side} (byte {message.span.start:,}): {text}" for text in odd]
    if len(out) > MAX_ODDITIES:
        out[MAX_ODDITIES:] = [f"and {len(out) - MAX_ODDITIES:,} more"]
    return tuple(out)


def _client_direction(conversation: Conversation, ports: tuple[int, int], setting: Setting) -> tuple[int, str]:
    """The client's direction, and what it was told from."""
    for kind, flip, known in (
        (HandshakeType.client_hello, 0, "client-hello"),
        (HandshakeType.server_hello, 1, "server-hello"),
    ):
        for direction, half in enumerate(conversation.halves):
            if any(isinstance(e, wire.Handshake) and e.type == kind for e in half.events):
                return direction ^ flip, known
    for direction, half in enumerate(conversation.halves):
        if half.syn_frame is not None:
            return (direction if half.opened else 1 - direction), "syn"
    known_ports = setting.known_ports if setting.ports is None else setting.ports | setting.known_ports
    if (ports[0] in known_ports) != (ports[1] in known_ports):
        return (1 if ports[0] in known_ports else 0), "port"
    if ports[0] != ports[1]:
        return (1 if ports[0] < ports[1] else 0), "guess"
    return conversation.flow.opener, "guess"
