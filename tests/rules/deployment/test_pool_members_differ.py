"""pool-members-differ: servers of one name side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection
from analyzer.findings import Confidence
from tests.build import beside, dns
from tests.build.connections import START_NS, client_hello
from tests.rules.cast import OTHER, SUB, chain, raw
from tests.rules.surveys import answer, finding, served, verdict, view

RULE = "pool-members-differ"
ONE, TWO, THREE = "198.51.100.1", "198.51.100.2", "198.51.100.3"
POOL = "pool.example"
DAY = 86_400
ALL = client_hello(server_name=POOL, supported_versions=(0x0304, 0x0303))


def of(*names: str, by: Any = SUB, **facts: Any) -> Any:
    """A certificate for the pool and these names."""
    return by.issue(POOL, san=[POOL, *names], **facts)


def dated(year: int) -> Any:
    return of(not_before=datetime(year, 1, 1, tzinfo=UTC), not_after=datetime(year + 2, 1, 1, tzinfo=UTC))


def member(
    ip: str, sent: Chain | None, at: float = 0, port: int = 5061, name: str | None = POOL, **facts: Any
) -> Connection:
    usual: dict[str, Any] = {"server_name": name, "server_port": port, "client_hello": client_hello(server_name=name)}
    return served(ip, at=at, server_chain=sent, **(usual | facts))


SHARED, NODE_1, NODE_2 = of(), of("node1.example"), of("node2.example")
GOOD = chain(SHARED, SUB)


@pytest.mark.parametrize(
    ("conns", "expected"),
    [
        pytest.param([member(ONE, GOOD), member(TWO, GOOD)], "silent", id="one certificate for all"),
        pytest.param(
            [member(ONE, chain(NODE_1, SUB)), member(TWO, chain(NODE_2, SUB))],
            "silent",
            id="each node has its own name too",
        ),
        pytest.param(
            [member(ONE, GOOD), member(TWO, chain(of(by=OTHER)), port=443)],
            "cannot tell",
            id="another port is another service",
        ),
        pytest.param(
            [member(ONE, GOOD), member(TWO, chain(of(by=OTHER)), at=3 * DAY)], "silent", id="another CA, days later"
        ),
        pytest.param(
            [member(ONE, GOOD), member(TWO, chain(SHARED), at=3 * DAY)], "silent", id="no intermediate, days later"
        ),
        pytest.param(
            [member(ONE, chain(dated(2024), SUB)), member(ONE, GOOD, 60), member(TWO, GOOD)],
            "silent",
            id="renewed meanwhile",
        ),
        pytest.param([member(ONE, GOOD), member(TWO, raw(b"junk"))], "silent", id="one cannot be read"),
        pytest.param([member(ONE, GOOD), member(TWO, None)], "silent", id="one shows none"),
        pytest.param(
            [member(ONE, chain(SHARED, SUB)), member(TWO, chain(NODE_2, SUB, SUB))], "silent", id="a duplicate more"
        ),
        pytest.param(
            [member(ONE, GOOD, version="TLSv1.3", client_hello=ALL), member(TWO, GOOD)],
            "silent",
            id="a lower version, but the client offered no better",
        ),
        pytest.param(
            [member(ONE, GOOD), member(TWO, chain(SUB.issue("web.example", san=["web.example"]), SUB))],
            "warning",
            id="one does not cover the name",
        ),
        pytest.param([member(ONE, GOOD), member(TWO, chain(of(by=OTHER)))], "warning", id="another issuer"),
        pytest.param([member(ONE, GOOD), member(TWO, chain(SHARED))], "warning", id="the intermediate is left out"),
        pytest.param([member(ONE, chain(SHARED)), member(TWO, GOOD)], "warning", id="the same, the other way round"),
        pytest.param([member(ONE, GOOD), member(TWO, chain(dated(2020), SUB))], "warning", id="one has expired"),
        pytest.param(
            [member(ONE, chain(dated(2025), SUB)), member(TWO, chain(dated(2026), SUB))], "note", id="two generations"
        ),
        pytest.param(
            [member(ONE, GOOD, version="TLSv1.3", client_hello=ALL), member(TWO, GOOD, client_hello=ALL)],
            "note",
            id="TLS 1.2 and 1.3",
        ),
        pytest.param(
            [member(ONE, GOOD, client_hello=ALL), member(TWO, GOOD, client_hello=ALL, version="TLSv1.0")],
            "warning",
            id="TLS 1.0 and 1.2",
        ),
        pytest.param([member(ONE, GOOD)], "cannot tell", id="one member alone"),
        pytest.param(
            [member(ONE, GOOD), member(TWO, chain(of(by=OTHER)), name=None)], "cannot tell", id="no name was said"
        ),
        pytest.param([], "cannot tell", id="nothing"),
    ],
)
def test_pools(conns: list[Connection], expected: str) -> None:
    assert answer(RULE, view(*conns)) == expected


def test_what_is_said() -> None:
    said = finding(RULE, view(member(ONE, GOOD), member(TWO, GOOD), member(THREE, chain(SHARED))))
    assert "pool.example is served by 3 addresses on port 5061" in said.summary
    assert "198.51.100.3 leaves out the intermediate Sub, 198.51.100.1 sends it" in said.summary
    assert said.filter == "tcp.port == 5061 && (ip.addr == 198.51.100.3) && tls.handshake"
    assert said.confidence is Confidence.HIGH


def test_case_does_not_make_two_names() -> None:
    whole = view(member(ONE, GOOD, name="Pool.Example"), member(TWO, chain(SHARED), name="pool.example."))
    assert answer(RULE, whole) == "warning"


def test_dns_gives_the_name_that_the_client_did_not_say() -> None:
    sightings = beside.seen(
        beside.lookup(POOL, dns.address(POOL, ONE), dns.address(POOL, TWO), at=START_NS - 5_000_000_000)
    )
    conns = [member(ONE, GOOD, name=None), member(TWO, chain(SHARED), name=None)]
    said = finding(RULE, view(*conns, sightings=sightings))
    assert said.confidence is Confidence.LOW


def test_a_given_moment_counts_instead_of_the_captures() -> None:
    whole = view(member(ONE, GOOD), member(TWO, chain(dated(2025), SUB)))
    moment = int(datetime(2027, 6, 1, tzinfo=UTC).timestamp()) * 10**9
    assert "out of its dates" not in finding(RULE, whole).summary
    assert "198.51.100.2 is out of its dates" in verdict(RULE, whole, now_ns=moment).findings[0].summary
