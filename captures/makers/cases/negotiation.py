"""The hellos do not fit together, or what comes is no TLS."""

from __future__ import annotations

import socket

from captures.makers.case import Expected, case, failed, healthy
from captures.makers.daemons import haproxy, nginx
from captures.makers.lab import Lab
from captures.makers.peers import CHANGE_CIPHER_SPEC, HANDSHAKE, Record, Relay, serve


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
    "inappropriate-fallback.pcap",
    "the client tries again with an older version, the server sees through it",
    refused_hello("tls-alert", 86),
    stacks=["openssl"],
    how="s_client -fallback_scsv -tls1_1 -cipher DEFAULT:@SECLEVEL=0, s_server of TLS 1.0 to 1.2",
)
def inappropriate_fallback(lab: Lab) -> None:
    """Something broke the first attempt, and the client goes down to TLS 1.1 and says so: alert 86."""
    weak = ("-cipher", "DEFAULT:@SECLEVEL=0")
    lab.openssl_server(lab.ours, "-no_tls1_3", *weak)
    with lab.capture():
        lab.openssl_client(None, "-tls1_1", "-fallback_scsv", *weak)


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
        Relay(outer, lab.server.connect("127.0.0.1", 9061), held_back, "fin", 0.3, damage=wrong_length).run()

    serve(lab.server.listen("0.0.0.0", 5061), talk)
    with lab.capture():
        lab.openssl_client(None)


def first_after_client(seen: list[Record]) -> bool:
    """The server's first record after the client's ChangeCipherSpec: its NewSessionTicket."""
    return seen[-1][0] == "inner" and ("outer", CHANGE_CIPHER_SPEC, 1) in seen and seen[-2][:2] == ("outer", HANDSHAKE)


LENGTH_AT = 14  # in the record of a NewSessionTicket of TLS 1.2: the low byte of the length of the ticket


def wrong_length(seen: list[Record], record: bytes) -> bytes:
    """One bit of the ticket's length changed."""
    if not first_after_client(seen):
        return record
    return record[:LENGTH_AT] + bytes([record[LENGTH_AT] ^ 1]) + record[LENGTH_AT + 1 :]


def held_back(seen: list[Record]) -> str:
    """Pass this one on and nothing after it."""
    return "after" if first_after_client(seen) else ""
