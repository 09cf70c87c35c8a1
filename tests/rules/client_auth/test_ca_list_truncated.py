"""ca-list-truncated: a list that ends just below a limit of Schannel."""

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
    ca_list,
    connection,
    context,
)
from tests.rules.cast import CLIENT, OTHER, ROOT, SUB, answer, chain, finding, name

RULE = "ca-list-truncated"
NONE: dict[str, Any] = {"client_certificate_state": CertificateState.EMPTY}


def of(size: int) -> CaList:
    """150 times a CA that is not ours, with this length field."""
    return ca_list(*[name(OTHER)] * 150, size=size)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param(0, "silent", id="empty"),
        pytest.param(3_000, "silent", id="short"),
        pytest.param(11_968, "silent", id="320 bytes below the smaller limit"),
        pytest.param(11_969, "warning", id="319 bytes below the smaller limit"),
        pytest.param(12_288, "warning", id="exactly the smaller limit"),
        pytest.param(12_289, "silent", id="just above the smaller limit"),
        pytest.param(16_064, "silent", id="320 bytes below the larger limit"),
        pytest.param(16_065, "warning", id="319 bytes below the larger limit"),
        pytest.param(16_384, "warning", id="exactly the larger limit"),
        pytest.param(16_385, "silent", id="just above: no Windows cut this"),
        pytest.param(32_700, "silent", id="near a limit of receivers"),
        pytest.param(65_535, "silent", id="the length field's own limit"),
    ],
)
def test_length(size: int, expected: str) -> None:
    assert answer(RULE, connection(*SERVER_FLIGHT, request=of(size))) == expected


@pytest.mark.parametrize(
    ("ladder", "facts", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), {}, "note", id="the connection works"),
        pytest.param((*HANDSHAKE, *DATA), NONE, "note", id="it works without a certificate"),
        pytest.param((*HANDSHAKE, *DATA), {"client_chain": chain(CLIENT, SUB)}, "note", id="it works with one"),
        pytest.param((*HANDSHAKE, *DATA, "< RST"), NONE, "note", id="it ended by a reset after data"),
        pytest.param(SERVER_FLIGHT, {}, "warning", id="the capture ends"),
        pytest.param((*SERVER_FLIGHT, "> RST"), {}, "warning", id="the client refuses after the server's flight"),
        pytest.param((*SERVER_FLIGHT, "> Alert 47"), {}, "warning", id="the client says illegal_parameter"),
        pytest.param((*CLIENT_DONE, "> RST"), NONE, "warning", id="no certificate, but the client ends it"),
        pytest.param((*CLIENT_DONE, "< Alert 70"), NONE, "warning", id="no certificate, refused for something else"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), {"client_chain": chain(CLIENT)}, "warning", id="unknown issuer"),
        pytest.param((*CLIENT_DONE, "< Alert 40"), NONE, "error", id="no certificate, and the server refuses"),
        pytest.param((*CLIENT_DONE, "< RST"), NONE, "error", id="no certificate, and the server resets"),
        pytest.param((*HANDSHAKE, "< RST"), NONE, "error", id="no certificate, refused right after the handshake"),
        pytest.param(
            (*CLIENT_FLIGHT, "< RST"), {"client_chain": chain(CLIENT, SUB)}, "error", id="its issuers are not listed"
        ),
    ],
)
def test_what_became_of_it(ladder: tuple[str, ...], facts: dict[str, Any], expected: str) -> None:
    assert answer(RULE, connection(*ladder, request=of(16_300), **facts)) == expected


def test_a_listed_issuer_is_no_victim_of_the_cut() -> None:
    cut = ca_list(name(ROOT), size=16_300)
    conn = connection(*CLIENT_FLIGHT, "< Alert 42", request=cut, client_chain=chain(CLIENT, SUB))
    assert answer(RULE, conn) == "warning"


def test_no_request_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.CERTIFICATE_REQUEST)) == "cannot tell"


def test_the_proven_case_is_sure_and_says_what_to_do() -> None:
    said = finding(RULE, connection(*CLIENT_DONE, "< Alert 40", request=of(16_300), **NONE))
    assert (said.confidence, said.depth) == (Confidence.HIGH, Depth.ROOT)
    assert "150 names in 16,300 bytes" in said.summary
    assert "the client found no certificate that fits and the server refused with the alert" in said.summary
    assert all(
        word in said.advice for word in ("KB 2801679", "KB 931125", "SendTrustedIssuerList", "36885", "certutil")
    )
    assert finding(RULE, connection(*SERVER_FLIGHT, request=of(16_300))).confidence is Confidence.MEDIUM


def test_it_comes_before_the_issuer_that_is_missing_because_of_it() -> None:
    conn = connection(*CLIENT_FLIGHT, "< RST", request=of(16_300), client_chain=chain(CLIENT, SUB, ROOT))
    order = [finding.rule for finding in judge(conn, context())]
    assert order[:3] == [RULE, "client-issuer-not-in-ca-list", "client-certificate-rejected"]
