"""server-chain-incomplete: and with it the shared verdict of judgement/chains.py."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Confidence, Depth
from tests.build import asn1, pki
from tests.build.connections import (
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    FakeHistory,
    ca_list,
    connection,
    context,
)
from tests.rules.cast import (
    CLIENT,
    OTHER,
    ROOT,
    ROOTS_KNOWN,
    SERVER,
    SUB,
    answer,
    certificate,
    chain,
    finding,
    name,
    raw,
)

RULE = "server-chain-incomplete"
TOP = ROOT.issue("Top", ca=True)
MID = TOP.issue("Mid", ca=True)
DEEP = MID.issue("deep.example", san=["deep.example"])
LONE = chain(SERVER)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB), "silent", id="leaf and intermediate: the root stays at home"),
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="the root is sent along"),
        pytest.param(chain(DEEP, MID), "silent", id="two linked certificates: the one above may be the root"),
        pytest.param(chain(ROOT, SERVER), "silent", id="a root where the leaf belongs has no issuer to miss"),
        pytest.param(chain(SERVER, ROOT, SUB), "silent", id="all there, in the wrong order"),
        pytest.param(chain(SUB, SERVER), "silent", id="all there, the leaf last"),
        pytest.param(chain(SERVER, SERVER, SUB), "silent", id="the leaf twice"),
        pytest.param(raw(b"\x30\x03junk", SUB.der), "cannot tell", id="the leaf cannot be read"),
        pytest.param(LONE, "warning", id="a lone leaf"),
        pytest.param(chain(SERVER, SERVER), "warning", id="a lone leaf, twice"),
        pytest.param(chain(SERVER, ROOT), "warning", id="leaf and root: the intermediate is missing between"),
        pytest.param(chain(DEEP, TOP, ROOT), "warning", id="a hole below the second of three CAs"),
        pytest.param(chain(DEEP, MID, ROOT), "warning", id="a hole above the first of three CAs"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), "warning", id="the client goes on"),
        pytest.param((*HANDSHAKE, *DATA, "< RST"), "warning", id="the server resets after data"),
        pytest.param((*HANDSHAKE, "> FIN"), "warning", id="the client ends right after the handshake"),
        pytest.param((*SERVER_FLIGHT,), "warning", id="the capture ends behind the server's flight"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48", "> FIN"), "error", id="unknown_ca from the client"),
        pytest.param((*SERVER_FLIGHT, "> Alert warning 42", "> FIN"), "error", id="bad_certificate sent as a warning"),
        pytest.param((*SERVER_FLIGHT, "> Alert 40", "> FIN"), "error", id="handshake_failure from the client"),
        pytest.param((*SERVER_FLIGHT, "> RST"), "error", id="a bare reset by the client"),
        pytest.param((*SERVER_FLIGHT, "> Alert warning 0", "> FIN"), "error", id="close_notify and FIN by the client"),
        pytest.param((*SERVER_FLIGHT, "... 20 s", "> FIN"), "error", id="the client thinks about it for 20 s"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45", "> FIN"), "warning", id="certificate_expired: it built the path"),
        pytest.param((*SERVER_FLIGHT, "> Alert 70", "> FIN"), "warning", id="protocol_version: something else"),
        pytest.param((*SERVER_FLIGHT, "> Alert 47", "> FIN"), "warning", id="illegal_parameter: something else"),
        pytest.param((*SERVER_FLIGHT, "< Alert 80", "< FIN"), "warning", id="the server gives up itself"),
        pytest.param((*SERVER_FLIGHT, "< RST"), "warning", id="the server resets"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48", "< FIN"), "warning", id="the server refuses the client"),
        pytest.param((*CLIENT_FLIGHT, "... 30 s", "> FIN"), "warning", id="the client gives up waiting for the server"),
        pytest.param(
            (*SERVER_FLIGHT[:-1], "... 20 s", "> FIN"), "warning", id="half the flight, and the client gives up"
        ),
        pytest.param((*SERVER_FLIGHT[:-1], "> FIN"), "error", id="half the flight, and the client closes at once"),
    ],
)
def test_who_ended_it(ladder: tuple[str, ...], expected: str) -> None:
    assert answer(RULE, connection(*ladder, server_chain=LONE)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, "error", id="everything is in the capture"),
        pytest.param({"visibility": {"gap_bytes": 1448}}, "warning", id="a gap: no blame for a silent end"),
        pytest.param({"visibility": {"one_sided": Side.SERVER}}, "warning", id="one side only"),
        pytest.param({"server": {"unacked_full_size": True}}, "warning", id="the flight never arrived: large segments"),
        pytest.param({"server": {"acked_bytes": 100, "retransmitted": 3}}, "warning", id="the flight never arrived"),
        pytest.param({"server": {"acked_bytes": 100}}, "error", id="the last acknowledgement was not waited for"),
    ],
)
def test_a_silent_end_needs_the_whole_view(facts: dict[str, Any], expected: str) -> None:
    assert answer(RULE, connection(*SERVER_FLIGHT, "> RST", server_chain=LONE, **facts)) == expected


def test_an_alert_in_clear_counts_across_a_gap() -> None:
    conn = connection(*SERVER_FLIGHT, "> Alert 48", server_chain=LONE, visibility={"gap_bytes": 1448})
    assert answer(RULE, conn) == "error"


@pytest.mark.parametrize(
    ("history", "facts", "expected"),
    [
        pytest.param(FakeHistory(), {}, "warning", id="nothing shows a root"),
        pytest.param(ROOTS_KNOWN, {}, "silent", id="earlier traffic or a trust store shows it"),
        pytest.param(FakeHistory(), {"request": ca_list(name(SUB))}, "silent", id="the CA list of this connection"),
        pytest.param(FakeHistory(), {"request": ca_list(name(OTHER))}, "warning", id="the CA list names another"),
        pytest.param(FakeHistory(), {"client_chain": chain(OTHER)}, "warning", id="the client sent another root"),
        pytest.param(
            FakeHistory(), {"client_chain": chain(CLIENT, pki.root("Sub"))}, "silent", id="the client sent that root"
        ),
    ],
)
def test_what_shows_that_the_issuer_is_a_root(history: FakeHistory, facts: dict[str, Any], expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=LONE, **facts)
    assert answer(RULE, conn, context(history)) == expected


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE)) == "cannot tell"


def test_the_missing_issuer_its_address_and_its_sender_are_named() -> None:
    sub = certificate(SUB)
    history = FakeHistory(cas=(sub,), sent={sub.sha256: "203.0.113.9:5061 in connection 3"})
    said = finding(RULE, connection(*SERVER_FLIGHT, "> Alert 48", server_chain=LONE), history)
    assert "sip.example.com alone" in said.summary
    assert "CN=Sub" in said.summary
    assert "the client refused with the alert unknown_ca (48)" in said.summary
    assert "http://pki.example/sub.crt" in said.advice
    assert "203.0.113.9:5061 in connection 3 sent it" in said.advice
    assert said.confidence is Confidence.HIGH
    assert said.depth is Depth.ROOT
    assert said.frames == (6, 9)


def test_the_client_may_have_sent_what_the_server_lacks() -> None:
    said = finding(RULE, connection(*HANDSHAKE, *DATA, server_chain=LONE, client_chain=chain(CLIENT, SUB)))
    assert "the client sent it on this connection" in said.advice
    assert "it worked here" in said.summary


@pytest.mark.parametrize(
    ("leaf", "reasons"),
    [
        pytest.param(
            SERVER, "the client had that issuer, fetched it or does not check)", id="it says where to fetch it"
        ),
        pytest.param(DEEP, "the client had that issuer or does not check)", id="it cannot be fetched"),
    ],
)
def test_a_client_that_takes_it_proves_no_trust(leaf: pki.Identity, reasons: str) -> None:
    assert reasons in finding(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(leaf))).summary


def test_a_ca_of_that_name_with_another_key_is_no_proof() -> None:
    stranger = certificate(OTHER.issue("Sub", ca=True, key_label="stranger"))
    said = finding(RULE, connection(*HANDSHAKE, server_chain=LONE), FakeHistory(cas=(stranger,)))
    assert said.confidence is Confidence.MEDIUM
    assert "unless that issuer is one itself" in said.summary
    assert "In this capture" not in said.advice
    same_connection = connection(*HANDSHAKE, server_chain=LONE, client_chain=raw(CLIENT.der, stranger.der))
    assert finding(RULE, same_connection).confidence is Confidence.MEDIUM


def test_a_hole_is_told_apart_from_a_lone_leaf() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, ROOT)))
    assert "has a hole: sip.example.com was issued by CN=Sub, which was not sent" in said.summary


def test_beside_another_failure_it_never_comes_first() -> None:
    said = finding(RULE, connection(*CLIENT_FLIGHT, "< Alert 48", server_chain=LONE))
    assert said.depth is Depth.SYMPTOM
    assert said.severity.value == "warning"


def test_a_leaf_without_an_issuer_name_misses_nobody() -> None:
    nameless = pki.make("a.example", issuer=ROOT, issuer_name=asn1.name())
    assert answer(RULE, connection(*HANDSHAKE, server_chain=chain(nameless))) == "silent"
