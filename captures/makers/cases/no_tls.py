"""What is no TLS, only looks like it, or greets as SSL 2.0 did."""

from __future__ import annotations

import socket
import time

from captures.makers.case import Expected, case, failed, healthy
from captures.makers.daemons import nginx
from captures.makers.lab import Lab
from captures.makers.peers import abort, serve

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


@case(
    "http-on-tls-port.pcap",
    "plain HTTP to nginx's TLS port",
    Expected(outcome="not-tls", first="not-tls", expect={"not-tls": "error"}),
    stacks=["nginx", "python"],
    how="scripted GET without TLS to 443; nginx says 400",
)
def http_on_tls_port(lab: Lab) -> None:
    """http:// instead of https://: 400 The plain HTTP request was sent to HTTPS port."""
    nginx(lab, lab.ours, "")
    with lab.capture(), lab.client.connect(lab.server_address, 443) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: sip.example.com\r\nConnection: close\r\n\r\n")
        while connection.recv(4096):
            pass


@case(
    "tls-to-http-server.pcap",
    "a ClientHello to a server that speaks plain HTTP",
    Expected(outcome="not-tls", first="not-tls", expect={"not-tls": "error"}, server_name="sip.example.com"),
    stacks=["openssl", "python"],
    how="s_client against a scripted plain web server on 443, which says 400",
)
def tls_to_http_server(lab: Lab) -> None:
    """TLS was forgotten on the server: it answers the ClientHello with HTTP 400."""

    def web(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    serve(lab.server.listen("0.0.0.0", 443), web)
    with lab.capture():
        lab.openssl_client(None, port=443)


PSEUDO_HELLO = bytes.fromhex(f"160301002d010000290301{'c1fcd5a3' * 8}00000200180100")
PSEUDO_ANSWER = bytes.fromhex(f"160301004e020000460301{'5a' * 32}20{'a5' * 32}0018000e000000")
STUN = bytes.fromhex("02000014000300002112a442000102030405060708090a0b")


@case(
    "ms-turn.pcap",
    "MS-TURN behind its pseudo TLS hellos on 443",
    Expected(outcome="", expect={"ms-turn-pseudo-tls": "note"}),
    stacks=["python"],
    how="crafted bytes over real TCP: the fixed hello of 50 bytes, its answer of 83, then framed STUN",
)
def ms_turn(lab: Lab) -> None:
    """A media relay opens with something that looks like TLS so that proxies let it pass. It is no failed handshake."""

    def relay(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(PSEUDO_ANSWER)
        connection.recv(4096)
        connection.sendall(STUN.replace(b"\x00\x03", b"\x01\x03", 1))
        connection.recv(10)

    serve(lab.server.listen("0.0.0.0", 443), relay)
    with lab.capture(), lab.client.connect(lab.server_address, 443) as connection:
        connection.sendall(PSEUDO_HELLO)
        connection.recv(4096)
        connection.sendall(STUN)
        connection.recv(4096)
        time.sleep(0.2)


GOOGLE_HELLO = bytes.fromhex(
    "8046010301002d0000001001008003008007 00c006004002008004008000000400feff00000a00fefe00000900006400006200"
    "00030000061f170ca62f0078fc46552eb18339f1ea"
)
GOOGLE_ANSWER = bytes.fromhex(
    "160301004a020000460301428545a727a95da0b3c5e753da482b3fc65aca89c15852a1783c5b174600853f200ed306725b5b1b5f15ac13f9"
    "88539d9be83d7b0c30326e384da27557416c345c000400"
)


@case(
    "google-pseudo-tls.pcap",
    "the pseudo TLS of Google's media relays on 443",
    Expected(outcome="", expect={"ms-turn-pseudo-tls": "note"}, never=("sslv2-client-hello",)),
    stacks=["python"],
    how="crafted bytes over real TCP: the fixed hello of 72 bytes, its answer of 79, then STUN",
)
def google_pseudo_tls(lab: Lab) -> None:
    """The same idea with a hello of SSL 2.0 format: no old client, no failed handshake."""

    def relay(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(GOOGLE_ANSWER)
        connection.recv(4096)
        connection.sendall(STUN[4:].replace(b"\x00\x03", b"\x01\x03", 1))
        connection.recv(10)

    serve(lab.server.listen("0.0.0.0", 443), relay)
    with lab.capture(), lab.client.connect(lab.server_address, 443) as connection:
        connection.sendall(GOOGLE_HELLO)
        connection.recv(4096)
        connection.sendall(STUN[4:])
        connection.recv(4096)
        time.sleep(0.2)


def sslv2_hello() -> bytes:
    """A hello of SSL 2.0 format that offers TLS 1.2: RSA and ECDHE suites, a challenge of 16 bytes, no extensions."""
    suites = b"".join(b"\x00" + code for code in (b"\x00\x2f", b"\x00\x35", b"\xc0\x13", b"\xc0\x14", b"\x00\x0a"))
    body = b"\x01\x03\x03" + len(suites).to_bytes(2, "big") + b"\x00\x00\x00\x10" + suites + bytes(range(16))
    return (0x8000 | len(body)).to_bytes(2, "big") + body


@case(
    "sslv2-hello-refused.pcap",
    "hello of SSL 2.0 format, answered with RST",
    failed(
        ("sslv2-client-hello", "reset-during-handshake"),
        expect={"sslv2-client-hello": "warning", "reset-during-handshake": "error"},
        may=("sni-missing",),
    ),
    stacks=["python"],
    how="crafted SSL 2.0 format hello; the server resets (SO_LINGER 0)",
)
def sslv2_hello_refused(lab: Lab) -> None:
    """A very old client greets in the format of SSL 2.0, which a modern server does not stand."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        abort(connection)

    serve(lab.server.listen("0.0.0.0", 5061), refuse)
    with lab.capture(), lab.client.connect(lab.server_address, 5061) as connection:
        connection.sendall(sslv2_hello())
        time.sleep(0.3)


@case(
    "sslv2-hello-answered.pcap",
    "hello of SSL 2.0 format, answered by OpenSSL with a TLS 1.2 flight",
    failed("closed-during-handshake", expect={"sslv2-client-hello": "warning"}, may=("sni-missing", "tls-alert")),
    stacks=["openssl", "python"],
    how="crafted SSL 2.0 format hello to s_server -tls1_2 -cipher DEFAULT:@SECLEVEL=0; the client closes",
)
def sslv2_hello_answered(lab: Lab) -> None:
    """OpenSSL still takes such a hello; the scripted client can go no further and closes after the server's flight."""
    lab.openssl_server(lab.ours, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0")
    with lab.capture(), lab.client.connect(lab.server_address, 5061) as connection:
        connection.sendall(sslv2_hello())
        time.sleep(0.2)
        connection.recv(65536)
        time.sleep(0.1)


@case(
    "sslv2-hello-java.pcap",
    "hello of SSL 2.0 format by Java, and it works",
    healthy(client="not-requested", expect={"sslv2-client-hello": "note"}, may=("sni-missing",)),
    stacks=["openssl", "java"],
    how="Client.java protocol=SSLv2Hello,TLSv1.2 without disabled algorithms, s_server -cipher kRSA:@SECLEVEL=0",
)  # fmt: skip
def sslv2_hello_java(lab: Lab) -> None:
    """Java can still be told to greet like this; server_name cannot be sent then."""
    lax = lab.folder.resolve() / "lax.security"
    lax.write_text("jdk.tls.disabledAlgorithms=NULL\n")
    lab.openssl_server(lab.ours, "-tls1_2", "-cipher", "kRSA:@SECLEVEL=0")
    with lab.capture():
        lab.java_client(None, "protocol=SSLv2Hello,TLSv1.2", java=(f"-Djava.security.properties={lax}",))
