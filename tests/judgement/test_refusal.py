"""Who would not go on with whose certificate. The rules' own tables go through most of it; here is the rest."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import CertificateState, Outcome, Side
from analyzer.findings import Confidence, Depth, Severity
from analyzer.judgement.refusal import Defect, Refusal, refusal_of, weigh
from tests.build.connections import CLIENT_DONE, DATA, HANDSHAKE, HELLOS, SERVER_FLIGHT, connection
from tests.rules.cast import CLIENT, SERVER, SUB, chain

CHAINS: dict[str, Any] = {"server_chain": chain(SERVER, SUB), "client_chain": chain(CLIENT, SUB)}


@pytest.mark.parametrize(
    ("ladder", "side", "how"),
    [
        pytest.param((*HANDSHAKE, *DATA, "< FIN"), Side.CLIENT, None, id="a healthy end"),
        pytest.param((*HANDSHAKE, *DATA, "< FIN"), Side.SERVER, None, id="a healthy end, seen from the server"),
        pytest.param((*HANDSHAKE, "> RST"), Side.SERVER, None, id="a client that ends late refuses no certificate"),
        pytest.param((*CLIENT_DONE, "> EncryptedAlert"), Side.SERVER, None, id="the client had gone on"),
        pytest.param((*CLIENT_DONE, "< EncryptedAlert", "< FIN"), Side.CLIENT, "encrypted-alert", id="encrypted alert"),
        pytest.param((*SERVER_FLIGHT, "> EncryptedAlert", "> FIN"), Side.SERVER, "encrypted-alert", id="by the client"),
        pytest.param((*CLIENT_DONE, "< Alert 42"), Side.CLIENT, "alert", id="alert in clear"),
        pytest.param((*CLIENT_DONE, "< Alert 42"), Side.SERVER, None, id="alert about the other side"),
        pytest.param((*CLIENT_DONE, "< RST"), Side.CLIENT, "rst", id="reset"),
        pytest.param((*CLIENT_DONE, "< FIN"), Side.CLIENT, "fin", id="close"),
    ],
)
def test_how(ladder: tuple[str, ...], side: Side, how: str | None) -> None:
    refusal = refusal_of(connection(*ladder, **CHAINS), side)
    assert (refusal.how if refusal else None) == how
    assert refusal is None or refusal.by is side.peer


def test_nothing_was_presented() -> None:
    assert refusal_of(connection(*HELLOS, "< Alert 42"), Side.CLIENT) is None


def test_an_empty_message_can_be_refused_but_has_no_proof_that_fails() -> None:
    empty: dict[str, Any] = {"client_certificate_state": CertificateState.EMPTY}
    assert refusal_of(connection(*CLIENT_DONE, "< Alert 40", **empty), Side.CLIENT) is not None
    assert refusal_of(connection(*CLIENT_DONE, "< Alert 51", **empty), Side.CLIENT) is None


@pytest.mark.parametrize(
    ("ladder", "facts", "refused"),
    [
        pytest.param((*CLIENT_DONE, "< Alert 50"), {}, True, id="GnuTLS says decode_error of an empty message"),
        pytest.param((*HANDSHAKE, "< Alert 50"), {}, False, id="it had gone on without a certificate"),
        pytest.param((*SERVER_FLIGHT, "< Alert 50", "> Certificate"), {}, False, id="before the answer was there"),
        pytest.param((*CLIENT_DONE, "< Alert 50"), CHAINS, False, id="of a chain that can be read"),
    ],
)
def test_decode_error(ladder: tuple[str, ...], facts: dict[str, Any], refused: bool) -> None:
    state = CertificateState.SENT if facts else CertificateState.EMPTY
    refusal = refusal_of(
        connection(*ladder, client_certificate_state=state, outcome=Outcome.FAILED, **facts), Side.CLIENT
    )
    assert (refusal is not None) is refused
    assert refusal is None or refusal.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("code", "fits", "not_fits"),
    [
        pytest.param(None, {Defect.EXPIRED, Defect.NAME}, set(), id="silence can mean anything"),
        pytest.param(42, {Defect.EXPIRED, Defect.NAME}, set(), id="bad_certificate too"),
        pytest.param(45, {Defect.EXPIRED, Defect.NOT_YET_VALID}, {Defect.INCOMPLETE, Defect.NAME}, id="expired"),
        pytest.param(48, {Defect.INCOMPLETE, Defect.SELF_SIGNED}, {Defect.EXPIRED, Defect.NAME}, id="unknown_ca"),
        pytest.param(43, {Defect.USE, Defect.WEAK}, {Defect.EXPIRED, Defect.INCOMPLETE}, id="unsupported_certificate"),
        pytest.param(44, set(), set(Defect), id="revoked: nothing that can be seen"),
        pytest.param(49, {Defect.EXPIRED, Defect.NAME}, set(), id="access_denied: GnuTLS says it of anything"),
        pytest.param(70, set(), set(Defect), id="protocol_version"),
    ],
)
def test_what_an_alert_can_be_about(code: int | None, fits: set[Defect], not_fits: set[Defect]) -> None:
    refusal = Refusal(Side.SERVER, "alert", code, 9, late=False, confidence=Confidence.HIGH)
    assert {defect for defect in fits | not_fits if refusal.may_mean(defect)} == fits


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        pytest.param(
            Refusal(Side.SERVER, "alert", 48, 9, False, Confidence.HIGH),
            "the server refused with the alert unknown_ca (48)",
            id="alert",
        ),
        pytest.param(
            Refusal(Side.CLIENT, "rst", None, 9, False, Confidence.HIGH),
            "the client refused with a reset and no alert",
            id="reset",
        ),
        pytest.param(
            Refusal(Side.SERVER, "rst", None, 9, True, Confidence.HIGH),
            "the server refused with a reset right after the handshake and no alert",
            id="late reset",
        ),
        pytest.param(
            Refusal(Side.SERVER, "fin", None, 9, True, Confidence.HIGH),
            "the server refused by closing right after the handshake without an alert",
            id="late close",
        ),
        pytest.param(
            Refusal(Side.SERVER, "encrypted-alert", None, None, False, Confidence.HIGH),
            "the server refused with a record of the size of an alert, and closed",
            id="encrypted alert",
        ),
    ],
)
def test_words(refusal: Refusal, said: str) -> None:
    assert str(refusal) == said
    assert refusal.frames == ((9,) if refusal.frame else ())


def test_a_defect_beside_another_failure_keeps_its_severity_and_steps_back() -> None:
    conn = connection(*CLIENT_DONE, "< Alert 48", **CHAINS)
    cause, bystander = (weigh(conn, side, Defect.INCOMPLETE, Severity.WARNING) for side in (Side.CLIENT, Side.SERVER))
    assert (cause.severity, cause.depth, cause.clause[:2]) == (Severity.ERROR, Depth.ROOT, "; ")
    assert (bystander.severity, bystander.depth, bystander.clause) == (Severity.WARNING, Depth.SYMPTOM, "")
    assert bystander.frames == ()


@pytest.mark.parametrize(
    ("ladder", "how"),
    [
        pytest.param((*CLIENT_DONE, "< EncryptedAlert", "< FIN"), None, id="encrypted alert"),
        pytest.param((*HANDSHAKE, "< FIN"), None, id="closed after the handshake"),
        pytest.param((*CLIENT_DONE, "< RST"), None, id="reset"),
        pytest.param((*CLIENT_DONE, "< Alert 42"), "alert", id="an alert in clear counts"),
    ],
)
@pytest.mark.parametrize("view", [{"gap_bytes": 1_503}, {"undecided": True, "conflicts": 1}])
def test_what_the_capture_lacks_may_explain_it(ladder: tuple[str, ...], how: str | None, view: dict[str, Any]) -> None:
    refusal = refusal_of(connection(*ladder, visibility=view, **CHAINS), Side.CLIENT)
    assert (refusal.how if refusal else None) == how
