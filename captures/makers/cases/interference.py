"""Resets that none of the two sides sent, and half-open scans: forged packets from a third place."""

from __future__ import annotations

import socket
import time
from typing import Any

from captures.makers.case import Expected, case, failed, healthy
from captures.makers.hosts import LabError
from captures.makers.injector import client_hello, data_from, far_away, inject, knock
from captures.makers.lab import CLIENT, SERVER, Lab
from captures.makers.peers import serve
from captures.makers.scripted import client_context, echo, server_context

DISTANCE = 0.03  # seconds from the middle to the server: what comes back earlier did not come from there


def middlebox(lab: Lab, **more: Any) -> None:
    """The router forges RST to both sides when a ClientHello passes; the way behind it is longer."""
    if lab.router is None:
        raise LabError("needs the routed wires")
    far_away(lab.router, DISTANCE)
    inject(lab.router, "left", client_hello, **more)


INJECTED = failed(
    "reset-injected",
    "warning or error",
    expect={"reset-during-handshake": "error"},
    may=("closed-during-handshake", "reset-during-handshake"),
)


@case(
    "reset-injected-client.pcap",
    "a middlebox resets the connection at the ClientHello, seen at the client",
    INJECTED,
    stacks=["openssl", "python"],
    how="the router forges RST from each side to the other (TTL 255, IP-ID 0x4242) when it sees the ClientHello; the "
    "way from it to the server takes 30 ms",
    wires="routed",
)
def reset_injected_client(lab: Lab) -> None:
    """A firewall does not like the name. Its RST carries the server's address, but comes sooner than the server could
    answer, with another TTL and another IP-ID."""
    middlebox(lab)
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture(lab.client):
        lab.openssl_client(lab.partner)


@case(
    "reset-injected-server.pcap",
    "a middlebox resets the connection at the ClientHello, seen at the server",
    INJECTED,
    stacks=["openssl", "python"],
    how="as reset-injected-client with TTL 57 and IP-ID 0xbeef, 50 ms after the ClientHello, captured at the server",
    wires="routed",
)
def reset_injected_server(lab: Lab) -> None:
    """The same from the other end: the client seems to reset when it has the server's flight, and goes on all the same."""
    middlebox(lab, after=0.05, ttl=57, number=0xBEEF)
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "idle-reset-injected.pcap",
    "a firewall cuts an idle connection with forged resets",
    healthy(client="not-requested", expect={"idle-reset": "note"}, never=("reset-injected",)),
    stacks=["openssl", "python"],
    how="the router forges RST to both sides 31 s after the server's answer",
    wires="routed",
)
def idle_reset_injected(lab: Lab) -> None:
    """The connection had done its work; who ended it and how is nobody's fault."""
    if lab.router is None:
        raise LabError("needs the routed wires")
    inject(lab.router, "left", data_from(443), after=31)
    serve(lab.server.listen("0.0.0.0", 443), echo(server_context(lab.ours)))
    context = client_context(None, lab.trusts(lab.pki.root))
    with lab.capture(lab.client), lab.client.connect(lab.server_address, 443, timeout=40) as raw:
        secure = context.wrap_socket(raw, server_hostname="sip.example.com")
        secure.sendall(b"hello\n")
        secure.recv(100)
        time.sleep(31.5)


def knocked(stream: int) -> Expected:
    """A port that is open, and nobody wants anything of it."""
    return Expected(
        stream=stream,
        outcome="no-data",
        expect={"health-probe": "note"},
        never=("connection-timeout", "reset-during-handshake"),
    )


@case(
    "half-open-scan.pcap",
    "a scanner looks for open ports without opening connections",
    knocked(0),
    knocked(1),
    stacks=["linux", "python"],
    how="raw SYN to 443 and 5061, where somebody listens; the client's kernel answers the SYN-ACK with RST",
)
def half_open_scan(lab: Lab) -> None:
    """SYN, SYN-ACK, RST, twice: no handshake was ever wanted."""

    def nothing(connection: socket.socket) -> None:
        connection.recv(1)

    for port in (443, 5061):
        serve(lab.server.listen("0.0.0.0", port), nothing)
    with lab.capture():
        knock(lab.client, CLIENT, SERVER, (443, 5061))
