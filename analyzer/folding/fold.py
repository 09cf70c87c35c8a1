"""`fold`: one conversation -> one `Connection`. Facts only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeVar

from analyzer import knowledge
from analyzer.certificates.cache import BoundedCache
from analyzer.certificates.chain import assess
from analyzer.certificates.names import parse_name
from analyzer.connection import (
    NOTHING,
    Alert,
    CaList,
    CertificateRequest,
    CertificateState,
    ClientAuth13,
    Connection,
    Ending,
    Outcome,
    Seen,
    SentChain,
    Side,
    SideTraffic,
)
from analyzer.folding import outcome as judge
from analyzer.folding.conversation import Conversation
from analyzer.folding.identity import endpoints, uid
from analyzer.folding.timeline import Direction, Timeline, build, history
from analyzer.knowledge import limit
from analyzer.tls import messages as wire
from analyzer.tls.names import HandshakeType

_CA_LISTS: BoundedCache[bytes, CaList] = BoundedCache(1_024, 16 << 20)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Setting:
    """What all connections of an input share.

    Attributes:
        capture: name of the input. time_digits: see capture.source.Facts. local_time_doubt: see Connection.
        ports: where TLS is expected; None = any.
        files: (number of the first frame, name) of each file of the input begun so far.
        known_ports: ports that speak TLS by the catalogue, to tell the server when nothing else does.
    """

    capture: str
    time_digits: int = 6
    local_time_doubt: bool = False
    ports: frozenset[int] | None = None
    known_ports: frozenset[int] = frozenset()
    files: tuple[tuple[int, str], ...] = ()


def fold(conversation: Conversation, setting: Setting, clock: judge.Clock, *, evicted: bool = False) -> Connection:
    """The record of a conversation that is over (or is reported as it stands)."""
    return _Folder(conversation, setting, clock, evicted).connection()


class _Folder:
    def __init__(self, conversation: Conversation, setting: Setting, clock: judge.Clock, evicted: bool) -> None:
        self.conversation, self.setting, self.clock = conversation, setting, clock
        self.ends = endpoints(conversation.flow)
        self.client, self.roles_known = _client_direction(conversation, self.ends.ports, setting)
        self.timeline = build(conversation, self.client)
        self.established = judge.is_established(self.timeline, conversation.tls13)
        self.closed = judge.closed(conversation, self.client, self.timeline, clock, self.established)
        self.view = judge.visibility(conversation, self.client, self.timeline, self.closed.how == "open", evicted)
        lanes = conversation.flow.lanes
        any_payload = bool(lanes[0].bytes or lanes[1].bytes)
        self.outcome = judge.outcome(
            self.timeline,
            self.closed,
            self.view,
            established=self.established,
            any_payload=any_payload,
            repeated=judge.is_repeated(conversation),
        )
        self.established &= self.outcome is Outcome.ESTABLISHED

    def connection(self) -> Connection:
        line, flow = self.timeline, self.conversation.flow
        c, s = self.client, 1 - self.client
        ips, ports = self.ends.ips, self.ends.ports
        hello, choice = _client_hello(line.client), _server_hello(line.server)
        version = choice.selected_version if choice else None
        exchange = _body(line.server, HandshakeType.server_key_exchange, wire.ServerKeyExchange)
        group = (
            exchange.curve if exchange and exchange.curve is not None else choice.key_share_group if choice else None
        )
        request = self._request()
        resumed = self._resumed(choice)
        states = self._server_state(choice, resumed), self._client_state(choice, request, resumed)
        server_chain = self._chain(Side.SERVER) if states[0] is CertificateState.SENT else None
        client_chain = self._chain(Side.CLIENT) if states[1] is CertificateState.SENT else None
        alerts = self._alerts()
        auth = line.reading.auth if line.reading and not resumed else None
        retry = line.server.hello_retry
        not_tls = self._not_tls()
        traffic = self._traffic(c), self._traffic(s)
        files = self._files()
        conn = Connection(
            capture=files[0][1] if files else self.setting.capture,
            stream=flow.stream,
            uid=uid(flow),
            community_id=self.ends.community_id,
            ts_ns=flow.first_ns,
            end_ns=max(flow.first_ns, flow.last_ns),
            time_digits=self.setting.time_digits,
            client_ip=ips[c],
            client_port=ports[c],
            server_ip=ips[s],
            server_port=ports[s],
            roles_known=self.roles_known,
            outcome=self.outcome,
            closed=self.closed,
            version=knowledge.version_name(version) if version is not None else None,
            version_code=version,
            cipher=knowledge.cipher_suite(choice.cipher_suite) if choice else None,
            cipher_code=choice.cipher_suite if choice else None,
            curve=knowledge.group(group) if group is not None else None,
            server_name=hello.server_name if hello else None,
            next_protocol=choice.alpn if choice else None,
            resumed=resumed,
            established=self.established,
            ssl_history=history(line.steps),
            ja3=(hello.ja3 or None) if hello else None,
            ja3s=(choice.ja3s or None) if choice else None,
            ja4=(hello.ja4 or None) if hello else None,
            client_hello=hello,
            server_hello=choice,
            first_client_hello=_as(line.client.first_hello, wire.ClientHello),
            hello_retry_request=_as(retry, wire.ServerHello),
            server_chain=server_chain,
            client_chain=client_chain,
            server_certificate_state=states[0],
            client_certificate_state=states[1],
            client_certificate_frames=self._client_certificate_frames(auth),
            certificate_request=request,
            dh_bits=exchange.dh_bits if exchange else None,
            server_signature_scheme=exchange.signature_scheme if exchange else None,
            client_signature_scheme=_verify_scheme(line.client),
            ocsp_stapled=HandshakeType.certificate_status in line.server.messages,
            client_auth_13=auth,
            alerts=alerts,
            endings=self._endings(),
            steps=tuple(line.steps),
            client=traffic[0],
            server=traffic[1],
            rtt_ns=self._rtt(),
            finished=self._finished(),
            icmp=tuple(flow.icmp),
            preamble=line.client.preamble or line.server.preamble,
            not_tls=not_tls,
            expected=self.setting.ports is None or bool(self.setting.ports.intersection(ports)),
            tls=line.client.tls or line.server.tls,
            visibility=self.view,
            malformed=self._malformed(),
            local_time_doubt=self.setting.local_time_doubt,
            files=files,
        )
        seen = _seen(conn)
        object.__setattr__(conn, "seen", seen)  # computed from the record itself, before anybody has it
        object.__setattr__(conn, "hidden", _hidden(conn, seen))
        return conn

    # ---- certificates ------------------------------------------------------------------------------------------------

    def _message(self, side: Side, kind: int) -> tuple[wire.Handshake, tuple[int, ...], int] | None:
        """A message with its frames and time; None if it was not seen."""
        line, direction = (
            (self.timeline.client, self.client) if side is Side.CLIENT else (self.timeline.server, 1 - self.client)
        )
        message = line.messages.get(kind)
        assembler = self.conversation.halves[direction].assembler
        if message is None or assembler is None:
            return None
        span = message.span
        return message, assembler.frames(span.start, span.end), assembler.time_ns(span.start, span.end)

    def _chain(self, side: Side) -> SentChain | None:
        found = self._message(side, HandshakeType.certificate)
        if found is None or not isinstance(found[0].body, wire.Certificate) or not found[0].body.certificates:
            return None
        message, frames, time_ns = found
        chain = assess(found[0].body.certificates)
        return SentChain(side, frames, time_ns, chain, message.size, message.records)

    def _request(self) -> CertificateRequest | None:
        found = self._message(Side.SERVER, HandshakeType.certificate_request)
        if found is None or not isinstance(found[0].body, wire.CertificateRequest):
            return None
        message, frames, time_ns = found
        body = found[0].body
        return CertificateRequest(
            frames=frames,
            time_ns=time_ns,
            certificate_types=body.certificate_types,
            signature_schemes=body.signature_schemes,
            ca_list=_ca_list(body),
            size=message.size,
            records=message.records,
        )

    def _server_state(self, choice: wire.ServerHello | None, resumed: bool) -> CertificateState | None:
        line, state = self.timeline.server, CertificateState
        sent = _sent_state(line)
        if sent is not None:
            return sent
        if choice is None:
            return None
        if resumed:
            return state.NOT_SENT
        if self.conversation.tls13:
            return state.HIDDEN
        if HandshakeType.certificate in judge.lost_messages(line) or self._hole(Side.SERVER):
            return state.LOST
        later = line.messages.keys() & {HandshakeType.server_hello_done, HandshakeType.server_key_exchange}
        return state.NOT_SENT if later else None

    def _client_state(
        self, choice: wire.ServerHello | None, request: CertificateRequest | None, resumed: bool
    ) -> CertificateState | None:
        client, server, state = self.timeline.client, self.timeline.server, CertificateState
        sent = _sent_state(client)
        if sent is not None:
            return sent
        if choice is None and not server.messages:
            return None
        if resumed:
            return state.NOT_SENT
        if self.conversation.tls13:
            answer = self.timeline.reading.auth.answer if self.timeline.reading else None
            inferred = {
                "sent": state.INFERRED_SENT,
                "empty": state.INFERRED_EMPTY,
                "not-requested": state.NOT_REQUESTED,
            }
            return inferred.get(answer or "", state.HIDDEN)
        if HandshakeType.certificate in judge.lost_messages(client) or (request and self._hole(Side.CLIENT)):
            return state.LOST
        if request is None:
            done = HandshakeType.server_hello_done in server.messages and not self._hole(Side.SERVER)
            return state.NOT_REQUESTED if done else state.LOST if self._hole(Side.SERVER) else None
        gone_on = client.messages.keys() & {HandshakeType.client_key_exchange} or client.ccs_frame is not None
        return state.NOT_SENT if gone_on else None

    def _hole(self, side: Side) -> bool:
        line = self.timeline.client if side is Side.CLIENT else self.timeline.server
        return bool(line.lost)

    def _client_certificate_frames(self, auth: ClientAuth13 | None) -> tuple[int, ...]:
        found = self._message(Side.CLIENT, HandshakeType.certificate)
        if found is not None:
            return found[1]
        return auth.frames if auth is not None and auth.answer in ("sent", "empty") else ()

    def _resumed(self, choice: wire.ServerHello | None) -> bool:
        """TLS 1.3: a pre_shared_key was chosen. Before: ChangeCipherSpec follows the ServerHello without a key exchange."""
        line = self.timeline.server
        if choice is None:
            return False
        if self.conversation.tls13:
            return choice.psk_identity is not None
        exchanged = line.messages.keys() & {
            HandshakeType.certificate,
            HandshakeType.server_key_exchange,
            HandshakeType.server_hello_done,
        }
        return line.ccs_frame is not None and not exchanged and not line.lost

    # ---- the rest ----------------------------------------------------------------------------------------------------

    def _alerts(self) -> tuple[Alert, ...]:
        out: list[Alert] = []
        both = self._finished_frame()
        for side, direction in ((Side.CLIENT, self.timeline.client), (Side.SERVER, self.timeline.server)):
            for event, frame, time_ns, step in direction.alerts:
                after = both is not None and frame >= both and self.established
                if isinstance(event, wire.Alert):
                    out.append(Alert(side, event.level, event.description, frame, time_ns, False, after, False, step))
                else:
                    inferred = event.content_type != 21
                    out.append(Alert(side, None, None, frame, time_ns, True, after, inferred, step))
        if self.conversation.settled and not self.conversation.tls13:
            out += self._tail_alerts()
        out.sort(key=lambda alert: (alert.frame, alert.step))
        return tuple(out)

    def _tail_alerts(self) -> list[Alert]:
        """Alert records seen after the handshake had been followed to its end."""
        out = []
        for side, direction in ((Side.CLIENT, self.client), (Side.SERVER, 1 - self.client)):
            tail = self.conversation.halves[direction].tail
            if tail is not None and tail[2] == 21:
                out.append(Alert(side, None, None, tail[0], tail[1], True, True, False, -1))
        return out

    def _finished_frame(self) -> int | None:
        """The frame that completes the handshake; None if not both Finished were seen."""
        client, server, reading = self.timeline.client, self.timeline.server, self.timeline.reading
        if reading is not None:
            return client.finished_frame
        if client.finished_frame is None or server.finished_frame is None:
            return None
        return max(client.finished_frame, server.finished_frame)

    def _finished(self) -> frozenset[Side]:
        client, server, reading = self.timeline.client, self.timeline.server, self.timeline.reading
        if reading is not None:
            return _BOTH if reading.client_flight else frozenset()
        if client.finished_frame is not None:
            return _BOTH if server.finished_frame is not None else _ONLY_CLIENT
        return _ONLY_SERVER if server.finished_frame is not None else frozenset()

    def _endings(self) -> tuple[Ending, ...]:
        seen: set[int] = set()
        out = []
        for end in self.conversation.ends:
            side = Side.CLIENT if end.direction == self.client else Side.SERVER
            first = end.direction not in seen
            seen.add(end.direction)
            out.append(Ending(side, end.how, end.frame, end.time_ns, end.seq_fits, end.ttl, end.ip_id, first))
        return tuple(out)

    def _traffic(self, direction: int) -> SideTraffic:
        conv = self.conversation
        lane, half, assembler = conv.flow.lanes[direction], conv.halves[direction], conv.halves[direction].assembler
        line = self.timeline.client if direction == self.client else self.timeline.server
        handshake = max((m.span.end for m in line.messages.values()), default=0)
        zero_ns = half.zero_ns
        if half.zero_since is not None:
            zero_ns = max(zero_ns, conv.flow.last_ns - half.zero_since)
        return SideTraffic(
            packets=lane.packets,
            bytes=lane.bytes,
            app_records=line.app_records,
            app_bytes=max(0, lane.bytes - handshake) if line.app_records else 0,
            first_frame=lane.first_frame,
            last_frame=lane.last_frame,
            last_payload_ns=lane.last_payload_ns,
            last_payload_frame=lane.last_payload_frame,
            last_ns=lane.last_ns,
            syn_frame=half.syn_frame,
            syn_count=half.syn_count,
            mss=half.mss,
            max_segment=lane.max_segment,
            ttl=max(0, half.ttl),
            ip_id=max(0, half.ip_id),
            acked_bytes=conv.acknowledged(direction),
            sent_bytes=assembler.high if assembler else 0,
            retransmitted=assembler.retransmitted if assembler else 0,
            retransmitted_frames=tuple(assembler.again_frames) if assembler else (),
            retransmitted_full=assembler.retransmitted_full if assembler else 0,
            unacked_full_size=judge.unacked_full_size(conv, direction),
            zero_window_frame=half.zero_frame,
            zero_window_ns=zero_ns,
            after_close_bytes=half.after_close_bytes,
        )

    def _files(self) -> tuple[tuple[int, str], ...]:
        """Of a ring: the file of the first packet and those after it; () for a single file."""
        files = self.setting.files
        if len(files) < 2:
            return ()
        home = max(at for at, (first, _) in enumerate(files) if first <= self.conversation.flow.first_frame)
        return files[home:]

    def _rtt(self) -> int | None:
        """SYN to SYN-ACK to the first ACK: the longer of the two parts seen here."""
        client, server = self.conversation.halves[self.client], self.conversation.halves[1 - self.client]
        parts = []
        if client.syn_ns is not None and server.syn_ns is not None and client.syn_count == 1:
            parts.append(server.syn_ns - client.syn_ns)
        if server.syn_ns is not None and client.ack_ns is not None:
            parts.append(client.ack_ns - server.syn_ns)
        return max((part for part in parts if part >= 0), default=None)

    def _not_tls(self) -> tuple[str, Side, bytes] | None:
        for side, direction in ((Side.CLIENT, self.timeline.client), (Side.SERVER, self.timeline.server)):
            if direction.not_tls is not None:
                return direction.not_tls.protocol, side, direction.not_tls.sample
        return None

    def _malformed(self) -> tuple[str, ...]:
        line = self.timeline
        if not line.client.malformed and not line.server.malformed and not _has_oddities(line):
            return ()
        out = [*line.client.malformed, *line.server.malformed]
        for side, direction in (("client", line.client), ("server", line.server)):
            for message in direction.messages.values():
                body = message.body
                odd = (body.reason,) if isinstance(body, wire.Unreadable) else getattr(body, "oddities", ())
                out += [f"{side} (byte {message.span.start:,}): {text}" for text in odd]
        return tuple(out)


_BOTH = frozenset((Side.CLIENT, Side.SERVER))
_ONLY_CLIENT, _ONLY_SERVER = frozenset((Side.CLIENT,)), frozenset((Side.SERVER,))


def _has_oddities(line: Timeline) -> bool:
    return any(
        isinstance(m.body, wire.Unreadable) or getattr(m.body, "oddities", ())
        for direction in (line.client, line.server)
        for m in direction.messages.values()
    )


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


def _as(message: wire.Handshake | None, kind: type[_T]) -> _T | None:
    return message.body if message is not None and isinstance(message.body, kind) else None


def _body(direction: Direction, code: int, kind: type[_T]) -> _T | None:
    return _as(direction.messages.get(code), kind)


def _client_hello(direction: Direction) -> wire.ClientHello | None:
    return _body(direction, HandshakeType.client_hello, wire.ClientHello)


def _server_hello(direction: Direction) -> wire.ServerHello | None:
    body = _body(direction, HandshakeType.server_hello, wire.ServerHello)
    return None if body is None or body.hello_retry_request else body


def _verify_scheme(direction: Direction) -> int | None:
    verify = _body(direction, HandshakeType.certificate_verify, wire.CertificateVerify)
    return verify.signature_scheme if verify else None


def _sent_state(direction: Direction) -> CertificateState | None:
    """SENT or EMPTY if this direction's Certificate message was seen; None if it was not."""
    body = _body(direction, HandshakeType.certificate, wire.Certificate)
    if body is None:
        return None
    return CertificateState.SENT if body.certificates else CertificateState.EMPTY


