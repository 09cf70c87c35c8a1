"""What the hellos offered, and whether the server refused the client's."""

from __future__ import annotations

from analyzer import knowledge
from analyzer.connection import Alert, Connection, Side
from analyzer.judgement.injection import forged_reset
from analyzer.judgement.story import CLIENT_ANSWER, first_alert, first_ending, last_step
from analyzer.judgement.thresholds import limit_ns
from analyzer.tls.messages import ClientHello
from analyzer.tls.names import EMPTY_RENEGOTIATION_INFO_SCSV, FALLBACK_SCSV, is_grease

SIGNALLING = frozenset({EMPTY_RENEGOTIATION_INFO_SCSV, FALLBACK_SCSV})


def offered_versions(hello: ClientHello) -> tuple[int, ...]:
    """supported_versions without GREASE, client's order; () if the client did not send that extension."""
    return tuple(code for code in hello.supported_versions or () if not is_grease(code))


def offer_text(hello: ClientHello) -> str:
    """ "TLSv1.3, TLSv1.2", or "up to TLSv1.2" for a hello with nothing but the version field."""
    versions = offered_versions(hello)
    if versions:
        return ", ".join(map(knowledge.version_name, versions))
    return f"up to {knowledge.version_name(hello.legacy_version)}"


def accepts_version(hello: ClientHello, code: int) -> bool | None:
    """Does the client's offer allow this version? None if it did not say how low it goes."""
    versions = offered_versions(hello)
    if versions:
        return code in versions
    return False if code > hello.legacy_version else None


def offered_suites(hello: ClientHello) -> tuple[int, ...]:
    """The client's suites without GREASE and signalling values."""
    return tuple(code for code in hello.cipher_suites if not is_grease(code) and code not in SIGNALLING)


def is_narrow(hello: ClientHello) -> bool:
    """The client offers next to no suites: somebody restricted it."""
    return len(offered_suites(hello)) <= knowledge.limit("few_suites")


def keyed_by_psk(conn: Connection) -> bool:
    """The chosen suite of TLS 1.2 or older takes its keys from a pre-shared one (RFC 4279): mostly without certificates."""
    return conn.cipher is not None and "_PSK_" in conn.cipher


def hello_refused(conn: Connection) -> bool:
    """The server ended the handshake instead of answering the ClientHello with its choice: by an alert, or by closing at
    once. A server that closes after long silence refused nothing: it was stuck."""
    if conn.client_hello is None or conn.server_hello is not None or not conn.failed:
        return False
    alert, hello = first_alert(conn), last_step(conn, conn.end_ns, Side.CLIENT)
    if (
        hello is not None and hello.name in CLIENT_ANSWER and hello.name != "ChangeCipherSpec"
    ):  # early data begins with one
        return False  # an answer to the server's choice, which the capture does not have
    if alert is not None:
        return alert.side is Side.SERVER
    ending = first_ending(conn)
    if ending is None or hello is None or ending.side is not Side.SERVER or conn.closed.echo or forged_reset(conn):
        return False
    return ending.time_ns - hello.time_ns < limit_ns("at_once_s")


def refusing_alert(conn: Connection, side: Side) -> Alert | None:
    """The alert in clear by which this side ended the handshake; None if it was the other side, or none was seen."""
    alert = first_alert(conn)
    return alert if alert is not None and alert.side is side else None
