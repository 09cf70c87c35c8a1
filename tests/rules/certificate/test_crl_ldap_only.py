"""crl-ldap-only: addresses that only members of a domain can fetch."""

from __future__ import annotations

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Confidence, Depth
from tests.build import asn1, pki
from tests.build.connections import DATA, HANDSHAKE, SERVER_FLIGHT, FakeHistory, connection, context
from tests.rules.cast import ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "crl-ldap-only"
LDAP_URL, FILE_URL = "ldap:///CN=CA,CN=CDP,DC=example?certificateRevocationList", "file://dc1/CertEnroll/ca.crl"
LDAP = SUB.issue("ldap.example", crl=[LDAP_URL])
LDAP_SUB = ROOT.issue("LdapSub", ca=True, crl=[LDAP_URL])
UNDER = LDAP_SUB.issue("under.example")
CROSS = pki.root("Elder").cross_sign(ROOT, crl=[LDAP_URL])
BY_NAME = SUB.issue(
    "named.example",
    crl=(),
    extensions=[
        pki.extension(
            "2.5.29.31",
            asn1.seq(asn1.seq(asn1.explicit(0, asn1.explicit(0, pki.general_name("dirname:CN=CRL1"))))),
        )
    ],
)
DAMAGED = SUB.issue("damaged.example", crl=(), extensions=[pki.extension("2.5.29.31", asn1.utf8("here"))])


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="http"),
        pytest.param(chain(SUB.issue("m.example", crl=[LDAP_URL, "http://a.example/c"]), SUB), "silent", id="both"),
        pytest.param(chain(SUB.issue("u.example", crl=["HTTP://A.EXAMPLE/C"]), SUB), "silent", id="capital letters"),
        pytest.param(chain(SUB.issue("s.example", crl=[" http://a.example/c"]), SUB), "silent", id="a blank in front"),
        pytest.param(chain(SUB.issue("n.example", crl=())), "silent", id="none at all is another rule's matter"),
        pytest.param(chain(SERVER, SUB, LDAP), "silent", id="a stranger in the message is not on the path"),
        pytest.param(chain(pki.self_signed("b.example", crl=[LDAP_URL])), "silent", id="a self-signed one needs none"),
        pytest.param(chain(DAMAGED, SUB), "cannot tell", id="the extension cannot be read"),
        pytest.param(raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param(chain(LDAP, SUB), "warning", id="the leaf with LDAP"),
        pytest.param(chain(SUB.issue("f.example", crl=[FILE_URL]), SUB), "warning", id="the leaf with a file"),
        pytest.param(chain(BY_NAME, SUB), "warning", id="a name in a directory"),
        pytest.param(chain(UNDER, LDAP_SUB), "warning", id="the intermediate"),
        pytest.param(chain(SERVER, SUB, CROSS), "warning", id="a cross-certificate of a root that nothing shows"),
    ],
)
@pytest.mark.parametrize("port", [pytest.param(5061, id="SIP port"), pytest.param(443, id="other port")])
def test_what_was_sent(sent: Chain, port: int, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent, server_port=port)) == expected


def test_a_cross_certificate_of_a_known_root_needs_none() -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB, CROSS))
    assert answer(RULE, conn, context(FakeHistory(roots={"CN=Root": "a trust store"}))) == "silent"


def test_a_refusal_is_not_put_down_to_it() -> None:
    said = finding(RULE, connection(*SERVER_FLIGHT, "> RST", server_chain=chain(LDAP, SUB)))
    assert (said.severity.value, said.depth, said.confidence) == ("warning", Depth.SYMPTOM, Confidence.MEDIUM)


def test_one_finding_a_side_names_all_and_an_address() -> None:
    leaf = LDAP_SUB.issue("low.example", crl=[FILE_URL])
    server, client = findings(
        RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(leaf, LDAP_SUB), client_chain=chain(BY_NAME, SUB))
    )
    assert server.summary == (
        "the server's certificate low.example and the CA certificate LdapSub in its chain have no CRL address that "
        f"everybody can fetch, only {FILE_URL}"
    )
    assert client.summary.endswith("only a name in a directory")
    assert "http:// location" in client.advice


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
