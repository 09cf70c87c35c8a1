"""Which facts of a record are there, and which may exist but cannot be seen: `Connection.seen` and `.hidden`."""

from __future__ import annotations

from functools import cache

from analyzer.connection import NOTHING, CertificateState, Connection, Outcome, Seen
from analyzer.knowledge import limit

_OUTCOMES = {
    Outcome.ESTABLISHED: Seen.ESTABLISHED.value,
    Outcome.FAILED: Seen.FAILED.value,
    Outcome.NOT_TLS: Seen.NOT_TLS.value,
    Outcome.NO_DATA: Seen.NO_DATA.value,
    Outcome.UNKNOWN: Seen.UNKNOWN.value,
}


def seen_facts(conn: Connection) -> Seen:
    """Plain integers until the end: flag arithmetic is slow."""
    client, server = conn.client, conn.server
    bits = _OUTCOMES[conn.outcome]
    for bit, there in (
        (_SYN, client.syn_frame is not None),
        (_SYN_ACK, server.syn_frame is not None),
        (_PAYLOAD, client.bytes or server.bytes),
        (_CLIENT_HELLO, conn.client_hello is not None),
        (_SERVER_HELLO, conn.server_hello is not None),
        (_SERVER_CERTIFICATE, conn.server_chain is not None),
        (_CERTIFICATE_REQUEST, conn.certificate_request is not None),
        (_CLIENT_CERTIFICATE, conn.client_chain is not None),
        (_CLIENT_CERTIFICATE_MESSAGE, conn.client_certificate_state in _ANSWERED),
        (_ICMP, conn.icmp),
        (_RESUMED, conn.resumed),
        (_APPLICATION_DATA, client.app_records or server.app_records),
        (_SERVER_KEY_EXCHANGE, conn.dh_bits is not None or conn.server_signature_scheme is not None),
        (_LIMITED_VIEW, conn.visibility.truncated_packets or conn.visibility.limited),
        (_RETRANSMISSION, client.retransmitted or server.retransmitted),
        (_RETRANSMISSION, client.unacked_full_size or server.unacked_full_size),
        (_ZERO_WINDOW, client.zero_window_frame is not None or server.zero_window_frame is not None),
        (_PREAMBLE, conn.preamble is not None),
        (_HELLO_RETRY, conn.hello_retry_request is not None),
        (_TROUBLED_END, troubled_end(conn)),
    ):
        if there:
            bits |= bit
    for alert in conn.alerts:
        bits |= _ENCRYPTED_ALERT if alert.encrypted else _ALERT
    for end in conn.endings:
        bits |= _RESET if end.how == "rst" else _FIN
    return _as_flags(bits)


@cache
def _as_flags(bits: int) -> Seen:
    """Making a flag from a number costs more than all the tests above; there are few different ones."""
    return Seen(bits)


_ANSWERED = frozenset(
    (CertificateState.SENT, CertificateState.EMPTY, CertificateState.INFERRED_SENT, CertificateState.INFERRED_EMPTY)
)
_SYN, _SYN_ACK, _PAYLOAD = Seen.SYN.value, Seen.SYN_ACK.value, Seen.PAYLOAD.value
_CLIENT_HELLO, _SERVER_HELLO = Seen.CLIENT_HELLO.value, Seen.SERVER_HELLO.value
_SERVER_CERTIFICATE, _CERTIFICATE_REQUEST = Seen.SERVER_CERTIFICATE.value, Seen.CERTIFICATE_REQUEST.value
_CLIENT_CERTIFICATE = Seen.CLIENT_CERTIFICATE.value
_CLIENT_CERTIFICATE_MESSAGE = Seen.CLIENT_CERTIFICATE_MESSAGE.value
_ALERT, _ENCRYPTED_ALERT = Seen.ALERT.value, Seen.ENCRYPTED_ALERT.value
_RESET, _FIN, _ICMP, _RESUMED = Seen.RESET.value, Seen.FIN.value, Seen.ICMP.value, Seen.RESUMED.value
_APPLICATION_DATA, _SERVER_KEY_EXCHANGE = Seen.APPLICATION_DATA.value, Seen.SERVER_KEY_EXCHANGE.value
_LIMITED_VIEW, _RETRANSMISSION = Seen.LIMITED_VIEW.value, Seen.RETRANSMISSION.value
_HELLO_RETRY = Seen.HELLO_RETRY.value
_ZERO_WINDOW, _PREAMBLE, _TROUBLED_END = Seen.ZERO_WINDOW.value, Seen.PREAMBLE.value, Seen.TROUBLED_END.value


def troubled_end(conn: Connection) -> bool:
    """Failed, or ended at once after the handshake by a side that sent no application data."""
    if conn.outcome is not Outcome.ESTABLISHED:
        return conn.outcome is Outcome.FAILED
    closed = conn.closed
    if closed.by is None or (sender := conn.traffic(closed.by)).app_records or sender.unread_bytes:
        return False
    return _ended_at_once(conn)


def _perhaps_troubled(conn: Connection) -> bool:
    """It ended at once after the handshake, and what its side had said by then was only counted: data, or mere tickets."""
    if conn.outcome is not Outcome.ESTABLISHED or conn.closed.by is None:
        return False
    sender = conn.traffic(conn.closed.by)
    return bool(sender.unread_bytes) and not sender.app_records and _ended_at_once(conn)


def _ended_at_once(conn: Connection) -> bool:
    """The first FIN or RST came shortly after the handshake."""
    closed = conn.closed
    done = max((step.time_ns for step in conn.steps if step.name == "Finished"), default=None)
    return done is not None and closed.time_ns - done <= limit("at_once_s") * 1_000_000_000


_FLIGHTS = (
    _SERVER_HELLO | _SERVER_CERTIFICATE | _CERTIFICATE_REQUEST | _CLIENT_CERTIFICATE | _CLIENT_CERTIFICATE_MESSAGE
)


def hidden_facts(conn: Connection, seen: Seen) -> Seen:
    """Facts that may exist: encrypted in TLS 1.3, or where the capture does not show enough."""
    bits = 0
    if conn.version_code is not None and conn.client_auth_13 is not None:
        bits |= _SERVER_CERTIFICATE | _CERTIFICATE_REQUEST | _CLIENT_CERTIFICATE | _CLIENT_CERTIFICATE_MESSAGE
    if _perhaps_troubled(conn):
        bits |= _TROUBLED_END
    if conn.visibility.limited:
        bits |= _FLIGHTS | _CLIENT_HELLO | _HELLO_RETRY | _SYN | _SYN_ACK | _ALERT
    return _as_flags(bits & ~seen.value) if bits else NOTHING
