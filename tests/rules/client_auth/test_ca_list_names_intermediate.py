"""ca-list-names-intermediate: a name on the list is that of a certificate which another CA issued."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.connection import CaList, Seen, Side, Step
from analyzer.findings import Depth
from analyzer.rules import judge
from analyzer.rules.history import History
from analyzer.rules.rule import Context
from analyzer.tls.messages import Handshake, Plain, Span
from tests.build import pki
from tests.build.connections import DATA, HANDSHAKE, SERVER_FLIGHT, FakeHistory, ca_list, connection, context
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, answer, certificate, chain, finding, name

RULE = "ca-list-names-intermediate"
WINDOWS = pki.root("Microsoft Root Certificate Authority 2011")
MIXED = ca_list(name(ROOT), name(WINDOWS), name(SUB))
MORE = [ROOT.issue(f"Sub{number}", ca=True) for number in range(6)]
MORE_SEEN = FakeHistory(cas=tuple(map(certificate, MORE)))
SUB_SEEN = FakeHistory(cas=(certificate(SUB),), sent={certificate(SUB).sha256: "192.0.2.1:5061 in connection 3"})
SUB_IS_ROOT = FakeHistory(cas=(certificate(SUB),), roots={"CN=Sub": "a self-issued certificate in frame 12"})
SUB_IS_LISTED = FakeHistory(cas=(certificate(SUB),), roots={"CN=Sub": "a CA list on the wire (frame 12)"})


@pytest.mark.parametrize(
    ("names", "history", "facts", "expected"),
    [
        pytest.param(MIXED, FakeHistory(), {}, "silent", id="nobody sent such a certificate"),
        pytest.param(ca_list(name(ROOT)), SUB_SEEN, {}, "silent", id="only roots"),
        pytest.param(ca_list(), SUB_SEEN, {}, "silent", id="an empty list"),
        pytest.param(ca_list(name(SUB)), SUB_SEEN, {}, "silent", id="nothing but intermediates: another rule"),
        pytest.param(MIXED, SUB_IS_ROOT, {}, "silent", id="there is a self-issued one too: cross-certified"),
        pytest.param(MIXED, FakeHistory(), {"server_chain": chain(SERVER)}, "silent", id="a leaf proves nothing"),
        pytest.param(
            ca_list(name(ROOT), name(SERVER)),
            FakeHistory(),
            {"server_chain": chain(SERVER, SUB)},
            "silent",
            id="the name of a server, no CA",
        ),
        pytest.param(MIXED, SUB_SEEN, {}, "warning", id="somebody sent it earlier"),
        pytest.param(MIXED, SUB_IS_LISTED, {}, "warning", id="another list names it too: that proves nothing"),
        pytest.param(
            MIXED, FakeHistory(), {"server_chain": chain(SERVER, SUB)}, "warning", id="the server itself sent it"
        ),
        pytest.param(MIXED, FakeHistory(), {"client_chain": chain(CLIENT, SUB)}, "warning", id="the client sent it"),
        pytest.param(
            ca_list(name(WINDOWS), *[name(OTHER)] * 150, name(SUB)), SUB_SEEN, {}, "warning", id="one among many"
        ),
        pytest.param(
            ca_list(name(WINDOWS), name(SUB), complete=False), SUB_SEEN, {}, "warning", id="the list's end is missing"
        ),
        pytest.param(ca_list(*map(name, MORE)), MORE_SEEN, {}, "warning", id="six names, all of intermediates"),
        pytest.param(ca_list(name(ROOT), name(SUB)), SUB_SEEN, {}, "note", id="no root of Microsoft: a chosen list"),
        pytest.param(ca_list(name(SUB), complete=False), SUB_SEEN, {}, "note", id="nobody knows what else is listed"),
    ],
)
def test_what_is_known_of_the_names(names: CaList, history: FakeHistory, facts: Any, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, request=names, **facts)
    assert answer(RULE, conn, context(history)) == expected


def flight(*spans: tuple[int, int]) -> Any:
    """A connection whose server sent messages at these places of its stream."""
    conn = connection(*HANDSHAKE, *DATA, request=MIXED)
    messages = [
        Step(Side.SERVER, "ServerHello", (5,), conn.ts_ns, 100, Handshake(2, Plain(), end - start, 1, Span(start, end)))
        for start, end in spans
    ]
    return replace(conn, steps=(*messages, *conn.steps))


@pytest.mark.parametrize(
    ("conn", "expected"),
    [
        pytest.param(
            flight((5, 90), (90, 900), (900, 990)), "warning", id="several messages in one record: as Windows"
        ),
        pytest.param(flight((5, 90), (95, 900), (900, 990)), "warning", id="two of them in one record"),
        pytest.param(flight((5, 90), (95, 900), (905, 990)), "note", id="one record each: no Windows"),
        pytest.param(flight((5, 90)), "warning", id="one message does not tell"),
    ],
)
def test_what_the_records_hint_at(conn: Any, expected: str) -> None:
    assert answer(RULE, conn, context(SUB_SEEN)) == expected


def test_no_request_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.CERTIFICATE_REQUEST)) == "cannot tell"


def test_the_certificate_and_its_sender_are_told() -> None:
    said = finding(RULE, connection(*HANDSHAKE, request=MIXED), SUB_SEEN)
    assert "names CN=Sub, which is no root: CN=Root issued it" in said.summary
    assert "192.0.2.1:5061 in connection 3 sent that certificate" in said.advice
    assert (said.frames, said.depth) == ((7,), Depth.ROOT)
    assert finding(RULE, connection(*SERVER_FLIGHT, "> RST", request=MIXED), SUB_SEEN).depth is Depth.SYMPTOM


def test_it_speaks_as_soon_as_somebody_sent_the_certificate() -> None:
    history = History()
    asked, conn = Context(history), connection(*HANDSHAKE, *DATA, request=MIXED)
    for _ in range(3):
        assert RULE not in {item.rule for item in judge(conn, asked)}, "quiet from the second time on"
    history.learn(connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB)))
    assert RULE in {item.rule for item in judge(conn, asked)}
    history.learn(connection(*HANDSHAKE, *DATA, server_chain=chain(pki.root("Sub"))))
    assert RULE not in {item.rule for item in judge(conn, asked)}, "there is a root of this name as well"
