"""untrusted-root: and with it the verdict of judgement/trust.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.certificates.stores.public import Program
from analyzer.certificates.stores.store import TrustStore
from analyzer.connection import Connection, Seen, Side
from analyzer.findings import Confidence, Depth, Finding
from analyzer.judgement import trust as module
from analyzer.judgement.trust import NO_TRUST, Trust
from tests.build import pki
from tests.build.connections import (
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    FakeHistory,
    ca_list,
    connection,
    context,
)
from tests.rules.cast import CLIENT, NOBODY, OTHER, ROOT, SERVER, SUB, answer, certificate, chain, finding, name, raw

RULE = "untrusted-root"
WHOLE = (*HANDSHAKE, *DATA)
TOP = ROOT.issue("Top", ca=True)
MID = TOP.issue("Mid", ca=True)
DEEP = MID.issue("deep.example", san=["deep.example", "sip.example.com"])
RENEWED = pki.root("Root", key_label="another key")
REISSUED = pki.root("Root", not_after=datetime(2040, 1, 1, tzinfo=UTC))
CROSS = OTHER.cross_sign(SUB)
DIRECT = ROOT.issue("sip.example.com", san=["sip.example.com"], key_label="direct")
LONE = pki.self_signed("sip.example.com", san=["sip.example.com"])
EXPIRED = SUB.issue("sip.example.com", san=["sip.example.com"], not_after=datetime(2021, 1, 1, tzinfo=UTC))
SERVER_ONLY = SUB.issue("edge.example", san=["edge.example"], eku=["serverAuth"])
CLIENT_ONLY = SUB.issue("sip.example.com", san=["sip.example.com"], eku=["clientAuth"])
NO_SIGNING = SUB.issue("sip.example.com", san=["sip.example.com"], key_usage=["keyEncipherment"])
ELSEWHERE = SUB.issue("other.example", san=["other.example"])
FORGED = SUB.issue("sip.example.com", san=["sip.example.com"], signer=OTHER)
SHA1 = SUB.issue("sip.example.com", san=["sip.example.com"], digest="sha1")


def store(*identities: pki.Identity, called: str = "lab.pem") -> TrustStore:
    return TrustStore(called, tuple(map(certificate, identities)))


def of_client(*identities: pki.Identity) -> Trust:
    """The store of the client's host, which judges the server."""
    return Trust(client=(store(*identities),))


def of_server(*identities: pki.Identity) -> Trust:
    return Trust(server=(store(*identities),))


def told(conn: Connection, trust: Trust = NO_TRUST, history: FakeHistory = NOBODY) -> Finding:
    return finding(RULE, conn, history, trust=trust)


def verdict(conn: Connection, trust: Trust = NO_TRUST, history: FakeHistory = NOBODY) -> str:
    return answer(RULE, conn, context(history, trust=trust))


# ------------------------------------------------------------------------------------------------------ a store is given


