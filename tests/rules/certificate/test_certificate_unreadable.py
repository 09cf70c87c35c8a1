"""certificate-unreadable: what nobody can read is an error, what strict peers may refuse a note, oddness nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Confidence, Depth
from analyzer.judgement.reading import broken, lost_parts
from tests.build import asn1, pki
from tests.build.connections import CLIENT_FLIGHT, DATA, HANDSHAKE, SERVER_FLIGHT, connection
from tests.rules.cast import ROOT, SERVER, SUB, answer, certificate, chain, finding, raw

RULE = "certificate-unreadable"
NO_KEY = SUB.issue("keyless.example", spki=asn1.seq(asn1.utf8("key")))
NO_DATES = SUB.issue("dateless.example", validity=asn1.seq(asn1.utf8("soon"), asn1.utf8("later")))
BAD_EXTENSION = SUB.issue("damaged.example", extensions=[pki.extension("2.5.29.37", asn1.utf8("all"))])
EXPLICIT_FALSE = SUB.issue(
    "false.example", extensions=[pki.extension("2.5.29.19", asn1.seq(asn1.boolean(False)), critical=True)]
)
NEW_KEY = SUB.issue("new.example", spki=asn1.seq(asn1.seq(asn1.oid("1.2.3.4")), asn1.bits(b"12345678")))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="an ordinary chain"),
        pytest.param(chain(NEW_KEY, SUB), "silent", id="an algorithm that nobody here knows"),
        pytest.param(chain(SUB.issue("zero.example", serial=0), SUB), "silent", id="a serial number of 0 is only odd"),
        pytest.param(
            chain(SUB.issue("long.example", serial=2**170), SUB), "silent", id="a long serial number is only odd"
        ),
        pytest.param(chain(EXPLICIT_FALSE, SUB), "note", id="a default written out: strict peers may refuse"),
        pytest.param(raw(b""), "error", id="no bytes"),
        pytest.param(raw(b"junk"), "error", id="no certificate"),
        pytest.param(raw(SERVER.der[:200]), "error", id="the first 200 bytes of one"),
        pytest.param(raw(SERVER.der[:-20]), "error", id="all but the last 20 bytes"),
        pytest.param(raw(SERVER.der, b"junk"), "error", id="the second of the message"),
        pytest.param(chain(NO_KEY, SUB), "error", id="no key in it"),
        pytest.param(chain(NO_DATES, SUB), "error", id="no dates in it"),
        pytest.param(chain(BAD_EXTENSION, SUB), "error", id="an extension that is something else"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("ladder", "side", "depth", "confidence"),
    [
        pytest.param((*HANDSHAKE, *DATA), Side.SERVER, Depth.ROOT, Confidence.HIGH, id="it works all the same"),
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), Side.SERVER, Depth.ROOT, Confidence.HIGH, id="bad_certificate"),
        pytest.param((*SERVER_FLIGHT, "> Alert 50"), Side.SERVER, Depth.ROOT, Confidence.MEDIUM, id="decode_error"),
        pytest.param((*SERVER_FLIGHT, "> RST"), Side.SERVER, Depth.ROOT, Confidence.MEDIUM, id="a reset"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), Side.SERVER, Depth.SYMPTOM, Confidence.MEDIUM, id="for its date"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 50"), Side.CLIENT, Depth.ROOT, Confidence.MEDIUM, id="the client's"),
    ],
)
def test_it_is_the_cause_only_if_refused_for_it(
    ladder: tuple[str, ...], side: Side, depth: Depth, confidence: Confidence
) -> None:
    said = finding(RULE, connection(*ladder, **{f"{side}_chain": raw(b"junk")}))  # type: ignore[arg-type]
    assert (said.severity.value, said.depth, said.confidence) == ("error", depth, confidence)


def test_the_rejection_names_it() -> None:
    conn = connection(*CLIENT_FLIGHT, "< Alert 50", client_chain=raw(b"junk"))
    said = finding("client-certificate-rejected", conn)
    assert "the likeliest reason is that" in said.summary
    assert "cannot be read" in said.summary


def test_a_decode_error_about_what_can_be_read_is_about_something_else() -> None:
    conn = connection(*CLIENT_FLIGHT, "< Alert 50", client_chain=chain(SERVER, SUB))
    assert answer("client-certificate-rejected", conn) == "silent"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(raw(b"junk"), "the server's certificate cannot be read (4 bytes, no certificate: tag", id="none"),
        pytest.param(
            raw(SERVER.der, b"junk", b"bits"),
            "certificate 2 of the server's chain cannot be read (4 bytes, no certificate: ",
            id="the second",
        ),
        pytest.param(raw(SERVER.der, b"junk", b"bits"), "; nor can 1 more in that chain", id="the others are counted"),
        pytest.param(
            chain(NO_DATES, SUB), "the server's certificate dateless.example cannot be read whole: the dates", id="part"
        ),
        pytest.param(
            chain(SERVER, NO_KEY), "certificate 2 of the server's chain, keyless.example, cannot be read", id="2nd part"
        ),
        pytest.param(
            chain(EXPLICIT_FALSE, SUB),
            "false.example breaks the rules of encoding, so that strict peers may refuse it (basicConstraints: ",
            id="odd",
        ),
    ],
)
def test_what_is_said(sent: Chain, told: str) -> None:
    said = finding(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent))
    assert told in said.summary
    assert "openssl asn1parse" in said.advice


def test_what_could_be_read_is_still_judged() -> None:
    dated = pki.self_signed("box.example", spki=asn1.seq(asn1.utf8("key")), key="rsa1024")
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(dated))
    assert answer(RULE, conn) == "error"
    assert answer("self-signed", conn) == "warning"


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(SERVER.der) - 1), value=st.integers(0, 255))
def test_one_changed_byte_never_raises(at: int, value: int) -> None:
    der = bytearray(SERVER.der)
    der[at] = value
    found = raw(bytes(der)).leaf
    assert broken(found) in (True, False)
    assert all(lost_parts(found))


def test_what_is_whole_has_lost_nothing() -> None:
    for identity in (SERVER, SUB, ROOT):
        assert lost_parts(certificate(identity)) == ()


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
