"""An alert in clear that ends the handshake."""

from __future__ import annotations

import pytest

from analyzer.connection import CertificateState, Outcome, Seen, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HELLOS,
    HELLOS_13,
    SERVER_FLIGHT,
    TCP,
    ca_list,
    client_hello,
    connection,
)

PSK = "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384"
PSK_DONE = (
    *HELLOS,
    "< ServerKeyExchange",
    "< ServerHelloDone",
    "> ClientKeyExchange",
    "> ChangeCipherSpec",
    "> Finished",
)
CASES = [
    hit(
        "unknown_ca from the client is about the server's chain",
        connection(*SERVER_FLIGHT, "> Alert 48", "> FIN"),
        severity=Severity.ERROR,
        says=(
            "client 192.0.2.10:50000",
            "after the server's Certificate",
            "unknown_ca (48)",
            "does not trust the CA of the server's certificate",
            "on the client",
            "36887 on the server, error SEC_E_UNTRUSTED_ROOT (0x80090325), 36888 on the client",
        ),
        frames=(6, 9),
    ),
    hit(
        "unknown_ca from the server is about the client's chain",
        connection(*CLIENT_FLIGHT, "< Alert 48", "< FIN"),
        says=(
            "server 198.51.100.5:5061",
            "client's Certificate",
            "CA of the client's certificate",
            "36887 on the client",
        ),
    ),
    hit("expired", connection(*CLIENT_FLIGHT, "< Alert 45"), says=("expired", "clock")),
    hit("unsupported names the use that is needed", connection(*CLIENT_FLIGHT, "< Alert 43"), says=("clientAuth",)),
    hit(
        "a certificate alert as a warning, and then the close",
        connection(*CLIENT_FLIGHT, "< Alert warning 42", "< FIN"),
        says=("sent as a warning",),
    ),
    hit(
        "40 to the hello",
        connection(*TCP, "> ClientHello", "< Alert 40"),
        says=("nothing that the client offers",),
        frames=(4, 5),
    ),
    hit(
        "40 after an empty certificate",
        connection(*CLIENT_FLIGHT, "< Alert 40", client_certificate_state=CertificateState.EMPTY),
        says=("insists on a client certificate",),
    ),
    hit(
        "40 after a certificate",
        connection(*CLIENT_FLIGHT, "< Alert 40"),
        says=("does not accept the client's certificate",),
    ),
    hit(
        "40 from the client", connection(*SERVER_FLIGHT, "> Alert 40"), says=("does not accept what the server chose",)
    ),
    hit(
        "40 where the client's answer is not in the capture",
        connection(
            *SERVER_FLIGHT, "< Alert 40", request=ca_list(), visibility={"gap_bytes": 105, "gap_side": Side.CLIENT}
        ),
        says=("most often one without a certificate",),
    ),
    hit("40 in the middle", connection(*HELLOS, "< Alert 40"), says=("could not agree",)),
    hit("70 names the offer", connection(*TCP, "> ClientHello", "< Alert 70"), says=("up to TLSv1.2",)),
    hit("86 points to an earlier try", connection(*TCP, "> ClientHello", "< Alert 86"), says=("first try",)),
    hit("112 names the name", connection(*TCP, "> ClientHello", "< Alert 112"), says=('"sip.example.com"',)),
    hit(
        "112 without a name",
        connection(*TCP, "> ClientHello", "< Alert 112", client_hello=client_hello(server_name=None)),
        says=("no server name",),
    ),
    hit("116", connection(*CLIENT_FLIGHT, "< Alert 116"), says=("got none",)),
    hit("120", connection(*TCP, "> ClientHello", "< Alert 120"), says=("ALPN",)),
    hit("51 is about keys", connection(*CLIENT_DONE, "< Alert 51"), says=("private key", "KB 4557473")),
    hit(
        "51 with a pre-shared key is about that key: RFC 4279 section 2",
        connection(*PSK_DONE, "< Alert 51", cipher=PSK),
        says=(
            "the pre-shared keys of both sides differ",
            "Compare the pre-shared key and its identity on both sides. Windows",
        ),
    ),
    hit(
        "20 from a client with a pre-shared key",
        connection(*PSK_DONE, "< ChangeCipherSpec", "< Finished", "> Alert 20", cipher=PSK, outcome=Outcome.FAILED),
        says=("the pre-shared keys of both sides differ",),
    ),
    hit(
        "47 to a hello that offers a pre-shared key",
        connection(*TCP, "> ClientHello", "< Alert 47", client_hello=client_hello(psk_identities=1)),
        says=("perhaps the proof (binder) of the pre-shared key or session ticket", "forgets its tickets"),
    ),
    hit(
        "47 to a hello without one",
        connection(*TCP, "> ClientHello", "< Alert 47"),
        says=("out of range or contradicts another one", "Read the server's log"),
    ),
    hit(
        "47 after the server took that hello",
        connection(*HELLOS, "< Alert 47", client_hello=client_hello(psk_identities=1)),
        says=("out of range or contradicts another one",),
    ),
    hit(
        "10 behind a PROXY header: the server read that as a record",
        connection(*TCP, "> Preamble", "> ClientHello", "< Alert 10", preamble="PROXY protocol"),
        says=("takes no PROXY header", "send-proxy"),
    ),
    hit(
        "70 behind a PROXY header may be about either",
        connection(*TCP, "> Preamble", "> ClientHello", "< Alert 70", preamble="PROXY protocol"),
        says=("takes no PROXY header", "or no TLS version is in common", "up to TLSv1.2"),
    ),
    hit(
        "120 behind a PROXY header: the server has read the hello",
        connection(*TCP, "> Preamble", "> ClientHello", "< Alert 120", preamble="PROXY protocol"),
        says=("ALPN",),
    ),
    hit(
        "10 from a server that took the PROXY header",
        connection(*TCP, "> Preamble", *SERVER_FLIGHT[3:], "> Certificate", "< Alert 10", preamble="PROXY protocol"),
        says=("Read the server's log",),
    ),
    hit("an unknown code", connection(*CLIENT_FLIGHT, "< Alert 200"), says=("0xc8 (200)",)),
    hit(
        "TLS 1.3: OpenSSL's client sends it in clear",
        connection(*HELLOS_13, "> Alert 48", "> FIN"),
        says=("server's certificate",),
    ),
    hit(
        "in a capture with a gap: an alert is an alert",
        connection(*SERVER_FLIGHT, "> Alert 48", visibility={"gap_bytes": 9}),
    ),
    hit(
        "clear text is answered with an alert",
        connection(*TCP, "> PlainText", "< Alert 10", not_tls=("SIP", Side.CLIENT, b"x")),
    ),
    clear("it answers the peer's FIN: too late", connection(*SERVER_FLIGHT, "> FIN", "< Alert 50", "> RST")),
    clear("close_notify is an orderly end", connection(*SERVER_FLIGHT, "> Alert warning 0", "> FIN")),
    clear("a warning that nobody minds", connection(*HELLOS[:4], "< Alert warning 112", *HANDSHAKE[4:], *DATA)),
    clear("no_renegotiation in a healthy connection", connection(*HANDSHAKE, "< Alert warning 100", *DATA)),
    clear("an encrypted one: another rule", connection(*CLIENT_DONE, "< EncryptedAlert", "< FIN")),
    clear("a reset without an alert", connection(*SERVER_FLIGHT, "> RST")),
    clear("healthy", connection(*HANDSHAKE, *DATA, "> EncryptedAlert", "> FIN")),
    cannot_tell(
        "the alert may be in the gap",
        connection(*HELLOS, "> RST", outcome=Outcome.UNKNOWN, hidden=Seen.ALERT, visibility={"gap_bytes": 7}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("tls-alert")