@pytest.mark.parametrize(
    ("sent", "held", "expected"),
    [
        pytest.param(chain(SERVER, SUB), (ROOT,), "silent", id="the root is there"),
        pytest.param(chain(SERVER, SUB, ROOT), (ROOT,), "silent", id="the root is there and was sent"),
        pytest.param(chain(SERVER, SUB), (OTHER, ROOT), "silent", id="the root is there among others"),
        pytest.param(chain(SERVER, SUB), (RENEWED, ROOT), "silent", id="two generations of the root, one fits"),
        pytest.param(chain(SERVER, SUB, ROOT), (REISSUED,), "silent", id="the root was issued again with its key"),
        pytest.param(chain(SERVER, SUB), (SUB,), "silent", id="the intermediate itself is trusted"),
        pytest.param(chain(SERVER), (SUB,), "silent", id="a lone leaf, its issuer is trusted"),
        pytest.param(chain(SERVER, SUB), (SERVER,), "silent", id="the leaf itself is trusted"),
        pytest.param(chain(SUB, SERVER), (ROOT,), "silent", id="the leaf was not sent first"),
        pytest.param(chain(SERVER, SUB, CROSS), (OTHER,), "silent", id="cross-signed: the other way leads there"),
        pytest.param(chain(SERVER, CROSS, SUB), (ROOT,), "silent", id="cross-signed: this way leads there"),
        pytest.param(chain(LONE), (OTHER,), "silent", id="self-signed: another rule's matter"),
        pytest.param(chain(SERVER), (OTHER,), "cannot tell", id="the intermediate is missing, so the root is unknown"),
        pytest.param(raw(b"\x30\x03junk"), (OTHER,), "cannot tell", id="the leaf cannot be read"),
        pytest.param(chain(SERVER, SUB), (OTHER,), "warning", id="another root is there"),
        pytest.param(chain(SERVER, SUB, ROOT), (OTHER,), "warning", id="another root is there, the own was sent"),
        pytest.param(chain(SERVER, SUB), (RENEWED,), "warning", id="a root of the same name with another key"),
        pytest.param(chain(DEEP, MID, TOP), (SUB,), "warning", id="another intermediate is there"),
    ],
)
def test_a_store_for_the_client(sent: Chain, held: tuple[pki.Identity, ...], expected: str) -> None:
    assert verdict(connection(*WHOLE, server_chain=sent), of_client(*held)) == expected


def test_each_side_judges_with_its_own_store() -> None:
    whole = connection(*WHOLE, server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, SUB))
    for trust, sides in (
        (of_client(OTHER), ["server's"]),
        (of_server(OTHER), ["client's"]),
        (Trust((store(OTHER),), (store(ROOT),)), ["server's"]),
        (Trust((store(OTHER), store(ROOT)), (store(OTHER),)), ["client's"]),
    ):
        said = finding(RULE, whole, trust=trust)
        assert [said.summary.split()[1]] == sides


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param(FakeHistory(cas=(certificate(MID), certificate(TOP))), "silent", id="others sent the CAs between"),
        pytest.param(FakeHistory(cas=(certificate(MID),)), "cannot tell", id="others sent one of them"),
        pytest.param(FakeHistory(), "cannot tell", id="nobody did"),
    ],
)
def test_cas_that_others_sent_count(history: FakeHistory, expected: str) -> None:
    conn = connection(*WHOLE, server_chain=chain(DEEP))
    assert verdict(conn, of_client(ROOT), history) == expected


@pytest.mark.parametrize(
    ("ladder", "expected", "confidence"),
    [
        pytest.param(WHOLE, "warning", Confidence.HIGH, id="the client goes on"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), "error", Confidence.HIGH, id="unknown_ca"),
        pytest.param((*SERVER_FLIGHT, "> Alert 46"), "error", Confidence.HIGH, id="certificate_unknown"),
        pytest.param((*SERVER_FLIGHT, "> RST"), "error", Confidence.MEDIUM, id="a bare reset"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), "warning", Confidence.MEDIUM, id="refused for its date"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), "warning", Confidence.MEDIUM, id="the server refuses the client"),
        pytest.param(SERVER_FLIGHT, "warning", Confidence.HIGH, id="the capture ends there"),
    ],
)
def test_an_error_when_refused(ladder: tuple[str, ...], expected: str, confidence: Confidence) -> None:
    said = told(connection(*ladder, server_chain=chain(SERVER, SUB, ROOT)), of_client(OTHER))
    assert (said.severity.value, said.confidence) == (expected, confidence)


def test_the_root_to_import_and_the_machine_are_named() -> None:
    said = told(connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER, SUB, ROOT)), of_client(OTHER))
    assert said.summary == (
        "the server's chain ends at the root CN=Root, which is not in the client's trust store lab.pem; "
        "the client refused with the alert unknown_ca (48)"
    )
    assert f"On 192.0.2.10 import the root CN=Root (SHA-1 thumbprint {certificate(ROOT).sha1})" in said.advice
    assert said.frames == (6, 9)


