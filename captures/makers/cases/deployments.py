"""What only shows when several hosts, names or roles are seen together."""

from __future__ import annotations

import datetime as dt
import sys
import time

from captures.makers import clocks
from captures.makers.case import Across, case, failed, healthy
from captures.makers.dns import ask, name_server
from captures.makers.lab import NAME, Lab
from captures.makers.pki import VALID, Identity
from captures.makers.scripted import client_context

FIRST, SECOND = "192.0.2.21", "192.0.2.22"
ROLES = ("role-name-missing", "sip-domain-missing", "edge-internal-san")
POOLS = ("pool-members-differ", "old-and-new-certificate", "certificate-shared-across-roles")
TLS12 = ("-tls1_2",)

TOPOLOGY = """\
product = "sfb-2015"
sip_domains = ["example.com", "example.org"]

[simple_urls]
meet = ["https://meet.example.com", "https://meet.example.org"]
dialin = "https://dialin.example.com"
admin = "https://admin.example.com"

[[pool]]
fqdn = "pool01.corp.example.com"
role = "front-end"
internal_web = "webint.corp.example.com"
external_web = "webext.example.com"

[[host]]
fqdn = "fe01.corp.example.com"
pool = "pool01.corp.example.com"
addresses = ["192.0.2.30"]

[[pool]]
fqdn = "edge.corp.example.com"
role = "edge"
access = "sip.example.com"
web_conferencing = "webcon.example.com"
av = "av.example.com"

[[host]]
fqdn = "edge01.corp.example.com"
pool = "edge.corp.example.com"
internal = ["192.0.2.41"]
external = ["192.0.2.42"]
"""
FRONT_END, EDGE_INTERNAL, EDGE_EXTERNAL = "192.0.2.30", "192.0.2.41", "192.0.2.42"
POOL, EDGE = "pool01.corp.example.com", "edge.corp.example.com"
SIP_NAMES = ("sip.example.com", "sip.example.org")
WEB_NAMES = (
    "webint.corp.example.com",
    "webext.example.com",
    "meet.example.com",
    "meet.example.org",
    "dialin.example.com",
    "admin.example.com",
    "lyncdiscoverinternal.example.com",
    "lyncdiscoverinternal.example.org",
    "lyncdiscover.example.com",
    "lyncdiscover.example.org",
)
FRONT_END_NAMES = (POOL, "fe01.corp.example.com", *SIP_NAMES, *WEB_NAMES)
EDGE_NAMES = ("sip.example.com", "webcon.example.com", "sip.example.org")


def serve_at(lab: Lab, identity: Identity, where: str, *ports: int) -> None:
    """s_server at one more address."""
    lab.more_addresses(lab.server, where)
    for port in ports or (5061,):
        lab.openssl_server(identity, *TLS12, port=port, at=where)


def call(lab: Lab, where: str, name: str, port: int = 5061) -> None:
    """s_client without a certificate."""
    lab.openssl_client(None, *TLS12, to=where, name=name, port=port)


def place(lab: Lab, where: str, names: tuple[str, ...]) -> None:
    """One address of the topology with a certificate for these names, and one connection to it."""
    serve_at(lab, lab.pki.leaf(names, lab.pki.issuing), where)
    with lab.capture():
        call(lab, where, names[0])


@case(
    "role-name-missing.pcap",
    "the certificate of a front end lacks the server's own name",
    healthy(
        client="not-requested",
        expect={"role-name-missing": "error"},
        never=("sip-domain-missing", "edge-internal-san"),
    ),
    stacks=["openssl"],
    how="s_server at the front end's address with the pool's name, all SIP and web names, without fe01.corp.example.com",
    topology=TOPOLOGY,
)
def role_name_missing(lab: Lab) -> None:
    """Whoever set it up thought of the pool and forgot its member."""
    place(lab, FRONT_END, tuple(name for name in FRONT_END_NAMES if not name.startswith("fe01.")))


