"""TCP ends too early, too late, or never begins: resets, closes, silence, losses, probes."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from captures.makers.case import Expected, case, failed, healthy
from captures.makers.hosts import know
from captures.makers.lab import NAME, Lab
from captures.makers.peers import (
    abort,
    inner_finished,
    nth,
    outer_data,
    outer_finished,
    relay_before_client,
    relay_before_server,
    serve,
)
from captures.makers.scripted import Version, client_context, echo, give_up, server_context

BACKEND = 9061
SERVER_FLIGHT = (
    5  # records of OpenSSL: ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone
)


def read_once(connection: socket.socket) -> None:
    """Wait for something, and close."""
    connection.recv(4096)


def never_sent(rule: str, severity: str = "error", stream: int = 0, **more: Any) -> Expected:
    """No payload at all."""
    return Expected(stream=stream, outcome="no-data", first=rule, expect={rule: severity}, **more)


@case(
    "connection-refused.pcap",
    "nobody listens on 5061",
    never_sent("connection-refused"),
    stacks=["openssl"],
    how="s_client to a port without a listener; the kernel answers RST",
)
def connection_refused(lab: Lab) -> None:
    """The service did not start: SYN is answered by RST."""
    with lab.capture():
        lab.openssl_client(None)


@case(
    "connection-timeout.pcap",
    "SYN is never answered",
    never_sent("connection-timeout"),
    stacks=["linux"],
    how="connect() to an address with a neighbour entry but without a host, for 8 s; captured at the client",
)
def connection_timeout(lab: Lab) -> None:
    """A host that is switched off, or a filter that drops: SYN, again after 1 s, 3 s and 7 s."""
    know(lab.client, "eth0", "02:00:00:00:00:63", "192.0.2.99")
    with lab.capture(lab.client), contextlib.suppress(OSError):
        lab.client.connect("192.0.2.99", 5061, timeout=8)


def probes(lab: Lab, reset: bool) -> None:
    """Three connections without a byte, two seconds apart."""
    serve(lab.server.listen("0.0.0.0", 5061), read_once, 3)
    with lab.capture():
        for _ in range(3):
            connection = lab.client.connect(lab.server_address, 5061)
            time.sleep(0.01)
            if reset:
                abort(connection)
            connection.close()
            time.sleep(2)


PROBES = tuple(never_sent("health-probe", "note", stream) for stream in range(3))


@case("health-probe-rst.pcap", "a load balancer looks whether the port is open, and resets", *PROBES, stacks=["linux"],
      how="three scripted connections, 2 s apart, closed with SO_LINGER 0")  # fmt: skip
def health_probe_rst(lab: Lab) -> None:
    """TCP handshake, no byte, RST, every two seconds: no failure of TLS."""
    probes(lab, reset=True)


@case("health-probe-fin.pcap", "a monitor looks whether the port is open, and closes", *PROBES, stacks=["linux"],
      how="three scripted connections, 2 s apart, closed with FIN")  # fmt: skip
def health_probe_fin(lab: Lab) -> None:
    """TCP handshake, no byte, FIN, every two seconds: no failure of TLS."""
    probes(lab, reset=False)


@case(
    "handshake-timeout-server.pcap",
    "the server accepts and never answers the ClientHello",
    failed("handshake-timeout", may=("closed-during-handshake", "reset-during-handshake")),
    stacks=["python"],
    how="scripted server that reads and stays silent; Python's ssl as client gives up after 5 s",
)
def handshake_timeout_server(lab: Lab) -> None:
    """The process behind the port hangs: the hello is acknowledged by TCP and that is all."""

    def hang(connection: socket.socket) -> None:
        connection.recv(4096)
        time.sleep(6)

    serve(lab.server.listen("0.0.0.0", 5061), hang)
    with lab.capture():
        give_up(lab, 5)
        time.sleep(0.5)


@case(
    "handshake-timeout-client-flight.pcap",
    "the server never answers the client's certificate",
    failed(
        "handshake-timeout",
        version="TLSv1.2",
        client_certificate_state="sent",
        may=("closed-during-handshake", "reset-during-handshake", "client-certificate-rejected"),
    ),
    stacks=["python", "openssl"],
    how="s_server behind a relay that passes nothing on after the client's Finished; the client gives up after 5 s",
)
def handshake_timeout_client_flight(lab: Lab) -> None:
    """The server has the client's whole flight and stays silent, as when it waits for a revocation list."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, outer_finished, "silence", hold=6)
    with lab.capture():
        give_up(lab, 5)
        time.sleep(0.5)


