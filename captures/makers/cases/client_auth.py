"""The server asks for a certificate, and something about the client's answer or the list of CAs is wrong."""

from __future__ import annotations

from captures.makers.ca_lists import long_list
from captures.makers.case import case, failed
from captures.makers.lab import Lab
from captures.makers.peers import inner_alert, outer_finished, relay_before_server

BACKEND = 9061
REFUSED = {"client-certificate-rejected": "error"}


@case(
    "client-chain-incomplete.pcap",
    "client certificate without its intermediate, refused with unknown_ca",
    failed(
        "client-chain-incomplete",
        version="TLSv1.2",
        client_certificate_state="sent",
        server_certificate_state="sent",
        alerts=(("server", 48),),
        expect={**REFUSED, "tls-alert": "error"},
    ),
    stacks=["openssl"],
    how="s_client sends its leaf only; s_server -Verify -verify_return_error knows the root only",
)
def client_chain_incomplete(lab: Lab) -> None:
    """The client sends its leaf without the issuing CA. The server trusts the root, cannot link the two, says alert 48."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.pki.leaf("edge.example.net", lab.pki.partner_issuing, chain=()))


@case(
    "client-chain-incomplete-reset.pcap",
    "client certificate without its intermediate, answered with a bare RST",
    failed(
        "client-chain-incomplete",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={**REFUSED, "reset-during-handshake": "error"},
        never=("client-issuer-not-in-ca-list", "path-mtu-black-hole"),
    ),
    stacks=["openssl", "python"],
    how="as client-chain-incomplete; a relay before s_server turns its alert into RST (SO_LINGER 0)",
)
def client_chain_incomplete_reset(lab: Lab) -> None:
    """The same as a Schannel application shows it: no alert, the connection is reset after the client's flight."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, inner_alert, "rst")
    with lab.capture():
        lab.openssl_client(lab.pki.leaf("edge.example.net", lab.pki.partner_issuing, chain=()))


@case(
    "ca-list-truncated-16384.pcap",
    "CA list cut just under 16,384 bytes, the client finds no match and sends none",
    failed(
        "ca-list-truncated",
        version="TLSv1.2",
        client_certificate_state="empty",
        alerts=(),
        expect={"client-certificate-missing": "error", "reset-during-handshake": "error"},
        may=("ca-list-too-long",),
    ),
    stacks=["openssl", "java", "python"],
    how="s_server -CAfile with as many roots as fit in 16,384 bytes; Java's client honours the list; relay resets",
)
def ca_list_truncated(lab: Lab) -> None:
    """The server's list of roots was cut at the limit of Schannel; the client's root fell off. The client holds a good
    certificate, finds no issuer of it in the list, answers with an empty Certificate, and the server resets."""
    roots = long_list(lab.folder / "roots.pem", limit=16384)
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required", trust=roots)
    relay_before_server(lab.server, BACKEND, 5061, inner_alert, "rst")
    with lab.capture():
        lab.java_client(lab.partner, "protocol=TLSv1.2")


@case(
    "client-cert-missing-12.pcap",
    "no client certificate in TLS 1.2, refused",
    failed(
        "client-certificate-missing",
        version="TLSv1.2",
        client_certificate_state="empty",
        alerts=(("server", 40),),
        expect={"tls-alert": "error"},
    ),
    stacks=["openssl"],
    how="s_server -Verify; s_client without -cert",
)
def client_cert_missing_12(lab: Lab) -> None:
    """The server insists on a client certificate, the client has none and sends an empty Certificate: alert 40."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "client-cert-missing-13.pcap",
    "no client certificate in TLS 1.3, refused after the client's Finished",
    failed(
        "client-certificate-missing",
        version="TLSv1.3",
        client_certificate_state="inferred-empty",
        server_certificate_state="hidden",
        alerts=(),
        may=("encrypted-alert", "closed-during-handshake", "reset-during-handshake"),
    ),
    stacks=["openssl"],
    how="s_server -Verify -tls1_3; s_client without -cert",
)
def client_cert_missing_13(lab: Lab) -> None:
    """The same in TLS 1.3: the empty Certificate is a record of 25 bytes, the refusal one of 19; both are encrypted."""
    lab.openssl_server(lab.ours, "-tls1_3", ask="required")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "reset-after-client-flight.pcap",
    "server resets after a client flight without visible fault",
    failed(
        "client-certificate-rejected",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={"reset-during-handshake": "error"},
        later={"untrusted-root": "error"},
        never=("client-chain-incomplete", "client-issuer-not-in-ca-list"),
    ),
    stacks=["openssl", "python"],
    how="s_server behind a relay that resets when the client's Finished has come",
)
def reset_after_client_flight(lab: Lab) -> None:
    """The client's chain is complete, valid and its root is listed; still the server resets right after the client's
    flight, as when an application refuses the peer's name."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, outer_finished, "rst", pause=0.05)
    with lab.capture():
        lab.openssl_client(lab.partner)
