"""The 366 captures of others, named by MTLSCOPE_CORPUS: the same facts as tshark, and findings that are true of them."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from analyzer.agreement.facts import NO_STREAM, Difference, disagreements
from analyzer.connection import CertificateState, Connection, Outcome, Side
from analyzer.findings import Confidence, Finding, Severity
from analyzer.pipeline import Options, Run
from analyzer.report.output import Item
from analyzer.rules import catalogue
from analyzer.summary import CaptureSummary
from tests.agreement.listed import complaints, listed
from tests.agreement.oracle import Oracle

CORPUS = Path(os.environ.get("MTLSCOPE_CORPUS", "none"))
NAMES = sorted(path.name for path in (CORPUS / "captures").glob("*"))
pytestmark = pytest.mark.skipif(not NAMES, reason="MTLSCOPE_CORPUS names no folder with captures")

each_capture = pytest.mark.parametrize("name", NAMES, ids=NAMES)

LISTED = listed("corpus")


@cache
def analysed(name: str) -> tuple[Item, ...]:
    """Every item of one capture, TLS looked for on every port. Our own bugs are told as crashes: there must be none."""
    run = Run([str(CORPUS / "captures" / name)], Options(ports=None))
    items = tuple(run)
    assert run.crashes == []
    return items


def summary(name: str) -> CaptureSummary:
    """The last item."""
    last = analysed(name)[-1]
    assert isinstance(last, CaptureSummary)
    return last


@each_capture
def test_facts_are_those_of_tshark(name: str) -> None:
    oracle = Oracle(CORPUS / "oracle", name)
    found = list(disagreements(name, oracle.streams(), analysed(name)))
    if summary(name).packets != oracle.packets:
        found.append((Difference(name, NO_STREAM, "packets"), oracle.packets, summary(name).packets))
    assert complaints(name, found, LISTED) == []


@each_capture
def test_packets_are_conserved(name: str) -> None:
    last = summary(name)
    assert last.packets == last.decoded + sum(last.reasons.values())


def test_every_listed_difference_is_of_a_capture_that_is_there() -> None:
    assert {item.capture for item in LISTED} - set(NAMES) == set()


# ---- what is said about the connections ------------------------------------------------------------------------------

FINDINGS = tomllib.loads(Path(__file__).with_name("agreement").joinpath("findings.toml").read_text(encoding="utf-8"))
ABOUT_THE_COURSE = {entry.id for entry in catalogue() if entry.family in ("transport", "negotiation", "alert")}
HEALTHY = (
    "CESNET__FlowTest__pcap-tls10.pcap",
    "CESNET__FlowTest__pcap-tls11.pcap",
    "CESNET__FlowTest__pcap-tls12.pcap",
    "arkime__arkime__tests-pcap-ssl-selfsign.pcap",
    "cisco__mercury__unit_tests-pcaps-tls_sgt.pcap",
)
"""Resets after a session that went well."""


def connections(name: str, *outcomes: Outcome) -> list[Connection]:
    """Those that went this way."""
    return [item for item in analysed(name) if isinstance(item, Connection) and item.outcome in outcomes]


def of_table(group: str, name: str) -> Counter[str]:
    """Rule -> how often, as looked at by hand."""
    return Counter({entry["rule"]: entry["count"] for entry in FINDINGS[group] if entry["capture"] == name})


def about_the_course(conn: Connection) -> list[Finding]:
    """Errors and warnings about how the connection went."""
    found = (item for item in conn.findings if item.rule in ABOUT_THE_COURSE)
    return [item for item in found if item.severity is not Severity.NOTE]


@each_capture
def test_what_failed_is_known_to_have_failed_and_the_cause_comes_first(name: str) -> None:
    firsts = (conn.findings[0].rule if conn.findings else "nothing" for conn in connections(name, Outcome.FAILED))
    assert Counter(firsts) == of_table("failed", name)


@each_capture
def test_what_failed_has_a_diagnosis(name: str) -> None:
    assert [conn.stream for conn in connections(name, Outcome.FAILED) if not conn.diagnosis] == []


@each_capture
def test_healthy_connections_stay_silent(name: str) -> None:
    troubles = [item.rule for conn in connections(name, Outcome.ESTABLISHED) for item in about_the_course(conn)]
    assert Counter(troubles) == of_table("late", name)


@each_capture
def test_nobody_is_blamed_where_the_capture_does_not_show_the_end(name: str) -> None:
    """Silence at the end of a capture may be worth a word, with little confidence."""
    troubles = [item for conn in connections(name, Outcome.UNKNOWN) for item in about_the_course(conn)]
    assert [item for item in troubles if item.severity is Severity.ERROR or item.confidence is not Confidence.LOW] == []


@each_capture
def test_a_client_that_leaves_after_a_handshake_is_told_with_little_confidence(name: str) -> None:
    for conn in connections(name, Outcome.ESTABLISHED):
        for item in conn.findings:
            if item.rule == "reset-after-handshake" and conn.closed.by is Side.CLIENT and conn.closed.how == "fin":
                assert item.confidence is Confidence.LOW
                assert "no more than a handshake" in item.summary


@pytest.mark.parametrize("name", HEALTHY)
def test_resets_after_a_session_are_no_trouble(name: str) -> None:
    good = connections(name, Outcome.ESTABLISHED)
    assert any(end.how == "rst" for conn in good for end in conn.endings)
    assert [item.rule for conn in good for item in about_the_course(conn)] == []


def test_optional_client_certificates_are_no_trouble() -> None:
    optional = [
        (conn, item)
        for name in NAMES
        for conn in connections(name, Outcome.ESTABLISHED)
        for item in conn.findings
        if item.rule == "client-certificate-missing"
    ]
    assert len(optional) >= 4
    assert {item.severity for _, item in optional} == {Severity.NOTE}
    states = {conn.client_certificate_state for conn, _ in optional}
    assert states == {CertificateState.EMPTY, CertificateState.INFERRED_EMPTY}


def test_the_tables_name_captures_that_are_there() -> None:
    assert {entry["capture"] for group in FINDINGS.values() for entry in group} - set(NAMES) == set()
    assert all(entry["reason"] for group in FINDINGS.values() for entry in group)
