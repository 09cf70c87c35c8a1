"""Guessed topologies: what ports and certificates tell of servers, as TOML that can be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.connection import Connection
from analyzer.topology import guess as guessing
from analyzer.topology.guess import Guesser
from analyzer.topology.model import Topology
from analyzer.topology.plan import plan
from analyzer.topology.reading import parse_topology
from analyzer.topology.writing import guess_to_toml
from tests.build.connections import DATA, HANDSHAKE, TCP, connection
from tests.rules.cast import SUB, chain

CLIENT = "203.0.113.99"


def server(ip: str, port: int, *san: str, **facts: Any) -> Connection:
    """This address serves TLS on this port with this certificate; without names it was not seen."""
    sent = {"server_chain": chain(SUB.issue(san[0], san=list(san)))} if san else {}
    return connection(*HANDSHAKE, *DATA, server_ip=ip, server_port=port, client_ip=CLIENT, **(sent | facts))


def client(ip: str, *san: str, port: int = 5061) -> Connection:
    """This address shows this certificate as a client."""
    sent = chain(SUB.issue(san[0], san=list(san) if "." in san[0] else None))
    return connection(*HANDSHAKE, client_ip=ip, server_ip="198.51.100.77", server_port=port, client_chain=sent)


def text(*connections: Connection) -> str:
    guesser = Guesser()
    for conn in connections:
        guesser.see(conn)
    return guess_to_toml(guesser.guess())


def guess(*connections: Connection) -> Topology:
    """The guess, written and read again."""
    return parse_topology(text(*connections), "guess")


@pytest.mark.parametrize(
    ("seen", "label"),
    [
        pytest.param(
            [server("10.0.0.1", 5061, "fe1.corp.example"), server("10.0.0.1", 444)],
            "front end fe1.corp.example",
            id="conferencing services: a front end",
        ),
        pytest.param(
            [server("10.0.0.1", 443, "pool.corp.example", "lyncdiscoverinternal.lab.example")],
            "front end pool.corp.example",
            id="discovery inside: a front end",
        ),
        pytest.param([server("10.0.0.1", 8057, "edge1.corp.example")], "edge internal edge1.corp.example", id="PSOM"),
        pytest.param(
            [server("10.0.0.1", 5061, "sip.lab.example", "webcon.lab.example")],
            "edge external sip.lab.example",
            id="a certificate for sip.: an edge outside",
        ),
        pytest.param(
            [server("10.0.0.1", 5067, "med.corp.example")], "mediation server med.corp.example", id="mediation"
        ),
        pytest.param([server("10.0.0.1", 5082, "gw.corp.example")], "gateway gw.corp.example", id="a gateway"),
        pytest.param(
            [server("10.0.0.1", 443, "webext.lab.example", "meet.lab.example")],
            "reverse proxy webext.lab.example",
            id="simple URLs: a reverse proxy",
        ),
        pytest.param(
            [client("10.0.0.1", "sip.lab.example")], "edge external sip.lab.example", id="an edge as a client"
        ),
        pytest.param(
            [client("10.0.0.1", "app.corp.example")], "server app.corp.example", id="a client of no known role"
        ),
        pytest.param([server("10.0.0.1", 5061, "x.corp.example")], "server x.corp.example", id="SIP and nothing else"),
        pytest.param([server("10.0.0.1", 443, "www.lab.example")], "", id="a web server is left out"),
        pytest.param([server("10.0.0.1", 4443, "www.lab.example")], "", id="a weak sign alone is chance"),
        pytest.param([client("10.0.0.1", "alice@lab.example")], "", id="a user's certificate"),
        pytest.param([client("10.0.0.1", "fe1.corp.example", port=443)], "", id="a client where users come too"),
        pytest.param([server("10.0.0.1", 9999, "sip.lab.example")], "", id="a port of no deployment"),
        pytest.param([server("10.0.0.1", 5061, "sip.lab.example", preamble="HTTP CONNECT")], "", id="behind a proxy"),
        pytest.param([connection(*TCP, server_ip="10.0.0.1")], "", id="no TLS"),
    ],
)
def test_what_a_server_is_taken_for(seen: list[Connection], label: str) -> None:
    assert guess(*seen).label("10.0.0.1", 5061) == label


def test_servers_that_share_a_name_are_a_pool() -> None:
    names = ["pool.corp.example", "fe1.corp.example"]
    read = guess(
        server("10.0.0.1", 5061, *names),
        server("10.0.0.1", 444),
        server("10.0.0.2", 444, "pool.corp.example", "fe2.corp.example"),
    )
    assert read.pool("pool.corp.example").members == ("fe1.corp.example", "fe2.corp.example")
    assert read.label("10.0.0.2", 444) == "front end fe2.corp.example"


def test_a_wildcard_is_no_name_of_a_server() -> None:
    assert guess(server("10.0.0.1", 444, "*.corp.example")).label("10.0.0.1", 444) == "front end host-10-0-0-1.invalid"


def test_the_access_edge_is_the_name_that_looks_like_one() -> None:
    read = guess(client("10.0.0.1", "pool.corp.example"), server("10.0.0.1", 5061, "sip.lab.example"))
    assert read.pools[0].access == "sip.lab.example"


def test_domains_and_urls_are_read_from_names() -> None:
    read = guess(
        server("10.0.0.1", 5061, "sip.lab.example", "sip.two.example", "webcon.lab.example"),
        server(
            "10.0.0.2", 443, "web.lab.example", "meet.lab.example", "dialin.lab.example", "lyncdiscover.lab.example"
        ),
    )
    assert read.sip_domains == ("lab.example", "two.example")
    assert (read.meet, read.dialin, read.admin) == (("meet.lab.example",), ("dialin.lab.example",), ())
    assert read.pools[0].web_conferencing == "webcon.lab.example"


def test_every_entry_says_that_it_is_a_guess_and_from_what() -> None:
    told = text(server("10.0.0.1", 5061, "sip.lab.example"), server("10.0.0.2", 8057, "edge1.corp.example"))
    assert told.startswith("# A GUESS")
    assert "[[host]]  # guessed from: a certificate for the access edge (sip.lab.example)" in told
    assert "[[host]]  # guessed from: web conferencing for front ends (port 8057)" in told
    assert 'role = "edge"  # or "partner", if it is not yours' in told
    assert "# made up: the capture does not show its name" in told


def test_the_order_of_connections_does_not_matter() -> None:
    seen = [
        server("10.0.0.2", 5061, "sip.lab.example"),
        server("10.0.0.1", 444, "fe1.corp.example"),
        client("10.0.0.3", "app.corp.example"),
    ]
    assert text(*seen) == text(*reversed(seen))


def test_nothing_seen_is_said() -> None:
    told = text(connection(*TCP))
    assert "no server with a certificate" in told
    assert parse_topology(told).hosts == ()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "MAX_HOSTS", 3)
    monkeypatch.setattr(guessing, "MAX_NAMES", 4)
    many = [server(f"10.0.0.{n}", 5061, *(f"n{i}.corp.example" for i in range(9))) for n in range(1, 9)]
    told = text(*many)
    assert len(parse_topology(told).hosts) == 3
    assert "# 3 more addresses are left out" in told


def test_a_plan_of_made_up_names_warns() -> None:
    remarks = plan(guess(server("10.0.0.1", 5061, "sip.lab.example"))).remarks
    assert "host-10-0-0-1.invalid is a made-up name" in remarks[-1]


labels = st.text(alphabet='ab-_.*"\\\n#@é1', min_size=1, max_size=12)
addresses = st.integers(1, 5).map(lambda n: f"10.0.0.{n}") | st.integers(1, 3).map(lambda n: f"2001:db8::{n}")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            addresses, st.sampled_from([443, 444, 5061, 8057]), st.sampled_from(["sip.", "meet.", "", "x."]), labels
        ),
        max_size=6,
    )
)
def test_whatever_certificates_say_the_guess_can_be_read(seen: list[tuple[str, int, str, str]]) -> None:
    told = text(*(server(ip, port, f"{start}{name}.example", name) for ip, port, start, name in seen))
    assert parse_topology(told).file == "topology"
    assert told.isascii()


def test_a_made_up_name_that_somebody_has_is_not_given_twice() -> None:
    read = guess(
        server("10.0.0.1", 5061, "host-10-0-0-2.invalid", "shared.corp.example"),
        server("10.0.0.2", 444, "shared.corp.example"),
    )
    assert len({host.fqdn for host in read.hosts}) == 2
