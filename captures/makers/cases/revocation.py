"""Somebody looks for a revocation list: it comes, it comes late, or the host that keeps it cannot be reached."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time

from cryptography.hazmat.primitives import serialization

from captures.makers.case import case, failed, healthy
from captures.makers.dns import name_server
from captures.makers.hosts import Host, LabError, know
from captures.makers.lab import Lab
from captures.makers.peers import abort, serve
from captures.makers.pki import revocation_list
from captures.makers.scripted import give_up, server_context

LIST_HOST = "192.0.2.80"
CHECKED = ("-crl_check", "-crl_download")
STALLED = {"revocation-stall": "warning or error"}
PATIENT = 8.0  # seconds until somebody gives up
LATE = 6.0  # seconds that a list takes


def unreachable(lab: Lab, validator: Host, name: str) -> None:
    """`validator` resolves the CRL host to an address where nobody answers: SYN, SYN, the name again, and so on."""
    name_server(lab, lab.client if validator is lab.server else lab.server, {(name, "A"): LIST_HOST})
    know(validator, "eth0", "02:00:00:00:00:63", LIST_HOST)
    validator.run("sysctl", "-qw", "net.ipv4.tcp_syn_retries=1")
    with contextlib.suppress(LabError):
        validator.run("sysctl", "-qw", "net.ipv4.tcp_syn_linear_timeouts=0")


def checking_server(lab: Lab, ask: str = "required") -> None:
    """s_server that fetches the CRL of a client's certificate; it does so only for a store of its own for verifying."""
    lab.openssl_server(lab.ours, "-tls1_2", "-verifyCAfile", str(lab.trusts()), *CHECKED, ask=ask)


def web_server(lab: Lab, wait: float, *, answers: bool = True) -> None:
    """The host of the partner's CRL; it takes `wait` seconds for an answer, or for a close without one."""
    lab.more_addresses(lab.client, LIST_HOST)
    name_server(lab, lab.client, {("pki.example.net", "A"): LIST_HOST})
    body = revocation_list(lab.pki.partner_issuing).public_bytes(serialization.Encoding.DER)
    words = ("date", "-u", "+%a, %d %b %Y %H:%M:%S GMT")

    def give(connection: socket.socket) -> None:
        connection.recv(4096)
        time.sleep(wait)
        date = subprocess.run(words, capture_output=True, check=True).stdout.strip()
        head = b"HTTP/1.0 200 OK\r\nDate: " + date + b"\r\nContent-Type: application/pkix-crl\r\n"
        if answers:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    serve(lab.client.listen(LIST_HOST, 80), give, 4)


@case(
    "revocation-stall-server.pcap",
    "the server looks for a revocation list at a host that does not answer; the client gives up",
    failed(
        "revocation-stall",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect=STALLED,
        may=("handshake-timeout", "closed-during-handshake", "reset-during-handshake"),
        never=("client-chain-incomplete", "client-issuer-not-in-ca-list", "untrusted-root", "path-mtu-black-hole"),
    ),
    stacks=["openssl", "python"],
    how="s_server -crl_check -crl_download; a scripted name server gives an address where nobody is; Python's ssl as "
    "client closes after 8 s",
)
def revocation_stall_server(lab: Lab) -> None:
    """With the client's certificate in its hands the server asks for pki.example.net and sends SYN after SYN to port 80
    there. To the client it looks like a server that hangs."""
    unreachable(lab, lab.server, "pki.example.net")
    checking_server(lab)
    with lab.capture():
        give_up(lab, PATIENT)
        time.sleep(0.5)


@case(
    "revocation-stall-refused.pcap",
    "the host of the revocation list takes the request and never answers; the server refuses",
    failed(
        "revocation-stall",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 48),),
        expect={**STALLED, "tls-alert": "error", "client-certificate-rejected": "error"},
        may=("untrusted-root", "handshake-timeout"),
        never=("client-chain-incomplete", "client-issuer-not-in-ca-list"),
    ),
    stacks=["openssl", "python"],
    how="s_server -crl_check -crl_download; a scripted web server closes without an answer after 6 s",
)
def revocation_stall_refused(lab: Lab) -> None:
    """A proxy swallows the request for the list; after six seconds the server refuses the client with alert 48, which
    sounds like an unknown CA."""
    web_server(lab, LATE, answers=False)
    checking_server(lab)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "revocation-stall-works.pcap",
    "the revocation list comes after six seconds, and the server goes on",
    healthy(expect={"revocation-stall": "warning"}, never=("handshake-timeout",)),
    stacks=["openssl", "python"],
    how="as revocation-stall-refused; the web server answers after 6 s",
)
def revocation_stall_works(lab: Lab) -> None:
    """Six seconds of silence for a new connection, and nobody knows why. The next peer is less patient."""
    web_server(lab, LATE)
    checking_server(lab)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "revocation-stall-client.pcap",
    "the client looks for a revocation list at a host that does not answer; the server resets",
    failed(
        "revocation-stall",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(),
        expect={**STALLED, "reset-during-handshake": "error"},
        may=("handshake-timeout",),
        never=("server-chain-incomplete", "self-signed", "untrusted-root"),
    ),
    stacks=["openssl", "python"],
    how="s_client -crl_check -crl_download; a scripted name server gives an address where nobody is; Python's ssl as "
    "server resets after 8 s (SO_LINGER 0)",
)
def revocation_stall_client(lab: Lab) -> None:
    """The server's flight is there, the client is silent, and its SYNs to the CRL host say why. In the end the server
    loses patience, and seems to be the one at fault."""
    unreachable(lab, lab.client, "pki.example.com")

    def impatient(connection: socket.socket) -> None:
        secure = server_context(lab.ours).wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        secure.settimeout(PATIENT)
        with contextlib.suppress(OSError):
            secure.do_handshake()
        abort(secure)

    serve(lab.server.listen("0.0.0.0", 5061), impatient)
    with lab.capture():
        lab.openssl_client(None, *CHECKED, patience=PATIENT + 2)


@case(
    "revocation-list-fetched.pcap",
    "the server fetches the revocation list, and all is well",
    healthy(never=("revocation-stall", "clock-skew")),
    stacks=["openssl", "python"],
    how="s_server -crl_check -crl_download; a scripted web server gives the list at once",
)
def revocation_list_fetched(lab: Lab) -> None:
    """As it should be: a name, a GET, a list, and the handshake goes on."""
    web_server(lab, 0)
    checking_server(lab)
    with lab.capture():
        lab.openssl_client(lab.partner)
