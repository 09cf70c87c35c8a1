"""ca-list-polluted: a few names, none of a root."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import CaList, CertificateState, Seen
from analyzer.findings import Confidence, Depth
from analyzer.rules import judge
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    FakeHistory,
    ca_list,
    connection,
    context,
)
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, answer, certificate, chain, finding, name
from tests.rules.client_auth.test_ca_list_names_intermediate import WINDOWS, flight

RULE = "ca-list-polluted"
MORE = [ROOT.issue(f"Sub{number}", ca=True) for number in range(6)]
ALL = FakeHistory(cas=tuple(certificate(ca) for ca in (SUB, *MORE)))
ONLY_SUB = ca_list(name(SUB))
NONE: dict[str, Any] = {"client_certificate_state": CertificateState.EMPTY}
STRANGER: dict[str, Any] = {"client_chain": chain(OTHER.issue("x.example"), OTHER)}


@pytest.mark.parametrize(
    ("names", "history", "facts", "expected"),
    [
        pytest.param(ca_list(), ALL, {}, "silent", id="an empty list"),
        pytest.param(ca_list(*map(name, MORE)), ALL, {}, "silent", id="six names: no short list"),
        pytest.param(ca_list(name(SUB), complete=False), ALL, {}, "silent", id="the list's end is missing"),
        pytest.param(
            ca_list(name(ROOT), name(SUB)),
            FakeHistory(cas=(certificate(SUB),), roots={"CN=Root": "a self-issued certificate in frame 3"}),
            {},
            "silent",
            id="a root is among them",
        ),
        pytest.param(
            ca_list(name(ROOT)), FakeHistory(), {"server_chain": chain(SERVER, SUB, ROOT)}, "silent", id="a root"
        ),
        pytest.param(ONLY_SUB, FakeHistory(), {}, "cannot tell", id="nobody sent a certificate of this name"),
        pytest.param(ca_list(name(ROOT), name(SUB)), ALL, {}, "cannot tell", id="of one name nothing is known"),
        pytest.param(
            ONLY_SUB,
            FakeHistory(roots={"CN=Sub": "a CA list on the wire (frame 2)"}),
            {},
            "cannot tell",
            id="another list names it: that proves nothing",
        ),
        pytest.param(ONLY_SUB, ALL, {}, "warning", id="one intermediate"),
        pytest.param(ca_list(name(SUB), name(SUB)), ALL, {}, "warning", id="the same twice"),
        pytest.param(ca_list(*map(name, MORE[:5])), ALL, {}, "warning", id="five intermediates"),
        pytest.param(ONLY_SUB, FakeHistory(), {"client_chain": chain(CLIENT, SUB)}, "warning", id="the client sent it"),
    ],
)
def test_what_is_known_of_the_names(names: CaList, history: FakeHistory, facts: Any, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, request=names, **facts)
    assert answer(RULE, conn, context(history)) == expected


@pytest.mark.parametrize(
    ("ladder", "facts", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), NONE, "warning", id="it works without a certificate"),
        pytest.param((*CLIENT_DONE, "> RST"), NONE, "warning", id="the client ends it"),
        pytest.param((*CLIENT_DONE, "< Alert 70"), NONE, "warning", id="refused for something else"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), {"client_chain": chain(CLIENT)}, "warning", id="its issuer is listed"),
        pytest.param((*CLIENT_DONE, "< Alert 40"), NONE, "error", id="no certificate, and the server refuses"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), STRANGER, "error", id="its root is not listed, and it is refused"),
    ],
)
def test_what_became_of_it(ladder: tuple[str, ...], facts: dict[str, Any], expected: str) -> None:
    assert answer(RULE, connection(*ladder, request=ONLY_SUB, **facts), context(ALL)) == expected


def test_a_server_that_is_no_windows_may_list_what_it_likes() -> None:
    conn = flight((5, 90), (95, 900), (905, 990))
    history = FakeHistory(cas=tuple(map(certificate, (SUB, ROOT, WINDOWS))))
    assert answer(RULE, conn, context(history)) == "note"


def test_no_request_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.CERTIFICATE_REQUEST)) == "cannot tell"


def test_names_and_victim_are_told() -> None:
    said = finding(RULE, connection(*CLIENT_FLIGHT, "< RST", request=ONLY_SUB, **STRANGER), ALL)
    assert "names no root, only CN=Sub, issued by CN=Root" in said.summary
    assert "the client's issuer CN=Other is not on it and the server refused" in said.summary
    assert (said.confidence, said.depth) == (Confidence.MEDIUM, Depth.ROOT)
    assert all(word in said.advice for word in ("KB 2802568", "Client Authentication Issuers"))
    assert finding(RULE, connection(*SERVER_FLIGHT, "> RST", request=ONLY_SUB), ALL).depth is Depth.SYMPTOM


def test_a_client_without_any_certificate_is_named_first() -> None:
    conn = connection(*CLIENT_DONE, "< Alert 40", request=ONLY_SUB, **NONE)
    assert [item.rule for item in judge(conn, context(ALL))][:2] == ["client-certificate-missing", RULE]