@case(
    "role-names-right.pcap",
    "the certificate of a front end has all names",
    healthy(client="not-requested", never=ROLES),
    stacks=["openssl"],
    how="as role-name-missing, with all names",
    topology=TOPOLOGY,
)
def role_names_right(lab: Lab) -> None:
    """Nothing to say."""
    place(lab, FRONT_END, FRONT_END_NAMES)


@case(
    "sip-domain-missing.pcap",
    "the certificate of the access edge lacks a SIP domain",
    healthy(
        client="not-requested",
        expect={"sip-domain-missing": "error"},
        never=("role-name-missing", "edge-internal-san"),
    ),
    stacks=["openssl"],
    how="s_server at the edge's external address with all names but sip.example.org",
    topology=TOPOLOGY,
)
def sip_domain_missing(lab: Lab) -> None:
    """The second SIP domain came later; its users cannot sign in from outside."""
    place(lab, EDGE_EXTERNAL, EDGE_NAMES[:2])


@case(
    "edge-external-right.pcap",
    "the certificate of the access edge has all names",
    healthy(client="not-requested", never=ROLES),
    stacks=["openssl"],
    how="as sip-domain-missing, with all names",
    topology=TOPOLOGY,
)
def edge_external_right(lab: Lab) -> None:
    """Nothing to say."""
    place(lab, EDGE_EXTERNAL, EDGE_NAMES)


@case(
    "edge-internal-san.pcap",
    "the certificate of the edge's internal side has more names than its own",
    healthy(
        client="not-requested",
        expect={"edge-internal-san": "error"},
        never=("role-name-missing", "sip-domain-missing"),
    ),
    stacks=["openssl"],
    how="s_server at the edge's internal address with edge.corp.example.com and pool01.corp.example.com",
    topology=TOPOLOGY,
)
def edge_internal_san(lab: Lab) -> None:
    """The edge's certificate speaks for the front end pool as well: who gets hold of the edge can pass for it."""
    place(lab, EDGE_INTERNAL, (EDGE, POOL))


@case(
    "edge-internal-san-own.pcap",
    "the certificate of the edge's internal side has the edge's external name too",
    healthy(
        client="not-requested",
        expect={"edge-internal-san": "warning or error"},
        never=("role-name-missing", "sip-domain-missing"),
    ),
    stacks=["openssl"],
    how="as edge-internal-san, with sip.example.com instead of the pool",
    topology=TOPOLOGY,
)
def edge_internal_san_own(lab: Lab) -> None:
    """Somebody wanted one certificate for both sides of the edge."""
    place(lab, EDGE_INTERNAL, (EDGE, "sip.example.com"))


@case(
    "edge-internal-right.pcap",
    "the certificate of the edge's internal side has its own name alone",
    healthy(client="not-requested", never=ROLES),
    stacks=["openssl"],
    how="as edge-internal-san, with edge.corp.example.com alone",
    topology=TOPOLOGY,
)
def edge_internal_right(lab: Lab) -> None:
    """Nothing to say."""
    place(lab, EDGE_INTERNAL, (EDGE,))


@case(
    "certificate-shared-across-roles.pcap",
    "one certificate on the access edge and on the front end",
    healthy(client="not-requested"),
    healthy(client="not-requested", stream=1),
    stacks=["openssl"],
    how="s_server at the edge's external address and at the front end's with one certificate for all their names",
    topology=TOPOLOGY,
    across=Across(expect={"certificate-shared-across-roles": "error"}, may=("pool-members-differ",)),
)
def certificate_shared_across_roles(lab: Lab) -> None:
    """It was bought once and put everywhere: the front end cannot tell what comes from outside."""
    names = tuple(dict.fromkeys((*EDGE_NAMES, *FRONT_END_NAMES)))
    shared = lab.pki.leaf(names, lab.pki.issuing)
    serve_at(lab, shared, EDGE_EXTERNAL)
    serve_at(lab, shared, FRONT_END)
    with lab.capture():
        call(lab, EDGE_EXTERNAL, "sip.example.com")
        call(lab, FRONT_END, POOL)


