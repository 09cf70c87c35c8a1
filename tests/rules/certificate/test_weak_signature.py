"""weak-signature: whose signature counts, which hashes are broken, and when a peer refused them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Depth
from analyzer.rules import judge
from tests.build import asn1, pki
from tests.build.connections import (
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    START_NS,
    FakeHistory,
    connection,
    context,
)
from tests.rules.cast import ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "weak-signature"
OLD_ROOT = pki.root("OldRoot", digest="sha1")
SHA1 = SUB.issue("sha1.example", digest="sha1")
SHA1_SUB = ROOT.issue("Sha1Sub", ca=True, digest="sha1")
UNDER = SHA1_SUB.issue("under.example")
RSA_CA = ROOT.issue("RsaCa", ca=True, key="rsa")
MD5 = RSA_CA.issue("md5.example", digest="md5")
PSS_SHA1 = RSA_CA.issue("pss.example", digest="sha1", pss=True)
CROSS = OLD_ROOT.cross_sign(ROOT, digest="sha1")
NO_ALGORITHM = SUB.issue("blank.example", algorithm=asn1.seq(asn1.utf8("?")))
STRANGE = SUB.issue("odd.example", algorithm=asn1.seq(asn1.oid("1.2.3.4")))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="SHA-256 throughout"),
        pytest.param(chain(OLD_ROOT.issue("new.example"), OLD_ROOT), "silent", id="a root's own signature"),
        pytest.param(chain(pki.self_signed("box.example", digest="sha1")), "silent", id="a lone self-signed one"),
        pytest.param(chain(SUB.issue("x.example", digest="sha384"), SUB), "silent", id="SHA-384"),
        pytest.param(chain(SERVER, SUB, SHA1), "silent", id="a stranger in the message is not on the path"),
        pytest.param(chain(STRANGE, SUB), "silent", id="an algorithm that we do not know"),
        pytest.param(chain(NO_ALGORITHM, SUB), "cannot tell", id="the algorithm cannot be read"),
        pytest.param(raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param(chain(SHA1, SUB), "warning", id="the leaf with SHA-1"),
        pytest.param(chain(SHA1), "warning", id="a lone leaf with SHA-1"),
        pytest.param(chain(MD5, RSA_CA), "warning", id="the leaf with MD5"),
        pytest.param(chain(PSS_SHA1, RSA_CA), "warning", id="SHA-1 inside RSASSA-PSS"),
        pytest.param(chain(UNDER, SHA1_SUB), "warning", id="the intermediate"),
        pytest.param(chain(SERVER, SUB, CROSS), "warning", id="a cross-certificate of a root that nothing shows"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


def test_a_cross_certificate_of_a_known_root_does_not_count() -> None:
    known = context(FakeHistory(roots={"CN=Root": "a trust store"}))
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB, CROSS)), known) == "silent"
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SHA1, SUB, CROSS))
    assert answer(RULE, conn, known) == "warning"


def year(number: int) -> int:
    """Nanoseconds since 1970 at its middle."""
    return int(datetime(number, 7, 1, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("sent", "at", "expected"),
    [
        pytest.param(chain(SHA1, SUB), 2026, "error", id="SHA-1 today"),
        pytest.param(chain(SHA1, SUB), 2013, "warning", id="SHA-1 when nearly all had it"),
        pytest.param(chain(MD5, RSA_CA), 2013, "error", id="MD5 when it was refused already"),
        pytest.param(chain(MD5, RSA_CA), 2008, "warning", id="MD5 when it was not"),
    ],
)
def test_a_cause_only_where_such_hashes_were_refused(sent: Chain, at: int, expected: str) -> None:
    conn = connection(*CLIENT_FLIGHT, "< RST", client_chain=sent, end_ns=year(at))
    assert answer(RULE, conn) == expected
    assert finding(RULE, conn).depth is (Depth.ROOT if expected == "error" else Depth.SYMPTOM)


def test_where_it_was_usual_the_rejection_blames_it_only_besides() -> None:
    conn = connection(*CLIENT_FLIGHT, "< RST", client_chain=chain(SHA1, SUB), end_ns=year(2013))
    first = judge(conn, context(now_ns=START_NS))[0]
    assert first.rule == "client-certificate-rejected"
    assert "the likeliest reason" not in first.summary
    assert first.summary.endswith("; besides, sha1.example is signed with SHA-1")


@pytest.mark.parametrize(
    ("ladder", "side", "expected"),
    [
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), Side.SERVER, "error", id="bad_certificate"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), Side.SERVER, "warning", id="refused for its date"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 42"), Side.CLIENT, "error", id="the server refuses the client's"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 42"), Side.SERVER, "warning", id="the server refuses, this is its own"),
    ],
)
def test_who_refused_whom(ladder: tuple[str, ...], side: Side, expected: str) -> None:
    assert answer(RULE, connection(*ladder, **{f"{side}_chain": chain(SHA1, SUB)})) == expected  # type: ignore[arg-type]


def test_one_finding_a_side_names_all() -> None:
    leaf = SHA1_SUB.issue("deep.example", digest="sha1")
    both = findings(
        RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(leaf, SHA1_SUB), client_chain=chain(SHA1, SUB))
    )
    assert both[0].summary == (
        "the server's certificate deep.example and the CA certificate Sha1Sub in its chain were signed with SHA-1"
    )
    assert both[1].summary == "the client's certificate sha1.example was signed with SHA-1"
    assert "CNGHashAlgorithm" in both[0].advice
    assert "-sha256" in both[0].advice


def test_different_hashes_are_told_apart() -> None:
    middle = ROOT.issue("Middle", ca=True, key="rsa", digest="sha1")
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(middle.issue("m.example", digest="md5"), middle)))
    assert said.summary.endswith("were signed with broken hashes: m.example (MD5), Middle (SHA-1)")


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
