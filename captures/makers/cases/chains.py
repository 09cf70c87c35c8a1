"""What is sent above the leaf: too much, too little, of another generation; and roots that the other side lacks."""

from __future__ import annotations

from captures.makers.case import case, failed, healthy
from captures.makers.lab import NAME, Lab
from captures.makers.peers import inner_alert, outer_finished, relay_before_server
from captures.makers.pki import EXPIRED, Identity, Odd

BACKEND = 9061
REFUSED = {"client-certificate-rejected": "error"}


def server_sends(lab: Lab, *certificates: bytes) -> Identity:
    """The usual server certificate with these behind it."""
    return lab.pki.sending(lab.ours, *certificates)


def tls12(lab: Lab, server: Identity, client: Identity | None = None) -> None:
    """One TLS 1.2 connection; the client trusts Example Root CA."""
    lab.openssl_server(server, "-tls1_2", ask="required" if client else "")
    with lab.capture():
        lab.openssl_client(client)


@case(
    "chain-unrelated-certificate.pcap",
    "a certificate in the server's chain that belongs to no link",
    healthy(
        expect={"chain-unrelated-certificate": "warning"},
        never=("chain-order", "server-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="s_server -cert_chain with its intermediate and the other company's; the server's list of CAs names its root",
)
def chain_unrelated(lab: Lab) -> None:
    """Somebody put the partner's intermediate into the chain file. OpenSSL passes over it; strict peers stop. That the
    chain is whole without it can be seen: its upper issuer is a root on the server's own list."""
    tls12(lab, server_sends(lab, lab.pki.issuing.pem(), lab.pki.partner_issuing.pem()), lab.partner)


@case(
    "chain-duplicate.pcap",
    "the leaf is twice in the server's chain",
    healthy(
        client="not-requested",
        expect={"chain-unrelated-certificate": "note"},
        never=("chain-order", "server-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="s_server -cert_chain with the leaf again, then the intermediate",
)
def chain_duplicate(lab: Lab) -> None:
    """The usual mistake with configuration files that want the chain without the leaf."""
    tls12(lab, server_sends(lab, lab.ours.cert.read_bytes(), lab.pki.issuing.pem()))


@case(
    "chain-link-broken.pcap",
    "the intermediate has the right name and another key, refused",
    failed(
        "chain-link-broken",
        version="TLSv1.2",
        server_certificate_state="sent",
        expect={"tls-alert": "error"},
        may=("server-chain-incomplete",),
        never=("untrusted-root",),
    ),
    stacks=["openssl"],
    how="s_server -cert_chain with a namesake of its issuing CA, below the same root; s_client knows the root only",
)
def chain_link_broken(lab: Lab) -> None:
    """The CA was renewed with a new key; the leaf is of the old generation, the intermediate of the new one."""
    tls12(lab, server_sends(lab, lab.pki.namesake(lab.pki.issuing).pem()))


@case(
    "chain-link-broken-no-ids.pcap",
    "the same without key identifiers: only the signature tells",
    failed(
        "chain-link-broken",
        version="TLSv1.2",
        server_certificate_state="sent",
        expect={"tls-alert": "error"},
        may=("server-chain-incomplete",),
        never=("untrusted-root",),
    ),
    stacks=["openssl"],
    how="as chain-link-broken with a leaf that has no authority key identifier",
)
def chain_link_broken_no_ids(lab: Lab) -> None:
    """Names match, and nothing but the signature shows that this CA did not issue the leaf."""
    leaf = lab.pki.leaf(NAME, lab.pki.issuing, odd=Odd(authority_key=False))
    tls12(lab, lab.pki.sending(leaf, lab.pki.namesake(lab.pki.issuing).pem()))


@case(
    "chain-link-broken-client.pcap",
    "the client's intermediate is of another generation, answered with a bare RST",
    failed(
        "chain-link-broken",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={**REFUSED, "reset-during-handshake": "error"},
        may=("client-chain-incomplete",),
        never=("untrusted-root", "client-issuer-not-in-ca-list"),
    ),
    stacks=["openssl", "python"],
    how="s_client -cert_chain with a namesake of its issuing CA; a relay before s_server resets instead of the alert",
)
def chain_link_broken_client(lab: Lab) -> None:
    """The same on the client's side, as a Windows server answers it."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, inner_alert, "rst")
    with lab.capture():
        lab.openssl_client(lab.pki.sending(lab.partner, lab.pki.namesake(lab.pki.partner_issuing).pem()))


@case(
    "chain-two-generations.pcap",
    "both generations of the intermediate are sent, and it works",
    healthy(
        client="not-requested",
        expect={"chain-unrelated-certificate": "warning or note"},
        never=("chain-link-broken", "server-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="s_server -cert_chain with a namesake of its issuing CA, then the right one",
)
def chain_two_generations(lab: Lab) -> None:
    """One of the two signed the leaf: the link is there, the other one is only too many."""
    tls12(lab, server_sends(lab, lab.pki.namesake(lab.pki.issuing).pem(), lab.pki.issuing.pem()))


@case(
    "root-sent.pcap",
    "the root is in both chains",
    healthy(
        expect={"root-sent": "note"},
        never=("self-signed", "chain-unrelated-certificate", "untrusted-root"),
    ),
    stacks=["openssl"],
    how="s_server and s_client -cert_chain with intermediate and root",
)
def root_sent(lab: Lab) -> None:
    """Not wrong, only useless: nobody trusts a root because it was sent."""
    pki = lab.pki
    client = pki.sending(lab.partner, pki.partner_issuing.pem(), pki.partner_root.pem())
    tls12(lab, server_sends(lab, pki.issuing.pem(), pki.root.pem()), client)


@case(
    "root-sent-untrusted.pcap",
    "the root is in the server's chain, and the client does not know it",
    failed(
        "untrusted-root",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 48),),
        expect={"tls-alert": "error", "root-sent": "note"},
        never=("self-signed", "server-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="as root-sent; s_client -CAfile with Partner Root CA only",
)
def root_sent_untrusted(lab: Lab) -> None:
    """Alert 48: the root came along, and that does not help."""
    lab.openssl_server(server_sends(lab, lab.pki.issuing.pem(), lab.pki.root.pem()), "-tls1_2")
    with lab.capture():
        lab.openssl_client(None, trust=lab.trusts(lab.pki.partner_root))


@case(
    "client-root-listed-not-trusted.pcap",
    "the client's root is on the list of the server and not in its store",
    failed(
        "untrusted-root",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 48),),
        expect={**REFUSED, "tls-alert": "error"},
        never=("client-issuer-not-in-ca-list", "client-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="s_server -CAfile (the list) with both roots, -verifyCAfile with Example Root CA alone",
)
def client_root_listed_not_trusted(lab: Lab) -> None:
    """The list is sent from one store, the certificate is judged by another: alert 48."""
    ours = str(lab.trusts(lab.pki.root))
    lab.openssl_server(lab.ours, "-tls1_2", "-verifyCAfile", ours, "-no-CApath", "-no-CAstore", ask="required")
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "cross-certificate-expired.pcap",
    "the cross certificate at the end of the chain has expired, and it works",
    healthy(
        expect={"certificate-expired": "note"},
        never=("server-chain-incomplete", "chain-unrelated-certificate", "chain-order", "untrusted-root"),
    ),
    stacks=["openssl"],
    how="s_server -cert_chain with its intermediate and Example Root CA as certified by an older root until 2025; "
    "s_client trusts Example Root CA itself; the server's list names it",
)
def cross_certificate_expired(lab: Lab) -> None:
    """As in May 2020 with AddTrust: the old way up has ended, the new one ends at a root that is well known. Peers that
    try the sent way only stop here."""
    old = lab.pki.authority("Legacy Root CA", "Example Legacy Trust", "pki.example.org")
    crossed = lab.pki.crossed(lab.pki.root, old, EXPIRED)
    tls12(lab, server_sends(lab, lab.pki.issuing.pem(), crossed.pem()), lab.partner)


@case(
    "cross-certificate-expired-root-sent.pcap",
    "an expired cross certificate and the root itself are in the chain, and it works",
    healthy(
        expect={"certificate-expired": "note", "root-sent": "note"},
        never=("server-chain-incomplete", "chain-link-broken", "untrusted-root", "self-signed"),
    ),
    stacks=["openssl"],
    how="as cross-certificate-expired, with Example Root CA itself behind the cross certificate",
)
def cross_certificate_expired_root_sent(lab: Lab) -> None:
    """Both ways up can be seen: one has ended, the other is good."""
    old = lab.pki.authority("Legacy Root CA", "Example Legacy Trust", "pki.example.org")
    crossed = lab.pki.crossed(lab.pki.root, old, EXPIRED)
    tls12(lab, server_sends(lab, lab.pki.issuing.pem(), crossed.pem(), lab.pki.root.pem()), lab.partner)


@case(
    "cross-certificate-valid.pcap",
    "a valid cross certificate at the end of the chain",
    healthy(never=("server-chain-incomplete", "chain-unrelated-certificate", "chain-link-broken", "untrusted-root")),
    stacks=["openssl"],
    how="as cross-certificate-expired with a cross certificate that is valid",
)
def cross_certificate_valid(lab: Lab) -> None:
    """Two ways up, both good."""
    old = lab.pki.authority("Legacy Root CA", "Example Legacy Trust", "pki.example.org")
    crossed = lab.pki.crossed(lab.pki.root, old, (EXPIRED[0], old.certificate.not_valid_after_utc))
    tls12(lab, server_sends(lab, lab.pki.issuing.pem(), crossed.pem()), lab.partner)


@case(
    "client-name-not-allowed.pcap",
    "a good client certificate that the application does not like",
    failed(
        ("client-certificate-rejected", "tls-alert"),
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 49),),
        expect={**REFUSED, "tls-alert": "error"},
        never=("untrusted-root", "client-chain-incomplete", "client-issuer-not-in-ca-list"),
    ),
    stacks=["openssl", "python"],
    how="a relay before s_server answers the client's Finished with alert 49 (access_denied) and closes",
)
def client_name_not_allowed(lab: Lab) -> None:
    """The chain is good and trusted; the peer is not on the list of allowed partners: alert 49."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, outer_finished, "fin", last=b"\x15\x03\x03\x00\x02\x02\x31")
    with lab.capture():
        lab.openssl_client(lab.partner)