@case(
    "roles-with-own-certificates.pcap",
    "access edge, edge inside and front end, each with a certificate of its own",
    *(healthy(client="not-requested", stream=number, never=ROLES) for number in range(3)),
    stacks=["openssl"],
    how="s_server at three addresses of the topology, each with the names of its role",
    topology=TOPOLOGY,
    across=Across(never=POOLS),
)
def roles_with_own_certificates(lab: Lab) -> None:
    """As it should be."""
    places = {EDGE_EXTERNAL: EDGE_NAMES, EDGE_INTERNAL: (EDGE,), FRONT_END: FRONT_END_NAMES}
    for where, names in places.items():
        serve_at(lab, lab.pki.leaf(names, lab.pki.issuing), where)
    with lab.capture():
        for where, names in places.items():
            call(lab, where, names[0])


def pool_of_two(lab: Lab, second: Identity) -> None:
    """sip.example.com has two addresses; the second server has its own certificate."""
    serve_at(lab, lab.ours, FIRST)
    serve_at(lab, second, SECOND)
    name_server(lab, lab.server, {(NAME, "A"): FIRST})
    with lab.capture():
        ask(lab.client, NAME, "A")
        for where in (FIRST, SECOND):
            call(lab, where, NAME)


@case(
    "pool-members-differ.pcap",
    "two servers of one name with different certificates",
    healthy(client="not-requested"),
    healthy(client="not-requested", stream=1),
    stacks=["openssl"],
    how="s_server at 192.0.2.21 and .22, both called sip.example.com; another issuer, other names, other dates",
    across=Across(expect={"pool-members-differ": "warning"}, never=("old-and-new-certificate",)),
)
def pool_members_differ(lab: Lab) -> None:
    """One of the two was renewed at another CA: every second call meets it."""
    other = lab.pki.authority("Example Issuing CA 7", "Example Corporation", "pki.example.com", lab.pki.root)
    pool_of_two(lab, lab.pki.leaf((NAME, "edge02.example.com"), other, validity=(VALID[0], dt.datetime(2031, 1, 1))))


@case(
    "pool-members-same.pcap",
    "two servers of one name with the same certificate",
    healthy(client="not-requested"),
    healthy(client="not-requested", stream=1),
    stacks=["openssl"],
    how="as pool-members-differ, with the same certificate on both",
    across=Across(never=POOLS),
)
def pool_members_same(lab: Lab) -> None:
    """As a pool of edges has to be."""
    pool_of_two(lab, lab.ours)


@case(
    "old-and-new-certificate.pcap",
    "one server shows its old certificate on one port and its new one on another",
    *(healthy(client="not-requested", stream=number) for number in range(3)),
    stacks=["openssl"],
    how="s_server on 5061 with a leaf of 2022 to 2027 and on 443 with the same names of 2026 to 2036; 5061, 443, 5061",
    across=Across(expect={"old-and-new-certificate": "warning"}, never=("pool-members-differ",)),
)
def old_and_new_certificate(lab: Lab) -> None:
    """The certificate was replaced; the listener on 5061 still has the old one, and will have it when it ends."""
    names = (NAME, "edge01.example.com")
    old = lab.pki.leaf(names, lab.pki.issuing, validity=(dt.datetime(2022, 6, 1), dt.datetime(2027, 6, 1)))
    lab.openssl_server(old, *TLS12)
    lab.openssl_server(lab.ours, *TLS12, port=443)
    with lab.capture():
        for port in (5061, 443, 5061):
            lab.openssl_client(None, *TLS12, port=port)


FEDERATION = "_sipfederationtls._tcp.example.com"
FEDERATED = ("federation-srv-outside-domain", "federation-srv-cname")


def federate(lab: Lab, target: str, *, alias: str = "") -> None:
    """An edge looks for the federation partner of example.com, and calls where DNS sends it."""
    zone = {(FEDERATION, "SRV"): f"0 0 5061 {target}"}
    zone |= (
        {(target, "CNAME"): alias, (alias, "A"): lab.server_address} if alias else {(target, "A"): lab.server_address}
    )
    name_server(lab, lab.server, zone)
    lab.openssl_server(lab.pki.leaf((target,), lab.pki.issuing), *TLS12, ask="required")
    with lab.capture():
        ask(lab.client, FEDERATION, "SRV")
        ask(lab.client, target, "A")
        lab.openssl_client(lab.partner, *TLS12, name=target)


