"""A certificate is valid and its chain is whole, but it will not do everywhere: its uses, its CRL, its key, its digest."""

from __future__ import annotations

import datetime as dt
import socket
from typing import Any

from captures.makers.case import Expected, case, failed, healthy
from captures.makers.lab import NAME, Lab
from captures.makers.peers import HANDSHAKE, Record, Relay, inner_alert, relay_before_server, serve
from captures.makers.pki import ANY_USE, CLIENT_ONLY, SERVER_ONLY, VALID, Identity, Odd

BACKEND = 9061
PARTNER = "edge.example.net"
REFUSED = {"client-certificate-rejected": "error"}
WEAK = ("-tls1_2", "-cipher", "DEFAULT:@SECLEVEL=0")
LDAP = "ldap:///CN=Example%20Issuing%20CA%201,CN=CDP,DC=example,DC=com?certificateRevocationList?base"


def odd_server(lab: Lab, odd: Odd, **more: Any) -> Identity:
    """The server's usual certificate with one thing odd."""
    return lab.pki.leaf((NAME, "edge01.example.com"), lab.pki.issuing, odd=odd, **more)


def odd_client(lab: Lab, odd: Odd) -> Identity:
    """The partner's usual certificate with one thing odd."""
    return lab.pki.leaf(PARTNER, lab.pki.partner_issuing, odd=odd)


def mutual(lab: Lab, server: Identity, client: Identity | None, *options: str, port: int = 5061) -> None:
    """Two OpenSSL peers, TLS 1.2; the server insists on a certificate if the client has one."""
    options = options or ("-tls1_2",)
    lab.openssl_server(server, *options, port=port, ask="required" if client else "")
    with lab.capture():
        lab.openssl_client(client, *options, port=port)


def works(rule: str, severity: str = "warning", **more: Any) -> Expected:
    """It works here, and there is something to say about the certificate."""
    return healthy(**{"expect": {rule: severity}, **more})


@case(
    "certificate-expiring.pcap",
    "server certificate with ten days left",
    works("certificate-expiring"),
    stacks=["openssl"],
    how="s_server with a leaf that ends ten days after the capture",
)
def certificate_expiring(lab: Lab) -> None:
    """All is well, for ten more days."""
    soon = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=10)
    mutual(lab, odd_server(lab, Odd(), validity=(VALID[0], soon)), lab.partner)


@case(
    "eku-missing-client.pcap",
    "client certificate without clientAuth, refused",
    failed(
        "eku-missing",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 43),),
        expect={**REFUSED, "tls-alert": "error"},
        never=("untrusted-root", "client-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="s_client -cert with extendedKeyUsage serverAuth alone; s_server -Verify -verify_return_error",
)
def eku_missing_client(lab: Lab) -> None:
    """What public CAs issue today: a certificate for servers only. As a client it is refused: alert 43."""
    mutual(lab, lab.ours, odd_client(lab, Odd(eku=SERVER_ONLY)))