def test_the_root_is_taken_from_the_other_sides_store() -> None:
    trust = Trust(client=(store(OTHER),), server=(store(ROOT),))
    said = finding(RULE, connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER, SUB)), trust=trust)
    assert certificate(ROOT).sha1 in said.advice
    assert said.confidence is Confidence.HIGH


def test_a_root_that_nobody_has_lowers_the_confidence() -> None:
    conn = connection(*WHOLE, server_chain=chain(DEEP, MID, TOP))
    said = told(conn, of_client(OTHER))
    assert "ends below CN=Root, and neither this CA nor one above it that fits is in" in said.summary
    assert "it worked here, so the client uses another store or does not check" in said.summary
    assert said.confidence is Confidence.MEDIUM
    assert said.advice.startswith("See which store the client really uses")
    assert told(conn, of_client(OTHER), FakeHistory(roots={"CN=Root": "a CA list"})).confidence is Confidence.HIGH


def test_a_key_that_differs_is_told() -> None:
    said = told(connection(*WHOLE, server_chain=chain(SERVER, SUB)), of_client(RENEWED))
    assert "(there is one of this name, with another key)" in said.summary


def test_several_stores_are_named() -> None:
    trust = Trust(client=(store(OTHER, called="a.pem"), store(TOP, called="b.sst")))
    assert "trust store a.pem, b.sst" in told(connection(*WHOLE, server_chain=chain(SERVER, SUB)), trust).summary


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param(WHOLE, "silent", id="and it works"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), "error", id="and is said to be unknown"),
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), "silent", id="and something else is said"),
        pytest.param((*SERVER_FLIGHT, "> RST"), "silent", id="and nothing is said"),
    ],
)
def test_the_root_is_in_the_store_given(ladder: tuple[str, ...], expected: str) -> None:
    assert verdict(connection(*ladder, server_chain=chain(SERVER, SUB)), of_client(ROOT)) == expected


def test_a_refusal_against_the_store_points_at_another_store() -> None:
    said = told(connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER, SUB)), of_client(ROOT))
    assert "although Root, which issued the server's chain, is in its trust store lab.pem" in said.summary
    assert "judges with another store" in said.advice
    assert said.confidence is Confidence.MEDIUM


# --------------------------------------------------------------------------------------------------- no store is given


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param(WHOLE, "silent", id="the client goes on"),
        pytest.param(SERVER_FLIGHT, "silent", id="the capture ends there"),
        pytest.param((*WHOLE, "> RST"), "silent", id="a reset after data"),
        pytest.param((*SERVER_FLIGHT, "> Alert 40"), "silent", id="handshake_failure"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), "silent", id="certificate_expired"),
        pytest.param((*SERVER_FLIGHT, "> Alert 43"), "silent", id="unsupported_certificate"),
        pytest.param((*SERVER_FLIGHT, "> Alert 70"), "silent", id="protocol_version"),
        pytest.param((*SERVER_FLIGHT, "< Alert 48"), "silent", id="the server's own alert"),
        pytest.param((*SERVER_FLIGHT, "... 20 s", "> RST"), "silent", id="a reset after a long wait"),
        pytest.param((*SERVER_FLIGHT, "> RST"), "cannot tell", id="a client that leaves without a word"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), "error", id="unknown_ca"),
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), "error", id="bad_certificate"),
        pytest.param((*SERVER_FLIGHT, "> Alert 46"), "error", id="certificate_unknown"),
    ],
)
def test_how_a_server_is_refused(ladder: tuple[str, ...], expected: str) -> None:
    assert verdict(connection(*ladder, server_chain=chain(SERVER, SUB))) == expected


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param(WHOLE, "silent", id="the server goes on"),
        pytest.param((*HANDSHAKE, "< RST"), "silent", id="a reset right after the handshake: it may be about anything"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 40"), "silent", id="handshake_failure"),
        pytest.param((*CLIENT_FLIGHT, "... 20 s", "< RST"), "silent", id="a reset after a long wait"),
        pytest.param((*CLIENT_FLIGHT, "> RST"), "silent", id="the client's own reset"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), "error", id="unknown_ca"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 46"), "error", id="certificate_unknown"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), "error", id="a bare reset"),
        pytest.param((*CLIENT_FLIGHT, "< FIN"), "error", id="a bare close"),
    ],
)
def test_how_a_client_is_refused(ladder: tuple[str, ...], expected: str) -> None:
    assert verdict(connection(*ladder, client_chain=chain(CLIENT, SUB))) == expected


