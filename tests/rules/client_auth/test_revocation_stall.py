"""revocation-stall: silence after a certificate, and what the silent host did meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import CertificateState, Connection, Outcome
from analyzer.findings import Confidence, Depth
from analyzer.sightings.watch import Sightings
from tests.build import beside, dns
from tests.build.connections import (
    CLIENT_DONE,
    DATA,
    FRAME_NS,
    HANDSHAKE,
    HELLOS_13,
    SECOND_NS,
    SERVER_FLIGHT,
    START_NS,
    connection,
    context,
)
from tests.build.pcap import Packet
from tests.rules.cast import SUB, ask, chain, findings

RULE = "revocation-stall"
CLIENT, SERVER = beside.HOST, "198.51.100.5"
LEAF = SUB.issue(
    "sip.example.com",
    crl=["http://crl.example/sub.crl", "ldap:///CN=Sub,DC=example?certificateRevocationList"],
    aia=["http://aia.example:8080/sub.crt"],
    ocsp=["http://ocsp.example"],
)
CHAIN, SILENT_CHAIN = chain(LEAF, SUB), chain(SUB.issue("other.example"), SUB)
QUESTION = START_NS + 7 * FRAME_NS
"""When the server's flight is over."""

STALLED = (*SERVER_FLIGHT, "... 20 s", *HANDSHAKE[8:], *DATA)
GIVEN_UP = (*SERVER_FLIGHT, "... 20 s", "< RST")
SERVER_STALLED = (*CLIENT_DONE, "... 20 s", "< RST")


def after(seconds: float) -> int:
    """So long after the server's flight."""
    return QUESTION + round(seconds * SECOND_NS)


def fetched(url: str = "http://crl.example/sub.crl", **facts: Any) -> list[Packet]:
    return beside.fetch(url, **({"at": after(1)} | facts))


def asked(name: str = "crl.example", *records: dns.Record, **facts: Any) -> list[Packet]:
    return beside.lookup(name, *records, **({"at": after(0.5)} | facts))


KNOWN = dns.address("crl.example", beside.WEB)
CRL, UNANSWERED, SLOW = fetched(), fetched(status=None), fetched(wait=15)
NAMED_ATTEMPT = [*asked("crl.example", KNOWN), *beside.attempt(at=after(1), again=(3, 6))]


def answer(conn: Connection, sightings: Sightings) -> str:
    said = next(v for v in ask(conn, context(sightings=sightings)) if v.rule == RULE)
    if said.findings:
        return said.findings[0].severity.value
    return said.outcome.value.replace("-", " ").replace("clear", "silent")


@pytest.mark.parametrize(
    ("ladder", "packets", "expected"),
    [
        pytest.param(STALLED, UNANSWERED, "warning", id="the CRL never came, the handshake went on"),
        pytest.param(STALLED, SLOW, "warning", id="the CRL came late"),
        pytest.param(STALLED, fetched(status=404), "warning", id="there was no CRL"),
        pytest.param(
            STALLED, fetched("http://ocsp.example/x.crt", status=None), "warning", id="the OCSP host is named too"
        ),
        pytest.param(STALLED, asked(answered=False), "warning", id="DNS never answered"),
        pytest.param(STALLED, asked(rcode=3), "warning", id="DNS does not know the host"),
        pytest.param(STALLED, NAMED_ATTEMPT, "warning", id="nobody answers at the host's address"),
        pytest.param(
            STALLED, beside.attempt(at=after(1), port=389), "warning", id="LDAP, and the certificate has LDAP"
        ),
        pytest.param(GIVEN_UP, UNANSWERED, "error", id="the server gave up waiting"),
        pytest.param((*SERVER_FLIGHT, "... 20 s", "> RST"), UNANSWERED, "error", id="the client gave up"),
        pytest.param(
            (*SERVER_FLIGHT, "... 20 s", "> Alert 46"), UNANSWERED, "error", id="the client refused in the end"
        ),
        pytest.param(SERVER_FLIGHT, UNANSWERED, "does not apply", id="no silence"),
        pytest.param((*HANDSHAKE, *DATA, "... 60 s", *DATA), UNANSWERED, "silent", id="silence after the handshake"),
        pytest.param((*SERVER_FLIGHT, "... 4 s", *HANDSHAKE[8:]), UNANSWERED, "silent", id="a short silence"),
        pytest.param(STALLED, CRL, "silent", id="the CRL came at once: something else took the time"),
        pytest.param(STALLED, asked("crl.example", KNOWN), "silent", id="DNS answered at once"),
        pytest.param(STALLED, asked("www.example", answered=False), "silent", id="another name"),
        pytest.param(
            STALLED,
            [
                *asked("crl.example", dns.address("crl.example", beside.RESOLVER)),
                *asked("www.example", answered=False, number=2),
            ],
            "silent",
            id="another name, asked of a resolver that has the list too",
        ),
        pytest.param(STALLED, beside.attempt(at=after(1)), "silent", id="a web server that nobody named"),
        pytest.param(STALLED, asked(answered=False, at=START_NS - SECOND_NS), "silent", id="before the certificate"),
        pytest.param(STALLED, asked(answered=False, at=after(21)), "silent", id="after the silence"),
        pytest.param(STALLED, asked(kind=dns.AAAA), "silent", id="no IPv6 address is no failure"),
        pytest.param(STALLED, [], "cannot tell", id="nothing else of the host is in the capture"),
        pytest.param(STALLED, fetched(status=None, host="192.0.2.77"), "cannot tell", id="another host did it"),
        pytest.param(GIVEN_UP, [], "cannot tell", id="the server gave up, and nothing shows why"),
    ],
)
def test_a_client_that_was_silent(ladder: tuple[str, ...], packets: list[Packet], expected: str) -> None:
    said = answer(connection(*ladder, server_chain=CHAIN), beside.seen(packets))
    assert said.replace("does not apply", "silent") == expected.replace("does not apply", "silent")


