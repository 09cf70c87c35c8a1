"""The list of CA names in the server's request: cut, long, empty, without the client's CA."""

from __future__ import annotations

from captures.makers.ca_lists import long_list
from captures.makers.case import case, failed, healthy, healthy13
from captures.makers.lab import Lab
from captures.makers.peers import Until, inner_alert, never, relay_before_server, serve
from captures.makers.pki import Authority
from captures.makers.scripted import echo, server_context

BACKEND = 9061
REFUSED = {"client-certificate-rejected": "error"}


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
    "ca-list-truncated-12288.pcap",
    "CA list cut just under 12,288 bytes, the client's root is missing, alert",
    failed(
        "ca-list-truncated",
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(("server", 48),),
        expect={**REFUSED, "tls-alert": "error"},
        may=("client-issuer-not-in-ca-list", "ca-list-too-long", "untrusted-root"),
    ),
    stacks=["openssl"],
    how="s_server -CAfile with as many roots as fit in 12,288 bytes; the client's is not among them",
)
def ca_list_truncated_12288(lab: Lab) -> None:
    """The older limit of Schannel. The client sends its certificate all the same; the server cannot trust it."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required", trust=long_list(lab.folder / "roots.pem", limit=12288))
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "ca-list-150-names.pcap",
    "150 CA names, too long for some peers, but it works here",
    healthy(expect={"ca-list-too-long": "warning"}, never=("ca-list-truncated",)),
    stacks=["openssl"],
    how="s_server -CAfile with 150 roots, the client's among them",
)
def ca_list_150_names(lab: Lab) -> None:
    """A root store that has grown; this client's root is still on the list."""
    roots = long_list(lab.folder / "roots.pem", count=150, first=(lab.pki.partner_root,))
    lab.openssl_server(lab.ours, "-tls1_2", ask="required", trust=roots)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "ca-list-330-names.pcap",
    "330 CA names over several records, and it works",
    healthy(expect={"ca-list-too-long": "warning", "message-over-limit": "warning"}, never=("ca-list-truncated",)),
    stacks=["openssl"],
    how="s_server -CAfile with 330 roots, the client's among them",
)
def ca_list_330_names(lab: Lab) -> None:
    """As many roots as the update of December 2012 brought: over 32 KB, three records. Schannel could not take it."""
    roots = long_list(lab.folder / "roots.pem", count=330, first=(lab.pki.partner_root,))
    lab.openssl_server(lab.ours, "-tls1_2", ask="required", trust=roots)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "ca-list-330-names-13.pcap",
    "330 CA names in TLS 1.3, encrypted",
    healthy13(),
    stacks=["openssl"],
    how="as ca-list-330-names with -tls1_3",
)
def ca_list_330_names_13(lab: Lab) -> None:
    """The same list in TLS 1.3: nobody outside can read it, and the flight of the server is large."""
    roots = long_list(lab.folder / "roots.pem", count=330, first=(lab.pki.partner_root,))
    lab.openssl_server(lab.ours, "-tls1_3", ask="required", trust=roots)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "ca-list-empty.pcap",
    "a request without CA names, and it works",
    healthy(expect={"ca-list-empty": "note"}),
    stacks=["python", "openssl"],
    how="Python's ssl as server with CERT_REQUIRED, which sends an empty list; s_client -cert",
)
def ca_list_empty(lab: Lab) -> None:
    """No names means that any CA may do; the client has but one certificate and sends it."""
    serve(lab.server.listen("0.0.0.0", 5061), echo(server_context(lab.ours, trust=lab.trusts())))
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "client-issuer-not-listed-works.pcap",
    "the client's issuer is not on the list, and the server takes it",
    healthy(expect={"client-issuer-not-in-ca-list": "warning"}),
    stacks=["openssl"],
    how="s_server -CAfile (the list) with Example Root CA only, -verifyCAfile with both roots",
)
def client_issuer_not_listed_works(lab: Lab) -> None:
    """The list and the trust of the server differ. This client ignores the list; one that honours it would send none."""
    both = str(lab.trusts())
    lab.openssl_server(lab.ours, "-tls1_2", "-verifyCAfile", both, ask="required", trust=lab.trusts(lab.pki.root))
    with lab.capture():
        lab.openssl_client(lab.partner)


POLLUTED = ("ca-list-polluted", "ca-list-names-intermediate")


