"""server-name-mismatch: the name asked for and the names of the certificate."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Outcome, Seen
from analyzer.findings import Confidence, Depth
from tests.build import beside, dns
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SECOND_NS,
    SERVER_FLIGHT,
    START_NS,
    client_hello,
    connection,
    context,
)
from tests.rules.cast import CLIENT, SUB, answer, chain, finding, raw
from tests.topology.lab import lab

RULE = "server-name-mismatch"


def names(*san: str, cn: str = "first.example") -> Any:
    """The server's chain with these names."""
    return chain(SUB.issue(cn, san=list(san) or None), SUB)


@pytest.mark.parametrize(
    ("asked", "sent", "expected"),
    [
        pytest.param("sip.example", names("sip.example"), "silent", id="the name is in the SAN"),
        pytest.param("SIP.Example", names("sip.example"), "silent", id="case does not count"),
        pytest.param("sip.example.", names("sip.example"), "silent", id="a trailing dot does not count"),
        pytest.param("sip.example", names("a.example", "b.example", "sip.example"), "silent", id="any SAN will do"),
        pytest.param("sip.lab.example", names("*.lab.example"), "silent", id="a wildcard"),
        pytest.param("sip.example", names(cn="sip.example"), "silent", id="the common name where there is no SAN"),
        pytest.param("192.0.2.7", names("sip.example"), "silent", id="an address is no server_name"),
        pytest.param("2001:db8::7", names("sip.example"), "silent", id="an IPv6 address is no server_name"),
        pytest.param("4711", names("sip.example"), "silent", id="a number is no host name"),
        pytest.param("", names("sip.example"), "silent", id="an empty server_name"),
        pytest.param(None, names("sip.example"), "silent", id="no server_name: nothing to compare"),
        pytest.param("not a name!", names("sip.example"), "silent", id="spaces: no host name"),
        pytest.param("sip.example", chain(SUB, SUB.issue("sip.example")), "silent", id="the leaf is there, not first"),
        pytest.param("sip.example", raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param("sip.example", names("web.example"), "warning", id="another name"),
        pytest.param("sip.example", names("web.example", cn="sip.example"), "warning", id="the SAN replaces the CN"),
        pytest.param("a.b.example", names("*.example"), "warning", id="a wildcard is for one label"),
        pytest.param("example", names("*.example"), "warning", id="a wildcard is not for nothing"),
        pytest.param("fe01", names("fe01.example"), "warning", id="a short name"),
        pytest.param("_sip.x_y.example", names("web.example"), "warning", id="underscores are tolerated"),
    ],
)
def test_names(asked: str | None, sent: Any, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_name=asked, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("ladder", "facts", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), {}, "warning", id="the client goes on"),
        pytest.param(CLIENT_FLIGHT, {}, "warning", id="the client goes on, the capture ends"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), {}, "warning", id="the client goes on, the server refuses"),
        pytest.param((*CLIENT_DONE, "... 30 s", "> FIN"), {}, "warning", id="the client goes on and gives up later"),
        pytest.param(SERVER_FLIGHT, {}, "warning", id="the capture ends before the client's answer"),
        pytest.param((*SERVER_FLIGHT, "> RST"), {"visibility": {"gap_bytes": 9}}, "warning", id="a gap"),
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), {}, "error", id="bad_certificate"),
        pytest.param((*SERVER_FLIGHT, "> Alert 46"), {}, "error", id="certificate_unknown"),
        pytest.param((*SERVER_FLIGHT, "> RST"), {}, "error", id="a bare reset"),
        pytest.param((*SERVER_FLIGHT, "> FIN"), {}, "error", id="a bare close"),
        pytest.param(
            (*SERVER_FLIGHT, "> Alert 48"), {}, "error", id="unknown_ca: it did not go on, whatever came first"
        ),
        pytest.param(SERVER_FLIGHT, {"outcome": Outcome.FAILED}, "error", id="the client never answers"),
    ],
)
def test_does_the_client_go_on(ladder: tuple[str, ...], facts: dict[str, Any], expected: str) -> None:
    assert answer(RULE, connection(*ladder, server_chain=names("web.example"), **facts)) == expected