def _ca_list(body: wire.CertificateRequest) -> CaList:
    """One object for equal lists."""
    known = _CA_LISTS.get(body.authorities_raw)
    if known is not None and known.size == body.authorities_bytes:
        return known
    names = tuple(parse_name(der) for der in body.authorities)
    made = CaList(hashlib.sha256(body.authorities_raw).hexdigest(), names, body.authorities_bytes, body.complete)
    return _CA_LISTS.put(body.authorities_raw, made, 4 * len(body.authorities_raw) + 256)


# ---- which facts are there -------------------------------------------------------------------------------------------

_OUTCOMES = {
    Outcome.ESTABLISHED: Seen.ESTABLISHED,
    Outcome.FAILED: Seen.FAILED,
    Outcome.NOT_TLS: Seen.NOT_TLS,
    Outcome.NO_DATA: Seen.NO_DATA,
    Outcome.UNKNOWN: Seen.UNKNOWN,
}


def _seen(conn: Connection) -> Seen:
    """Plain integers until the end: IntFlag arithmetic is slow."""
    states = (
        CertificateState.SENT,
        CertificateState.EMPTY,
        CertificateState.INFERRED_SENT,
        CertificateState.INFERRED_EMPTY,
    )
    client, server = conn.client, conn.server
    facts = (
        (_SYN, client.syn_frame is not None),
        (_SYN_ACK, server.syn_frame is not None),
        (_PAYLOAD, client.bytes or server.bytes),
        (_CLIENT_HELLO, conn.client_hello is not None),
        (_SERVER_HELLO, conn.server_hello is not None),
        (_SERVER_CERTIFICATE, conn.server_chain is not None),
        (_CERTIFICATE_REQUEST, conn.certificate_request is not None),
        (_CLIENT_CERTIFICATE, conn.client_chain is not None),
        (_CLIENT_CERTIFICATE_MESSAGE, conn.client_certificate_state in states),
        (_ALERT, any(not alert.encrypted for alert in conn.alerts)),
        (_ENCRYPTED_ALERT, any(alert.encrypted for alert in conn.alerts)),
        (_RESET, any(end.how == "rst" for end in conn.endings)),
        (_FIN, any(end.how == "fin" for end in conn.endings)),
        (_ICMP, conn.icmp),
        (_RESUMED, conn.resumed),
        (_APPLICATION_DATA, client.app_records or server.app_records),
        (_SERVER_KEY_EXCHANGE, conn.dh_bits is not None or conn.server_signature_scheme is not None),
        (_LIMITED_VIEW, conn.visibility.limited or conn.visibility.truncated_packets),
        (
            _RETRANSMISSION,
            client.retransmitted or server.retransmitted or client.unacked_full_size or server.unacked_full_size,
        ),
        (_ZERO_WINDOW, client.zero_window_frame is not None or server.zero_window_frame is not None),
        (_PREAMBLE, conn.preamble is not None),
        (_TROUBLED_END, _troubled_end(conn)),
    )
    bits = sum(bit for bit, there in facts if there)
    return Seen(bits | _OUTCOMES[conn.outcome].value)


