"""The server asks for a certificate, and something about the client's answer or the list of CAs is wrong."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from captures.makers.case import case, failed
from captures.makers.daemons import kamailio
from captures.makers.lab import Lab
from captures.makers.peers import inner_alert, outer_finished, passed_alert_13, relay_before_server
from captures.makers.pki import EXPIRED, Identity, revocation_list

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
        ("client-certificate-rejected", "untrusted-root"),
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={**REFUSED, "reset-during-handshake": "error"},
        may=("untrusted-root",),
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


@case(
    "client-untrusted-12.pcap",
    "client certificate of a CA that the server does not know (TLS 1.2)",
    failed(
        ("client-issuer-not-in-ca-list", "untrusted-root"),
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 48),),
        expect={
            **REFUSED,
            "client-issuer-not-in-ca-list": "error",
            "untrusted-root": "error",
            "tls-alert": "error",
        },
        never=("client-chain-incomplete",),
    ),
    stacks=["openssl"],
    how="s_server trusts Example Root CA only; the client's chain ends below Partner Root CA",
)
def client_untrusted_12(lab: Lab) -> None:
    """The client's chain is whole, but its root is not on the server's list and not trusted: alert 48."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required", trust=lab.trusts(lab.pki.root))
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "client-untrusted-13.pcap",
    "client certificate of an unknown CA, refused in TLS 1.3",
    failed(
        "client-certificate-rejected",
        version="TLSv1.3",
        client_certificate_state="inferred-sent",
        server_certificate_state="hidden",
        alerts=(),
        may=("encrypted-alert", "closed-during-handshake", "reset-during-handshake"),
        never=("client-certificate-missing",),
    ),
    stacks=["openssl"],
    how="as client-untrusted-12 with -tls1_3",
)
def client_untrusted_13(lab: Lab) -> None:
    """The server's only answer to the client's Finished is a record of 19 bytes (an alert) and the close."""
    lab.openssl_server(lab.ours, "-tls1_3", ask="required", trust=lab.trusts(lab.pki.root))
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "client-untrusted-13-early-data.pcap",
    "refused in TLS 1.3 when the client has already sent its request",
    failed(
        "client-certificate-rejected",
        version="TLSv1.3",
        client_certificate_state="inferred-sent",
        alerts=(),
        may=("encrypted-alert", "closed-during-handshake", "reset-during-handshake"),
    ),
    stacks=["openssl", "python"],
    how="as client-untrusted-13; a relay holds the server's refusal back until the client has sent data",
)
def client_untrusted_13_early_data(lab: Lab) -> None:
    """The client thinks that the handshake is complete and speaks; then comes the alert, and a RST for its data."""
    lab.openssl_server(lab.ours, "-tls1_3", port=BACKEND, ask="required", trust=lab.trusts(lab.pki.root))
    relay_before_server(lab.server, BACKEND, 5061, passed_alert_13, "rst", delay=0.3)
    with lab.capture():
        lab.openssl_client(lab.partner, hold=0.2)


