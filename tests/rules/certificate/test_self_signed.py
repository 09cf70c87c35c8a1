"""self-signed: a lone certificate that is its own issuer."""

from __future__ import annotations

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Confidence
from tests.build import asn1, pki
from tests.build.connections import CLIENT_FLIGHT, DATA, HANDSHAKE, SERVER_FLIGHT, connection
from tests.rules.cast import ROOT, SERVER, SUB, answer, chain, finding, raw

RULE = "self-signed"
SELF = pki.self_signed("box.example", san=["box.example"])
PRETENDER = pki.self_signed("fake.example", signer=ROOT)
STRANGE = pki.self_signed("odd.example", algorithm=asn1.seq(asn1.oid("1.2.3.4")))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB), "silent", id="issued by a CA"),
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="the root of a chain is self-signed, of course"),
        pytest.param(chain(SERVER), "silent", id="a lone leaf of a CA"),
        pytest.param(chain(ROOT, SUB, SERVER), "silent", id="a root first is another rule's matter"),
        pytest.param(chain(PRETENDER), "silent", id="equal names, but another key signed it"),
        pytest.param(raw(b"junk"), "silent", id="the certificate cannot be read"),
        pytest.param(chain(SELF), "warning", id="a lone self-signed certificate"),
        pytest.param(chain(SELF, SELF), "warning", id="sent twice"),
        pytest.param(chain(ROOT), "warning", id="a CA's own certificate used as a leaf"),
        pytest.param(chain(STRANGE), "warning", id="a signature of an unknown kind: the names decide"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("ladder", "side", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), Side.SERVER, "warning", id="the client accepts the server's"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), Side.SERVER, "error", id="the client refuses the server's"),
        pytest.param((*SERVER_FLIGHT, "> RST"), Side.SERVER, "error", id="the client resets"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), Side.SERVER, "warning", id="refused for its date"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), Side.SERVER, "warning", id="the server refuses the client's"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), Side.CLIENT, "error", id="the server refuses this client's"),
        pytest.param((*HANDSHAKE, *DATA), Side.CLIENT, "warning", id="the server accepts the client's"),
        pytest.param((*HANDSHAKE, "< RST"), Side.CLIENT, "error", id="the server resets right after the handshake"),
    ],
)
def test_who_refused_whom(ladder: tuple[str, ...], side: Side, expected: str) -> None:
    conn = connection(*ladder, **{f"{side}_chain": chain(SELF)})  # type: ignore[arg-type]
    assert answer(RULE, conn) == expected


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )


def test_the_fingerprint_to_import_is_told() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SELF)))
    assert "box.example is self-signed" in said.summary
    assert "import this one on the client as a trusted root (SHA-1 " in said.advice
    assert said.confidence is Confidence.HIGH
    assert finding(RULE, connection(*HANDSHAKE, server_chain=chain(STRANGE))).confidence is Confidence.MEDIUM
