"""What an alert means when this side sends it at this step, and what to do about it."""

from __future__ import annotations

from analyzer import knowledge
from analyzer.connection import Alert, CertificateState, Connection, Side
from analyzer.judgement.causes import PROXY_HEADER_REFUSED
from analyzer.judgement.hellos import keyed_by_psk, offer_text
from analyzer.judgement.story import proxy_header, view_of
from analyzer.tls.names import AlertDescription as Code

ABOUT_CERTIFICATES = frozenset(
    {
        Code.bad_certificate,
        Code.unsupported_certificate,
        Code.certificate_revoked,
        Code.certificate_expired,
        Code.certificate_unknown,
        Code.unknown_ca,
    }
)
ABOUT_KEYS = frozenset({Code.bad_record_mac, Code.decryption_failed, Code.decrypt_error})
ABOUT_FRAMING = frozenset(
    {
        Code.unexpected_message,
        Code.record_overflow,
        Code.decode_error,
        Code.protocol_version,
    }
)
"""What stacks say of first bytes that are no TLS record."""
ABOUT_BINDERS = frozenset({Code.illegal_parameter, Code.decrypt_error})
"""What servers say of a binder that does not verify; RFC 8446 section 4.2.11 names no alert."""
CERTIFICATE_WORDS = {
    Code.bad_certificate: "finds {whose} certificate damaged or not acceptable (signature, name, or policy)",
    Code.unsupported_certificate: "cannot use {whose} certificate for this purpose (type of key, extended key usage)",
    Code.certificate_revoked: "holds {whose} certificate for revoked",
    Code.certificate_expired: "holds {whose} certificate for expired or not yet valid (look at that machine's clock too)",
    Code.certificate_unknown: "does not accept {whose} certificate, for a reason that it does not name",
    Code.unknown_ca: "does not trust the CA of {whose} certificate, or misses an intermediate between the two",
}
CERTIFICATE_ADVICE = {
    Code.bad_certificate: "Check the name that the {judge} expects, the chain that the {owner} sends, and the {judge}'s log.",
    Code.unsupported_certificate: "Check the extended key usage of the {owner}'s certificate ({use} is needed) and its key type.",
    Code.certificate_revoked: "Check the certificate on the CA's CRL; replace it on the {owner}.",
    Code.certificate_expired: "Renew the {owner}'s certificate, or correct the clock of the {judge}.",
    Code.certificate_unknown: "Check on the {judge}: trust in the {owner}'s root, the expected name, the CRL, policy.",
    Code.unknown_ca: "Import the root of the {owner}'s chain on the {judge} (Windows: Trusted Root Certification Authorities of "
    "the computer; OpenSSL: CAfile), and let the {owner} send its intermediates.",
}


def meaning(conn: Connection, alert: Alert) -> str:
    """One clause; "" if nothing is known of the code."""
    code, side = alert.code or 0, alert.side
    if _at_a_header(conn, alert) and code == Code.protocol_version and conn.client_hello is not None:
        return (
            "the server takes no PROXY header before the hello, and read it as a record; or no TLS version is in common: the "
            f"client offers {offer_text(conn.client_hello)}"
        )
    if _at_a_header(conn, alert):
        return "most likely the server takes no PROXY header before the hello, and read it as a broken TLS record"
    if code in CERTIFICATE_WORDS and _certificate_of_peer(conn, side):
        return (
            f"the {side.value} {CERTIFICATE_WORDS[Code(code)].format(whose=f'the {side.peer.value}' + chr(39) + 's')}"
        )
    if code in (Code.handshake_failure, Code.insufficient_security) and side is Side.SERVER:
        return _server_finds_no_match(conn)
    if code == Code.handshake_failure:
        return "the client does not accept what the server chose or presented"
    if code == Code.protocol_version and conn.client_hello is not None:
        return f"no TLS version in common; the client offers {offer_text(conn.client_hello)}"
    if code == Code.inappropriate_fallback:
        return (
            "the client tried again with a lower version than the server supports, so an earlier try must have failed"
        )
    if code == Code.certificate_required:
        return "the server insists on a client certificate and got none"
    if code == Code.unrecognized_name:
        return (
            f'the server does not serve the name "{conn.server_name}"'
            if conn.server_name
            else "no server name was sent"
        )
    if code in ABOUT_BINDERS and _offered_psk(conn, side):
        return (
            "perhaps the proof (binder) of the pre-shared key or session ticket that the client offers did not hold; else a "
            "field of the hello does not fit"
        )
    if code in ABOUT_KEYS and keyed_by_psk(conn):
        return (
            "the pre-shared keys of both sides differ, or the server does not know the identity that the client named"
        )
    if code in ABOUT_KEYS:
        return (
            "the keys of both sides differ: a private key that does not belong to its certificate, a signature that does not "
            "verify, or a device that changes the handshake"
        )
    said = knowledge.alert_info(code).meaning.rstrip(".")
    return said[:1].lower() + said[1:]