def test_it_is_the_cause_only_if_the_alert_can_mean_it() -> None:
    def depth(*end: str) -> Depth:
        return finding(RULE, connection(*SERVER_FLIGHT, *end, server_chain=names("web.example"))).depth

    assert depth("> Alert 42") is Depth.ROOT
    assert depth("> RST") is Depth.ROOT
    assert depth("> Alert 48") is Depth.SYMPTOM
    assert depth("> Alert 45") is Depth.SYMPTOM


@pytest.mark.parametrize(
    ("ip", "sent", "expected"),
    [
        pytest.param("10.0.0.11", names("fe1.corp.example"), "silent", id="the server's own name"),
        pytest.param("10.0.0.11", names("pool.corp.example"), "silent", id="its pool's"),
        pytest.param("10.0.0.11", names("meet.two.example"), "silent", id="a simple URL that it serves"),
        pytest.param("10.0.1.21", names("edge.corp.example"), "silent", id="an edge inside"),
        pytest.param("198.51.100.5", names("sip.partner.example"), "silent", id="a partner"),
        pytest.param(
            "10.0.0.99", names("www.other.example"), "silent", id="an address that the topology does not know"
        ),
        pytest.param("10.0.0.11", raw(b"junk"), "cannot tell", id="a certificate that cannot be read"),
        pytest.param("10.0.0.11", names("www.other.example"), "warning", id="none of its names"),
        pytest.param("192.0.2.21", names("edge.corp.example"), "warning", id="an edge's inner certificate outside"),
        pytest.param("198.51.100.5", names("sip.other.example"), "warning", id="another partner"),
    ],
)
def test_without_a_server_name_the_topology_knows_what_is_right(ip: str, sent: Any, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, server_name=None, server_ip=ip, server_chain=sent)
    assert answer(RULE, conn, context(topology=lab())) == expected


@pytest.mark.parametrize(
    ("facts", "ladder", "expected"),
    [
        pytest.param({}, ("> Alert 42",), "error", id="the client refuses it"),
        pytest.param({}, ("> Alert 48",), "warning", id="the client refuses it for another reason"),
        pytest.param({"server_name": "www.other.example"}, ("> Alert 42",), "silent", id="the client wanted that name"),
        pytest.param({"preamble": "HTTP CONNECT"}, ("> Alert 42",), "silent", id="the address is a proxy's"),
    ],
)
def test_how_much_it_matters_without_a_server_name(
    facts: dict[str, Any], ladder: tuple[str, ...], expected: str
) -> None:
    given: dict[str, Any] = {"server_name": None, "server_ip": "10.0.0.11", "server_chain": names("www.other.example")}
    assert answer(RULE, connection(*SERVER_FLIGHT, *ladder, **(given | facts)), context(topology=lab())) == expected


def test_the_sentence_says_what_the_topology_knows() -> None:
    conn = connection(*HANDSHAKE, server_name=None, server_ip="10.0.0.11", server_chain=names("www.other.example"))
    said = finding(RULE, conn, topology=lab())
    assert "the topology calls 10.0.0.11 front end fe1.corp.example, but the server's certificate" in said.summary
    assert "www.other.example" in said.summary


def test_a_client_certificate_has_no_server_name_to_cover() -> None:
    user = chain(SUB.issue("alice@example.com"))
    conn = connection(*HANDSHAKE, client_chain=user, server_chain=names("sip.example.com"))
    assert answer(RULE, conn) == "silent"


def test_no_certificate_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE)) == "cannot tell"