_SYN, _SYN_ACK, _PAYLOAD = Seen.SYN.value, Seen.SYN_ACK.value, Seen.PAYLOAD.value
_CLIENT_HELLO, _SERVER_HELLO = Seen.CLIENT_HELLO.value, Seen.SERVER_HELLO.value
_SERVER_CERTIFICATE, _CERTIFICATE_REQUEST = Seen.SERVER_CERTIFICATE.value, Seen.CERTIFICATE_REQUEST.value
_CLIENT_CERTIFICATE = Seen.CLIENT_CERTIFICATE.value
_CLIENT_CERTIFICATE_MESSAGE = Seen.CLIENT_CERTIFICATE_MESSAGE.value
_ALERT, _ENCRYPTED_ALERT = Seen.ALERT.value, Seen.ENCRYPTED_ALERT.value
_RESET, _FIN, _ICMP, _RESUMED = Seen.RESET.value, Seen.FIN.value, Seen.ICMP.value, Seen.RESUMED.value
_APPLICATION_DATA, _SERVER_KEY_EXCHANGE = Seen.APPLICATION_DATA.value, Seen.SERVER_KEY_EXCHANGE.value
_LIMITED_VIEW, _RETRANSMISSION = Seen.LIMITED_VIEW.value, Seen.RETRANSMISSION.value
_ZERO_WINDOW, _PREAMBLE, _TROUBLED_END = Seen.ZERO_WINDOW.value, Seen.PREAMBLE.value, Seen.TROUBLED_END.value


