"""What most often makes a side end a handshake without a word, ranked by what it had just received."""

from __future__ import annotations

from analyzer.connection import CertificateState, Connection, Side
from analyzer.judgement.hellos import keyed_by_psk
from analyzer.judgement.story import CLIENT_ANSWER, last_step, never_arrived, proxy_header
from analyzer.judgement.thresholds import limit_ns

EMPTY = frozenset({CertificateState.EMPTY, CertificateState.INFERRED_EMPTY})
SENT = frozenset({CertificateState.SENT, CertificateState.INFERRED_SENT})

HELLO_REFUSED = (
    "On the server, in this order: is a certificate with its private key bound to this address, port and name (Windows: "
    "`netsh http show sslcert`, service log); does it share a TLS version and suite with the client (System log, Schannel "
    "36874 or 36888; OpenSSL: error in the service's log); does a firewall or load balancer in between filter by name?"
)
OLD_FORMAT_REFUSED = (
    "The hello came in the SSLv2 format, which current servers refuse: switch off SSL 2.0 and Multi-Protocol Unified Hello on "
    "the client (Windows: SCHANNEL\\Protocols; Java: remove SSLv2Hello)."
)
NOTHING_SAID = (
    "The listener accepted the connection and dropped it before a byte was said: look for a load balancer without a "
    "healthy back end, a connection limit, or an address filter in front of the service."
)
PROXY_HEADER_REFUSED = (
    "The client side, most likely a load balancer, put a PROXY header before the hello, and this listener most likely does "
    "not take one. Switch the header off for this back end (HAProxy: send-proxy), or let the listener accept it (nginx: "
    "`listen ... proxy_protocol`, HAProxy: accept-proxy). If this listener takes the header from others, look at its log."
)
CLIENT_CERTIFICATE_REFUSED = (
    "Most likely the server does not accept the client's certificate. On the server check: the client's root in Trusted "
    "Root Certification Authorities (OpenSSL: CAfile), the intermediates, the clientAuth use, whether its CRL can be "
    "fetched, and non-self-signed certificates in the Root store. Schannel logs 36887, 36888 or 36877 there; Lync and "
    "Skype for Business show ms-diagnostics 1047 or event 14428 on the other side."
)
NO_CLIENT_CERTIFICATE = (
    "The client sent no certificate and the server insists on one. On the client check: a certificate with private key "
    "(readable by the service's account), the clientAuth use, issued by a CA of the server's list (Schannel event 36875)."
)
KEYS_REFUSED = (
    "The hellos fitted and the client's last flight was refused: look at the server's log; with a TLS_DHE suite on Windows "
    "and failures now and then, see KB 4557473; else a key that does not belong to its certificate, or a device that "
    "changes the handshake."
)
PRE_SHARED_KEY_REFUSED = (
    "The keys come from a pre-shared one: compare it, and the identity that the client names, on both sides, and look at the "
    "log of the side that ended it."
)
SERVER_CERTIFICATE_REFUSED = (
    "Most likely the client does not accept the server's certificate: its root or an intermediate is missing on the client "
    "(Schannel 36882, Lync 14428 with 0x80090325), the name differs (36884, 0x80090322), it expired (36881), or its CRL "
    "cannot be fetched. A scanner that only wants the certificate ends like this too."
)
CHOICE_REFUSED = "The client does not accept the server's choice: compare version, suite and extensions of both hellos."
CANCELLED = (
    "The client ended it by itself, moments after its hello and before the server said anything: browsers open several "
    "connections and drop those they do not need. Else look at the client's log; nothing here points at the server."
)
NEVER_ARRIVED = (
    "The {waiting} never had all of the {sender}'s last flight, as its acknowledgements show, so it cannot have refused what "
    "is in it: capture on the {waiting}'s side too, and look at MTU, firewalls and inspection devices in between."
)
GAVE_UP = "The client gave up before the server said anything: look at the server's load, and at what is in between."


def causes(conn: Connection, side: Side, before_ns: int) -> str:
    """Advice for a handshake that `side` ended without saying why."""
    heard = last_step(conn, before_ns, side.peer)
    if heard is not None and heard.name != "ClientHello" and never_arrived(conn, side.peer):
        return NEVER_ARRIVED.format(waiting=side.value, sender=side.peer.value)
    if side is Side.CLIENT:
        if heard is None:
            own = last_step(conn, before_ns, side)
            at_once = own is not None and before_ns - own.time_ns < limit_ns("at_once_s")
            return CANCELLED if at_once else GAVE_UP
        if conn.server_chain is None and keyed_by_psk(conn):
            return PRE_SHARED_KEY_REFUSED
        return CHOICE_REFUSED if heard.name in ("ServerHello", "HelloRetryRequest") else SERVER_CERTIFICATE_REFUSED
    if proxy_header(conn) is not None:
        return PROXY_HEADER_REFUSED
    if heard is None:
        return NOTHING_SAID
    if heard.name not in CLIENT_ANSWER:
        old = conn.client_hello is not None and conn.client_hello.sslv2
        return OLD_FORMAT_REFUSED if old else HELLO_REFUSED
    if conn.client_certificate_state in EMPTY:
        return NO_CLIENT_CERTIFICATE
    if conn.client_certificate_state in SENT:
        return CLIENT_CERTIFICATE_REFUSED
    return PRE_SHARED_KEY_REFUSED if keyed_by_psk(conn) else KEYS_REFUSED