def test_what_the_certificate_covers_is_told() -> None:
    many = names(*(f"n{number}.example" for number in range(7)))
    said = finding(RULE, connection(*SERVER_FLIGHT, "> Alert 42", server_chain=many))
    assert "the client asked for sip.example.com" in said.summary
    assert "n0.example, n1.example, n2.example, n3.example and 3 more" in said.summary
    assert "the client refused with the alert bad_certificate (42)" in said.summary
    assert said.frames == (4, 6, 9)
    nameless = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SUB.issue("O=Nobody"))))
    assert "no host name at all" in nameless.summary


def test_the_cast_is_healthy() -> None:
    assert answer(RULE, connection(*HANDSHAKE, server_name="edge.example", server_chain=chain(CLIENT, SUB))) == "silent"


# ---- the client did not say the name, but had asked DNS for it --------------------------------------------------------

SERVER_IP = "198.51.100.5"


def asked_dns(*asked: str, host: str = beside.HOST, before: float = 1, address: str = SERVER_IP) -> Any:
    """A context in which this host had looked up these names, each with this address."""
    at = START_NS - round(before * SECOND_NS)
    lookups = [
        packet
        for number, name in enumerate(asked)
        for packet in beside.lookup(name, dns.address(name, address), at=at, host=host, number=number)
    ]
    return context(sightings=beside.seen(lookups))


REFUSED = (*SERVER_FLIGHT, "> Alert 42")
NAMELESS: dict[str, Any] = {"server_name": None, "client_hello": client_hello(server_name=None)}


@pytest.mark.parametrize(
    ("ladder", "known", "sent", "expected"),
    [
        pytest.param(REFUSED, asked_dns("sip.example"), names("sip.example"), "silent", id="it covers the name"),
        pytest.param(
            REFUSED,
            asked_dns("a.example", "sip.example"),
            names("sip.example"),
            "silent",
            id="it covers one of the names",
        ),
        pytest.param(REFUSED, asked_dns(), names("web.example"), "silent", id="no DNS"),
        pytest.param(
            REFUSED,
            asked_dns("sip.example", host="192.0.2.77"),
            names("web.example"),
            "silent",
            id="another host asked",
        ),
        pytest.param(
            REFUSED,
            asked_dns("sip.example", address="203.0.113.9"),
            names("web.example"),
            "silent",
            id="another address",
        ),
        pytest.param(
            REFUSED, asked_dns("sip.example", before=-9), names("web.example"), "silent", id="asked afterwards"
        ),
        pytest.param(REFUSED, asked_dns("sip.example"), raw(b"junk"), "cannot tell", id="a leaf that cannot be read"),
        pytest.param(REFUSED, asked_dns("sip.example"), names("web.example"), "error", id="refused: the wrong name"),
        pytest.param(
            (*SERVER_FLIGHT, "> Alert 48"),
            asked_dns("sip.example"),
            names("web.example"),
            "note",
            id="refused for its root",
        ),
        pytest.param(
            (*HANDSHAKE, *DATA),
            asked_dns("sip.example"),
            names("web.example"),
            "note",
            id="the client goes on all the same",
        ),
    ],
)
def test_dns_knows_the_name(ladder: tuple[str, ...], known: Any, sent: Any, expected: str) -> None:
    assert answer(RULE, connection(*ladder, server_chain=sent, **NAMELESS), known) == expected


def test_a_proxy_has_another_name() -> None:
    conn = connection(*REFUSED, server_chain=names("web.example"), preamble="HTTP CONNECT", **NAMELESS)
    assert answer(RULE, conn, asked_dns("proxy.example")) == "silent"


def test_a_name_that_was_said_counts_alone() -> None:
    conn = connection(*REFUSED, server_chain=names("sip.example.com"))
    assert answer(RULE, conn, asked_dns("other.example")) == "silent"


def test_what_dns_told_is_said() -> None:
    conn = connection(*REFUSED, server_chain=names("web.example"), **NAMELESS)
    said = finding(RULE, conn, sightings=asked_dns("sip.example").sightings)
    assert said.summary.startswith(
        "192.0.2.10 had asked DNS for sip.example, which led it to 198.51.100.5, but the server's"
    )
    assert said.confidence is Confidence.MEDIUM
