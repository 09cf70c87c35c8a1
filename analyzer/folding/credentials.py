"""Certificates and the request for them: what was sent, by whom, and what can be said where it cannot be seen."""

from __future__ import annotations

import hashlib

from analyzer.certificates.cache import BoundedCache
from analyzer.certificates.chain import assess
from analyzer.certificates.names import parse_name
from analyzer.connection import CaList, CertificateRequest, CertificateState, ClientAuth13, SentChain, Side
from analyzer.folding.case import Case, body
from analyzer.folding.timeline import Direction
from analyzer.tls import messages as wire
from analyzer.tls.names import HandshakeType

_CA_LISTS: BoundedCache[bytes, CaList] = BoundedCache(1_024, 16 << 20)


def _message(case: Case, side: Side, kind: int) -> tuple[wire.Handshake, tuple[int, ...], int] | None:
    """A message with its frames and time; None if it was not seen."""
    line = case.direction(side)
    message = line.messages.get(kind)
    return None if message is None else (message, *line.places[kind])


def sent_chain(case: Case, side: Side) -> SentChain | None:
    """The chain of this side's Certificate message; None if none was seen or it is empty."""
    found = _message(case, side, HandshakeType.certificate)
    if found is None or not isinstance(found[0].body, wire.Certificate) or not found[0].body.certificates:
        return None
    message, frames, time_ns = found
    chain = assess(found[0].body.certificates)
    return SentChain(side, frames, time_ns, chain, message.size, message.records)


def certificate_request(case: Case) -> CertificateRequest | None:
    """The CertificateRequest as far as it was seen in clear; None otherwise."""
    found = _message(case, Side.SERVER, HandshakeType.certificate_request)
    if found is None or not isinstance(found[0].body, wire.CertificateRequest):
        return None
    message, frames, time_ns = found
    body = found[0].body
    return CertificateRequest(
        frames=frames,
        time_ns=time_ns,
        certificate_types=body.certificate_types,
        signature_schemes=body.signature_schemes,
        ca_list=ca_list(body),
        size=message.size,
        records=message.records,
    )


def server_state(case: Case, choice: wire.ServerHello | None, resumed: bool) -> CertificateState | None:
    """What is known of the server's Certificate message; None before the handshake got that far."""
    line, state = case.timeline.server, CertificateState
    sent = _sent_state(line)
    if sent is not None:
        return sent
    if choice is None:
        return None
    if resumed:
        return state.NOT_SENT
    if case.conversation.tls13:
        return state.HIDDEN
    if _hole(case, Side.SERVER):
        return state.LOST
    later = line.messages.keys() & {HandshakeType.server_hello_done, HandshakeType.server_key_exchange}
    return state.NOT_SENT if later else None


def client_state(
    case: Case, choice: wire.ServerHello | None, request: CertificateRequest | None, resumed: bool
) -> CertificateState | None:
    """What is known of the client's Certificate message; None before the handshake got that far."""
    client, server, state = case.timeline.client, case.timeline.server, CertificateState
    sent = _sent_state(client)
    if sent is not None:
        return sent
    if choice is None and not server.messages:
        return None
    if resumed:
        return state.NOT_SENT
    if case.conversation.tls13:
        answer = case.timeline.reading.auth.answer if case.timeline.reading else None
        inferred = {
            "sent": state.INFERRED_SENT,
            "empty": state.INFERRED_EMPTY,
            "not-requested": state.NOT_REQUESTED,
        }
        return inferred.get(answer or "", state.HIDDEN)
    if request and _hole(case, Side.CLIENT):
        return state.LOST
    if request is None:
        done = HandshakeType.server_hello_done in server.messages and not _hole(case, Side.SERVER)
        return state.NOT_REQUESTED if done else state.LOST if _hole(case, Side.SERVER) else None
    gone_on = client.messages.keys() & {HandshakeType.client_key_exchange} or client.ccs_frame is not None
    return state.NOT_SENT if gone_on else None


def _hole(case: Case, side: Side) -> bool:
    """Bytes of this side are missing from the capture (a message that its sender never finished is no hole)."""
    assembler = case.conversation.halves[case.client if side is Side.CLIENT else 1 - case.client].assembler
    return assembler is not None and bool(assembler.holes)


def client_certificate_frames(case: Case, auth: ClientAuth13 | None) -> tuple[int, ...]:
    """Where the client's answer to the request is, empty or not; in TLS 1.3 the records it was inferred from."""
    found = _message(case, Side.CLIENT, HandshakeType.certificate)
    if found is not None:
        return found[1]
    return auth.frames if auth is not None and auth.answer in ("sent", "empty") else ()


def resumption(case: Case, choice: wire.ServerHello | None) -> bool:
    """TLS 1.3: a pre_shared_key was chosen. Before: ChangeCipherSpec follows the ServerHello without a key exchange."""
    line = case.timeline.server
    if choice is None:
        return False
    if case.conversation.tls13:
        return choice.psk_identity is not None
    exchanged = line.messages.keys() & {
        HandshakeType.certificate,
        HandshakeType.server_key_exchange,
        HandshakeType.server_hello_done,
    }
    return line.ccs_frame is not None and not exchanged and not _hole(case, Side.SERVER)


def _sent_state(direction: Direction) -> CertificateState | None:
    """SENT or EMPTY if this direction's Certificate message was seen; None if it was not."""
    message = body(direction, HandshakeType.certificate, wire.Certificate)
    if message is None:
        return None
    return CertificateState.SENT if message.certificates else CertificateState.EMPTY


def ca_list(body: wire.CertificateRequest) -> CaList:
    """One object for equal lists."""
    known = _CA_LISTS.get(body.authorities_raw)
    if known is not None and known.size == body.authorities_bytes:
        return known
    names = tuple(parse_name(der) for der in body.authorities)
    made = CaList(hashlib.sha256(body.authorities_raw).hexdigest(), names, body.authorities_bytes, body.complete)
    return _CA_LISTS.put(body.authorities_raw, made, 4 * len(body.authorities_raw) + 256)