@pytest.mark.parametrize(
    ("facts", "packets", "expected"),
    [
        pytest.param(
            {"client_chain": CHAIN}, fetched(status=None, host=SERVER), "error", id="the server looked for a CRL"
        ),
        pytest.param({"client_chain": CHAIN}, fetched(status=None), "cannot tell", id="the client did"),
        pytest.param(
            {"client_chain": SILENT_CHAIN}, fetched(status=None, host=SERVER), "error", id="for one not named"
        ),
        pytest.param(
            {"client_certificate_state": CertificateState.EMPTY},
            fetched(status=None, host=SERVER),
            "silent",
            id="the client sent no certificate",
        ),
    ],
)
def test_a_server_that_was_silent(facts: dict[str, Any], packets: list[Packet], expected: str) -> None:
    assert answer(connection(*SERVER_STALLED, **facts), beside.seen(packets)) == expected


def test_tls_13_hides_the_certificate_so_any_fetch_counts_a_little() -> None:
    conn = connection(*HELLOS_13, "... 20 s", "< RST", version="TLSv1.3")
    (said,) = findings(RULE, conn, sightings=beside.seen(fetched(status=None, at=START_NS + SECOND_NS)))
    assert said.confidence is Confidence.MEDIUM
    late = beside.seen(fetched(wait=15, at=START_NS + SECOND_NS))
    (said,) = findings(RULE, conn, sightings=late)
    assert said.confidence is Confidence.LOW
    assert said.severity.value == "warning"


@pytest.mark.parametrize(
    ("state", "expected"),
    [(CertificateState.INFERRED_SENT, "error"), (CertificateState.NOT_REQUESTED, "silent")],
)
def test_tls_13_a_server_checks_only_a_certificate_that_was_sent(state: CertificateState, expected: str) -> None:
    ladder = (*HELLOS_13, "> ChangeCipherSpec", "> EncryptedHandshake", "> Finished", "... 20 s", "< RST")
    conn = connection(*ladder, version="TLSv1.3", client_certificate_state=state, outcome=Outcome.FAILED)
    assert answer(conn, beside.seen(fetched(status=None, host=SERVER, at=START_NS + SECOND_NS))) == expected


def test_a_gap_withholds_it() -> None:
    conn = connection(*STALLED, server_chain=CHAIN, visibility={"gap_bytes": 900})
    assert answer(conn, beside.seen(UNANSWERED)) == "cannot tell"


def test_a_resumed_session_has_no_certificate() -> None:
    assert answer(connection(*STALLED, resumed=True), beside.seen(UNANSWERED)) == "silent"


def test_what_is_said() -> None:
    packets = [*asked("crl.example", KNOWN), *UNANSWERED]
    (said,) = findings(RULE, connection(*GIVEN_UP, server_chain=CHAIN), sightings=beside.seen(packets))
    assert "the client 192.0.2.10 was silent for 20 s after the server's certificate" in said.summary
    assert "asked for a CRL at http://crl.example/sub.crl (no answer)" in said.summary
    assert "Let 192.0.2.10 reach crl.example" in said.advice
    assert (said.confidence, said.depth) == (Confidence.HIGH, Depth.ROOT)
    assert set(said.frames) >= {8, 9}


def test_it_comes_before_the_symptom() -> None:
    conn = connection(*GIVEN_UP, server_chain=CHAIN)
    found = [f for v in ask(conn, context(sightings=beside.seen(UNANSWERED))) for f in v.findings]
    assert min(found, key=lambda finding: finding.order).rule == RULE
