"""CAs that allow only some names, uses or levels below them, and certificates that go beyond."""

from __future__ import annotations

from captures.makers.case import Expected, case, failed, healthy
from captures.makers.lab import NAME, Lab
from captures.makers.peers import inner_alert, relay_before_server
from captures.makers.pki import SERVER_ONLY, Authority, Identity, Limits

BACKEND = 9061
VIOLATED = "chain-constraint-violated"


def below(lab: Lab, common: str, limits: Limits) -> Authority:
    """One more CA of the server's company, with limits."""
    return lab.pki.authority(common, "Example Corporation", "pki.example.com", lab.pki.root, limits)


def shown(lab: Lab, identity: Identity) -> None:
    """The server shows this to a client that checks."""
    lab.openssl_server(identity, "-tls1_2")
    with lab.capture():
        lab.openssl_client(None)


def refused(code: int) -> Expected:
    """The client says no, and the reason is in the chain."""
    return failed(
        VIOLATED,
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", code),),
        expect={"tls-alert": "error"},
        never=("untrusted-root", "server-chain-incomplete"),
    )


@case(
    "ca-limits-names.pcap",
    "the CA may issue for example.org only, the server is in example.com",
    refused(46),
    stacks=["openssl"],
    how="s_server with a leaf below a CA with critical nameConstraints permitting example.org",
)
def ca_limits_names(lab: Lab) -> None:
    """The sub-CA of a sister company was used for a name that it must not certify."""
    other = below(lab, "Example Sister CA", Limits(names=("example.org",)))
    shown(lab, lab.pki.leaf(NAME, other))


@case(
    "ca-limits-names-right.pcap",
    "the CA may issue for example.com, and the server is in it",
    healthy(client="not-requested", never=(VIOLATED,)),
    stacks=["openssl"],
    how="as ca-limits-names with nameConstraints permitting example.com",
)
def ca_limits_names_right(lab: Lab) -> None:
    """Nothing to say."""
    other = below(lab, "Example Domain CA", Limits(names=("example.com",)))
    shown(lab, lab.pki.leaf(NAME, other))


@case(
    "ca-limits-levels.pcap",
    "one CA more than the upper one allows",
    refused(48),
    stacks=["openssl"],
    how="s_server with a leaf below two CAs, the upper one with pathLenConstraint 0",
)
def ca_limits_levels(lab: Lab) -> None:
    """A CA that may issue to servers only has made another CA."""
    upper = below(lab, "Example Lowest CA", Limits(levels=0))
    lower = lab.pki.authority("Example Basement CA", "Example Corporation", "pki.example.com", upper)
    shown(lab, lab.pki.leaf(NAME, lower))


@case(
    "ca-limits-uses-reset.pcap",
    "the client's CA may issue for servers only, answered with a bare RST",
    failed(
        VIOLATED,
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={"client-certificate-rejected": "error", "reset-during-handshake": "error"},
        never=("untrusted-root", "client-chain-incomplete", "eku-missing"),
    ),
    stacks=["openssl", "python"],
    how="s_client with a leaf for both uses below a CA with extendedKeyUsage serverAuth; a relay before s_server resets "
    "instead of the alert",
)
def ca_limits_uses_reset(lab: Lab) -> None:
    """The leaf says clientAuth, its CA does not: what public CAs do to their sub-CAs now."""
    limits = Limits(eku=SERVER_ONLY)
    issuer = lab.pki.authority("Partner Server CA", "Example Networks", "pki.example.net", lab.pki.partner_root, limits)
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, inner_alert, "rst")
    with lab.capture():
        lab.openssl_client(lab.pki.leaf("edge.example.net", issuer))
