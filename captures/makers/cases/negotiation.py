"""The hellos do not fit together, or what comes is no TLS."""

from __future__ import annotations

import socket
import time

from captures.makers.case import Expected, case
from captures.makers.lab import Lab
from captures.makers.peers import serve

OPTIONS = (
    b"OPTIONS sip:sip.example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP edge.example.net;branch=z9hG4bK776asdhds\r\n"
    b"From: <sip:probe@example.net>;tag=1928301774\r\nTo: <sip:sip.example.com>\r\n"
    b"Call-ID: a84b4c76e66710\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
OK = b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"


@case(
    "sip-on-tls-port.pcap",
    "plain SIP on 5061, answered in plain SIP",
    Expected(outcome="not-tls", first="not-tls", expect={"not-tls": "error"}),
    stacks=["linux"],
    how="scripted sockets: an OPTIONS request and its answer, without TLS, on 5061",
)
def sip_on_tls_port(lab: Lab) -> None:
    """A trunk configured for TCP instead of TLS at both ends: SIP in clear on the port of SIP over TLS."""

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(OK)
        connection.recv(10)

    serve(lab.server.listen("0.0.0.0", 5061), answer)
    with lab.capture(), lab.client.connect(lab.server_address, 5061) as connection:
        connection.sendall(OPTIONS)
        connection.recv(4096)
        time.sleep(0.2)
