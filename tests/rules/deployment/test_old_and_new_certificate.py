"""old-and-new-certificate: two generations at one address."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection
from analyzer.findings import Confidence
from tests.build.connections import HELLOS, START_NS, connection
from tests.rules.cast import SUB, chain, raw
from tests.rules.surveys import answer, finding, served, view

RULE = "old-and-new-certificate"
HOUR = 3600


def issued(year: int, *names: str, eku: list[str] | None = None) -> Chain:
    """A certificate of the beginning of this year, for two years."""
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    san = list(names or ("edge.example",))
    return chain(SUB.issue("edge.example", san=san, eku=eku, not_before=begin, not_after=end), SUB)


OLD, NEW, NEWER = issued(2025), issued(2026), issued(2027)


def server(sent: Chain, port: int = 5061, at: float = 0, ip: str = "198.51.100.5") -> Connection:
    return served(ip, at=at, server_chain=sent, server_port=port)


def client(sent: Chain, at: float = 0) -> Connection:
    """The same machine, as client of another."""
    return connection(
        *HELLOS, "> Certificate", client_ip="198.51.100.5", client_chain=sent, ts_ns=START_NS + round(at * 1e9)
    )


@pytest.mark.parametrize(
    ("conns", "expected"),
    [
        pytest.param([server(NEW), server(NEW, 443)], "silent", id="the same everywhere"),
        pytest.param([server(OLD)], "silent", id="one port"),
        pytest.param([server(OLD), server(NEW, at=HOUR)], "silent", id="renewed while we looked"),
        pytest.param(
            [server(OLD), server(OLD, 443), server(NEW, 443, HOUR), server(NEW, at=2 * HOUR)],
            "silent",
            id="renewed everywhere in the end",
        ),
        pytest.param([server(OLD), server(NEW, 443, HOUR)], "silent", id="the old one was not seen again"),
        pytest.param(
            [server(OLD), server(NEW, 443, ip="198.51.100.6"), server(OLD, at=HOUR)], "silent", id="two addresses"
        ),
        pytest.param(
            [server(issued(2025, "a.example")), server(issued(2026, "b.example"), 443), server(OLD, at=HOUR)],
            "silent",
            id="other names",
        ),
        pytest.param(
            [
                server(issued(2025, eku=["serverAuth"])),
                client(issued(2026, eku=["clientAuth"]), HOUR),
                server(issued(2025, eku=["serverAuth"]), at=2 * HOUR),
            ],
            "silent",
            id="one for each use",
        ),
        pytest.param([server(raw(b"junk")), server(NEW, 443)], "silent", id="one cannot be read"),
        pytest.param([server(OLD), server(NEW, 443, HOUR), server(OLD, at=2 * HOUR)], "warning", id="two ports"),
        pytest.param([server(NEW, 443), server(OLD, at=HOUR)], "warning", id="the new one was there first"),
        pytest.param([client(OLD), server(NEW), client(OLD, HOUR)], "warning", id="old as client, new as server"),
        pytest.param([server(OLD), server(NEW, 443, at=60)], "warning", id="the new one a minute after the old one"),
        pytest.param([client(NEW), server(OLD, at=HOUR)], "warning", id="new as client, old as server"),
        pytest.param([served(), served(at=HOUR)], "cannot tell", id="no certificate to be seen"),
        pytest.param([], "cannot tell", id="nothing"),
    ],
)
def test_places(conns: list[Connection], expected: str) -> None:
    assert answer(RULE, view(*conns)) == expected


def test_what_is_said() -> None:
    said = finding(RULE, view(server(NEW, 443), server(OLD, at=HOUR)))
    assert "198.51.100.5:5061 still presents the older certificate of edge.example (until 2027-01-01)" in said.summary
    assert "198.51.100.5:443 already has the newer one (until 2028-01-01)" in said.summary
    assert "198.51.100.5:5061 too" in said.advice


def test_a_renewal_in_between_is_not_ruled_out() -> None:
    assert finding(RULE, view(server(OLD), server(NEW, 443, at=60))).confidence is Confidence.LOW
    assert finding(RULE, view(server(NEW, 443), server(OLD, at=60))).confidence is Confidence.MEDIUM


def test_three_generations_are_one_finding() -> None:
    conns = [
        server(NEW, 443),
        server(NEWER, 444),
        server(OLD, at=HOUR),
        server(NEW, 443, HOUR),
        server(NEWER, 444, HOUR),
    ]
    assert "198.51.100.5:444 already" in finding(RULE, view(*conns)).summary
