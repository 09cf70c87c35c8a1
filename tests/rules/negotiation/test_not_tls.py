"""Clear text where TLS is expected."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, TCP, connection

INVITE = ("SIP", Side.CLIENT, b"OPTIONS sip:pool.example SIP/2.0\r\n")
HTTP_400 = ("HTTP", Side.SERVER, b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n")
BINARY = ("unknown", Side.CLIENT, b"\x03\x00\x00\x13\x0e")
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