@case(
    "eku-missing-client-reset.pcap",
    "client certificate without clientAuth, answered with a bare RST",
    failed(
        "eku-missing",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={**REFUSED, "reset-during-handshake": "error"},
        never=("untrusted-root", "client-chain-incomplete"),
    ),
    stacks=["openssl", "python"],
    how="as eku-missing-client; a relay before s_server turns its alert into RST (SO_LINGER 0)",
)
def eku_missing_client_reset(lab: Lab) -> None:
    """The same as a Schannel application shows it."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required")
    relay_before_server(lab.server, BACKEND, 5061, inner_alert, "rst")
    with lab.capture():
        lab.openssl_client(odd_client(lab, Odd(eku=SERVER_ONLY)))


@case(
    "eku-missing-server.pcap",
    "server certificate without serverAuth, refused",
    failed(
        "eku-missing",
        version="TLSv1.2",
        server_certificate_state="sent",
        alerts=(("client", 43),),
        expect={"tls-alert": "error"},
        never=("untrusted-root", "server-chain-incomplete"),
    ),
    stacks=["openssl"],
    how="s_server with extendedKeyUsage clientAuth alone; s_client -verify_return_error",
)
def eku_missing_server(lab: Lab) -> None:
    """Somebody took the certificate of a client for the server: alert 43."""
    mutual(lab, odd_server(lab, Odd(eku=CLIENT_ONLY)), None)


@case(
    "eku-server-only-works.pcap",
    "server certificate for servers only on the port of mutual TLS, and it works",
    works("eku-missing", "note"),
    stacks=["openssl"],
    how="s_server on 5061 with extendedKeyUsage serverAuth alone; the client's certificate has both",
)
def eku_server_only_works(lab: Lab) -> None:
    """Good as a server; when this host calls its partners with the same certificate, it will be refused."""
    mutual(lab, odd_server(lab, Odd(eku=SERVER_ONLY)), lab.partner)


@case(
    "eku-server-only-web.pcap",
    "server certificate for servers only on a web port",
    healthy(client="not-requested", never=("eku-missing", "crl-missing", "wildcard-on-sip")),
    stacks=["openssl"],
    how="s_server on 8443 with extendedKeyUsage serverAuth alone",
)
def eku_server_only_web(lab: Lab) -> None:
    """An ordinary web server: nothing is missing."""
    mutual(lab, odd_server(lab, Odd(eku=SERVER_ONLY)), None, port=8443)


@case(
    "eku-absent-or-any.pcap",
    "a certificate without extended key usage, and one for any",
    healthy(never=("eku-missing",)),
    stacks=["openssl"],
    how="s_server with a leaf without the extension, s_client with anyExtendedKeyUsage and clientAuth not named",
)
def eku_absent_or_any(lab: Lab) -> None:
    """No list of uses forbids none, and any means any. (OpenSSL wants clientAuth by name: it does not insist here.)"""
    lab.openssl_server(odd_server(lab, Odd(eku=())), "-tls1_2", ask="optional")
    with lab.capture():
        lab.openssl_client(odd_client(lab, Odd(eku=ANY_USE)))


@case(
    "key-usage-missing.pcap",
    "ECDHE with a certificate that may not sign, and it works",
    works("key-usage-missing"),
    stacks=["openssl"],
    how="s_server with keyUsage keyEncipherment alone; ECDHE needs digitalSignature, s_client does not look",
)
def key_usage_missing(lab: Lab) -> None:
    """Issued for RSA key exchange; with ECDHE the server signs with it, which its key usage does not allow."""
    mutual(lab, odd_server(lab, Odd(usage=("key_encipherment",))), lab.partner)


@case(
    "key-usage-missing-refused.pcap",
    "ECDHE with a certificate that may not sign, refused by Java",
    failed(
        "key-usage-missing",
        "warning or error",
        version="TLSv1.2",
        server_certificate_state="sent",
        expect={"tls-alert": "error"},
        never=("untrusted-root",),
    ),
    stacks=["openssl", "java"],
    how="as key-usage-missing with Client.java, which checks the key usage",
)
def key_usage_missing_refused(lab: Lab) -> None:
    """Java looks: KeyUsage does not allow digital signatures."""
    lab.openssl_server(odd_server(lab, Odd(usage=("key_encipherment",))), "-tls1_2")
    with lab.capture():
        lab.java_client(None, "protocol=TLSv1.2")


@case(
    "crl-missing.pcap",
    "certificates without CRL distribution points on the port of SIP",
    works("crl-missing", "error"),
    stacks=["openssl"],
    how="s_server and s_client with leaves without cRLDistributionPoints on 5061",
)
def crl_missing(lab: Lab) -> None:
    """OpenSSL does not ask for revocation lists. Lync does: without any it refuses."""
    mutual(lab, odd_server(lab, Odd(crl=())), odd_client(lab, Odd(crl=())))


@case(
    "crl-missing-web.pcap",
    "a certificate without CRL distribution points on a web port",
    works("crl-missing", client="not-requested"),
    stacks=["openssl"],
    how="s_server with a leaf without cRLDistributionPoints on 8443",
)
def crl_missing_web(lab: Lab) -> None:
    """The same where it matters less."""
    mutual(lab, odd_server(lab, Odd(crl=())), None, port=8443)


@case(
    "crl-ldap-only.pcap",
    "a CRL that is to be had over LDAP only",
    works("crl-ldap-only", never=("crl-missing",)),
    stacks=["openssl"],
    how="s_server with a leaf whose only cRLDistributionPoint is an ldap URL, as AD CS writes it by default",
)
def crl_ldap_only(lab: Lab) -> None:
    """Inside the domain that works; an edge or a partner has no way to that directory."""
    mutual(lab, odd_server(lab, Odd(crl=(LDAP,))), lab.partner)


@case(
    "weak-key.pcap",
    "server certificate with RSA 1024, accepted",
    works("weak-key"),
    stacks=["openssl"],
    how="s_server with an RSA key of 1024 bits; both sides -cipher DEFAULT:@SECLEVEL=0",
)
def weak_key(lab: Lab) -> None:
    """Peers of today's defaults refuse it."""
    mutual(lab, odd_server(lab, Odd(bits=1024)), lab.partner, *WEAK)


