"""chain-constraint-violated: what CAs allow below them. Every kind of limit is tried in tests/certificates/test_verdicts.py."""

from __future__ import annotations

import pytest

from analyzer.certificates import signatures
from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Confidence, Depth
from tests.build import asn1, pki
from tests.build.connections import CLIENT_DONE, DATA, HANDSHAKE, SERVER_FLIGHT, connection
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, answer, chain, finding, raw

RULE = "chain-constraint-violated"
NARROW = ROOT.issue("Narrow", ca=True, path_length=0)
BELOW = NARROW.issue("Below", ca=True)
NAMES = ROOT.issue("Names", ca=True, extensions=[pki.name_constraints(permitted=["corp.example"])])
PRETENDER = SERVER.issue("pretender.example", san=["pretender.example"])
CLIENTS = ROOT.issue("Clients", ca=True, eku=["clientAuth"])
SERVERS = ROOT.issue("Servers", ca=True, eku=["serverAuth"])
BOTH = ROOT.issue("Both", ca=True, eku=["serverAuth", "clientAuth"])
ANY = ROOT.issue("Any", ca=True, eku=["any"])
ODD = SUB.issue("odd.example", extensions=[pki.extension("1.2.3.4", asn1.null(), critical=True)])
OLD_ROOT = pki.root("Old", version=b"", only_extensions=[])
WIDE_NARROW = OTHER.cross_sign(NARROW)


@pytest.mark.parametrize(
    ("sent", "works", "refused"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", "silent", id="an ordinary chain"),
        pytest.param(chain(SERVER), "silent", "silent", id="a lone leaf"),
        pytest.param(chain(pki.self_signed("self.example")), "silent", "silent", id="a self-signed leaf"),
        pytest.param(chain(NARROW.issue("a.example"), NARROW), "silent", "silent", id="as many levels as allowed"),
        pytest.param(chain(NAMES.issue("a.corp.example"), NAMES), "silent", "silent", id="a permitted name"),
        pytest.param(chain(SERVERS.issue("a.example"), SERVERS), "silent", "silent", id="a CA for servers"),
        pytest.param(chain(BOTH.issue("a.example"), BOTH), "silent", "silent", id="a CA for both uses"),
        pytest.param(chain(ANY.issue("a.example"), ANY), "silent", "silent", id="a CA for any use"),
        pytest.param(chain(OLD_ROOT.issue("a.example"), OLD_ROOT), "silent", "silent", id="a root of version 1"),
        pytest.param(
            chain(NAMES.issue("b.corp.example", eku=["clientAuth"]), NAMES),
            "silent",
            "silent",
            id="nor below a narrow CA",
        ),
        pytest.param(chain(CLIENT, SUB), "silent", "silent", id="the leaf's own use is another rule's matter"),
        pytest.param(
            chain(BELOW.issue("a.example"), BELOW, NARROW, WIDE_NARROW),
            "silent",
            "silent",
            id="another way up allows it",
        ),
        pytest.param(chain(BELOW.issue("a.example"), NARROW), "silent", "silent", id="a hole: the level is not known"),
        pytest.param(
            chain(BELOW.issue("a.example"), BELOW, NARROW), "warning", "error", id="one level of CAs too many"
        ),
        pytest.param(chain(NAMES.issue("a.example", san=["a.example"]), NAMES), "warning", "error", id="another name"),
        pytest.param(chain(PRETENDER, SERVER, SUB), "warning", "error", id="issued by a server's certificate"),
        pytest.param(chain(CLIENTS.issue("a.example"), CLIENTS), "warning", "error", id="a CA for clients only"),
        pytest.param(chain(ODD, SUB), "note", "error", id="an unknown critical extension"),
        pytest.param(raw(b"junk", SUB.der), "cannot tell", "cannot tell", id="a leaf that cannot be read"),
    ],
)
def test_what_was_sent(sent: Chain, works: str, refused: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == works
    assert answer(RULE, connection(*SERVER_FLIGHT, "> Alert 46", server_chain=sent)) == refused


@pytest.mark.parametrize(
    ("ladder", "depth", "confidence"),
    [
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), Depth.ROOT, Confidence.HIGH, id="unknown_ca: no CA, or too long"),
        pytest.param((*SERVER_FLIGHT, "> Alert 43"), Depth.ROOT, Confidence.HIGH, id="unsupported_certificate"),
        pytest.param((*SERVER_FLIGHT, "> RST"), Depth.ROOT, Confidence.MEDIUM, id="a bare reset"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), Depth.SYMPTOM, Confidence.MEDIUM, id="expired: something else"),
        pytest.param((*CLIENT_DONE, "< Alert 48"), Depth.SYMPTOM, Confidence.MEDIUM, id="the client was refused"),
    ],
)
def test_it_is_the_cause_only_if_refused_for_it(ladder: tuple[str, ...], depth: Depth, confidence: Confidence) -> None:
    sent = chain(BELOW.issue("a.example"), BELOW, NARROW)
    said = finding(RULE, connection(*ladder, server_chain=sent))
    assert (said.depth, said.confidence) == (depth, confidence)


def test_it_names_the_ca_and_the_rule() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(BELOW.issue("a.example"), BELOW, NARROW)))
    assert "Narrow allows 0 levels of CAs below it, not 1" in said.summary
    assert "it worked here: the client does not check that" in said.summary
    assert said.frames == (6,)
    refused = connection(*SERVER_FLIGHT, "> Alert 46", server_chain=chain(NAMES.issue("a.example"), NAMES))
    said = finding(RULE, refused)
    assert "Names may not issue a.example: dns a.example is outside of what it permits" in said.summary
    assert said.summary.endswith("the client refused with the alert certificate_unknown (46)")


def test_the_hardest_limit_is_named_first() -> None:
    leaf = CLIENTS.issue("odd.example", extensions=[pki.extension("1.2.3.4", asn1.null(), critical=True)])
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(leaf, CLIENTS)))
    assert "is not allowed by its CAs: the CA Clients is restricted to clientAuth" in said.summary
    assert "(and 1 more)" in said.summary
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(ODD, SUB)))
    assert "is not for every peer: odd.example has a critical extension that few know (1.2.3.4)" in said.summary


def test_each_side_is_put_to_its_own_use() -> None:
    leaf, server = CLIENTS.issue("edge.example"), SERVERS.issue("sip.example.com")
    good = connection(*HANDSHAKE, server_chain=chain(server, SERVERS), client_chain=chain(leaf, CLIENTS))
    assert answer(RULE, good) == "silent"
    swapped = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB), client_chain=chain(server, SERVERS))
    said = finding(RULE, swapped)
    assert "the CA Servers is restricted to serverAuth, so nothing below it serves for clientAuth" in said.summary
    assert said.confidence is Confidence.MEDIUM


def test_the_refused_client_hears_of_it() -> None:
    sent = chain(SERVERS.issue("edge.example"), SERVERS)
    conn = connection(*CLIENT_DONE, "< Alert 43", server_chain=chain(SERVER, SUB), client_chain=sent)
    said = finding("client-certificate-rejected", conn)
    assert "the likeliest reason is that the CA Servers is restricted to serverAuth" in said.summary
    assert "from a CA that may issue it" in said.advice


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )


def test_a_healthy_chain_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = SERVERS.issue("never-verified.example")
    monkeypatch.setattr(signatures, "verify", None)
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(leaf, SERVERS, ROOT))) == "silent"
