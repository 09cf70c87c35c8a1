"""The server's certificate or chain has a defect; the client refuses it, or not."""

from __future__ import annotations

from captures.makers.case import case, failed, healthy
from captures.makers.lab import Lab
from captures.makers.pki import EXPIRED, NOT_YET


@case(
    "server-expired.pcap",
    "server certificate expired, refused with certificate_expired",
    failed(
        "certificate-expired",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 45),),
        expect={"tls-alert": "error"},
    ),
    stacks=["openssl"],
    how="s_server with a leaf that ended in 2025; s_client -verify_return_error",
)
def server_expired(lab: Lab) -> None:
    """The server's certificate ended in 2025; the client says alert 45 after the server's flight."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", lab.pki.issuing, validity=EXPIRED), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "server-name-mismatch.pcap",
    "server certificate for another name, refused by the client",
    failed(
        "server-name-mismatch",
        version="TLSv1.2",
        server_name="sip.example.com",
        server_certificate_state="sent",
        alerts=(("client", 42),),
        expect={"tls-alert": "error"},
    ),
    stacks=["openssl"],
    how="s_client -servername and -verify_hostname sip.example.com; the certificate is for www.example.com",
)
def server_name_mismatch(lab: Lab) -> None:
    """The client asks for sip.example.com and gets a good certificate for www.example.com only: alert 42."""
    lab.openssl_server(lab.pki.leaf("www.example.com", lab.pki.issuing), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, "-verify_hostname", "sip.example.com")


@case(
    "server-not-yet-valid.pcap",
    "server certificate not yet valid, refused",
    failed(
        "certificate-not-yet-valid",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 42),),
        expect={"tls-alert": "error"},
    ),
    stacks=["openssl"],
    how="s_server with a leaf that begins in 2040; s_client -verify_return_error",
)
def server_not_yet_valid(lab: Lab) -> None:
    """A certificate from the future, or a clock in the past: alert 42."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", lab.pki.issuing, validity=NOT_YET), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "server-self-signed.pcap",
    "self-signed server certificate, refused",
    failed(
        "self-signed",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 48),),
        expect={"tls-alert": "error"},
        never=("server-chain-incomplete",),
    ),
    stacks=["openssl"],
    how="s_server with a lone self-signed leaf",
)
def server_self_signed(lab: Lab) -> None:
    """The default certificate of an appliance: alert 48."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", None), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "server-self-signed-accepted.pcap",
    "self-signed server certificate, accepted",
    healthy(client="not-requested", expect={"self-signed": "warning"}),
    stacks=["openssl"],
    how="s_client trusts that very certificate (-CAfile)",
)
def server_self_signed_accepted(lab: Lab) -> None:
    """The client has pinned the self-signed certificate: it works, for those who know it."""
    own = lab.pki.leaf("sip.example.com", None)
    lab.openssl_server(own, "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, trust=own.cert)


@case(
    "server-chain-incomplete.pcap",
    "server certificate without its intermediate, refused",
    failed(
        "server-chain-incomplete",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 48),),
        expect={"tls-alert": "error"},
    ),
    stacks=["openssl"],
    how="s_server sends its leaf only; s_client knows the root only",
)
def server_chain_incomplete(lab: Lab) -> None:
    """The server forgot its intermediate; the client cannot link leaf and root: alert 48."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", lab.pki.issuing, chain=()), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "server-chain-incomplete-works.pcap",
    "server certificate without its intermediate, the client has it",
    healthy(client="not-requested", expect={"server-chain-incomplete": "warning"}),
    stacks=["openssl"],
    how="s_server sends its leaf only; s_client knows root and intermediate",
)
def server_chain_incomplete_works(lab: Lab) -> None:
    """This client has the intermediate in its store; the next one may not."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", lab.pki.issuing, chain=()), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, trust=lab.trusts(lab.pki.root, lab.pki.issuing))


@case(
    "server-chain-order.pcap",
    "intermediates in the wrong order, accepted",
    healthy(client="not-requested", expect={"chain-order": "warning"}, never=("server-chain-incomplete",)),
    stacks=["openssl"],
    how="s_server -cert_chain with the upper intermediate before the lower",
)
def server_chain_order(lab: Lab) -> None:
    """All is there but sorted wrongly; OpenSSL sorts it out, stricter peers do not."""
    policy = lab.pki.authority("Example Policy CA", "Example Corporation", "pki.example.com", lab.pki.root)
    lower = lab.pki.authority("Example Issuing CA 2", "Example Corporation", "pki.example.com", policy)
    lab.openssl_server(lab.pki.leaf("sip.example.com", lower, chain=(policy, lower)), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "server-untrusted-root.pcap",
    "good server chain, but the client does not know the root",
    failed(
        "untrusted-root",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 48),),
        expect={"tls-alert": "error"},
        never=("server-chain-incomplete", "self-signed", "server-name-mismatch", "certificate-expired"),
    ),
    stacks=["openssl"],
    how="s_client -CAfile with Partner Root CA only",
)
def server_untrusted_root(lab: Lab) -> None:
    """Nothing is wrong with what the server sends; the client must import Example Root CA."""
    lab.openssl_server(lab.ours, "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, trust=lab.trusts(lab.pki.partner_root))


@case(
    "server-refused-13.pcap",
    "server certificate refused in TLS 1.3, alert in clear (OpenSSL)",
    failed(
        "tls-alert",
        version="TLSv1.3",
        server_certificate_state="hidden",
        alerts=(("client", 48),),
    ),
    stacks=["openssl"],
    how="s_server -tls1_3 with a leaf only; s_client -verify_return_error",
)
def server_refused_13(lab: Lab) -> None:
    """OpenSSL's client has not switched its keys yet, so its alert 48 can be read although all else is encrypted."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", lab.pki.issuing, chain=()), "-tls1_3")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "server-refused-13-java.pcap",
    "server certificate refused in TLS 1.3, alert encrypted (Java)",
    failed(
        "encrypted-alert",
        "warning",
        version="TLSv1.3",
        server_certificate_state="hidden",
        alerts=(),
        may=("closed-during-handshake", "reset-during-handshake"),
    ),
    stacks=["openssl", "java"],
    how="s_server -tls1_3 with a leaf only; Client.java knows the root only",
)
def server_refused_13_java(lab: Lab) -> None:
    """Java encrypts its alert: a record of alert size instead of the client's Finished is all that can be seen."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", lab.pki.issuing, chain=()), "-tls1_3")
    with lab.capture():
        lab.java_client(None, "protocol=TLSv1.3")


@case(
    "server-name-mismatch-java.pcap",
    "server certificate for another name, refused by Java",
    failed(
        "server-name-mismatch",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 46),),
        expect={"tls-alert": "error"},
    ),
    stacks=["openssl", "java"],
    how="Client.java verify=HTTPS, protocol=TLSv1.2; the certificate is for www.example.com",
)
def server_name_mismatch_java(lab: Lab) -> None:
    """Java says certificate_unknown (46) for a wrong name."""
    lab.openssl_server(lab.pki.leaf("www.example.com", lab.pki.issuing), "-tls1_2")
    with lab.capture():
        lab.java_client(None, "protocol=TLSv1.2", "verify=HTTPS")


@case(
    "server-name-mismatch-works.pcap",
    "server certificate for another name, the client does not care",
    healthy(client="not-requested", expect={"server-name-mismatch": "warning"}),
    stacks=["openssl"],
    how="s_client without -verify_hostname; the certificate is for www.example.com",
)
def server_name_mismatch_works(lab: Lab) -> None:
    """The client does not check names: works here, fails with the next client."""
    lab.openssl_server(lab.pki.leaf("www.example.com", lab.pki.issuing), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None)


@case(
    "server-expired-gnutls.pcap",
    "server certificate expired, refused by GnuTLS",
    failed(
        "certificate-expired",
        version="TLSv1.2",
        server_certificate_state="sent",
        may=("tls-alert", "closed-during-handshake", "reset-during-handshake", "reset-after-handshake"),
    ),
    stacks=["openssl", "gnutls"],
    how="gnutls-cli against s_server with a leaf that ended in 2025",
)
def server_expired_gnutls(lab: Lab) -> None:
    """GnuTLS refuses the expired certificate in the handshake."""
    lab.openssl_server(lab.pki.leaf("sip.example.com", lab.pki.issuing, validity=EXPIRED), "-tls1_2")
    with lab.capture():
        lab.gnutls_client(None)
