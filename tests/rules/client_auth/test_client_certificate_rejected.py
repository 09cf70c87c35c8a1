"""client-certificate-rejected: who refused, and what can be seen to be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import CertificateState, ClientAuth13, Outcome, Seen, Side
from analyzer.findings import Confidence, Depth
from analyzer.rules import judge
from tests.build import pki
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HELLOS,
    SERVER_FLIGHT,
    START_NS,
    ca_list,
    connection,
    context,
)
from tests.rules.cast import CLIENT, OTHER, ROOT, SUB, answer, chain, finding, name

RULE = "client-certificate-rejected"
GOOD = chain(CLIENT, SUB)
NOW = datetime.fromtimestamp(START_NS // 10**9, UTC)
EXPIRED = SUB.issue("old.example", eku=["clientAuth"], not_after=NOW - timedelta(days=3))
EARLY = SUB.issue("early.example", not_before=NOW + timedelta(days=3))
SERVER_ONLY = SUB.issue("web.example", eku=["serverAuth"])
ANY_USE = SUB.issue("any.example", eku=["any"])
ALL_USES = SUB.issue("all.example")
SHORT_KEY = SUB.issue("short.example", eku=["clientAuth"], key="rsa1024")
SHA1 = SUB.issue("sha1.example", eku=["clientAuth"], digest="sha1")
FORGED = SUB.issue("forged.example", eku=["clientAuth"], signer=OTHER)


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), "does not apply", id="it works"),
        pytest.param((*HANDSHAKE, *DATA, "< RST"), "does not apply", id="a reset after data"),
        pytest.param(CLIENT_DONE, "does not apply", id="the capture ends before the server's answer"),
        pytest.param((*HANDSHAKE, "> FIN"), "silent", id="the client closes right after the handshake"),
        pytest.param((*HANDSHAKE, "< EncryptedAlert", "< FIN"), "silent", id="close_notify right after the handshake"),
        pytest.param((*HANDSHAKE, "> ApplicationData", "< RST"), "silent", id="a request was answered with a reset"),
        pytest.param((*CLIENT_DONE, "> RST"), "silent", id="the client resets"),
        pytest.param((*CLIENT_DONE, "> Alert 48", "< RST"), "silent", id="the client refuses the server"),
        pytest.param((*CLIENT_DONE, "... 30 s", "> FIN"), "silent", id="the client gives up waiting"),
        pytest.param(
            (*CLIENT_FLIGHT, "... 30 s", "< RST"), "silent", id="the client stops in the middle of its flight"
        ),
        pytest.param((*CLIENT_FLIGHT, "< Alert 70"), "silent", id="protocol_version"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 47"), "silent", id="illegal_parameter"),
        pytest.param((*CLIENT_DONE, "< Alert 20"), "silent", id="bad_record_mac"),
        pytest.param((*CLIENT_DONE, "< ChangeCipherSpec", "< RST"), "silent", id="the server had gone on"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 42", "< FIN"), "error", id="bad_certificate"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 44", "< FIN"), "error", id="certificate_revoked"),
        pytest.param((*CLIENT_FLIGHT, "< Alert warning 46", "< FIN"), "error", id="certificate_unknown as a warning"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 40", "< FIN"), "error", id="handshake_failure"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 49", "< FIN"), "error", id="access_denied"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 51", "< FIN"), "error", id="decrypt_error: its proof failed"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), "error", id="a reset in the middle of the client's flight"),
        pytest.param((*CLIENT_DONE, "< RST"), "error", id="a reset after the client's flight"),
        pytest.param((*CLIENT_DONE, "... 20 s", "< RST"), "error", id="a reset after 20 s of checking"),
        pytest.param((*CLIENT_DONE, "< FIN"), "error", id="a close without an alert"),
        pytest.param((*HANDSHAKE, "< RST"), "error", id="a reset right after the handshake"),
        pytest.param((*HANDSHAKE, "< FIN"), "error", id="a close right after the handshake"),
    ],
)
def test_who_ended_it(ladder: tuple[str, ...], expected: str) -> None:
    assert answer(RULE, connection(*ladder, client_chain=GOOD)) == expected


def test_a_server_that_ends_before_the_certificate_has_not_seen_it() -> None:
    assert answer(RULE, connection(*SERVER_FLIGHT, "< RST")) == "does not apply"
    late = connection(*SERVER_FLIGHT, "< Alert 80", "> Certificate", client_chain=GOOD)
    assert answer(RULE, late) == "silent"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"visibility": {"gap_bytes": 100}}, "silent", id="a gap"),
        pytest.param({"visibility": {"one_sided": Side.CLIENT}}, "silent", id="one side only"),
        pytest.param({"client": {"unacked_full_size": True}}, "silent", id="the certificate never arrived"),
        pytest.param({}, "error", id="everything is in the capture"),
    ],
)
def test_a_silent_end_needs_the_whole_view(facts: dict[str, Any], expected: str) -> None:
    assert answer(RULE, connection(*CLIENT_DONE, "< RST", client_chain=GOOD, **facts)) == expected


def test_a_late_end_refuses_nothing_that_never_arrived() -> None:
    lost = {"retransmitted": 3, "acked_bytes": 100, "sent_bytes": 2_000}
    assert answer(RULE, connection(*HANDSHAKE, "< FIN", client_chain=GOOD, client=lost)) == "silent"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(GOOD, "nothing wrong with it can be seen here", id="nothing wrong"),
        pytest.param(chain(ANY_USE, SUB), "nothing wrong with it can be seen here", id="any use includes this one"),
        pytest.param(chain(ALL_USES, SUB), "nothing wrong with it can be seen here", id="no list of uses allows all"),
        pytest.param(chain(EXPIRED, SUB), "old.example is expired", id="expired"),
        pytest.param(chain(EARLY, SUB), "early.example is not yet valid", id="not yet valid"),
        pytest.param(chain(SERVER_ONLY, SUB), "lacks clientAuth (it has serverAuth)", id="for servers only"),
        pytest.param(chain(CLIENT), "the certificate of its issuer CN=Sub was not sent", id="incomplete"),
        pytest.param(chain(pki.self_signed("box.example")), "it is self-signed", id="self-signed"),
        pytest.param(chain(FORGED, SUB), "the signature on forged.example is not by the Sub", id="a broken link"),
        pytest.param(
            chain(SUB, CLIENT), "does not start with the client's own certificate", id="the leaf is not first"
        ),
        pytest.param(chain(SHORT_KEY, SUB), "short.example has a key of only 1,024 bits", id="a short key"),
        pytest.param(chain(SHA1, SUB), "sha1.example is signed with SHA-1", id="an old hash"),
    ],
)
def test_defects_are_named(sent: Chain, told: str) -> None:
    assert told in finding(RULE, connection(*CLIENT_DONE, "< RST", client_chain=sent)).summary


def test_dates_are_no_reason_where_the_captures_clock_is_wrong() -> None:
    at = int(NOW.replace(year=1999).timestamp()) * 10**9
    said = finding(RULE, connection(*CLIENT_DONE, "< RST", client_chain=GOOD, end_ns=at))
    assert "nothing wrong with it can be seen here" in said.summary
    assert "besides, edge.example is not yet valid" in said.summary


def test_an_issuer_that_is_not_listed_is_named() -> None:
    conn = connection(*CLIENT_DONE, "< RST", client_chain=chain(CLIENT, SUB, ROOT), request=ca_list(name(OTHER)))
    said = finding(RULE, conn)
    assert "its issuer CN=Root is not on the server's CA list" in said.summary
    assert "Trust that CA on 198.51.100.5:5061" in said.advice


@pytest.mark.parametrize(
    ("code", "first"),
    [
        pytest.param(43, "lacks clientAuth", id="unsupported_certificate is about the use"),
        pytest.param(45, "old.example is expired", id="certificate_expired is about the date"),
        pytest.param(48, "its issuer CN=Sub was not sent", id="unknown_ca is about the chain"),
        pytest.param(42, "old.example is expired", id="bad_certificate can be anything"),
    ],
)
def test_what_fits_the_alert_comes_first(code: int, first: str) -> None:
    leaf = SUB.issue("old.example", eku=["serverAuth"], not_after=NOW - timedelta(days=3))
    summary = finding(RULE, connection(*CLIENT_FLIGHT, f"< Alert {code}", client_chain=chain(leaf))).summary
    clauses = summary.partition("the likeliest reason is that ")[2].split("; also ")
    assert first in clauses[0]
    assert len(clauses) == 3


def test_an_alert_that_means_something_else_is_not_bent() -> None:
    said = finding(RULE, connection(*CLIENT_FLIGHT, "< Alert 44", client_chain=chain(CLIENT)))
    assert "the alert does not say so, but the certificate of its issuer" in said.summary
    assert "CRLs" in said.advice


def test_a_failed_proof_is_no_defect_of_the_chain() -> None:
    said = finding(RULE, connection(*CLIENT_FLIGHT, "< Alert 51", client_chain=GOOD))
    assert "its signature or its keys did not fit" in said.summary
    assert "private key" in said.advice
    assert said.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("ladder", "sent", "confidence"),
    [
        pytest.param((*CLIENT_FLIGHT, "< Alert 42"), GOOD, Confidence.HIGH, id="an alert about certificates"),
        pytest.param((*CLIENT_DONE, "< RST"), GOOD, Confidence.HIGH, id="a reset at that step"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 40"), GOOD, Confidence.MEDIUM, id="an alert that may mean more"),
        pytest.param((*HANDSHAKE, "< RST"), chain(EXPIRED, SUB), Confidence.MEDIUM, id="late, with a defect"),
        pytest.param((*HANDSHAKE, "< RST"), GOOD, Confidence.LOW, id="late, without a defect"),
    ],
)
def test_confidence(ladder: tuple[str, ...], sent: Chain, confidence: Confidence) -> None:
    said = finding(RULE, connection(*ladder, client_chain=sent))
    assert said.confidence is confidence
    assert said.depth is (Depth.SYMPTOM if confidence is Confidence.LOW else Depth.STEP)


def test_a_mere_guess_comes_behind_what_is_seen() -> None:
    conn = connection(*HANDSHAKE, "< RST", client_chain=GOOD)
    assert [said.rule for said in judge(conn, context())][:2] == ["reset-after-handshake", RULE]


@pytest.mark.parametrize(
    ("outcome", "told", "expected"),
    [
        pytest.param(Outcome.FAILED, ClientAuth13("sent", "medium", refused=True), "error", id="refused"),
        pytest.param(Outcome.FAILED, ClientAuth13("sent", "medium"), "silent", id="failed, but not by a refusal"),
        pytest.param(Outcome.FAILED, None, "silent", id="no records to tell from"),
        pytest.param(Outcome.ESTABLISHED, ClientAuth13("sent", "medium"), "does not apply", id="accepted"),
    ],
)
def test_tls_1_3_is_inferred(outcome: Outcome, told: ClientAuth13 | None, expected: str) -> None:
    conn = connection(
        *HELLOS,
        "> EncryptedHandshake",
        "< ApplicationData",
        *(("< EncryptedAlert", "< FIN") if outcome is Outcome.FAILED else DATA),
        version="TLSv1.3",
        outcome=outcome,
        client_certificate_state=CertificateState.INFERRED_SENT,
        client_auth_13=told,
    )
    assert answer(RULE, conn) == expected
    if expected == "error":
        said = finding(RULE, conn)
        assert "cannot be seen, TLS 1.3 encrypts it" in said.summary
        assert said.advice.startswith("On 192.0.2.10 look at the certificate that it sends: its dates")
        assert "On 198.51.100.5:5061 import the client's root" in said.advice
        assert said.confidence is Confidence.MEDIUM
        assert 8 in said.frames


def test_an_empty_answer_is_another_rule() -> None:
    assert answer(RULE, connection(*CLIENT_DONE, "< RST", client_certificate_state=CertificateState.EMPTY)) == "silent"


def test_an_encrypted_answer_cannot_be_told() -> None:
    hidden = Seen.CLIENT_CERTIFICATE_MESSAGE
    conn = connection(*HELLOS, "< EncryptedHandshake", "> RST", client_certificate_state=None, hidden=hidden)
    assert answer(RULE, conn) == "cannot tell"


def test_a_date_is_judged_at_the_time_asked_for() -> None:
    conn = connection(*CLIENT_DONE, "< RST", client_chain=chain(EXPIRED, SUB))
    earlier = START_NS - 30 * 24 * 3600 * 10**9
    assert "nothing wrong" in finding(RULE, conn, now_ns=earlier).summary


def test_it_names_client_and_frames() -> None:
    conn = connection(*CLIENT_FLIGHT, "< Alert 42", client_chain=GOOD)
    said = finding(RULE, conn)
    assert said.summary.startswith(
        "the server refused the client's certificate edge.example with the alert bad_certificate"
    )
    assert said.frames == (9, 12)
    assert answer(RULE, conn, context()) == "error"
