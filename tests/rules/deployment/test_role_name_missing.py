"""role-name-missing: what stands at an address, and the names of the certificate that it shows."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from analyzer.findings import Confidence, Depth
from tests.build.connections import CLIENT_FLIGHT, HANDSHAKE, SERVER_FLIGHT, connection, context
from tests.rules.cast import SUB, answer, ask, chain, raw
from tests.rules.deployment.lab import (
    EDGE_IN,
    EDGE_OUT,
    FRONT_END,
    GOOD,
    PARTNER,
    POOL,
    PROXY,
    STRANGER,
    UM,
    called,
    known,
    names,
    served,
)

RULE = "role-name-missing"


def without(ip: str, *gone: str) -> Any:
    """The right certificate of this address without some names."""
    return names(*(name for name in GOOD[ip] if name not in gone))


@pytest.mark.parametrize(
    ("ip", "port", "sent", "expected"),
    [
        pytest.param(FRONT_END, 5061, names(*GOOD[FRONT_END]), "silent", id="a front end with all its names"),
        pytest.param(FRONT_END, 5061, names(*GOOD[FRONT_END], "x.corp.example"), "silent", id="more names do no harm"),
        pytest.param(FRONT_END, 5061, names("*.corp.example"), "silent", id="a wildcard covers them"),
        pytest.param(FRONT_END, 5061, names(*map(str.upper, GOOD[FRONT_END])), "silent", id="case does not count"),
        pytest.param(FRONT_END, 5061, without(FRONT_END, "sip.two.example"), "silent", id="a SIP domain: another rule"),
        pytest.param(POOL, 5061, names(*GOOD[POOL]), "silent", id="the pool's address needs no server's name"),
        pytest.param(EDGE_IN, 5061, names("edge.corp.example"), "silent", id="an edge inside with the pool's name"),
        pytest.param(EDGE_IN, 5061, names("edge1.corp.example"), "silent", id="or with the server's"),
        pytest.param(EDGE_IN, 5061, names(cn="edge.corp.example"), "silent", id="in the common name alone"),
        pytest.param(EDGE_OUT, 5061, names(*GOOD[EDGE_OUT]), "silent", id="an edge outside with all its names"),
        pytest.param(UM, 5061, names(*GOOD[UM]), "silent", id="unified messaging"),
        pytest.param(PROXY, 443, names("meet.lab.example"), "silent", id="a proxy may have several certificates"),
        pytest.param(FRONT_END, 9999, names("x.corp.example"), "cannot tell", id="a port of which nothing is said"),
        pytest.param(PARTNER, 5061, names("x.corp.example"), "cannot tell", id="a role of which nothing is said"),
        pytest.param(STRANGER, 5061, names("x.corp.example"), "cannot tell", id="an address of which nothing is said"),
        pytest.param(FRONT_END, 5061, raw(b"junk"), "cannot tell", id="a certificate that cannot be read"),
        pytest.param(FRONT_END, 5061, names("x.other.example"), "silent", id="somebody else's, no SNI: another rule"),
        pytest.param(
            FRONT_END, 5061, without(FRONT_END, "fe1.corp.example"), "error", id="a front end without its own"
        ),
        pytest.param(FRONT_END, 5061, without(FRONT_END, "pool.corp.example"), "error", id="without its pool's"),
        pytest.param(FRONT_END, 443, names(*GOOD[FRONT_END]), "error", id="the SIP certificate on the web port"),
        pytest.param(
            EDGE_OUT, 443, without(EDGE_OUT, "webcon.lab.example"), "error", id="an edge without web conferencing"
        ),
        pytest.param(
            UM, 5061, names("um.corp.example", cn="exchange"), "error", id="where the common name alone counts"
        ),
    ],
)
def test_the_server(ip: str, port: int, sent: Any, expected: str) -> None:
    assert answer(RULE, served(ip, sent, port=port), known()) == expected


@pytest.mark.parametrize(
    ("ip", "port", "sent", "expected"),
    [
        pytest.param(FRONT_END, 5061, names(*GOOD[FRONT_END]), "silent", id="a front end with all its names"),
        pytest.param(EDGE_OUT, 5061, names(*GOOD[EDGE_OUT]), "silent", id="an edge outside"),
        pytest.param(FRONT_END, 443, names("x.corp.example"), "cannot tell", id="the web port: it may be a user's"),
        pytest.param(FRONT_END, 5061, chain(SUB.issue("a@lab.example")), "cannot tell", id="a user's certificate"),
        pytest.param(FRONT_END, 5061, chain(SUB.issue("Alice Smith")), "cannot tell", id="a person's certificate"),
        pytest.param(STRANGER, 5061, names("x.corp.example"), "cannot tell", id="an address of which nothing is said"),
        pytest.param(PROXY, 5061, names("x.corp.example"), "cannot tell", id="another port of a known address"),
        pytest.param(FRONT_END, 5061, names("fe1.corp.example"), "error", id="a front end without its pool's name"),
        pytest.param(EDGE_OUT, 5061, names("edge.corp.example"), "error", id="an edge with its inner one outside"),
    ],
)
def test_the_client(ip: str, port: int, sent: Any, expected: str) -> None:
    assert answer(RULE, called(ip, sent, port=port), known()) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"hidden": Seen.SERVER_CERTIFICATE, "server_chain": None}, "cannot tell", id="TLS 1.3"),
        pytest.param({"server_chain": None}, "does not apply", id="no certificate"),
        pytest.param({"preamble": "HTTP CONNECT"}, "cannot tell", id="behind CONNECT the address is a proxy's"),
    ],
)
def test_what_the_capture_does_not_show(facts: dict[str, Any], expected: str) -> None:
    given: dict[str, Any] = {"server_ip": FRONT_END, "server_chain": names("fe1.corp.example")} | facts
    assert answer(RULE, connection(*HANDSHAKE, **given), known()) == expected


def test_without_a_topology_nobody_is_blamed() -> None:
    assert answer(RULE, served(FRONT_END, names("fe1.corp.example")), context()) == "cannot tell"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            ("sign_in = true", "sign_in = true"), "silent", id="the pool does not say that it needs lyncdiscover"
        ),
        pytest.param(("sign_in = true", "sign_in = true\nmobility = true"), "error", id="it does"),
        pytest.param(("sign_in = true", "sign_in = true\nmobility = false"), "silent", id="it says that it does not"),
    ],
)
def test_names_that_depend_on_the_pool(change: tuple[str, str], expected: str) -> None:
    sent = names(
        "pool.corp.example", "webext.lab.example", "meet.lab.example", "meet.two.example", "dialin.lab.example"
    )
    assert answer(RULE, served(FRONT_END, sent, port=4443), known(change)) == expected


@pytest.mark.parametrize(
    ("product", "expected"), [("sfb-2015", "error"), ("lync-2010", "error"), ("ocs-2007-r2", "silent")]
)
def test_of_old_products_less_is_known(product: str, expected: str) -> None:
    conn = served(EDGE_OUT, names("sip.lab.example"))
    assert answer(RULE, conn, known(('"sfb-2015"', f'"{product}"'))) == expected


def test_the_sentence_says_who_lacks_what() -> None:
    conn = served(EDGE_OUT, names("sip.lab.example"), *SERVER_FLIGHT, "> Alert 42")
    (said,) = next(v for v in ask(conn, known()) if v.rule == RULE).findings
    assert said.summary.startswith("the certificate of edge external sip.lab.example (192.0.2.21:5061) lacks 1 name")
    assert "webcon.lab.example; it is for sip.lab.example" in said.summary
    assert said.summary.endswith("the client refused with the alert bad_certificate (42)")
    assert said.depth is Depth.ROOT
    assert "webcon.lab.example" in said.advice


def test_it_does_not_stand_before_a_cause_that_is_another() -> None:
    conn = served(EDGE_OUT, names("sip.lab.example"), *CLIENT_FLIGHT, "< Alert 48")
    (said,) = next(v for v in ask(conn, known()) if v.rule == RULE).findings
    assert (said.depth, said.confidence) == (Depth.SYMPTOM, Confidence.MEDIUM)


def test_a_certificate_of_somebody_else_is_left_to_the_rule_that_says_so() -> None:
    for asked in (None, "sip.lab.example"):
        said = ask(served(EDGE_OUT, names("www.other.example"), server_name=asked), known())
        assert {v.rule for v in said if v.findings} & {RULE, "server-name-mismatch"} == {"server-name-mismatch"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(
            "www.lab.example", "cannot tell", id="another site at this address, which shows its own certificate"
        ),
        pytest.param("sip.lab.example", "error", id="the edge itself"),
        pytest.param("SIP.lab.example.", "error", id="case and a dot do not count"),
        pytest.param("sip.two.example", "error", id="the edge by a name that this certificate lacks"),
        pytest.param("mail.other.example", "error", id="a name that neither knows"),
    ],
)
def test_several_sites_may_share_an_address(asked: str, expected: str) -> None:
    sent = names("sip.lab.example", "www.lab.example")
    assert answer(RULE, served(EDGE_OUT, sent, server_name=asked), known()) == expected


def test_a_client_certificate_of_somebody_else_may_be_a_mistake_in_the_topology() -> None:
    conn = called(EDGE_OUT, names("www.other.example"))
    (said,) = next(v for v in ask(conn, known()) if v.rule == RULE).findings
    assert said.confidence is Confidence.MEDIUM