@case(
    "handshake-timeout-client.pcap",
    "the client never answers the server's flight",
    failed("handshake-timeout", may=("closed-during-handshake", "reset-during-handshake")),
    stacks=["openssl", "python"],
    how="a relay before s_client keeps the server's flight back; after 5 s it resets",
)
def handshake_timeout_client(lab: Lab) -> None:
    """The client hangs with the server's certificate in its hands: F8, a check of revocation for instance."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    until = nth("outer", SERVER_FLIGHT, "before")
    relay_before_client(lab.client, 9999, (lab.server_address, 5061), until, "silence", hold=5)
    with lab.capture():
        local_client(lab)
        time.sleep(5.5)


def local_client(lab: Lab) -> None:
    """s_client to the relay on its own host."""
    lab.openssl_client(lab.partner, "-connect", "127.0.0.1:9999", connect=False, hold=0.2)


@case(
    "reset-after-client-hello.pcap",
    "server resets right after the ClientHello",
    failed("reset-during-handshake"),
    stacks=["openssl", "python"],
    how="s_client against a scripted server that reads once and closes with SO_LINGER 0",
)
def reset_after_client_hello(lab: Lab) -> None:
    """http.sys without a certificate does this, and firewalls that do not like the name."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        abort(connection)

    serve(lab.server.listen("0.0.0.0", 5061), refuse)
    with lab.capture():
        lab.openssl_client(None)


@case(
    "closed-after-client-hello.pcap",
    "server closes right after the ClientHello",
    failed("closed-during-handshake", may=("tls-alert",)),
    stacks=["openssl", "python"],
    how="s_client against a scripted server that reads once and closes",
)
def closed_after_client_hello(lab: Lab) -> None:
    """The same with FIN instead of RST, and no alert."""
    serve(lab.server.listen("0.0.0.0", 5061), read_once)
    with lab.capture():
        lab.openssl_client(None)


@case(
    "client-closes-after-server-flight.pcap",
    "client closes without alert after the server's flight",
    failed("closed-during-handshake", version="TLSv1.2", server_certificate_state="sent", may=("tls-alert",)),
    stacks=["openssl", "python"],
    how="a relay before s_client closes when the server's flight has come",
)
def client_closes_after_server_flight(lab: Lab) -> None:
    """A client that does not like the certificate and says nothing; or a scanner that only wanted to see it."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    until = nth("outer", SERVER_FLIGHT, "before")
    relay_before_client(lab.client, 9999, (lab.server_address, 5061), until, "fin")
    with lab.capture():
        local_client(lab)


@case(
    "client-resets-after-server-flight.pcap",
    "client resets without alert after the server's flight",
    failed("reset-during-handshake", version="TLSv1.2", server_certificate_state="sent", alerts=()),
    stacks=["openssl", "python"],
    how="a relay before s_client closes with SO_LINGER 0 when the server's flight has come",
)
def client_resets_after_server_flight(lab: Lab) -> None:
    """The same with RST."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    until = nth("outer", SERVER_FLIGHT, "before")
    relay_before_client(lab.client, 9999, (lab.server_address, 5061), until, "rst")
    with lab.capture():
        local_client(lab)


def after_handshake() -> Expected:
    """Complete, and then at once the end from the server."""
    return Expected(
        outcome="established",
        version="TLSv1.2",
        client_certificate_state="sent",
        first="reset-after-handshake",
        expect={"reset-after-handshake": "error"},
        may=("client-certificate-rejected",),
        alerts=(),
    )


