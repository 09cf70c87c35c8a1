"""TLS that starts after some plain text: STARTTLS and its like, and a proxy."""

from __future__ import annotations

import socket

from captures.makers.case import Expected, case, healthy
from captures.makers.lab import Lab
from captures.makers.peers import Relay, serve
from captures.makers.scripted import (
    FTP,
    IMAP,
    LDAP,
    POP3,
    POSTGRES,
    RDP_CONFIRM,
    RDP_REQUEST,
    SMTP,
    XMPP,
    Talk,
    after,
    client_context,
    echo,
    mysql,
    server_context,
)


def plain(preamble: str) -> Expected:
    """Healthy after this preamble."""
    return healthy(client="not-requested", preamble=preamble)


def starttls(lab: Lab, port: int, protocol: str, talk: Talk) -> None:
    """`openssl s_client -starttls` against a scripted server."""
    serve(lab.server.listen("0.0.0.0", port), talk)
    with lab.capture():
        lab.openssl_client(None, "-starttls", protocol, port=port, hold=0.6)


def secure(lab: Lab) -> Talk:
    """What follows the preamble."""
    return echo(server_context(lab.ours))


HOW = "openssl s_client -starttls against a scripted server that goes on with Python's ssl"
STACKS = ["openssl", "python"]


@case("starttls-smtp.pcap", "SMTP, STARTTLS on 25", plain("SMTP"), stacks=STACKS, how=HOW)
def starttls_smtp(lab: Lab) -> None:
    """EHLO, STARTTLS, 220, and TLS 1.2 on the mail port."""
    starttls(lab, 25, "smtp", after(SMTP, secure(lab)))


@case("starttls-imap.pcap", "IMAP, STARTTLS on 143", plain("IMAP"), stacks=STACKS, how=HOW)
def starttls_imap(lab: Lab) -> None:
    """CAPABILITY, STARTTLS, OK, and TLS 1.2."""
    starttls(lab, 143, "imap", after(IMAP, secure(lab)))


@case("starttls-pop3.pcap", "POP3, STLS on 110", plain("POP3"), stacks=STACKS, how=HOW)
def starttls_pop3(lab: Lab) -> None:
    """STLS, +OK, and TLS 1.2."""
    starttls(lab, 110, "pop3", after(POP3, secure(lab)))


@case("starttls-ftp.pcap", "FTP, AUTH TLS on 21", plain("FTP"), stacks=STACKS, how=HOW)
def starttls_ftp(lab: Lab) -> None:
    """AUTH TLS, 234, and TLS 1.2 on the control connection."""
    starttls(lab, 21, "ftp", after(FTP, secure(lab)))


@case("starttls-ldap.pcap", "LDAP, StartTLS on 389", plain("LDAP"), stacks=STACKS, how=HOW)
def starttls_ldap(lab: Lab) -> None:
    """The extended request 1.3.6.1.4.1.1466.20037, success, and TLS 1.2."""
    starttls(lab, 389, "ldap", after(LDAP, secure(lab)))


@case("starttls-postgres.pcap", "PostgreSQL, SSLRequest on 5432", plain("PostgreSQL"), stacks=STACKS, how=HOW)
def starttls_postgres(lab: Lab) -> None:
    """Eight bytes of SSLRequest, one byte S, and TLS 1.2."""
    starttls(lab, 5432, "postgres", after(POSTGRES, secure(lab)))


@case("starttls-mysql.pcap", "MySQL, SSL request on 3306", plain("MySQL"), stacks=STACKS, how=HOW)
def starttls_mysql(lab: Lab) -> None:
    """The server greets, the client asks for TLS and starts it without waiting for an answer."""
    starttls(lab, 3306, "mysql", mysql(secure(lab)))


@case("starttls-xmpp.pcap", "XMPP, starttls on 5222", plain("XMPP"), stacks=STACKS, how=HOW)
def starttls_xmpp(lab: Lab) -> None:
    """A stream is opened, starttls is offered and asked for, proceed, and TLS 1.2."""
    starttls(lab, 5222, "xmpp", after(XMPP, secure(lab)))


@case(
    "rdp.pcap",
    "RDP negotiation, then TLS, on 3389",
    plain("RDP"),
    stacks=["python"],
    how="scripted X.224 connection request and confirm, then Python's ssl on both sides",
)
def rdp(lab: Lab) -> None:
    """An X.224 request that offers TLS, its confirm, and TLS 1.2."""
    serve(lab.server.listen("0.0.0.0", 3389), after(((RDP_REQUEST, RDP_CONFIRM),), secure(lab)))
    context = client_context(None, lab.trusts(lab.pki.root))
    with lab.capture():
        connection = lab.client.connect(lab.server_address, 3389)
        connection.sendall(RDP_REQUEST)
        connection.recv(100)
        with context.wrap_socket(connection, server_hostname="sip.example.com") as tls:
            tls.sendall(b"hello\n")
            tls.recv(100)
            tls.unwrap()


@case(
    "http-connect.pcap",
    "mutual TLS 1.2 through an HTTP proxy",
    healthy(preamble="HTTP CONNECT", server_name="sip.example.com"),
    stacks=["openssl", "python"],
    how="s_client -proxy to a scripted CONNECT proxy on 8080, which passes on to s_server on its own host",
)
def http_connect(lab: Lab) -> None:
    """CONNECT sip.example.com:5061, 200, then the handshake on the proxy's port."""

    def proxy(connection: socket.socket) -> None:
        connection.recv(2000)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        Relay(connection, lab.server.connect("127.0.0.1", 5061), lambda _: "", "fin").run()

    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    serve(lab.server.listen("0.0.0.0", 8080), proxy)
    with lab.capture():
        proxied = ("-proxy", f"{lab.server_address}:8080", "-connect", "sip.example.com:5061")
        lab.openssl_client(lab.partner, *proxied, connect=False)