def _troubled_end(conn: Connection) -> bool:
    """Failed, or ended at once after the handshake by a side that sent no application data."""
    if conn.outcome is not Outcome.ESTABLISHED:
        return conn.outcome is Outcome.FAILED
    closed = conn.closed
    if closed.by is None or conn.traffic(closed.by).app_records:
        return False
    done = max((step.time_ns for step in conn.steps if step.name == "Finished"), default=None)
    return done is not None and closed.time_ns - done <= limit("at_once_s") * 1_000_000_000


_FLIGHTS = (
    _SERVER_HELLO | _SERVER_CERTIFICATE | _CERTIFICATE_REQUEST | _CLIENT_CERTIFICATE | _CLIENT_CERTIFICATE_MESSAGE
)


def _hidden(conn: Connection, seen: Seen) -> Seen:
    """Facts that may exist: encrypted in TLS 1.3, or where the capture does not show enough."""
    bits = 0
    if conn.version_code is not None and conn.client_auth_13 is not None:
        bits |= _SERVER_CERTIFICATE | _CERTIFICATE_REQUEST | _CLIENT_CERTIFICATE | _CLIENT_CERTIFICATE_MESSAGE
    if conn.visibility.limited:
        bits |= _FLIGHTS | _CLIENT_HELLO | _SYN | _SYN_ACK | _ALERT
    return Seen(bits & ~seen.value) if bits else NOTHING
