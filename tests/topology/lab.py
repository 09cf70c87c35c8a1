"""The deployment that the tests of topologies share: a front end pool of two, an edge pool, a partner."""

from __future__ import annotations

from analyzer.topology.model import Topology
from analyzer.topology.reading import parse_topology

LAB = """\
product = "sfb-2015"
sip_domains = ["lab.example", "two.example"]
trusted_applications = ["app.corp.example"]
[simple_urls]
meet = ["https://meet.lab.example", "https://meet.two.example"]
dialin = "https://dialin.lab.example"

[[pool]]
fqdn = "pool.corp.example"
role = "front-end"
internal_web = "webint.corp.example"
external_web = "webext.lab.example"
addresses = ["10.0.0.10"]
automatic_sign_in = true

[[host]]
fqdn = "fe1.corp.example"
pool = "pool.corp.example"
addresses = ["10.0.0.11"]
trust = ["stores/fe1.sst", "stores/extra"]

[[host]]
fqdn = "fe2.corp.example"
pool = "pool.corp.example"
addresses = ["10.0.0.12", "2001:db8::12"]

[[pool]]
fqdn = "edge.corp.example"
role = "edge"
access = "sip.lab.example"
web_conferencing = "webcon.lab.example"
av = "av.lab.example"

[[host]]
fqdn = "edge1.corp.example"
pool = "edge.corp.example"
internal = ["10.0.1.21"]
external = ["192.0.2.21", "203.0.113.21"]

[[host]]
fqdn = "rp.lab.example"
role = "reverse-proxy"
addresses = ["192.0.2.30:443", "[2001:db8::30]:443"]

[[host]]
fqdn = "um.corp.example"
role = "exchange-um"
addresses = ["10.0.0.40"]

[[host]]
fqdn = "sip.partner.example"
role = "partner"
addresses = ["198.51.100.5"]
"""


def lab(*changes: tuple[str, str]) -> Topology:
    """The lab's topology, with some texts of its file replaced. Each has to be there."""
    text = LAB
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return parse_topology(text, "lab.toml")
