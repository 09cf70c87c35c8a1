"""Scripted TLS peers on Python's ssl, and the plain-text talk before STARTTLS, the server's part."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from captures.makers.lab import NAME, Lab
from captures.makers.peers import abort
from captures.makers.pki import Identity

Talk = Callable[[socket.socket], None]
Version = ssl.TLSVersion

SMTP = (
    (b"", b"220 mail.example.com ESMTP\r\n"),
    (b"EHLO", b"250-mail.example.com\r\n250-STARTTLS\r\n250 8BITMIME\r\n"),
    (b"STARTTLS", b"220 2.0.0 Ready to start TLS\r\n"),
)
IMAP = (
    (b"", b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"),
    (b"CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n"),
    (b"STARTTLS", b". OK Begin TLS negotiation now\r\n"),
)
POP3 = ((b"", b"+OK POP3 ready\r\n"), (b"STLS", b"+OK Begin TLS negotiation\r\n"))
FTP = ((b"", b"220 ftp.example.com ready\r\n"), (b"AUTH TLS", b"234 Proceed with negotiation\r\n"))
POSTGRES = ((bytes.fromhex("0000000804d2162f"), b"S"),)
LDAP = ((bytes.fromhex("301d02010177"), bytes.fromhex("300c02010178070a010004000400")),)
XMPP_STREAM = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' from='example.com' "
    b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><stream:features>"
    b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
)
XMPP = ((b"<stream:stream", XMPP_STREAM), (b"<starttls", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
MYSQL_GREETING = bytes.fromhex(
    "4a0000000a382e302e3300080000002a34643f5d5c2c2b00ffffff0200ffc715000000000000000000001d6f3c5b2b6b1b4b3a2f1e0d00"
    "6d7973716c5f6e61746976655f70617373776f726400"
)
RDP_REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")
RDP_CONFIRM = bytes.fromhex("030000130ed000001234000209080002000000")


def server_context(
    identity: Identity, *, version: Version = Version.TLSv1_2, trust: Path | None = None
) -> ssl.SSLContext:
    """A server of one version. `trust`: insist on a client certificate; Python sends an empty list of CAs then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(identity.fullchain, identity.key)
    if trust:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(trust)
    return context


def client_context(identity: Identity | None, trust: Path, version: Version = Version.TLSv1_2) -> ssl.SSLContext:
    """A client of one version that checks the server."""
    context = ssl.create_default_context(cafile=str(trust))
    context.minimum_version = context.maximum_version = version
    if identity:
        context.load_cert_chain(identity.fullchain, identity.key)
    return context


def echo(context: ssl.SSLContext) -> Talk:
    """Handshake, echo until the client closes, close as TLS asks for."""

    def talk(connection: socket.socket) -> None:
        secure = context.wrap_socket(connection, server_side=True)
        while data := secure.recv(4096):
            secure.sendall(data)
        secure.unwrap().close()

    return talk


def after(script: tuple[tuple[bytes, bytes], ...], then: Talk) -> Talk:
    """Play a script of (what the client must have said, what is answered), then `then`."""

    def talk(connection: socket.socket) -> None:
        for wanted, answer in script:
            heard = b""
            while wanted not in heard:
                if not (more := connection.recv(1024)):
                    return
                heard += more
            connection.sendall(answer)
        then(connection)

    return talk


def mysql(then: Talk) -> Talk:
    """The server greets; the client answers with an SSL request of 36 bytes; TLS starts without another word."""

    def talk(connection: socket.socket) -> None:
        size = (len(MYSQL_GREETING) - 4).to_bytes(3, "little")
        connection.sendall(size + MYSQL_GREETING[3:])
        received = b""
        while len(received) < 36:
            received += connection.recv(36 - len(received))
        then(connection)

    return talk


def give_up(lab: Lab, seconds: float, *, reset: bool = False) -> None:
    """A client with a certificate that waits this long for the handshake, and then goes away (FIN, or RST)."""
    context = client_context(lab.partner, lab.trusts(lab.pki.root))
    with contextlib.suppress(OSError), lab.client.connect(lab.server_address, 5061) as raw:
        secure = context.wrap_socket(raw, server_hostname=NAME, do_handshake_on_connect=False)
        secure.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            secure.do_handshake()
        abort(secure) if reset else secure.close()