def like_windows(lab: Lab, *trust: Authority, until: Until = inner_alert) -> None:
    """s_server that trusts these; a relay packs its messages into one record, and resets instead of an alert."""
    lab.openssl_server(lab.ours, "-tls1_2", port=BACKEND, ask="required", trust=lab.trusts(*trust))
    relay_before_server(lab.server, BACKEND, 5061, until, "rst" if until is inner_alert else "fin", pack=True)


@case(
    "ca-list-polluted.pcap",
    "the list names nothing but an intermediate, the client finds no match and sends none",
    failed(
        ("ca-list-polluted", "client-certificate-missing"),
        version="TLSv1.2",
        client_certificate_state="empty",
        alerts=(),
        expect={
            "ca-list-polluted": "error",
            "client-certificate-missing": "error",
            "reset-during-handshake": "error",
        },
        never=("ca-list-truncated", "ca-list-too-long", "ca-list-names-intermediate"),
    ),
    stacks=["openssl", "java", "python"],
    how="s_server -CAfile with Example Issuing CA 1 alone; a relay packs its messages into one record, as Schannel does, "
    "and resets instead of the alert; Java's client honours the list",
)
def ca_list_polluted(lab: Lab) -> None:
    """Somebody put the issuing CA into the store of roots. Windows sends only the names of such CAs then, and every
    partner is left out: no match, an empty Certificate, RST."""
    like_windows(lab, lab.pki.issuing)
    with lab.capture():
        lab.java_client(lab.partner, "protocol=TLSv1.2")


@case(
    "ca-list-polluted-refused.pcap",
    "the list names nothing but an intermediate, the client sends its certificate all the same",
    failed(
        ("ca-list-polluted", "client-issuer-not-in-ca-list"),
        version="TLSv1.2",
        client_certificate_state="sent",
        alerts=(),
        expect={**REFUSED, "ca-list-polluted": "error", "reset-during-handshake": "error"},
        may=("client-issuer-not-in-ca-list", "untrusted-root"),
        never=("ca-list-names-intermediate", "client-chain-incomplete"),
    ),
    stacks=["openssl", "python"],
    how="as ca-list-polluted with s_client, which does not care for the list",
)
def ca_list_polluted_refused(lab: Lab) -> None:
    """The store that made the list judges the certificate as well."""
    like_windows(lab, lab.pki.issuing)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "ca-list-names-intermediate.pcap",
    "an intermediate among the roots of a list that looks like that of Windows, and it works",
    healthy(expect={"ca-list-names-intermediate": "warning"}, never=("ca-list-polluted",)),
    stacks=["openssl", "python"],
    how="s_server -CAfile with both roots, Example Issuing CA 1 and a CA of the name of Microsoft's root, behind a relay "
    "that packs its messages into one record",
)
def ca_list_names_intermediate(lab: Lab) -> None:
    """It works, as long as nobody asks Windows: with that store it would name the intermediate alone."""
    pki = lab.pki
    microsoft = pki.authority("Microsoft Root Certificate Authority", "Example Namesake", "pki.example.org")
    like_windows(lab, pki.root, pki.partner_root, pki.issuing, microsoft, until=never)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "ca-list-names-intermediate-openssl.pcap",
    "an intermediate among the roots of an OpenSSL server",
    healthy(expect={"ca-list-names-intermediate": "note"}, never=("ca-list-polluted",)),
    stacks=["openssl"],
    how="s_server -CAfile with both roots and Example Issuing CA 1",
)
def ca_list_names_intermediate_openssl(lab: Lab) -> None:
    """Here that is allowed, and may be meant."""
    trust = lab.trusts(lab.pki.root, lab.pki.partner_root, lab.pki.issuing)
    lab.openssl_server(lab.ours, "-tls1_2", ask="required", trust=trust)
    with lab.capture():
        lab.openssl_client(lab.partner)


@case(
    "ca-list-one-root.pcap",
    "a list of one root",
    healthy(never=(*POLLUTED, "client-issuer-not-in-ca-list")),
    stacks=["openssl"],
    how="s_server -CAfile with Partner Root CA alone",
)
def ca_list_one_root(lab: Lab) -> None:
    """Short, and right: only this partner is wanted."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required", trust=lab.trusts(lab.pki.partner_root))
    with lab.capture():
        lab.openssl_client(lab.partner)