def what_to_do(conn: Connection, alert: Alert) -> str:
    """One or two sentences of advice; "" if the code says nothing that can be acted on."""
    code, judge, owner = alert.code or 0, alert.side, alert.side.peer
    if _at_a_header(conn, alert):
        return PROXY_HEADER_REFUSED
    if code in CERTIFICATE_ADVICE and _certificate_of_peer(conn, judge):
        use = "serverAuth" if owner is Side.SERVER else "clientAuth"
        return CERTIFICATE_ADVICE[Code(code)].format(judge=judge.value, owner=owner.value, use=use)
    if code in ABOUT_BINDERS and _offered_psk(conn, judge):
        return (
            "Compare the pre-shared key and its identity on both sides; if the client only resumed a session, restart it, so "
            "that it forgets its tickets. Then read the server's log at this moment."
        )
    if code in ABOUT_KEYS and keyed_by_psk(conn):
        return "Compare the pre-shared key and its identity on both sides."
    if code in ABOUT_KEYS:
        return (
            "Check that key and certificate belong together on both sides and that nothing on the path rewrites the handshake; "
            "with a TLS_DHE suite on Windows and failures now and then see KB 4557473."
        )
    if code == Code.inappropriate_fallback:
        return "Look at the client's earlier connections to this server: the first try, with the higher version, is what to mend."
    if code == Code.no_application_protocol:
        return "Compare the application protocols (ALPN) of the ClientHello with those that the server has switched on."
    return f"Read the {judge.value}'s log at this moment."


def _certificate_of_peer(conn: Connection, side: Side) -> bool:
    """The alert's sender had a certificate of the other side to judge (a client also when TLS 1.3 hides it)."""
    if side is Side.CLIENT:
        return conn.server_hello is not None
    return conn.client_certificate_state not in (None, CertificateState.NOT_REQUESTED, CertificateState.NOT_SENT)


def _at_a_header(conn: Connection, alert: Alert) -> bool:
    """The server's first word behind a PROXY header is that it cannot read what came."""
    return alert.side is Side.SERVER and alert.code in ABOUT_FRAMING and proxy_header(conn) is not None


def _offered_psk(conn: Connection, judge: Side) -> bool:
    """The server judged a ClientHello that offers a pre-shared key or ticket of TLS 1.3."""
    hello = conn.client_hello
    return judge is Side.SERVER and conn.server_hello is None and hello is not None and bool(hello.psk_identities)


def _server_finds_no_match(conn: Connection) -> str:
    if conn.client_certificate_state in (CertificateState.EMPTY, CertificateState.INFERRED_EMPTY):
        return "the server insists on a client certificate and got none"
    if conn.client_certificate_state is CertificateState.SENT:
        return "the server does not accept the client's certificate or its proof of the key"
    if conn.server_hello is None:
        return "nothing that the client offers fits the server (suites, groups, signature schemes, or its certificate)"
    if conn.certificate_request is not None and view_of(conn, Side.CLIENT):
        return (
            "the server had made its choice and asked for a certificate; what it refuses is the client's answer, which the "
            "capture does not have: most often one without a certificate"
        )
    return "the server could not agree on the parameters of this handshake"
