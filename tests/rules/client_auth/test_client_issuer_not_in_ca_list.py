"""client-issuer-not-in-ca-list: the server's names and the client's issuers."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.certificates.names import parse_name
from analyzer.connection import CaList, Seen
from analyzer.findings import Confidence, Depth
from tests.build import asn1, pki
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    FakeHistory,
    ca_list,
    connection,
    context,
)
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, answer, certificate, chain, finding, name, raw

RULE = "client-issuer-not-in-ca-list"
SHOUTED = parse_name(asn1.name([asn1.attribute("2.5.4.3", asn1.printable("ROOT"))]))
TOP = ROOT.issue("Top", ca=True)
MID = TOP.issue("Mid", ca=True)
DEEP = MID.issue("deep.example", eku=["clientAuth"])


@pytest.mark.parametrize(
    ("names", "sent", "expected"),
    [
        pytest.param(ca_list(name(ROOT)), chain(CLIENT, SUB, ROOT), "silent", id="the root is listed and was sent"),
        pytest.param(ca_list(name(ROOT)), chain(CLIENT, SUB), "silent", id="the root is listed and was left out"),
        pytest.param(ca_list(name(SUB)), chain(CLIENT, SUB), "silent", id="the intermediate is listed"),
        pytest.param(ca_list(name(SUB)), chain(CLIENT), "silent", id="the intermediate is listed, the leaf alone"),
        pytest.param(ca_list(name(OTHER), name(ROOT)), chain(CLIENT, SUB), "silent", id="one of several is listed"),
        pytest.param(ca_list(SHOUTED), chain(CLIENT, SUB), "silent", id="equal by RFC 5280, written otherwise"),
        pytest.param(ca_list(), chain(CLIENT, SUB), "silent", id="an empty list means any CA"),
        pytest.param(ca_list(name(ROOT)), chain(ROOT), "silent", id="a listed root sent as the leaf"),
        pytest.param(ca_list(name(ROOT)), chain(SUB, CLIENT), "silent", id="the leaf is not first"),
        pytest.param(ca_list(name(OTHER)), chain(CLIENT), "cannot tell", id="the intermediate is missing"),
        pytest.param(ca_list(name(OTHER)), chain(CLIENT, ROOT), "cannot tell", id="a link between is missing"),
        pytest.param(ca_list(name(OTHER), complete=False), chain(CLIENT, SUB), "cannot tell", id="half a list"),
        pytest.param(ca_list(name(OTHER)), raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param(ca_list(name(OTHER)), chain(CLIENT, SUB, ROOT), "warning", id="not listed, up to the root"),
        pytest.param(ca_list(name(OTHER)), chain(CLIENT, SUB), "warning", id="not listed, up to below the root"),
        pytest.param(ca_list(name(OTHER)), chain(pki.self_signed("me")), "warning", id="self-signed, not listed"),
    ],
)
def test_names(names: CaList, sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, request=names, client_chain=sent)) == expected


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), "warning", id="the server goes on"),
        pytest.param(CLIENT_FLIGHT, "warning", id="the capture ends"),
        pytest.param((*CLIENT_DONE, "> RST"), "warning", id="the client resets"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 45"), "warning", id="the server says expired"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 10"), "warning", id="the server says unexpected_message"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), "error", id="the server says unknown_ca"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), "error", id="the server resets"),
        pytest.param((*CLIENT_DONE, "< FIN"), "error", id="the server closes"),
        pytest.param((*HANDSHAKE, "< FIN"), "error", id="the server closes right after the handshake"),
    ],
)
def test_what_became_of_it(ladder: tuple[str, ...], expected: str) -> None:
    conn = connection(*ladder, request=ca_list(name(OTHER)), client_chain=chain(CLIENT, SUB))
    assert answer(RULE, conn) == expected


@pytest.mark.parametrize(
    ("cas", "facts", "expected"),
    [
        pytest.param((), {}, "cannot tell", id="nobody sent the intermediate"),
        pytest.param((SUB,), {}, "silent", id="somebody sent it earlier: its issuer is listed"),
        pytest.param((), {"server_chain": chain(SERVER, SUB)}, "silent", id="the server sent it itself"),
    ],
)
def test_a_lone_leaf_is_followed_upwards(cas: tuple[pki.Identity, ...], facts: dict[str, Any], expected: str) -> None:
    history = FakeHistory(cas=tuple(map(certificate, cas)))
    conn = connection(*HANDSHAKE, request=ca_list(name(ROOT)), client_chain=chain(CLIENT), **facts)
    assert answer(RULE, conn, context(history)) == expected


def test_a_followed_path_that_is_not_listed_either_is_a_hit() -> None:
    history = FakeHistory(cas=(certificate(SUB),))
    conn = connection(*HANDSHAKE, request=ca_list(name(OTHER)), client_chain=chain(CLIENT))
    assert answer(RULE, conn, context(history)) == "warning"


def test_two_levels_are_followed() -> None:
    history = FakeHistory(cas=(certificate(MID), certificate(TOP)))
    conn = connection(*HANDSHAKE, request=ca_list(name(ROOT)), client_chain=chain(DEEP))
    assert answer(RULE, conn, context(history)) == "silent"


def test_a_known_root_above_a_lone_leaf_decides() -> None:
    history = FakeHistory(roots={"CN=Sub": "a trust store"})
    conn = connection(*HANDSHAKE, request=ca_list(name(OTHER)), client_chain=chain(CLIENT))
    assert finding(RULE, conn, history).confidence is Confidence.HIGH


def test_a_ca_above_an_unseen_root_could_still_be_listed() -> None:
    conn = connection(*HANDSHAKE, request=ca_list(name(OTHER)), client_chain=chain(CLIENT, SUB))
    assert finding(RULE, conn).confidence is Confidence.MEDIUM
    conn = connection(*HANDSHAKE, request=ca_list(name(OTHER)), client_chain=chain(CLIENT, SUB, ROOT))
    assert finding(RULE, conn).confidence is Confidence.HIGH


def test_that_nobody_lists_a_self_signed_certificate_only_follows() -> None:
    box = chain(pki.self_signed("box.example"))
    conn = connection(*CLIENT_FLIGHT, "< Alert 48", request=ca_list(name(OTHER)), client_chain=box)
    assert finding(RULE, conn).depth < finding("self-signed", conn).depth


def test_both_messages_are_needed() -> None:
    assert answer(RULE, connection(*HANDSHAKE, request=ca_list(name(OTHER)))) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, client_chain=chain(CLIENT, SUB))) == "does not apply"
    hidden = Seen.CERTIFICATE_REQUEST | Seen.CLIENT_CERTIFICATE
    assert answer(RULE, connection(*HANDSHAKE, hidden=hidden)) == "cannot tell"


def test_issuers_and_count_are_told() -> None:
    conn = connection(*CLIENT_FLIGHT, "< Alert 48", request=ca_list(name(OTHER)), client_chain=chain(CLIENT, SUB, ROOT))
    said = finding(RULE, conn)
    assert "server's list (1 name) issued the client's certificate edge.example" in said.summary
    assert "its issuer is CN=Sub, under CN=Root; the server refused" in said.summary
    assert "Trust CN=Root on 198.51.100.5:5061" in said.advice
    assert said.depth is Depth.ROOT
    assert said.frames == (7, 9, 12)