@pytest.mark.parametrize(
    ("ladder", "confidence", "depth"),
    [
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), Confidence.HIGH, Depth.ROOT, id="unknown_ca says it"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 42"), Confidence.MEDIUM, Depth.STEP, id="a vague alert"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), Confidence.LOW, Depth.SYMPTOM, id="silence is named last"),
    ],
)
def test_how_sure_it_is(ladder: tuple[str, ...], confidence: Confidence, depth: Depth) -> None:
    said = told(connection(*ladder, client_chain=chain(CLIENT, SUB)))
    assert (said.confidence, said.depth) == (confidence, depth)


@pytest.mark.parametrize(
    ("alert", "asked", "confidence"),
    [
        pytest.param(42, "sip.example.com", Confidence.MEDIUM, id="the certificate covers the name"),
        pytest.param(42, None, Confidence.LOW, id="nobody knows which name the client wanted"),
        pytest.param(48, None, Confidence.HIGH, id="unknown_ca is not about names"),
    ],
)
def test_a_name_that_is_unknown_may_be_the_reason(alert: int, asked: str | None, confidence: Confidence) -> None:
    conn = connection(*SERVER_FLIGHT, f"> Alert {alert}", server_chain=chain(SERVER, SUB), server_name=asked)
    assert told(conn).confidence is confidence


@pytest.mark.parametrize(("alert", "both"), [(42, True), (48, False)])
def test_bad_certificate_may_be_about_the_name_that_the_client_looks_for(alert: int, both: bool) -> None:
    """OpenSSL says it of a wrong name, and the SNI need not be the name that is checked."""
    said = told(connection(*SERVER_FLIGHT, f"> Alert {alert}", server_chain=chain(SERVER, SUB)))
    assert ("looks for a name" in said.summary, "compare the name" in said.advice) == (both, both)


@pytest.mark.parametrize(
    ("sent", "alert", "expected"),
    [
        pytest.param(chain(EXPIRED, SUB), 42, "silent", id="expired"),
        pytest.param(chain(EXPIRED, SUB), 48, "error", id="expired, but the alert is about trust"),
        pytest.param(chain(CLIENT_ONLY, SUB), 46, "silent", id="not for servers"),
        pytest.param(chain(NO_SIGNING, SUB), 46, "silent", id="its key may not sign"),
        pytest.param(chain(ELSEWHERE, SUB), 42, "silent", id="for another name"),
        pytest.param(chain(SHA1, SUB), 42, "silent", id="a weak signature"),
        pytest.param(chain(FORGED, SUB), 48, "silent", id="a broken link"),
        pytest.param(chain(SUB, SERVER), 48, "silent", id="the leaf not first"),
        pytest.param(chain(LONE), 48, "silent", id="self-signed"),
        pytest.param(chain(SERVER), 48, "cannot tell", id="the intermediate is missing"),
        pytest.param(chain(SERVER, ROOT), 48, "cannot tell", id="the intermediate is missing below the root"),
        pytest.param(chain(DIRECT, ROOT), 48, "error", id="nothing else"),
    ],
)
def test_another_defect_explains_the_refusal(sent: Chain, alert: int, expected: str) -> None:
    assert verdict(connection(*SERVER_FLIGHT, f"> Alert {alert}", server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("sent", "alert", "request_names", "expected"),
    [
        pytest.param(chain(SERVER_ONLY, SUB), 42, (), "silent", id="not for clients"),
        pytest.param(chain(NO_SIGNING, SUB), 42, (), "silent", id="its key may not sign"),
        pytest.param(chain(CLIENT, SUB), 42, (ROOT,), "silent", id="the server lists the root: it knows it"),
        pytest.param(
            chain(CLIENT, SUB), 48, (ROOT,), "error", id="it lists the root and says that it does not know it"
        ),
        pytest.param(chain(CLIENT, SUB), 42, (OTHER,), "error", id="it lists others"),
        pytest.param(chain(CLIENT, SUB), 48, (OTHER,), "error", id="it lists others and says so"),
    ],
)
def test_what_explains_that_a_client_is_refused(
    sent: Chain, alert: int, request_names: tuple[pki.Identity, ...], expected: str
) -> None:
    facts: dict[str, Any] = {"request": ca_list(*map(name, request_names))} if request_names else {}
    assert verdict(connection(*CLIENT_FLIGHT, f"< Alert {alert}", client_chain=sent, **facts)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, "error", id="everything is in the capture"),
        pytest.param({"visibility": {"gap_bytes": 1448}}, "silent", id="a gap: no blame for a silent end"),
        pytest.param({"visibility": {"one_sided": Side.CLIENT}}, "silent", id="one side only"),
        pytest.param({"client": {"unacked_full_size": True}}, "silent", id="the flight never arrived"),
    ],
)
def test_a_silent_end_needs_the_whole_view(facts: dict[str, Any], expected: str) -> None:
    assert verdict(connection(*CLIENT_FLIGHT, "< RST", client_chain=chain(CLIENT, SUB), **facts)) == expected


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    hidden = connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)
    assert answer(RULE, hidden) == "cannot tell"