@case(
    "client-expired-openssl.pcap",
    "expired client certificate, refused by OpenSSL",
    failed(
        "certificate-expired",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 45),),
        expect={**REFUSED, "tls-alert": "error"},
    ),
    stacks=["openssl"],
    how="s_client -cert with a leaf that ended in 2025",
)
def client_expired_openssl(lab: Lab) -> None:
    """A partner forgot to renew: the server says alert 45."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(expired(lab))


@case(
    "client-expired-java.pcap",
    "expired client certificate, refused by Java with a general alert",
    failed(
        "certificate-expired",
        version="TLSv1.2",
        client_certificate_state="sent",
        expect={**REFUSED, "tls-alert": "error"},
    ),
    stacks=["java", "openssl"],
    how="makers/java/Server.java ask=need, s_client -cert with a leaf that ended in 2025",
)
def client_expired_java(lab: Lab) -> None:
    """The alert does not name the reason; the certificate does."""
    lab.java_server(lab.ours, "protocol=TLSv1.2", "ask=need")
    with lab.capture():
        lab.openssl_client(expired(lab))


@case(
    "client-expired-gnutls.pcap",
    "expired client certificate, refused by GnuTLS",
    failed(
        "certificate-expired",
        version="TLSv1.2",
        client_certificate_state="sent",
        expect=REFUSED,
        may=("tls-alert", "closed-during-handshake", "reset-during-handshake", "reset-after-handshake"),
    ),
    stacks=["gnutls", "openssl"],
    how="gnutls-serv --require-client-cert --verify-client-cert, s_client -cert with a leaf that ended in 2025",
)
def client_expired_gnutls(lab: Lab) -> None:
    """gnutls-serv verifies in the handshake and ends it."""
    lab.gnutls_server(lab.ours, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2", ask="required")
    with lab.capture():
        lab.openssl_client(expired(lab))


def expired(lab: Lab) -> Identity:
    """The partner's certificate of last year."""
    return lab.pki.leaf("edge.example.net", lab.pki.partner_issuing, validity=EXPIRED)


@case(
    "client-self-signed.pcap",
    "self-signed client certificate, refused",
    failed(
        "self-signed",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 48),),
        expect={**REFUSED, "tls-alert": "error"},
        may=("client-issuer-not-in-ca-list",),
        never=("client-chain-incomplete",),
    ),
    stacks=["openssl"],
    how="s_client -cert with a lone self-signed leaf",
)
def client_self_signed(lab: Lab) -> None:
    """Nobody issued the client's certificate but itself: alert 48."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.pki.leaf("edge.example.net", None))


@case(
    "client-cert-missing-reset.pcap",
    "no client certificate, answered with a bare RST",
    failed(
        "client-certificate-missing",
        version="TLSv1.2",
        client_certificate_state="empty",
        alerts=(),
        expect={"reset-during-handshake": "error"},
    ),
    stacks=["gnutls", "openssl", "python"],
    how="gnutls-cli without a certificate; s_server -Verify behind a relay that resets instead of the alert",
)
def client_cert_missing_reset(lab: Lab) -> None:
    """As on a Windows server: the empty Certificate is answered by RST."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, inner_alert, "rst")
    with lab.capture():
        lab.gnutls_client(None)


@case(
    "client-rejected-kamailio.pcap",
    "client certificate without its intermediate, refused by kamailio",
    failed(
        "client-chain-incomplete",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 48),),
        expect={**REFUSED, "tls-alert": "error"},
    ),
    stacks=["kamailio", "openssl"],
    how="kamailio with verify_certificate=yes; s_client sends its leaf only",
)
def client_rejected_kamailio(lab: Lab) -> None:
    """A SIP server refuses a peer that forgot its intermediate."""
    kamailio(lab, lab.ours, lab.trusts())
    with lab.capture():
        lab.openssl_client(lab.pki.leaf("edge.example.net", lab.pki.partner_issuing, chain=()), "-tls1_2")


@case(
    "client-revoked.pcap",
    "revoked client certificate, refused",
    failed(
        ("tls-alert", "client-certificate-rejected"),
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 44),),
        expect={**REFUSED, "tls-alert": "error"},
        never=("untrusted-root", "revocation-stall", "client-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="s_server -crl_check -CRL with the leaf's number on the list",
)
def client_revoked(lab: Lab) -> None:
    """The partner's old certificate is on its CA's list: alert 44. The certificate itself does not show it."""
    issuer = lab.pki.partner_issuing
    client = lab.pki.leaf("edge.example.net", issuer)
    numbers = [x509.load_pem_x509_certificate(client.cert.read_bytes()).serial_number]
    listed = lab.folder.resolve() / "revoked.pem"
    listed.write_bytes(revocation_list(issuer, numbers).public_bytes(serialization.Encoding.PEM))
    lab.openssl_server(lab.ours, "-tls1_2", "-crl_check", "-CRL", str(listed), ask="required")
    with lab.capture():
        lab.openssl_client(client)