@case(
    "federation-srv-outside-domain.pcap",
    "the federation record of a domain names a host of another domain",
    healthy(),
    stacks=["openssl", "python"],
    how="scripted name server: SRV _sipfederationtls._tcp.example.com to sip.hoster.example.org; then mutual TLS to it",
    across=Across(expect={"federation-srv-outside-domain": "error"}, never=("federation-srv-cname",)),
)
def federation_srv_outside_domain(lab: Lab) -> None:
    """A hoster serves example.com under its own name. TLS works; open federation refuses such a target."""
    federate(lab, "sip.hoster.example.org")


@case(
    "federation-srv-cname.pcap",
    "the federation record of a domain names an alias",
    healthy(),
    stacks=["openssl", "python"],
    how="scripted name server: SRV to sip.example.com, which is a CNAME of edge.hoster.example.org",
    across=Across(expect={"federation-srv-cname": "error"}, never=("federation-srv-outside-domain",)),
)
def federation_srv_cname(lab: Lab) -> None:
    """The target is in the domain, but only as an alias."""
    federate(lab, "sip.example.com", alias="edge.hoster.example.org")


@case(
    "federation-srv-right.pcap",
    "the federation record of a domain names a host of that domain",
    healthy(),
    stacks=["openssl", "python"],
    how="scripted name server: SRV to sip.example.com, which has an address",
    across=Across(never=FEDERATED),
)
def federation_srv_right(lab: Lab) -> None:
    """As it should be."""
    federate(lab, "sip.example.com")


@case(
    "server-name-mismatch-dns.pcap",
    "no server name in the hello; DNS shows which name the client wanted",
    failed(
        ("server-name-mismatch", "sni-missing"),
        server_certificate_state="sent",
        alerts=(("client", 42),),
        expect={"server-name-mismatch": "error", "tls-alert": "error"},
        may=("sni-missing",),
        never=("untrusted-root", "server-chain-incomplete"),
    ),
    stacks=["openssl", "python"],
    how="s_client -noservername -connect sip.example.com:5061 -verify_hostname sip.example.com; the certificate is for "
    "www.example.com",
)
def server_name_mismatch_dns(lab: Lab) -> None:
    """The question for sip.example.com and its answer come right before the connection to that address."""
    name_server(lab, lab.server, {(NAME, "A"): lab.server_address})
    lab.openssl_server(lab.pki.leaf("www.example.com", lab.pki.issuing), *TLS12)
    with lab.capture():
        lab.openssl_client(None, *TLS12, "-verify_hostname", NAME, name=None, to=NAME)


@case(
    "clock-skew.pcap",
    "the server's clock is 17 minutes ahead of the client's",
    healthy(client="not-requested"),
    healthy(client="not-requested", stream=1),
    stacks=["python"],
    how="Python's ssl with SSL_MODE_SEND_SERVERHELLO_TIME under faketime +17m, and with SSL_MODE_SEND_CLIENTHELLO_TIME",
    across=Across(expect={"clock-skew": "note"}),
)
def clock_skew(lab: Lab) -> None:
    """Old stacks begin their randoms with the time. It works, as long as no certificate is that young."""
    own = (str(lab.ours.fullchain), str(lab.ours.key))
    words = (clocks.__file__, lab.server_address, "443", *own)
    lab.server.wait_for_port(443, lab.server.start("faketime", "-f", "+17m", sys.executable, *words))
    context = clocks.tell_time(client_context(None, lab.trusts(lab.pki.root)))
    with lab.capture():
        for _ in range(2):
            with lab.client.connect(lab.server_address, 443) as raw:
                secure = context.wrap_socket(raw, server_hostname=NAME)
                secure.sendall(b"hello\n")
                secure.recv(100)
                secure.unwrap()
            time.sleep(1)
