"""edge-internal-san: the inner certificate of an edge is for the edge alone."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from tests.build.connections import HANDSHAKE, connection, context
from tests.rules.cast import answer, ask, raw
from tests.rules.deployment.lab import EDGE_IN, EDGE_OUT, FRONT_END, STRANGER, called, known, names, served

RULE = "edge-internal-san"
OWN = ("edge.corp.example", "edge1.corp.example")

CERTIFICATES = [
    pytest.param(names("edge.corp.example"), "silent", id="the pool's name"),
    pytest.param(names(*OWN), "silent", id="the pool's and the server's name"),
    pytest.param(names(cn="edge.corp.example"), "silent", id="no SAN at all"),
    pytest.param(names("EDGE.corp.example."), "silent", id="case and a dot do not count"),
    pytest.param(raw(b"junk"), "cannot tell", id="a certificate that cannot be read"),
    pytest.param(names(*OWN, "sip.lab.example"), "warning", id="a name of its outer side"),
    pytest.param(names(*OWN, "*.lab.example"), "warning", id="a wildcard for names of its outer side"),
    pytest.param(names(*OWN, "app.corp.example"), "error", id="a trusted application"),
    pytest.param(names(*OWN, "fe1.corp.example"), "error", id="a front end"),
    pytest.param(names(*OWN, "pool.corp.example"), "error", id="a front end pool"),
    pytest.param(names("*.corp.example"), "error", id="a wildcard that covers front ends"),
]


@pytest.mark.parametrize(("sent", "expected"), CERTIFICATES)
def test_the_server(sent: Any, expected: str) -> None:
    assert answer(RULE, served(EDGE_IN, sent), known()) == expected


@pytest.mark.parametrize(("sent", "expected"), CERTIFICATES[1:4] + CERTIFICATES[5:])
def test_the_client(sent: Any, expected: str) -> None:
    assert answer(RULE, called(EDGE_IN, sent), known()) == expected


@pytest.mark.parametrize(
    ("ip", "expected"),
    [(EDGE_OUT, "silent"), (FRONT_END, "silent"), (STRANGER, "cannot tell")],
    ids=["its outer side", "a front end", "an address of which nothing is said"],
)
def test_elsewhere_other_names_are_right(ip: str, expected: str) -> None:
    assert answer(RULE, served(ip, names(*OWN, "app.corp.example")), known()) == expected


def test_an_edge_that_is_itself_a_trusted_application() -> None:
    trusted = known(("app.corp.example", "edge.corp.example"))
    assert answer(RULE, served(EDGE_IN, names("edge.corp.example")), trusted) == "error"


def test_without_a_topology_nobody_is_blamed() -> None:
    assert answer(RULE, served(EDGE_IN, names(*OWN, "app.corp.example")), context()) == "cannot tell"
    hidden = connection(*HANDSHAKE, server_ip=EDGE_IN, hidden=Seen.SERVER_CERTIFICATE)
    assert answer(RULE, hidden, known()) == "cannot tell"


def test_the_sentence_says_whose_names_they_are() -> None:
    (said,) = next(v for v in ask(served(EDGE_IN, names("*.corp.example")), known()) if v.rule == RULE).findings
    assert "edge internal edge1.corp.example (10.0.1.21:5061)" in said.summary
    assert "it also names *.corp.example" in said.summary
    assert (
        "take it for app.corp.example, fe1.corp.example, fe2.corp.example, pool.corp.example and 1 more" in said.summary
    )
