"""chain-link-broken: names match, the signature does not."""

from __future__ import annotations

import pytest

from analyzer.certificates import signatures
from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Confidence, Depth
from tests.build import asn1, pki
from tests.build.connections import (
    CLIENT_DONE,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    FakeHistory,
    connection,
)
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, answer, certificate, chain, finding, raw

RULE = "chain-link-broken"
TWIN = ROOT.issue("Sub", ca=True, key_label="the next generation of Sub")
BARE_TWIN = ROOT.issue("Sub", ca=True, key_label="one more generation of Sub", skid=False)
NO_IDS = SUB.issue("no-ids.example", san=["no-ids.example"], akid=False)
FORGED = SUB.issue("forged.example", san=["forged.example"], signer=OTHER)
NEW_ROOT = pki.root("Root", key_label="the next generation of Root")
OTHER_SUB = OTHER.issue("Sub", ca=True, key_label="a stranger's Sub")
CROSS_SUB = OTHER.cross_sign(SUB)
REKEYED = SUB.issue("rekeyed.example", akid=b"a key identifier of nobody")
MD5_ROOT = pki.root("Old", key="rsa1024", digest="md5")
ODD = SUB.issue("odd.example", akid=False, algorithm=asn1.seq(asn1.oid("1.2.3")))
ENDLESS = [ROOT]
for level in range(40):
    ENDLESS.insert(0, ENDLESS[0].issue(f"level {level}", ca=True, key_label=f"level {level % 2}"))
REFUSED = (*SERVER_FLIGHT, "> Alert 48", "> FIN")


@pytest.mark.parametrize(
    ("sent", "works", "refused"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", "silent", id="every signature is good"),
        pytest.param(chain(SERVER, SUB), "silent", "silent", id="the root stays at home"),
        pytest.param(chain(SERVER), "silent", "silent", id="a lone leaf has no link"),
        pytest.param(chain(SERVER, ROOT), "silent", "silent", id="a hole is no broken link"),
        pytest.param(chain(SERVER, ROOT, SUB), "silent", "silent", id="the wrong order"),
        pytest.param(chain(SUB, SERVER), "silent", "silent", id="the leaf last"),
        pytest.param(chain(NO_IDS, SUB), "silent", "silent", id="no key identifiers, a good signature"),
        pytest.param(chain(REKEYED, SUB), "silent", "silent", id="another key identifier, a good signature"),
        pytest.param(chain(MD5_ROOT.issue("x", digest="md5"), MD5_ROOT), "silent", "silent", id="a good MD5 signature"),
        pytest.param(chain(SERVER, TWIN, SUB), "silent", "silent", id="both generations of the intermediate"),
        pytest.param(chain(NO_IDS, TWIN, SUB), "silent", "silent", id="both generations, no key identifiers"),
        pytest.param(chain(SERVER, SUB, CROSS_SUB, ROOT), "silent", "silent", id="cross-signed"),
        pytest.param(chain(SERVER, SUB, CROSS_SUB, NEW_ROOT), "silent", "silent", id="another way goes round it"),
        pytest.param(chain(SERVER, SUB, OTHER), "silent", "silent", id="a stranger is no issuer"),
        pytest.param(chain(FORGED, SUB), "silent", "error", id="key identifiers agree, the signature is bad"),
        pytest.param(chain(SERVER, TWIN), "error", "error", id="another generation of the intermediate"),
        pytest.param(chain(NO_IDS, TWIN), "error", "error", id="another generation, no key identifiers"),
        pytest.param(chain(NO_IDS, BARE_TWIN), "error", "error", id="another generation, no identifiers on either"),
        pytest.param(chain(SERVER, TWIN, OTHER_SUB), "error", "error", id="two of that name, neither signed"),
        pytest.param(chain(TWIN, SERVER), "error", "error", id="the leaf last, its issuer of another generation"),
        pytest.param(chain(SERVER, SUB, NEW_ROOT), "warning", "error", id="another generation of the root"),
        pytest.param(chain(ODD, SUB), "cannot tell", "cannot tell", id="a signature of an unknown kind"),
        pytest.param(chain(*ENDLESS), "silent", "cannot tell", id="a hierarchy without end"),
        pytest.param(raw(b"junk", SUB.der), "silent", "cannot tell", id="a leaf that cannot be read"),
    ],
)
def test_what_was_sent(sent: Chain, works: str, refused: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == works
    assert answer(RULE, connection(*REFUSED, server_chain=sent)) == refused


@pytest.mark.parametrize(
    ("ladder", "severity", "depth"),
    [
        pytest.param((*HANDSHAKE, *DATA), "error", Depth.ROOT, id="it works"),
        pytest.param((*SERVER_FLIGHT, "> Alert 51"), "error", Depth.ROOT, id="decrypt_error: the signature is bad"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), "error", Depth.ROOT, id="unknown_ca"),
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), "error", Depth.ROOT, id="bad_certificate"),
        pytest.param((*SERVER_FLIGHT, "> RST"), "error", Depth.ROOT, id="a bare reset"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), "error", Depth.SYMPTOM, id="expired: something else"),
        pytest.param((*CLIENT_DONE, "< Alert 48"), "error", Depth.SYMPTOM, id="the server refused the client"),
    ],
)
def test_it_is_the_cause_only_if_refused_for_it(ladder: tuple[str, ...], severity: str, depth: Depth) -> None:
    said = finding(RULE, connection(*ladder, server_chain=chain(SERVER, TWIN)))
    assert (said.severity.value, said.depth) == (severity, depth)