@case(
    "weak-key-refused.pcap",
    "server certificate with RSA 1024, refused",
    failed(
        "weak-key",
        "warning or error",
        version="TLSv1.2",
        server_certificate_state="sent",
        expect={"tls-alert": "error"},
        never=("untrusted-root",),
    ),
    stacks=["openssl"],
    how="s_server -cipher DEFAULT:@SECLEVEL=0 with an RSA key of 1024 bits; s_client with its defaults",
)
def weak_key_refused(lab: Lab) -> None:
    """The client's security level is 2: the key is too small."""
    lab.openssl_server(odd_server(lab, Odd(bits=1024)), *WEAK)
    with lab.capture():
        lab.openssl_client(None, "-tls1_2", "-cipher", "DEFAULT:@SECLEVEL=2")


@case(
    "weak-signature-sha1.pcap",
    "certificates signed with SHA-1, accepted",
    works("weak-signature"),
    stacks=["openssl"],
    how="s_server and s_client with leaves signed with SHA-1; both sides -cipher DEFAULT:@SECLEVEL=0",
)
def weak_signature_sha1(lab: Lab) -> None:
    """From a CA that was never switched to SHA-256."""
    mutual(lab, odd_server(lab, Odd(digest="sha1")), odd_client(lab, Odd(digest="sha1")), *WEAK)


@case(
    "weak-signature-md5-refused.pcap",
    "client certificate signed with MD5, refused",
    failed(
        ("weak-signature", "signature-scheme-mismatch"),
        version="TLSv1.2",
        client_certificate_state="sent",
        expect={**REFUSED, "tls-alert": "error", "weak-signature": "warning or error"},
        may=("signature-scheme-mismatch",),
        never=("untrusted-root",),
    ),
    stacks=["openssl"],
    how="s_client -cipher DEFAULT:@SECLEVEL=0 with a leaf signed with MD5; s_server with security level 2",
)
def weak_signature_md5_refused(lab: Lab) -> None:
    """A very old CA: the server's security level does not take MD5."""
    lab.openssl_server(lab.ours, "-tls1_2", "-cipher", "DEFAULT:@SECLEVEL=2", ask="required")
    with lab.capture():
        lab.openssl_client(odd_client(lab, Odd(digest="md5")), *WEAK)


@case(
    "rsa-pss-signature.pcap",
    "server certificate signed with RSASSA-PSS",
    works("rsa-pss-signature"),
    stacks=["openssl"],
    how="s_server with a leaf signed with RSASSA-PSS and SHA-256, on 5061",
)
def rsa_pss_signature(lab: Lab) -> None:
    """A CA with the alternate signature algorithm switched on. OpenSSL is content; Lync and Skype for Business are not."""
    mutual(lab, odd_server(lab, Odd(digest="pss")), lab.partner)


@case(
    "certificate-unreadable.pcap",
    "server certificate with damaged DER",
    failed(
        "certificate-unreadable",
        version="TLSv1.2",
        server_certificate_state="sent",
        expect={"tls-alert": "error"},
        never=("chain-link-broken", "server-chain-incomplete", "untrusted-root"),
    ),
    stacks=["openssl", "python"],
    how="a relay before s_server changes the tag of the leaf's first date; s_client",
)
def certificate_unreadable(lab: Lab) -> None:
    """Something on the way, or a bad tool, broke the certificate: the client cannot read it and says so."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND)

    def talk(outer: socket.socket) -> None:
        Relay(outer, lab.server.connect("127.0.0.1", BACKEND), lambda _: "", "fin", damage=first_date).run()

    serve(lab.server.listen("0.0.0.0", 5061), talk)
    with lab.capture():
        lab.openssl_client(None)


UTC_TIME, NO_TIME = b"\x30\x1e\x17\x0d", b"\x30\x1e\x1f\x0d"


def first_date(seen: list[Record], record: bytes) -> bytes:
    """In the server's Certificate message: notBefore of the leaf gets a tag that nobody uses."""
    first_certificate = seen[-1][:2] == ("inner", HANDSHAKE) and record[5] == 11
    return record.replace(UTC_TIME, NO_TIME, 1) if first_certificate else record
