"""eku-missing: the use that a certificate is put to, and the other one on ports where both sides present one."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Confidence, Depth
from analyzer.rules import judge
from tests.build import asn1, pki
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    START_NS,
    connection,
    context,
)
from tests.rules.cast import SUB, answer, chain, finding, findings, raw

RULE = "eku-missing"


def leaf(*uses: str, **odd: Any) -> pki.Identity:
    """A host's certificate with these uses."""
    return SUB.issue(f"{'-'.join(uses) or 'none'}.example", san=["host.example"], eku=list(uses), **odd)


BOTH, FOR_SERVERS, FOR_CLIENTS = leaf("serverAuth", "clientAuth"), leaf("serverAuth"), leaf("clientAuth")
MAIL, NOTHING_AT_ALL, ANY = leaf("emailProtection", "codeSigning"), leaf(), leaf("any")
FREE = SUB.issue("free.example", san=["free.example"])
GATED = leaf("1.3.6.1.4.1.311.10.3.3")
USER = SUB.issue("CN=alice@example.com", eku=["clientAuth"])
DAMAGED = SUB.issue("damaged.example", extensions=[pki.extension("2.5.29.37", asn1.utf8("clientAuth"))])


@pytest.mark.parametrize("port", [pytest.param(5061, id="MTLS port"), pytest.param(443, id="other port")])
@pytest.mark.parametrize(
    ("side", "sent", "expected"),
    [
        pytest.param(Side.SERVER, chain(BOTH, SUB), "silent", id="a server's, both uses"),
        pytest.param(Side.CLIENT, chain(BOTH, SUB), "silent", id="a client's, both uses"),
        pytest.param(Side.SERVER, chain(FREE, SUB), "silent", id="no extension allows all"),
        pytest.param(Side.CLIENT, chain(FREE, SUB), "silent", id="no extension allows all, a client's"),
        pytest.param(Side.SERVER, chain(ANY, SUB), "silent", id="any use includes this one"),
        pytest.param(Side.CLIENT, chain(ANY, SUB), "silent", id="any use includes a client's"),
        pytest.param(Side.CLIENT, chain(USER, SUB), "silent", id="a user serves nobody"),
        pytest.param(Side.SERVER, chain(BOTH, MAIL), "silent", id="the uses of a stranger in the message"),
        pytest.param(Side.SERVER, raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param(Side.CLIENT, chain(DAMAGED, SUB), "cannot tell", id="the extension cannot be read"),
        pytest.param(Side.SERVER, chain(FOR_CLIENTS, SUB), "error", id="a server with clientAuth alone"),
        pytest.param(Side.CLIENT, chain(FOR_SERVERS, SUB), "error", id="a client with serverAuth alone"),
        pytest.param(Side.CLIENT, chain(GATED, SUB), "error", id="server gated crypto is nothing for a client"),
        pytest.param(Side.SERVER, chain(MAIL, SUB), "error", id="neither use"),
        pytest.param(Side.CLIENT, chain(NOTHING_AT_ALL, SUB), "error", id="an empty list allows nothing"),
        pytest.param(Side.CLIENT, chain(SUB, FOR_SERVERS), "error", id="the leaf is not first"),
    ],
)
def test_its_own_use(side: Side, sent: Chain, expected: str, port: int) -> None:
    conn = connection(*HANDSHAKE, *DATA, **{f"{side}_chain": sent}, server_port=port)  # type: ignore[arg-type]
    assert answer(RULE, conn) == expected


@pytest.mark.parametrize(
    ("side", "sent", "port", "expected"),
    [
        pytest.param(Side.SERVER, chain(FOR_SERVERS, SUB), 5061, "note", id="a server that cannot be a client"),
        pytest.param(Side.SERVER, chain(FOR_SERVERS, SUB), 443, "silent", id="the same where only servers present one"),
        pytest.param(Side.CLIENT, chain(FOR_CLIENTS, SUB), 5061, "note", id="a host that cannot be a server"),
        pytest.param(Side.CLIENT, chain(FOR_CLIENTS, SUB), 443, "silent", id="the same on another port"),
        pytest.param(Side.SERVER, chain(GATED, SUB), 5061, "note", id="server gated crypto is a server's use"),
    ],
)
def test_the_other_use(side: Side, sent: Chain, port: int, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, **{f"{side}_chain": sent}, server_port=port)  # type: ignore[arg-type]
    assert answer(RULE, conn) == expected


@pytest.mark.parametrize(
    ("ladder", "depth", "confidence"),
    [
        pytest.param((*CLIENT_FLIGHT, "< Alert 43"), Depth.ROOT, Confidence.HIGH, id="unsupported_certificate"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 46"), Depth.ROOT, Confidence.HIGH, id="certificate_unknown"),
        pytest.param((*CLIENT_DONE, "< RST"), Depth.ROOT, Confidence.HIGH, id="a bare reset"),
        pytest.param((*HANDSHAKE, "< RST"), Depth.ROOT, Confidence.MEDIUM, id="a reset right after the handshake"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 40"), Depth.ROOT, Confidence.MEDIUM, id="handshake_failure"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), Depth.SYMPTOM, Confidence.MEDIUM, id="refused for its CA"),
        pytest.param((*SERVER_FLIGHT, "> RST"), Depth.SYMPTOM, Confidence.MEDIUM, id="the server was refused"),
        pytest.param((*HANDSHAKE, *DATA), Depth.ROOT, Confidence.HIGH, id="it works: the MUST is broken all the same"),
    ],
)
def test_it_is_the_cause_only_if_refused_for_it(ladder: tuple[str, ...], depth: Depth, confidence: Confidence) -> None:
    said = finding(RULE, connection(*ladder, client_chain=chain(FOR_SERVERS, SUB)))
    assert (said.severity.value, said.depth, said.confidence) == ("error", depth, confidence)


def test_the_cause_comes_before_the_rejection() -> None:
    conn = connection(*CLIENT_DONE, "< RST", client_chain=chain(FOR_SERVERS, SUB))
    first, second, *_ = judge(conn, context())
    assert (first.rule, second.rule) == (RULE, "client-certificate-rejected")
    assert "its extended key usage lacks clientAuth (it has serverAuth)" in second.summary


def test_a_note_about_the_other_use_is_never_the_cause() -> None:
    conn = connection(*SERVER_FLIGHT, "> Alert 43", server_chain=chain(FOR_SERVERS, SUB))
    said = finding(RULE, conn)
    assert (said.severity.value, said.depth) == ("note", Depth.SYMPTOM)


def test_it_says_what_to_do() -> None:
    said = finding(RULE, connection(*HANDSHAKE, *DATA, client_chain=chain(FOR_SERVERS, SUB)))
    assert said.summary == (
        "the client's certificate serverAuth.example may not be used as a client's: its extended key usage lacks "
        "clientAuth (it has serverAuth); it worked here because the server does not insist"
    )
    for word in ("192.0.2.10", "certtmpl.msc", "openssl x509", "keytool", "Public CAs", "15 March 2027"):
        assert word in said.advice
    server = finding(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(FOR_CLIENTS, SUB)))
    assert "lacks serverAuth (it has clientAuth)" in server.summary
    assert "Public CAs" not in server.advice
    assert "198.51.100.5:5061" in server.advice


def test_the_note_warns_of_the_other_direction() -> None:
    said = finding(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(FOR_SERVERS, SUB)))
    assert "not for those in which this machine is the client" in said.summary
    assert "with clientAuth" in said.advice


def test_each_side_has_its_own() -> None:
    for_each = {"server_chain": chain(FOR_CLIENTS, SUB), "client_chain": chain(FOR_SERVERS, SUB)}
    conn = connection(*HANDSHAKE, *DATA, **for_each)  # type: ignore[arg-type]
    assert len(findings(RULE, conn)) == 2


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )


def test_the_time_does_not_matter() -> None:
    conn = connection(*HANDSHAKE, *DATA, client_chain=chain(FOR_SERVERS, SUB))
    assert answer(RULE, conn, context(now_ns=START_NS * 2)) == "error"