@case(
    "reset-after-handshake-12.pcap",
    "server resets right after a complete TLS 1.2 handshake",
    after_handshake(),
    stacks=["openssl", "python"],
    how="s_server behind a relay that resets when the server's Finished is on the wire",
)
def reset_after_handshake_12(lab: Lab) -> None:
    """Both Finished messages are there, then the server resets: it judged the peer after the handshake (1047/10054)."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, inner_finished, "rst", pause=0.03)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "closed-after-handshake-12.pcap",
    "server closes without alert right after a complete TLS 1.2 handshake",
    after_handshake(),
    stacks=["openssl", "python"],
    how="s_server behind a relay that closes when the server's Finished is on the wire",
)
def closed_after_handshake_12(lab: Lab) -> None:
    """The same with FIN and without close_notify."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, inner_finished, "fin", pause=0.03)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "reset-after-request-12.pcap",
    "server resets when the client's first request comes",
    after_handshake(),
    stacks=["openssl", "python"],
    how="s_server behind a relay that resets instead of passing on the client's first data",
)
def reset_after_request_12(lab: Lab) -> None:
    """The client is already speaking when the server, which has not said a word, hangs up."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, outer_data, "rst")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "reset-after-handshake-13.pcap",
    "server resets right after a complete TLS 1.3 handshake",
    Expected(
        outcome="established",
        version="TLSv1.3",
        client_certificate_state="inferred-sent",
        first="reset-after-handshake",
        expect={"reset-after-handshake": "error"},
        may=("client-certificate-rejected",),
        alerts=(),
    ),
    stacks=["openssl", "python"],
    how="Python's ssl as server: handshake with two tickets, then SO_LINGER 0",
)
def reset_after_handshake_13(lab: Lab) -> None:
    """The tickets show that the server took the client's Finished; then it resets without a byte of its own."""
    context = server_context(lab.ours, version=Version.TLSv1_3, trust=lab.trusts())

    def talk(connection: socket.socket) -> None:
        secure = context.wrap_socket(connection, server_side=True)
        time.sleep(0.03)
        abort(secure)

    serve(lab.server.listen("0.0.0.0", 5061), talk)
    with lab.capture():
        lab.openssl_client(lab.partner, "-tls1_3")


@case(
    "idle-reset.pcap",
    "reset after 31 s of silence that followed data",
    healthy(client="not-requested", expect={"idle-reset": "note"}),
    stacks=["openssl", "python"],
    how="Python's ssl as server echoes a line, waits for 31 s and closes with SO_LINGER 0",
)
def idle_reset(lab: Lab) -> None:
    """An idle timer cuts a connection that had done its work."""

    def talk(connection: socket.socket) -> None:
        secure = server_context(lab.ours).wrap_socket(connection, server_side=True)
        secure.sendall(secure.recv(4096))
        time.sleep(31)
        abort(secure)

    serve(lab.server.listen("0.0.0.0", 443), talk)
    with lab.capture():
        lab.openssl_client(None, port=443, linger=31.5)


@case(
    "reset-after-close-notify.pcap",
    "reset as the answer to close_notify",
    healthy(client="not-requested", expect={"idle-reset": "note"}),
    stacks=["openssl", "python"],
    how="Python's ssl as server echoes a line and answers close_notify with RST (SO_LINGER 0)",
)
def reset_after_close_notify(lab: Lab) -> None:
    """The usual end with Windows peers: one side says good-bye, the other hangs up."""

    def talk(connection: socket.socket) -> None:
        secure = server_context(lab.ours).wrap_socket(connection, server_side=True)
        while data := secure.recv(4096):
            secure.sendall(data)
        time.sleep(0.02)
        abort(secure)

    serve(lab.server.listen("0.0.0.0", 443), talk)
    with lab.capture():
        lab.openssl_client(None, port=443)


@case(
    "with-arp.pcap",
    "a healthy connection between hosts that look for each other first",
    healthy(client="not-requested"),
    stacks=["openssl"],
    how="as auth12-openssl without fixed neighbour entries",
)
def with_arp(lab: Lab) -> None:
    """ARP is in the capture too: packets that are counted but no connection."""
    for host, other in ((lab.client, lab.server_address), (lab.server, lab.client_address)):
        host.run("ip", "neigh", "del", other, "dev", "eth0")
    lab.openssl_server(lab.ours, "-tls1_2", port=443)
    with lab.capture():
        lab.openssl_client(None, port=443)


@case(
    "python-echo.pcap",
    "a small healthy connection of Python's ssl",
    healthy(client="not-requested"),
    stacks=["python"],
    how="Python's ssl on both sides, port 8443",
)
def python_echo(lab: Lab) -> None:
    """TLS on a port where nobody expects it is found by its content."""
    serve(lab.server.listen("0.0.0.0", 8443), echo(server_context(lab.ours)))
    context = client_context(None, lab.trusts(lab.pki.root))
    with lab.capture(), lab.client.connect(lab.server_address, 8443) as raw:
        secure = context.wrap_socket(raw, server_hostname=NAME)
        secure.sendall(b"hello\n")
        secure.recv(100)
        secure.unwrap()
