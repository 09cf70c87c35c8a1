"""Clear text where TLS is expected."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, TCP, connection

INVITE = ("SIP", Side.CLIENT, b"OPTIONS sip:pool.example SIP/2.0\r\n")
HTTP_400 = ("HTTP", Side.SERVER, b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n")
BINARY = ("unknown", Side.CLIENT, b"\x03\x00\x00\x13\x0e")
CONNECT = ("HTTP", Side.CLIENT, b"CONNECT a:443 HTTP/1.1")
CHALLENGE = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
HEADER = ("PROXY protocol", Side.CLIENT, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
SMTP = ("SMTP", Side.SERVER, b"220 mail.example.com ESMTP\r\n")
ESCAPE = ("unknown", Side.CLIENT, b"\x1b[31mred")

CASES = [
    hit(
        "the client speaks SIP in clear",
        connection(*TCP, "> PlainText", "< RST", not_tls=INVITE),
        severity=Severity.ERROR,
        says=("client 192.0.2.10:50000 speaks SIP in clear text", "port 5061", '"OPTIONS sip:pool.example"'),
        frames=(4,),
    ),
    hit(
        "the server answers the hello with HTTP",
        connection(*TCP, "> ClientHello", "< PlainText", "< FIN", not_tls=HTTP_400),
        says=("server 198.51.100.5:5061 answers HTTP in clear text to the client's TLS ClientHello", "listener"),
        frames=(5,),
    ),
    hit("the server speaks first", connection(*TCP, "< PlainText", not_tls=HTTP_400), says=("speaks", "which service")),
    hit(
        "nothing known: bytes are quoted",
        connection(*TCP, "> PlainText", not_tls=BINARY),
        says=("no TLS", "03 00 00 13 0e"),
    ),
    hit(
        "control characters are never quoted as text",
        connection(*TCP, "> PlainText", not_tls=ESCAPE),
        says=("1b 5b 33",),
    ),
    hit("an empty sample", connection(*TCP, "> PlainText", not_tls=("unknown", Side.CLIENT, b"")), says=("no TLS",)),
    hit(
        "a server that refuses STARTTLS, on any port",
        connection(
            *TCP, "> Preamble", "< PlainText", "> ClientHello", "< RST", not_tls=SMTP, preamble="SMTP", expected=False
        ),
        severity=Severity.ERROR,
        says=("asked for TLS within SMTP", "never spoke TLS", "454"),
        frames=(5, 6),
    ),
    cannot_tell(
        "the capture ends behind the ClientHello within SMTP",
        connection(
            *TCP,
            "> Preamble",
            "< PlainText",
            "> ClientHello",
            not_tls=SMTP,
            preamble="SMTP",
            visibility={"open_end": True},
        ),
        says=("before the server could answer",),
    ),
    cannot_tell(
        "the capture ends behind the request to a proxy",
        connection(
            *TCP, "> PlainText", not_tls=("HTTP", Side.CLIENT, b"CONNECT a:443 HTTP/1.1"), visibility={"open_end": True}
        ),
        says=("proxy",),
    ),
    hit(
        "a request to a proxy where there is none",
        connection(*TCP, "> PlainText", "< FIN", not_tls=("HTTP", Side.CLIENT, b"CONNECT a:443 HTTP/1.1")),
    ),
    hit(
        "a proxy has no way to the target",
        connection(
            *TCP, "> PlainText", "< PlainText", "< FIN", not_tls=CONNECT, not_tls_answer=b"HTTP/1.1 502 Bad G\r\nX: y"
        ),
        severity=Severity.ERROR,
        says=("server 198.51.100.5:5061 refused", '"HTTP/1.1 502 Bad G"', "the proxy's log"),
        frames=(4, 5),
    ),
    hit(
        "a proxy wants credentials: a client that has some asks again",
        connection(*TCP, "> PlainText", "< PlainText", "< FIN", not_tls=CONNECT, not_tls_answer=CHALLENGE),
        severity=Severity.WARNING,
        says=('"HTTP/1.1 407 Proxy Authentication Required"', "credentials"),
    ),
    hit(
        "a proxy wants credentials, and the capture ends there",
        connection(
            *TCP, "> PlainText", "< PlainText", not_tls=CONNECT, not_tls_answer=CHALLENGE, visibility={"open_end": True}
        ),
        severity=Severity.WARNING,
    ),
    hit(
        "control characters of a proxy are never quoted as text",
        connection(*TCP, "> PlainText", "< PlainText", not_tls=CONNECT, not_tls_answer=b"HTTP/1.1 403 \x1b[31m"),
        says=("48 54 54 50",),
    ),
    cannot_tell(
        "no TLS in the tunnel that the proxy opened",
        connection(*TCP, "> PlainText", "< PlainText", not_tls=CONNECT, not_tls_answer=b"HTTP/1.1 200 OK\r\n"),
        says=("tunnel",),
    ),
    cannot_tell(
        "the capture ends behind a PROXY header",
        connection(*TCP, "> PlainText", not_tls=HEADER, visibility={"open_end": True}),
        says=("behind the proxy",),
    ),
    cannot_tell(
        "a balancer tests: nothing follows its PROXY header",
        connection(*TCP, "> PlainText", "> FIN", "< FIN", not_tls=HEADER),
        says=("health check",),
    ),
    cannot_tell(
        "the server waited for what follows the PROXY header",
        connection(*TCP, "> PlainText", "... 30 s", "< FIN", not_tls=HEADER),
        says=("nothing followed",),
    ),
    hit(
        "the server closes at a PROXY header",
        connection(*TCP, "> PlainText", "< FIN", not_tls=HEADER),
        confidence=Confidence.MEDIUM,
        says=("right after the client's PROXY header", "server 198.51.100.5:5061 closed the connection", "send-proxy"),
        frames=(4, 5),
    ),
    hit(
        "the server resets at a PROXY header",
        connection(*TCP, "> PlainText", "< RST", not_tls=HEADER),
        says=("5061 reset the connection",),
    ),
    hit(
        "the server answers a PROXY header in clear text",
        connection(*TCP, "> PlainText", "< PlainText", not_tls=HEADER, not_tls_answer=b"HTTP/1.1 400 Bad Request\r\n"),
        says=('answered in clear text: "HTTP/1.1 400 Bad Request"', "send-proxy"),
        frames=(4, 5),
    ),
    hit(
        "the server answers a PROXY header and the hello in clear text",
        connection(
            *TCP, "> Preamble", "> ClientHello", "< PlainText", "< FIN", not_tls=HTTP_400, preamble="PROXY protocol"
        ),
        confidence=Confidence.MEDIUM,
        says=("ClientHello behind a PROXY header", "send-proxy"),
    ),
    clear("TLS is not expected on this port", connection(*TCP, "> PlainText", not_tls=INVITE, expected=False)),
    clear("TLS", connection(*HANDSHAKE, *DATA)),
    clear("a failed handshake", connection(*HELLOS, "> RST")),
    clear("no payload", connection(*TCP, "> FIN")),
    clear("TLS after plain text", connection(*TCP, "> Preamble", *HANDSHAKE[3:], preamble="HTTP CONNECT")),
    cannot_tell(
        "the beginning is missing",
        connection(*TCP, "> PlainText", not_tls=BINARY, visibility={"gap_bytes": 20, "gap_side": Side.CLIENT}),
    ),
    cannot_tell(
        "the capture starts inside the connection",
        connection("> PlainText", outcome=Outcome.UNKNOWN, visibility={"mid_stream": True}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("not-tls")
