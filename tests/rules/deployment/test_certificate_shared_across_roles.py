"""certificate-shared-across-roles: one key, addresses of different roles."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection
from analyzer.findings import Confidence
from tests.build.connections import HELLOS, connection
from tests.rules.cast import SUB, chain
from tests.rules.surveys import answer, finding, served, view

RULE = "certificate-shared-across-roles"
FRONT_END, SECOND_FRONT_END, PUBLIC, PRIVATE = "10.0.0.1", "10.0.0.2", "131.107.1.1", "10.0.0.9"
SERVER = SUB.issue("sip.example.com", san=["sip.example.com"])
SHARED, OTHER = chain(SERVER, SUB), chain(SUB.issue("pool.example.com"), SUB)
RENEWED = chain(SUB.issue("sip.example.com", san=["sip.example.com", "more.example.com"], keep=SERVER), SUB)


def on(ip: str, port: int, sent: Chain | None = SHARED, **facts: Any) -> Connection:
    return served(ip, server_port=port, server_chain=sent, **facts)


FOCUS = on(FRONT_END, 444)


@pytest.mark.parametrize(
    ("conns", "expected"),
    [
        pytest.param([FOCUS, on(FRONT_END, 5061)], "silent", id="one machine, two ports"),
        pytest.param([FOCUS, on(SECOND_FRONT_END, 5076)], "silent", id="two of the same role: a pool"),
        pytest.param([FOCUS, on(PUBLIC, 5061, OTHER)], "silent", id="each its own"),
        pytest.param([FOCUS, on(PUBLIC, 443)], "silent", id="443 tells no role: a reverse proxy may publish it"),
        pytest.param([FOCUS, on(PRIVATE, 5061)], "silent", id="5061 inside tells no role"),
        pytest.param([FOCUS, on(PRIVATE, 23456, OTHER)], "silent", id="an edge with its own"),
        pytest.param([on(PRIVATE, 5061), on(PUBLIC, 443)], "cannot tell", id="no role can be guessed"),
        pytest.param(
            [on(FRONT_END, 444, None), on(PUBLIC, 5061, None)], "cannot tell", id="no certificates to be seen"
        ),
        pytest.param([], "cannot tell", id="nothing"),
        pytest.param([FOCUS, on(PUBLIC, 5061)], "warning", id="a front end, and a public address that speaks SIP"),
        pytest.param([FOCUS, on(PRIVATE, 23456)], "warning", id="a front end and an edge"),
        pytest.param([FOCUS, on(PUBLIC, 5061, RENEWED)], "warning", id="another certificate, the same key"),
        pytest.param([FOCUS, on(FRONT_END, 23456), on(PUBLIC, 5061)], "silent", id="a host of two roles tells nothing"),
        pytest.param(
            [FOCUS, on(PUBLIC, 5061), on(PUBLIC, 444, OTHER), on(PUBLIC, 23456, OTHER)],
            "silent",
            id="nor does a public one",
        ),
    ],
)
def test_roles(conns: list[Connection], expected: str) -> None:
    assert answer(RULE, view(*conns)) == expected


def test_a_certificate_shown_as_client_counts() -> None:
    as_client = connection(*HELLOS, "> Certificate", client_ip=PUBLIC, client_chain=SHARED)
    assert answer(RULE, view(FOCUS, on(PUBLIC, 5061, OTHER), as_client)) == "warning"


def test_a_guess_is_said_to_be_one() -> None:
    said = finding(RULE, view(FOCUS, on(PUBLIC, 5061)))
    assert said.confidence is Confidence.LOW
    assert "10.0.0.1 (front end or director: it listens on 444)" in said.summary
    assert "the roles are guessed" in said.summary
