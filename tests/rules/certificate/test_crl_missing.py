"""crl-missing: which certificates need a distribution point, where it is an error, and that it is hardly ever a cause."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Confidence, Depth
from analyzer.rules import judge
from tests.build import asn1, pki
from tests.build.connections import CLIENT_DONE, DATA, HANDSHAKE, SERVER_FLIGHT, FakeHistory, connection, context
from tests.rules.cast import CLIENT, ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "crl-missing"
NO_CRL: dict[str, Any] = {"crl": ()}
BARE = SUB.issue("bare.example", san=["bare.example"], **NO_CRL)
BARE_SUB = ROOT.issue("BareSub", ca=True, **NO_CRL)
UNDER = BARE_SUB.issue("under.example")
CROSS = pki.root("Elder").cross_sign(ROOT, **NO_CRL)
OCSP = SUB.issue("ocsp.example", ocsp=["http://ocsp.example/"], **NO_CRL)
BRIEF = SUB.issue("brief.example", not_after=pki.NOT_BEFORE + timedelta(days=6), **NO_CRL)
SAID_SO = SUB.issue("said.example", extensions=[pki.extension("2.5.29.56", asn1.null())], **NO_CRL)
LDAP = SUB.issue("ldap.example", crl=["ldap:///CN=CA"])
BY_NAME = SUB.issue(
    "named.example",
    extensions=[
        pki.extension(
            "2.5.29.31",
            asn1.seq(asn1.seq(asn1.explicit(0, asn1.explicit(0, pki.general_name("dirname:CN=CRL1"))))),
        )
    ],
    **NO_CRL,
)
DAMAGED = SUB.issue("damaged.example", extensions=[pki.extension("2.5.29.31", asn1.utf8("here"))], **NO_CRL)


@pytest.mark.parametrize(
    ("sent", "port", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), 5061, "silent", id="all have one but the root, which needs none"),
        pytest.param(chain(ROOT), 5061, "silent", id="a lone root"),
        pytest.param(chain(pki.self_signed("box.example")), 5061, "silent", id="a self-signed one is its own CA"),
        pytest.param(chain(SERVER, SUB, BARE), 5061, "silent", id="a stranger in the message is not on the path"),
        pytest.param(chain(LDAP, SUB), 5061, "silent", id="LDAP alone is another rule's matter"),
        pytest.param(chain(BY_NAME, SUB), 5061, "silent", id="so is a name in a directory"),
        pytest.param(chain(DAMAGED, SUB), 5061, "cannot tell", id="the extension cannot be read"),
        pytest.param(raw(b"junk"), 5061, "cannot tell", id="the certificate cannot be read"),
        pytest.param(chain(BARE, SUB), 5061, "error", id="the leaf, on a SIP port"),
        pytest.param(chain(BARE, SUB), 443, "warning", id="the leaf, on another port"),
        pytest.param(chain(UNDER, BARE_SUB), 5061, "error", id="the intermediate, on a SIP port"),
        pytest.param(chain(UNDER, BARE_SUB), 443, "warning", id="the intermediate, on another port"),
        pytest.param(chain(OCSP, SUB), 5061, "error", id="OCSP does not help on a SIP port"),
        pytest.param(chain(OCSP, SUB), 443, "note", id="OCSP helps elsewhere"),
        pytest.param(chain(BRIEF, SUB), 443, "note", id="it lives six days"),
        pytest.param(chain(SAID_SO, SUB), 443, "note", id="it says that it cannot be revoked"),
        pytest.param(
            chain(BARE_SUB.issue("mixed.example", ocsp=["http://o.example/"], **NO_CRL), BARE_SUB),
            443,
            "warning",
            id="OCSP for the leaf alone",
        ),
        pytest.param(chain(SERVER, SUB, CROSS), 443, "warning", id="a cross-certificate of a root that nothing shows"),
    ],
)
def test_what_was_sent(sent: Chain, port: int, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent, server_port=port)) == expected


def test_a_cross_certificate_of_a_known_root_needs_none() -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB, CROSS))
    assert answer(RULE, conn, context(FakeHistory(roots={"CN=Root": "a trust store"}))) == "silent"


@pytest.mark.parametrize(
    ("ladder", "port", "severity", "depth", "confidence"),
    [
        pytest.param((*SERVER_FLIGHT, "> RST"), 5061, "error", Depth.STEP, Confidence.LOW, id="a reset on a SIP port"),
        pytest.param(
            (*SERVER_FLIGHT, "> Alert 46"), 5061, "error", Depth.STEP, Confidence.LOW, id="certificate_unknown"
        ),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), 5061, "error", Depth.SYMPTOM, Confidence.LOW, id="unknown_ca"),
        pytest.param(
            (*SERVER_FLIGHT, "> RST"), 443, "warning", Depth.SYMPTOM, Confidence.MEDIUM, id="a reset elsewhere"
        ),
        pytest.param((*HANDSHAKE, *DATA), 5061, "error", Depth.ROOT, Confidence.HIGH, id="it works"),
    ],
)
def test_it_is_a_guess_at_most(
    ladder: tuple[str, ...], port: int, severity: str, depth: Depth, confidence: Confidence
) -> None:
    said = finding(RULE, connection(*ladder, server_chain=chain(BARE, SUB), server_port=port))
    assert (said.severity.value, said.depth, said.confidence) == (severity, depth, confidence)


@pytest.mark.parametrize("port", [5061, 443])
def test_the_rejection_comes_first_and_names_it_besides(port: int) -> None:
    conn = connection(*CLIENT_DONE, "< RST", client_chain=chain(BARE, SUB), server_port=port)
    first = judge(conn, context())[0]
    assert first.rule == "client-certificate-rejected"
    assert "nothing wrong with it can be seen here" in first.summary
    assert first.summary.endswith("; besides, bare.example has no CRL distribution point")
    assert "CRLs" in first.advice


def test_a_reset_is_explained_by_it_with_caution() -> None:
    conn = connection(*SERVER_FLIGHT, "> RST", server_chain=chain(BARE, SUB), server_name="bare.example")
    first, second, *_ = judge(conn, context())
    assert (first.rule, second.rule) == (RULE, "reset-during-handshake")
    assert "require, and that may be why; the client refused with a reset and no alert" in first.summary
    late = connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(BARE, SUB), server_name="bare.example")
    assert judge(late, context())[0].rule == "untrusted-root"
    assert "may be why" not in finding(RULE, late).summary


def test_a_real_defect_is_told_before_it() -> None:
    leaf = SUB.issue("both.example", eku=["serverAuth"], **NO_CRL)
    conn = connection(*CLIENT_DONE, "< RST", client_chain=chain(leaf, SUB))
    first, *others = judge(conn, context())
    assert first.rule == "eku-missing"
    (refused,) = [one for one in others if one.rule == "client-certificate-rejected"]
    assert "the likeliest reason is that its extended key usage lacks clientAuth" in refused.summary
    assert refused.explained_by == first.rule


def test_one_finding_a_side_names_all() -> None:
    sent = chain(BARE_SUB.issue("low.example", **NO_CRL), BARE_SUB, ROOT)
    server, client = findings(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent, client_chain=chain(BARE, SUB)))
    assert server.summary == (
        "the server's certificate low.example and the CA certificate BareSub in its chain have no CRL distribution point, "
        "which Lync and Skype for Business require"
    )
    assert client.summary.startswith("the client's certificate bare.example has no CRL distribution point")
    for word in ("192.0.2.10", "certsrv.msc", "certutil -crl", "crlDistributionPoints"):
        assert word in client.advice


def test_the_client_side_counts_too() -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, BARE_SUB, SUB))
    assert answer(RULE, conn) == "silent"
    bare = connection(*HANDSHAKE, *DATA, **{f"{Side.CLIENT}_chain": chain(BARE, SUB)})  # type: ignore[arg-type]
    assert answer(RULE, bare) == "error"


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
