"""rsa-pss-signature: in the chains of Lync and Skype for Business, and nowhere else."""

from __future__ import annotations

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Confidence
from tests.build import asn1, pki
from tests.build.connections import CLIENT_FLIGHT, DATA, HANDSHAKE, SERVER_FLIGHT, FakeHistory, connection, context
from tests.rules.cast import ROOT, SERVER, SUB, answer, chain, finding, raw

RULE = "rsa-pss-signature"
PSS_ROOT = pki.root("PssRoot", key="rsa", pss=True)
PSS_SUB = PSS_ROOT.issue("PssSub", ca=True, key="rsa", pss=True)
PSS = PSS_SUB.issue("pss.example", pss=True)
UNDER = PSS_SUB.issue("under.example")
PLAIN = PSS_ROOT.issue("plain.example")
CROSS = PSS_ROOT.cross_sign(ROOT, pss=True)
NO_ALGORITHM = SUB.issue("blank.example", algorithm=asn1.seq(asn1.utf8("?")))


@pytest.mark.parametrize(
    ("sent", "port", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), 5061, "silent", id="ECDSA throughout"),
        pytest.param(chain(PLAIN, PSS_ROOT), 5061, "silent", id="a root's own signature"),
        pytest.param(chain(pki.self_signed("box.example", key="rsa", pss=True)), 5061, "silent", id="self-signed"),
        pytest.param(chain(SERVER, SUB, PSS), 5061, "silent", id="a stranger in the message is not on the path"),
        pytest.param(chain(PSS, PSS_SUB), 443, "silent", id="another port: others can use it"),
        pytest.param(chain(NO_ALGORITHM, SUB), 5061, "cannot tell", id="the algorithm cannot be read"),
        pytest.param(raw(b"junk"), 5061, "cannot tell", id="the certificate cannot be read"),
        pytest.param(raw(b"junk"), 443, "silent", id="the certificate cannot be read, on another port"),
        pytest.param(chain(PSS, PSS_SUB), 5061, "warning", id="leaf and intermediate"),
        pytest.param(chain(UNDER, PSS_SUB, PSS_ROOT), 5061, "warning", id="the intermediate alone"),
        pytest.param(chain(SERVER, SUB, CROSS), 5061, "warning", id="a cross-certificate of a root that nothing shows"),
    ],
)
def test_what_was_sent(sent: Chain, port: int, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent, server_port=port)) == expected


def test_a_cross_certificate_of_a_known_root_does_not_count() -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB, CROSS))
    assert answer(RULE, conn, context(FakeHistory(roots={"CN=Root": "a trust store"}))) == "silent"


@pytest.mark.parametrize(
    ("ladder", "side", "expected"),
    [
        pytest.param((*SERVER_FLIGHT, "> Alert 40"), Side.SERVER, "error", id="handshake_failure"),
        pytest.param((*SERVER_FLIGHT, "> RST"), Side.SERVER, "error", id="the client resets"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), Side.SERVER, "warning", id="refused for its CA"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 43"), Side.CLIENT, "error", id="the server refuses the client's"),
    ],
)
def test_who_refused_whom(ladder: tuple[str, ...], side: Side, expected: str) -> None:
    assert answer(RULE, connection(*ladder, **{f"{side}_chain": chain(PSS, PSS_SUB)})) == expected  # type: ignore[arg-type]


def test_all_are_named_with_a_way_out() -> None:
    said = finding(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(PSS, PSS_SUB, PSS_ROOT)))
    assert said.summary == (
        "the server's certificate pss.example and the CA certificate PssSub in its chain were signed with RSASSA-PSS, "
        "which Lync and Skype for Business do not support"
    )
    assert "AlternateSignatureAlgorithm 0" in said.advice
    assert said.confidence is Confidence.HIGH


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
