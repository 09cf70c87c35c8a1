"""The hellos do not fit together, or what comes is no TLS."""

from __future__ import annotations

import socket
import time

from captures.makers.case import Expected, case, failed, healthy
from captures.makers.daemons import haproxy, nginx
from captures.makers.lab import Lab
from captures.makers.peers import CHANGE_CIPHER_SPEC, HANDSHAKE, Record, Relay, abort, serve

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


def refused_hello(first: str, code: int, server_name: str | None = None) -> Expected:
    """The ClientHello is answered by an alert in clear."""
    return failed(first, alerts=(("server", code),), expect={"tls-alert": "error"}, server_name=server_name)


@case(
    "version-mismatch-11-12.pcap",
    "client of TLS 1.1 at most, server of TLS 1.2 at least",
    refused_hello("version-mismatch", 70),
    stacks=["openssl"],
    how="s_client -tls1_1 -cipher DEFAULT:@SECLEVEL=0, s_server -tls1_2",
)
def version_mismatch_11_12(lab: Lab) -> None:
    """TLS 1.1 was switched off on the server, the client knows nothing newer: alert 70."""
    lab.openssl_server(lab.ours, "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")


@case(
    "version-mismatch-13-12.pcap",
    "client of TLS 1.3 only, server of TLS 1.2 only",
    refused_hello("version-mismatch", 70),
    stacks=["openssl"],
    how="s_client -tls1_3, s_server -tls1_2",
)
def version_mismatch_13_12(lab: Lab) -> None:
    """The client's supported_versions holds TLS 1.3 alone: alert 70."""
    lab.openssl_server(lab.ours, "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, "-tls1_3")


@case(
    "version-mismatch-client.pcap",
    "server picks TLS 1.0, the client refuses it",
    failed(
        "version-mismatch",
        alerts=(("client", 70),),
        expect={"tls-alert": "error"},
    ),
    stacks=["python", "openssl"],
    how="s_client -tls1_2 against a scripted server that always answers with a TLS 1.0 ServerHello",
)
def version_mismatch_client(lab: Lab) -> None:
    """An old server answers whatever it is asked in TLS 1.0; the client says alert 70."""

    def old(connection: socket.socket) -> None:
        connection.recv(4096)
        hello = b"\x03\x01" + bytes(range(32)) + b"\x00" + b"\x00\x2f" + b"\x00"
        message = b"\x02" + len(hello).to_bytes(3, "big") + hello
        connection.sendall(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message)
        connection.recv(4096)

    serve(lab.server.listen("0.0.0.0", 5061), old)
    with lab.capture():
        lab.openssl_client(None, "-tls1_2")


@case(
    "no-shared-cipher.pcap",
    "no cipher suite in common",
    refused_hello("no-shared-cipher", 40),
    stacks=["openssl"],
    how="s_client -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384, s_server -tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305",
)
def no_shared_cipher(lab: Lab) -> None:
    """Both sides were hardened, differently: alert 40."""
    lab.openssl_server(lab.ours, "-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305")
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384")


@case(
    "no-shared-group-13.pcap",
    "no group in common in TLS 1.3",
    refused_hello("no-shared-cipher", 40),
    stacks=["openssl"],
    how="s_client -tls1_3 -groups X25519, s_server -tls1_3 -groups P-384",
)
def no_shared_group_13(lab: Lab) -> None:
    """The server wants P-384, the client has X25519 only: alert 40, no hello retry possible."""
    lab.openssl_server(lab.ours, "-tls1_3", "-groups", "P-384")
    with lab.capture():
        lab.openssl_client(None, "-tls1_3", "-groups", "X25519")


@case(
    "sni-missing-refused.pcap",
    "no server name, and the server insists on one",
    failed("sni-missing", may=("tls-alert", "no-shared-cipher", "closed-during-handshake", "reset-during-handshake")),
    stacks=["haproxy", "openssl"],
    how="HAProxy with strict-sni, s_client -noservername",
)
def sni_missing_refused(lab: Lab) -> None:
    """HAProxy serves several names and no default; a client without server_name is refused."""
    haproxy(lab, lab.ours, "strict-sni")
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", port=443, name=None)


@case(
    "sni-missing-works.pcap",
    "no server name, and it works",
    healthy(client="not-requested", expect={"sni-missing": "note"}),
    stacks=["openssl"],
    how="s_client -noservername",
)
def sni_missing_works(lab: Lab) -> None:
    """An old client that sends no server_name; the server has but one certificate."""
    lab.openssl_server(lab.ours, "-tls1_2", port=443)
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", port=443, name=None)


@case(
    "sni-unrecognized-nginx.pcap",
    "a name that nginx does not serve",
    refused_hello("sni-unrecognized", 112, server_name="old.example.com"),
    stacks=["nginx", "openssl"],
    how="nginx with ssl_reject_handshake on in the default server; s_client -servername old.example.com",
)
def sni_unrecognized_nginx(lab: Lab) -> None:
    """The client still uses a name that was taken away: alert 112."""
    reject = "server { listen 443 ssl default_server; ssl_reject_handshake on; }"
    nginx(lab, lab.ours, "", name="sip.example.com", more=reject)
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", port=443, name="old.example.com")


@case(
    "sni-unrecognized-haproxy.pcap",
    "a name that HAProxy does not serve",
    failed(
        "sni-unrecognized",
        server_name="old.example.com",
        may=("tls-alert", "no-shared-cipher", "closed-during-handshake", "reset-during-handshake"),
    ),
    stacks=["haproxy", "openssl"],
    how="HAProxy with strict-sni, s_client -servername old.example.com",
)
def sni_unrecognized_haproxy(lab: Lab) -> None:
    """The same with HAProxy's strict-sni."""
    haproxy(lab, lab.ours, "strict-sni")
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", port=443, name="old.example.com")


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


def sslv2_hello() -> bytes:
    """A hello of SSL 2.0 format that offers TLS 1.2: RSA and ECDHE suites, a challenge of 16 bytes, no extensions."""
    suites = b"".join(b"\x00" + code for code in (b"\x00\x2f", b"\x00\x35", b"\xc0\x13", b"\xc0\x14", b"\x00\x0a"))
    body = b"\x01\x03\x03" + len(suites).to_bytes(2, "big") + b"\x00\x00\x00\x10" + suites + bytes(range(16))
    return (0x8000 | len(body)).to_bytes(2, "big") + body


@case(
    "sslv2-hello-refused.pcap",
    "hello of SSL 2.0 format, answered with RST",
    failed(
        "reset-during-handshake",
        expect={"sslv2-client-hello": "warning"},
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
    Expected(outcome="established", version="TLSv1.2", first="sslv2-client-hello",
             expect={"sslv2-client-hello": "warning"}, may=("sni-missing",)),
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


@case(
    "encrypted-alert-12.pcap",
    "client alerts between its own and the server's Finished in TLS 1.2, encrypted",
    failed(
        "encrypted-alert",
        "warning",
        version="TLSv1.2",
        alerts=(),
        may=("closed-during-handshake", "reset-during-handshake"),
    ),
    stacks=["openssl", "python"],
    how="a relay damages the server's NewSessionTicket; s_client answers with an encrypted alert",
)
def encrypted_alert_12(lab: Lab) -> None:
    """Something on the way damages the message before the server's Finished. The client has switched its keys: its alert
    is visible as such, but not its code."""
    lab.openssl_server(lab.ours, "-tls1_2", port=9061)

    def talk(outer: socket.socket) -> None:
        Relay(outer, lab.server.connect("127.0.0.1", 9061), held_back, "fin", 0.3, damage=first_after_client).run()

    serve(lab.server.listen("0.0.0.0", 5061), talk)
    with lab.capture():
        lab.openssl_client(None)


def first_after_client(seen: list[Record]) -> bool:
    """The server's first record after the client's ChangeCipherSpec: its NewSessionTicket."""
    return seen[-1][0] == "inner" and ("outer", CHANGE_CIPHER_SPEC, 1) in seen and seen[-2][:2] == ("outer", HANDSHAKE)


def held_back(seen: list[Record]) -> str:
    """Pass this one on and nothing after it."""
    return "after" if first_after_client(seen) else ""
