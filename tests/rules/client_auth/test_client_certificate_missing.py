"""client-certificate-missing: asked for, and answered with nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.connection import CertificateState, ClientAuth13, Closed, Connection, Outcome, Seen
from analyzer.findings import Confidence, Depth
from tests.build.connections import CLIENT_DONE, CLIENT_FLIGHT, DATA, HANDSHAKE, HELLOS, ca_list, connection
from tests.rules.cast import CLIENT, OTHER, SUB, answer, chain, finding, name

RULE = "client-certificate-missing"


def empty(*ladder: str, **facts: Any) -> Connection:
    """The client answers with an empty Certificate message."""
    return connection(*ladder, client_certificate_state=CertificateState.EMPTY, **facts)


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), "note", id="the server goes on without"),
        pytest.param((*HANDSHAKE, *DATA, "< RST"), "note", id="it goes on, and ends by a reset later"),
        pytest.param((*HANDSHAKE, "< EncryptedAlert", "< FIN"), "note", id="close_notify after the handshake"),
        pytest.param((*HANDSHAKE, "> FIN"), "note", id="the client closes after the handshake"),
        pytest.param(CLIENT_DONE, "note", id="the capture ends before the answer"),
        pytest.param((*CLIENT_DONE, "> RST"), "note", id="the client ends it itself"),
        pytest.param((*CLIENT_DONE, "< Alert 70"), "note", id="the server refuses something else"),
        pytest.param((*CLIENT_DONE, "< Alert 51"), "note", id="the server finds other keys than the client"),
        pytest.param((*CLIENT_DONE, "< Alert 40", "< FIN"), "error", id="handshake_failure, as OpenSSL says"),
        pytest.param((*CLIENT_DONE, "< Alert 42", "< FIN"), "error", id="bad_certificate, as Java says"),
        pytest.param((*CLIENT_DONE, "< Alert 50", "< FIN"), "error", id="decode_error, as GnuTLS says"),
        pytest.param((*CLIENT_DONE, "< Alert 116", "< FIN"), "error", id="certificate_required"),
        pytest.param((*CLIENT_DONE, "< RST"), "error", id="a bare reset"),
        pytest.param((*CLIENT_DONE, "< FIN"), "error", id="a bare close"),
        pytest.param((*HANDSHAKE, "< RST"), "error", id="a reset right after the handshake"),
        pytest.param((*HANDSHAKE, "> ApplicationData", "< RST"), "error", id="a reset instead of an answer"),
    ],
)
def test_does_it_die(ladder: tuple[str, ...], expected: str) -> None:
    assert answer(RULE, empty(*ladder)) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(CertificateState.SENT, "silent", id="a certificate was sent"),
        pytest.param(CertificateState.INFERRED_SENT, "silent", id="TLS 1.3: probably sent"),
        pytest.param(CertificateState.NOT_REQUESTED, "does not apply", id="nobody asked"),
        pytest.param(CertificateState.LOST, "does not apply", id="the answer is missing from the capture"),
    ],
)
def test_other_answers(state: CertificateState, expected: str) -> None:
    facts: dict[str, Any] = {"client_chain": chain(CLIENT, SUB)} if state is CertificateState.SENT else {}
    assert answer(RULE, connection(*HANDSHAKE, client_certificate_state=state, **facts)) == expected


def test_hidden_answers_cannot_be_told() -> None:
    conn = connection(*HELLOS, client_certificate_state=None, hidden=Seen.CLIENT_CERTIFICATE_MESSAGE)
    assert answer(RULE, conn) == "cannot tell"


@pytest.mark.parametrize(
    ("outcome", "told", "expected", "confidence"),
    [
        pytest.param(
            Outcome.FAILED,
            ClientAuth13("empty", "high", refused=True, frames=(6,)),
            "error",
            Confidence.HIGH,
            id="empty, then a record of alert size: separate records",
        ),
        pytest.param(
            Outcome.FAILED,
            ClientAuth13("empty", "medium", refused=True, frames=(6,)),
            "error",
            Confidence.MEDIUM,
            id="empty, then a record of alert size: joined records",
        ),
        pytest.param(
            Outcome.ESTABLISHED,
            ClientAuth13("empty", "high", frames=(6,)),
            "note",
            Confidence.HIGH,
            id="empty, and the server goes on",
        ),
        pytest.param(
            Outcome.FAILED,
            ClientAuth13("empty", "high", frames=(6,)),
            "note",
            Confidence.HIGH,
            id="empty, and it failed in some other way",
        ),
    ],
)
def test_tls_1_3_is_inferred(outcome: Outcome, told: ClientAuth13, expected: str, confidence: Confidence) -> None:
    conn = connection(
        *HELLOS,
        "> EncryptedHandshake",
        "< ApplicationData",
        "< FIN",
        version="TLSv1.3",
        outcome=outcome,
        client_certificate_state=CertificateState.INFERRED_EMPTY,
        client_auth_13=told,
    )
    said = finding(RULE, conn)
    assert (said.severity.value, said.confidence) == (expected, confidence)
    assert 6 in said.frames


def test_a_server_that_goes_silent_is_a_guess() -> None:
    conn = empty(*CLIENT_DONE)
    conn = replace(conn, outcome=Outcome.FAILED, closed=Closed(None, "timeout"))
    said = finding(RULE, replace(conn, seen=conn.seen | Seen.FAILED | Seen.TROUBLED_END))
    assert (said.severity.value, said.confidence) == ("error", Confidence.LOW)


def test_an_answer_that_never_arrived_made_nobody_silent() -> None:
    conn = empty(*CLIENT_DONE, client={"retransmitted": 3, "acked_bytes": 100, "sent_bytes": 2_000})
    conn = replace(conn, outcome=Outcome.FAILED, closed=Closed(None, "timeout"))
    assert answer(RULE, replace(conn, seen=conn.seen | Seen.FAILED | Seen.TROUBLED_END)) == "note"


def test_user_clients_on_sip_ports_are_normal() -> None:
    assert "as user clients do" in finding(RULE, empty(*HANDSHAKE, *DATA), sip_ports=frozenset({5061})).summary
    assert "as user clients do" not in finding(RULE, empty(*HANDSHAKE, *DATA), sip_ports=frozenset()).summary


def test_cause_and_advice_are_told() -> None:
    said = finding(RULE, empty(*CLIENT_DONE, "< Alert 40", request=ca_list(name(OTHER))))
    assert "although the server asked for one (of 1 named CA); the server refused with the alert" in said.summary
    assert "36875" in said.advice
    assert "issued by a CA that the server names" in said.advice
    assert said.depth is Depth.STEP
    assert said.frames == (9, 14)
    assert "issued by" not in finding(RULE, empty(*CLIENT_DONE, "< RST", request=ca_list())).advice


def test_the_ladder_helper_means_a_certificate() -> None:
    assert answer(RULE, connection(*CLIENT_FLIGHT, client_chain=chain(CLIENT, SUB))) == "silent"
