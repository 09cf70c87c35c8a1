"""sip-domain-missing: a name for every SIP domain."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from tests.build.connections import HANDSHAKE, connection, context
from tests.rules.cast import answer, ask, raw
from tests.rules.deployment.lab import (
    EDGE_IN,
    EDGE_OUT,
    FRONT_END,
    GOOD,
    PARTNER,
    STRANGER,
    called,
    known,
    names,
    served,
)

RULE = "sip-domain-missing"
ONE = ("sip.lab.example", "webcon.lab.example")


@pytest.mark.parametrize(
    ("ip", "sent", "expected"),
    [
        pytest.param(EDGE_OUT, names(*GOOD[EDGE_OUT]), "silent", id="an edge with every domain"),
        pytest.param(EDGE_OUT, names("*.lab.example", "*.two.example"), "silent", id="wildcards cover them"),
        pytest.param(EDGE_OUT, names("www.other.example"), "silent", id="somebody else's: another rule"),
        pytest.param(FRONT_END, names(*GOOD[FRONT_END]), "silent", id="a front end with every domain"),
        pytest.param(EDGE_IN, names("edge.corp.example"), "silent", id="an edge's inner side needs none"),
        pytest.param(STRANGER, names(*ONE), "cannot tell", id="an address of which nothing is said"),
        pytest.param(PARTNER, names(*ONE), "cannot tell", id="a partner"),
        pytest.param(EDGE_OUT, raw(b"junk"), "cannot tell", id="a certificate that cannot be read"),
        pytest.param(EDGE_OUT, names(*ONE), "error", id="an edge without the second domain"),
        pytest.param(EDGE_OUT, names("*.lab.example"), "error", id="a wildcard is for one domain"),
        pytest.param(FRONT_END, names("pool.corp.example", "fe1.corp.example"), "error", id="a front end without any"),
    ],
)
def test_the_server(ip: str, sent: Any, expected: str) -> None:
    assert answer(RULE, served(ip, sent), known()) == expected


@pytest.mark.parametrize(
    ("ip", "sent", "expected"),
    [
        pytest.param(EDGE_OUT, names(*GOOD[EDGE_OUT]), "silent", id="every domain"),
        pytest.param(EDGE_IN, names("edge.corp.example"), "silent", id="the inner side"),
        pytest.param(EDGE_OUT, names(*ONE), "error", id="without the second domain"),
    ],
)
def test_the_client(ip: str, sent: Any, expected: str) -> None:
    assert answer(RULE, called(ip, sent), known()) == expected


@pytest.mark.parametrize(("switch", "expected"), [("true", "error"), ("false", "silent"), ("", "silent")])
def test_a_pool_is_blamed_only_if_it_says_that_clients_find_it_by_dns(switch: str, expected: str) -> None:
    change = ("automatic_sign_in = true", f"automatic_sign_in = {switch}" if switch else "")
    sent = names("pool.corp.example", "fe1.corp.example")
    assert answer(RULE, served(FRONT_END, sent), known(change)) == expected


def test_without_a_topology_nobody_is_blamed() -> None:
    assert answer(RULE, served(EDGE_OUT, names(*ONE)), context()) == "cannot tell"
    hidden = connection(*HANDSHAKE, server_ip=EDGE_OUT, hidden=Seen.SERVER_CERTIFICATE)
    assert answer(RULE, hidden, known()) == "cannot tell"


def test_the_sentence_counts_the_domains() -> None:
    (said,) = next(v for v in ask(served(EDGE_OUT, names(*ONE)), known()) if v.rule == RULE).findings
    assert "edge external sip.lab.example (192.0.2.21:5061) has no sip.two.example" in said.summary
    assert "1 of 2 SIP domains" in said.summary
