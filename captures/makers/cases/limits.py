"""What one side does and the other does not take: signature schemes, a leading zero, a request that is not made."""

from __future__ import annotations

import socket

from captures.makers.case import case, failed, healthy
from captures.makers.lab import NAME, Lab
from captures.makers.peers import Relay, outer_finished, relay_before_server, serve
from captures.makers.pki import Identity, Odd

BACKEND = 9061
REFUSED = {"client-certificate-rejected": "error"}
DHE = ("-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384")
TLS12 = ("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")
SHA512 = Odd(digest="sha512")
NO_SHA512 = "RSA+SHA256:RSA+SHA1"


def sha512_client(lab: Lab) -> Identity:
    """The partner's certificate, signed with SHA-512."""
    return lab.pki.leaf("edge.example.net", lab.pki.partner_issuing, odd=SHA512)


@case(
    "signature-scheme-mismatch-server.pcap",
    "server certificate signed with SHA-512, which the client does not take",
    failed(
        "signature-scheme-mismatch",
        version="TLSv1.2",
        server_certificate_state="sent",
        expect={"tls-alert": "error"},
        never=("untrusted-root", "server-chain-incomplete"),
    ),
    stacks=["gnutls", "java"],
    how="gnutls-serv with a leaf signed with SHA-512; Client.java with jdk.tls.client.SignatureSchemes without SHA-512",
)
def signature_scheme_mismatch_server(lab: Lab) -> None:
    """As an unpatched Windows 2012 does: the client's hello names no scheme with SHA-512, and it means it."""
    lab.gnutls_server(lab.pki.leaf((NAME, "edge01.example.com"), lab.pki.issuing, odd=SHA512), *TLS12)
    schemes = "-Djdk.tls.client.SignatureSchemes=rsa_pkcs1_sha256,rsa_pss_rsae_sha256"
    with lab.capture():
        lab.java_client(None, "protocol=TLSv1.2", java=(schemes,))


@case(
    "signature-scheme-mismatch-client.pcap",
    "client certificate signed with SHA-512, which the server does not take, answered with a bare RST",
    failed(
        "signature-scheme-mismatch",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={**REFUSED, "reset-during-handshake": "error"},
        never=("untrusted-root", "client-chain-incomplete", "client-issuer-not-in-ca-list"),
    ),
    stacks=["openssl", "python"],
    how="s_server -client_sigalgs RSA+SHA256:RSA+SHA1 behind a relay that resets when the client's Finished has come",
)
def signature_scheme_mismatch_client(lab: Lab) -> None:
    """The server's request names SHA-256 and SHA-1; the client has but one certificate, of SHA-512, and sends it."""
    lab.openssl_server(lab.ours, "-tls1_2", "-client_sigalgs", NO_SHA512, port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, outer_finished, "rst", pause=0.03)
    with lab.capture():
        lab.openssl_client(sha512_client(lab))


@case(
    "signature-scheme-ignored.pcap",
    "client certificate of a scheme that the server did not name, and it works",
    healthy(),
    stacks=["openssl"],
    how="as signature-scheme-mismatch-client without the relay",
)
def signature_scheme_ignored(lab: Lab) -> None:
    """OpenSSL does not insist on its own list for the signatures of a chain: nothing went wrong."""
    lab.openssl_server(lab.ours, "-tls1_2", "-client_sigalgs", NO_SHA512, ask="required")
    with lab.capture():
        lab.openssl_client(sha512_client(lab))


@case(
    "no-shared-scheme.pcap",
    "the client takes ECDSA signatures only, the server has an RSA key",
    failed(
        ("signature-scheme-mismatch", "no-shared-cipher"),
        alerts=(("server", 40),),
        expect={"tls-alert": "error"},
        may=("signature-scheme-mismatch", "no-shared-cipher"),
    ),
    stacks=["openssl"],
    how="s_client -sigalgs ECDSA+SHA256, s_server with an RSA certificate",
)
def no_shared_scheme(lab: Lab) -> None:
    """The suites would fit, no signature does: alert 40."""
    lab.openssl_server(lab.ours, "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", "-sigalgs", "ECDSA+SHA256")


@case(
    "dhe-leading-zero.pcap",
    "Diffie-Hellman: one connection works, the next one fails right after the client's Finished",
    healthy(client="not-requested", never=("dhe-leading-zero",)),
    failed(
        "closed-during-handshake",
        stream=1,
        version="TLSv1.2",
        alerts=(),
        expect={"dhe-leading-zero": "note"},
        may=("encrypted-alert",),
    ),
    stacks=["openssl", "python"],
    how="s_server and s_client with DHE-RSA-AES256-GCM-SHA384 behind a relay that closes the second connection when "
    "the client's Finished has come",
)
def dhe_leading_zero(lab: Lab) -> None:
    """As between an old and a new Schannel: one shared secret of 256 begins with a zero byte, the two sides disagree
    about it, and the server closes without an alert."""
    lab.openssl_server(lab.ours, *DHE, port=BACKEND)
    seen = []

    def talk(outer: socket.socket) -> None:
        seen.append(outer)
        inner = lab.server.connect("127.0.0.1", BACKEND)
        Relay(outer, inner, outer_finished if len(seen) == 2 else lambda _: "", "fin").run()

    serve(lab.server.listen("0.0.0.0", 5061), talk, 2)
    with lab.capture():
        lab.openssl_client(None, *DHE)
        lab.openssl_client(None, *DHE)


@case(
    "dhe-works.pcap",
    "mutual TLS with Diffie-Hellman",
    healthy(never=("dhe-leading-zero",)),
    stacks=["openssl"],
    how="s_server and s_client with DHE-RSA-AES256-GCM-SHA384",
)
def dhe_works(lab: Lab) -> None:
    """The suite alone is no fault."""
    lab.openssl_server(lab.ours, *DHE, ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner, *DHE)


@case(
    "mtls-port-no-request.pcap",
    "the server on 5061 does not ask for a certificate",
    healthy(client="not-requested", expect={"client-certificate-not-requested": "note"}),
    stacks=["openssl"],
    how="s_server without -verify on 5061; s_client -cert, which is never asked for it",
)
def mtls_port_no_request(lab: Lab) -> None:
    """The listener was set to TLS instead of MTLS: the partner's certificate stays in its pocket."""
    lab.openssl_server(lab.ours, "-tls1_2")
    with lab.capture():
        lab.openssl_client(lab.partner)
