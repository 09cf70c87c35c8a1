"""Connections that work: nothing about how they went may be reported."""

from __future__ import annotations

from captures.makers.case import case, healthy, healthy13
from captures.makers.lab import Lab


@case(
    "mtls12-openssl.pcap",
    "mutual TLS 1.2 between two OpenSSL peers",
    healthy(server_name="sip.example.com", alerts=()),
    stacks=["openssl"],
    how="openssl s_server -Verify 3 -tls1_2 and s_client -cert on 5061; a line each way, close_notify, FIN",
)
def mtls12_openssl(lab: Lab) -> None:
    """Both sides send leaf and intermediate, both trust the other's root, the client's root is on the server's list."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "mtls13-openssl.pcap",
    "mutual TLS 1.3 between two OpenSSL peers",
    healthy13(server_name="sip.example.com", alerts=()),
    stacks=["openssl"],
    how="openssl s_server -Verify 3 -tls1_3 and s_client -cert on 5061; a line each way, close_notify, FIN",
)
def mtls13_openssl(lab: Lab) -> None:
    """The same in TLS 1.3: the certificates are encrypted, record sizes tell that the client sent one."""
    lab.openssl_server(lab.ours, "-tls1_3", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)
