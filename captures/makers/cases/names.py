"""The names in the server's certificate: wildcards, short ones, too many, and a common name that is not repeated."""

from __future__ import annotations

from captures.makers.case import case, failed, healthy
from captures.makers.lab import NAME, Lab
from captures.makers.pki import Identity, Odd


def serve_names(lab: Lab, *names: str, common: str = NAME, port: int = 5061, asked: str = NAME) -> None:
    """A server certificate with this common name and these alternative names; the client asks for one of them."""
    identity: Identity = lab.pki.leaf(names, lab.pki.issuing, odd=Odd(common=common))
    lab.openssl_server(identity, "-tls1_2", port=port)
    with lab.capture():
        lab.openssl_client(None, "-verify_hostname", asked, port=port, name=asked)


@case(
    "cn-not-in-san.pcap",
    "the common name is not among the alternative names",
    healthy(client="not-requested", expect={"cn-not-in-san": "warning"}, never=("server-name-mismatch",)),
    stacks=["openssl"],
    how="s_server with CN edge01.example.com and SAN sip.example.com; s_client asks for sip.example.com",
)
def cn_not_in_san(lab: Lab) -> None:
    """The client asks for a name of the SAN. Who calls the server by its common name will be told that it is wrong."""
    serve_names(lab, NAME, common="edge01.example.com")


@case(
    "cn-not-in-san-refused.pcap",
    "the client asks for the common name, which is not among the alternative names",
    failed(
        "server-name-mismatch",
        server_certificate_state="sent",
        alerts=(("client", 42),),
        expect={"tls-alert": "error", "cn-not-in-san": "warning or error"},
    ),
    stacks=["openssl"],
    how="s_server with CN sip.example.com and SAN edge01.example.com; s_client -verify_hostname sip.example.com",
)
def cn_not_in_san_refused(lab: Lab) -> None:
    """TLS ignores the subject where there are alternative names: alert 42."""
    serve_names(lab, "edge01.example.com")


@case(
    "wildcard-on-sip.pcap",
    "a SIP server whose name is covered by a wildcard alone",
    healthy(
        client="not-requested",
        expect={"wildcard-on-sip": "warning"},
        never=("server-name-mismatch", "cn-not-in-san", "wildcard-before-fqdn"),
    ),
    stacks=["openssl"],
    how="s_server on 5061 with CN and SAN edge.example.com, then SAN *.example.com; s_client asks for sip.example.com",
)
def wildcard_on_sip(lab: Lab) -> None:
    """OpenSSL matches the wildcard; Lync and Skype for Business do not support it here."""
    serve_names(lab, "edge.example.com", "*.example.com", common="edge.example.com")


@case(
    "wildcard-as-common-name.pcap",
    "a SIP server with a wildcard as its common name",
    healthy(client="not-requested", expect={"wildcard-on-sip": "error"}, never=("server-name-mismatch",)),
    stacks=["openssl"],
    how="s_server on 5061 with CN *.example.com and SAN example.com, *.example.com",
)
def wildcard_as_common_name(lab: Lab) -> None:
    """The web server's certificate on a SIP server: not supported for any role."""
    serve_names(lab, "example.com", "*.example.com", common="*.example.com")


@case(
    "wildcard-web.pcap",
    "a wildcard certificate on a web server",
    healthy(client="not-requested", never=("wildcard-on-sip", "wildcard-before-fqdn", "server-name-mismatch")),
    stacks=["openssl"],
    how="s_server on 8443 with CN and SAN *.example.com, SAN example.com; s_client asks for www.example.com",
)
def wildcard_web(lab: Lab) -> None:
    """Where wildcards belong."""
    serve_names(lab, "*.example.com", "example.com", common="*.example.com", port=8443, asked="www.example.com")


@case(
    "wildcard-before-fqdn.pcap",
    "a wildcard before the full name in the alternative names",
    healthy(client="not-requested", expect={"wildcard-before-fqdn": "warning"}, never=("wildcard-on-sip",)),
    stacks=["openssl"],
    how="s_server with CN sip.example.com and SAN *.example.com, sip.example.com in this order",
)
def wildcard_before_fqdn(lab: Lab) -> None:
    """The full name is there, but after the wildcard: some phones stop at the first."""
    serve_names(lab, "*.example.com", NAME)


@case(
    "wildcard-after-fqdn.pcap",
    "a wildcard after the full name in the alternative names",
    healthy(client="not-requested", never=("wildcard-before-fqdn", "wildcard-on-sip", "server-name-mismatch")),
    stacks=["openssl"],
    how="s_server with CN sip.example.com and SAN sip.example.com, *.example.com in this order",
)
def wildcard_after_fqdn(lab: Lab) -> None:
    """As it should be."""
    serve_names(lab, NAME, "*.example.com")


@case(
    "short-name.pcap",
    "a name without a dot among the alternative names",
    healthy(client="not-requested", expect={"short-name": "warning or note"}, never=("server-name-mismatch",)),
    stacks=["openssl"],
    how="s_server with SAN sip.example.com, edge01",
)
def short_name(lab: Lab) -> None:
    """A host of a workgroup without a primary DNS suffix."""
    serve_names(lab, NAME, "edge01")


def many(count: int) -> tuple[str, ...]:
    """The usual name, and as many of customers."""
    return (NAME, *(f"sip.customer-{number:04d}.example.org" for number in range(count)))


@case(
    "san-over-1024.pcap",
    "alternative names of more than 1,024 bytes",
    healthy(client="not-requested", expect={"san-too-large": "note"}),
    stacks=["openssl"],
    how="s_server with 50 names in its SAN",
)
def san_over_1024(lab: Lab) -> None:
    """A hoster with fifty SIP domains: an old limit is passed."""
    serve_names(lab, *many(50))


@case(
    "san-over-4096.pcap",
    "alternative names of more than 4,096 bytes",
    healthy(client="not-requested", expect={"san-too-large": "warning"}, never=("message-over-limit",)),
    stacks=["openssl"],
    how="s_server with 160 names in its SAN",
)
def san_over_4096(lab: Lab) -> None:
    """More than a CA of Windows can issue without being told so."""
    serve_names(lab, *many(160))


@case(
    "server-chain-40k.pcap",
    "a server certificate that makes the Certificate message larger than 32,768 bytes",
    healthy(
        client="not-requested",
        expect={"message-over-limit": "warning", "san-too-large": "warning"},
    ),
    stacks=["openssl"],
    how="s_server with 1,200 names in its SAN",
)
def server_chain_40k(lab: Lab) -> None:
    """OpenSSL reads it; Schannel gives up at 32 KB."""
    serve_names(lab, *many(1200))
