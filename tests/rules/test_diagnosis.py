"""The one sentence that an expert would say first."""

from __future__ import annotations

import pytest

from analyzer import rules
from analyzer.connection import Connection, Outcome, Side
from analyzer.findings import Confidence, Depth, Finding, Severity
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HELLOS,
    SERVER_FLIGHT,
    TCP,
    connection,
    context,
)

HEALTHY = connection(*HANDSHAKE, *DATA)
RESET = connection(*CLIENT_FLIGHT, "< RST")


def finding(
    severity: Severity,
    depth: Depth = Depth.ROOT,
    confidence: Confidence = Confidence.HIGH,
    summary: str = "the CA is missing",
) -> Finding:
    return Finding("some-rule", severity, confidence, summary, depth=depth)


@pytest.mark.parametrize(
    ("conn", "found", "sentence"),
    [
        pytest.param(HEALTHY, (), None, id="all is well"),
        pytest.param(HEALTHY, (finding(Severity.NOTE),), None, id="a note is no diagnosis"),
        pytest.param(
            HEALTHY, (finding(Severity.WARNING),), None, id="a standing warning is none of a connection that works"
        ),
        pytest.param(HEALTHY, (finding(Severity.ERROR),), "the CA is missing", id="a standing error is one"),
        pytest.param(
            RESET,
            (finding(Severity.ERROR),),
            "the CA is missing, so the server reset the connection after the client's CertificateVerify",
            id="a sure root takes in its symptom",
        ),
        pytest.param(
            RESET,
            (finding(Severity.ERROR, confidence=Confidence.MEDIUM),),
            "the CA is missing; then the server reset the connection after the client's CertificateVerify",
            id="a less sure one claims no cause",
        ),
        pytest.param(
            RESET,
            (finding(Severity.ERROR, summary="the server reset the connection."),),
            "the server reset the connection",
            id="the end is not said twice",
        ),
        pytest.param(
            RESET,
            (finding(Severity.ERROR, Depth.SYMPTOM, summary="it went wrong"),),
            "it went wrong",
            id="a symptom alone",
        ),
        pytest.param(
            connection(*SERVER_FLIGHT, "> Alert 48", "< RST"),
            (finding(Severity.ERROR),),
            "the CA is missing, so the client ended the handshake with the alert unknown_ca (48) after the server's "
            "ServerHelloDone",
            id="the alert is the end, not its echo",
        ),
        pytest.param(
            connection(*CLIENT_DONE, "< EncryptedAlert", "< FIN"),
            (finding(Severity.WARNING),),
            "the CA is missing; then the server ended the handshake with an encrypted alert",
            id="a warning is the best that there is",
        ),
        pytest.param(
            connection(*HELLOS, "> FIN"),
            (),
            "the handshake failed: the client closed the connection without an alert after the server's ServerHello",
            id="a failure that no rule explains",
        ),
        pytest.param(
            connection(*HELLOS, "> FIN", visibility={"gap_bytes": 9, "gap_side": Side.SERVER}),
            (finding(Severity.NOTE),),
            "the handshake failed: the client closed the connection without an alert after the server's ServerHello (9 "
            "bytes of the handshake are missing from the capture)",
            id="and what the capture does not show of it",
        ),
        pytest.param(connection(*TCP, "> FIN"), (finding(Severity.NOTE),), None, id="a probe is no trouble"),
        pytest.param(connection(*HELLOS, outcome=Outcome.UNKNOWN), (), None, id="not decided"),
        pytest.param(connection(*HELLOS, outcome=Outcome.UNKNOWN), (finding(Severity.NOTE),), None, id="not in view"),
    ],
)
def test_sentences(conn: Connection, found: tuple[Finding, ...], sentence: str | None) -> None:
    assert rules.diagnosis(conn, found) == sentence


@pytest.mark.parametrize(
    ("conn", "words"),
    [
        pytest.param(connection("> SYN", "< RST"), "refused the connection", id="refused"),
        pytest.param(connection("> SYN", "> SYN", "> SYN"), "never answered the connection request", id="no answer"),
        pytest.param(connection(*SERVER_FLIGHT, "> Alert 48"), "does not trust the CA", id="alert"),
        pytest.param(connection(*SERVER_FLIGHT, "> RST"), "the client 192.0.2.10:50000 reset", id="reset"),
        pytest.param(
            connection(*TCP, "> ClientHello", "... 9 s", "> RST"), "never answered the client's", id="silence"
        ),
        pytest.param(connection(*HANDSHAKE, "< RST"), "after the complete handshake", id="late rejection"),
        pytest.param(connection(*TCP, "> ClientHello", "< Alert 70"), "no common TLS version", id="version"),
    ],
)
def test_what_the_rules_of_this_catalogue_lead_to(conn: Connection, words: str) -> None:
    found = rules.judge(conn, context())
    sentence = rules.diagnosis(conn, found)
    assert sentence is not None
    assert words in sentence
