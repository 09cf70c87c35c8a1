"""The server's certificate or chain has a defect; the client refuses it, or not."""

from __future__ import annotations

from captures.makers.case import case, failed
from captures.makers.lab import Lab
from captures.makers.pki import EXPIRED


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