def test_a_private_root_is_called_one() -> None:
    said = told(connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER, SUB, ROOT)))
    assert (
        "the client does not trust the root CN=Root (a private root: neither Microsoft nor Mozilla lists it)"
        in said.summary
    )


def test_a_chain_that_ends_below_an_unseen_ca_leaves_it_open() -> None:
    issued = pki.root("Top2").issue("Low", ca=True, aia=["http://pki.example/top2.crt"])
    sent = chain(issued.issue("sip.example.com", san=["sip.example.com"]), issued)
    said = told(connection(*SERVER_FLIGHT, "> Alert 48", server_chain=sent))
    assert (
        "the client does not trust CN=Top2, or, if that is no root, its certificate is missing from the chain"
        in said.summary
    )
    assert (
        f"import the root CN=Top2 (key identifier {issued.issuer.key_id.hex() if issued.issuer else ''})" in said.advice
    )
    assert "Its certificate should be at http://pki.example/top2.crt." in said.advice


class Listed(TrustStore):
    """Stands for the public roots: Root is one of them."""

    def program(self, sha256: str) -> Program | None:
        return Program(("server",), (("server", "2021-08-01"),), True) if self.with_sha256(sha256) else None


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PUBLIC_ROOTS", Listed("the public roots", (certificate(ROOT),)))


@pytest.mark.usefixtures("public")
def test_a_public_root_is_called_one() -> None:
    said = told(connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER, SUB)))
    assert (
        "most likely the client does not trust the root CN=Root (a public root, listed by Microsoft and Mozilla; "
        in said.summary
    )
    assert "Microsoft ended its trust on 2021-08-01)" in said.summary
    assert "let that machine update its list of roots" in said.advice
    assert (said.confidence, said.depth) == (Confidence.MEDIUM, Depth.ROOT)


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("ladder", "facts"),
    [
        pytest.param((*SERVER_FLIGHT, "> RST"), {"server_chain": chain(SERVER, SUB)}, id="a server's"),
        pytest.param((*CLIENT_FLIGHT, "< RST"), {"client_chain": chain(CLIENT, SUB)}, id="a client's"),
    ],
)
def test_silence_at_a_public_root_may_be_about_anything(ladder: tuple[str, ...], facts: dict[str, Any]) -> None:
    assert verdict(connection(*ladder, **facts)) == "cannot tell"