def test_it_says_which_key_is_wrong_and_where_the_right_one_is() -> None:
    sub, twin = certificate(SUB), certificate(TWIN)
    history = FakeHistory(cas=(twin, sub), sent={sub.sha256: "203.0.113.9:5061 in connection 3"})
    said = finding(RULE, connection(*REFUSED, server_chain=chain(SERVER, TWIN)), history)
    assert said.summary == (
        "the server's chain breaks above sip.example.com: the CN=Sub that was sent has the issuer's name and another key than "
        "the one that signed it, so it is another generation of that CA; the client refused with the alert unknown_ca (48)"
    )
    assert twin.sha1 in said.advice
    assert SUB.key_id.hex() in said.advice
    assert "http://pki.example/sub.crt" in said.advice
    assert f"203.0.113.9:5061 in connection 3 sent it (SHA-1 {sub.sha1})" in said.advice
    assert said.confidence is Confidence.HIGH
    assert said.frames == (6, 9)


def test_without_key_identifiers_nothing_is_said_of_generations() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(NO_IDS, TWIN)))
    assert "generation" not in said.summary
    assert "subject key identifier" not in said.advice
    assert "In this capture" not in said.advice


def test_a_changed_certificate_is_told_from_another_generation() -> None:
    said = finding(RULE, connection(*REFUSED, server_chain=chain(FORGED, SUB)))
    assert "although the key identifiers agree: one of the two is damaged or forged" in said.summary
    assert "generation" not in said.summary


def test_several_wrong_ones_are_counted() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, TWIN, OTHER_SUB)))
    assert "none of the 2 certificates named CN=Sub that were sent has the key that signed it" in said.summary


def test_the_client_has_one_too() -> None:
    said = finding(
        RULE, connection(*CLIENT_DONE, "< RST", server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, TWIN))
    )
    assert "the client's chain breaks above edge.example" in said.summary
    assert "192.0.2.10" in said.advice


def test_a_refused_client_hears_of_the_link_and_not_of_its_key() -> None:
    """decrypt_error is about the proof of the private key, unless a signature within the chain is bad."""
    bad = connection(*CLIENT_DONE, "< Alert 51", server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, TWIN))
    said = finding("client-certificate-rejected", bad)
    assert "the signature on edge.example is not by the Sub that was sent" in said.summary
    good = connection(*CLIENT_DONE, "< Alert 51", server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, SUB))
    assert (
        "the proof that the client has the private key did not hold"
        in finding("client-certificate-rejected", good).summary
    )


def test_packets_that_disagree_may_show_the_wrong_bytes() -> None:
    conn = connection(*HANDSHAKE, server_chain=chain(SERVER, TWIN), visibility={"conflicts": 2})
    assert answer(RULE, conn) == "cannot tell"


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )


def test_a_healthy_link_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = SUB.issue("never-verified.example")
    monkeypatch.setattr(signatures, "verify", None)
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(leaf, SUB, ROOT))) == "silent"
