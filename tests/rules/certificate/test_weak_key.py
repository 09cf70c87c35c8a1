"""weak-key: which certificates count, which keys are weak, and when a peer refused them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analyzer.certificates.algorithms import PublicKey
from analyzer.certificates.chain import Chain
from analyzer.connection import Seen, Side
from analyzer.findings import Confidence, Depth
from analyzer.judgement.weakness import is_short
from tests.build import asn1, pki
from tests.build.connections import CLIENT_FLIGHT, DATA, HANDSHAKE, SERVER_FLIGHT, FakeHistory, connection, context
from tests.rules.cast import OTHER, ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "weak-key"
SHORT = SUB.issue("short.example", key="rsa1024")
TINY = SUB.issue("tiny.example", key="rsa512")
SHORT_ROOT = pki.root("ShortRoot", key="rsa1024")
SHORT_SUB = ROOT.issue("ShortSub", ca=True, key="rsa1024")
UNDER_SHORT = SHORT_SUB.issue("under.example")
CROSS = SHORT_ROOT.cross_sign(ROOT)
NO_KEY = SUB.issue("keyless.example", spki=asn1.seq(asn1.utf8("key")))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="P-256 throughout"),
        pytest.param(chain(SUB.issue("r.example", key="rsa2048"), SUB), "silent", id="RSA with 2,048 bits"),
        pytest.param(chain(SUB.issue("e.example", key="ed25519"), SUB), "silent", id="Ed25519 is short and strong"),
        pytest.param(chain(SERVER, SUB, SHORT), "silent", id="a stranger in the message is not on the path"),
        pytest.param(chain(NO_KEY, SUB), "cannot tell", id="the key cannot be read"),
        pytest.param(raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param(chain(SHORT, SUB), "warning", id="the leaf"),
        pytest.param(chain(UNDER_SHORT, SHORT_SUB, ROOT), "warning", id="the intermediate"),
        pytest.param(chain(SHORT_ROOT.issue("rooted.example"), SHORT_ROOT), "warning", id="the root: its key signs"),
        pytest.param(chain(pki.self_signed("box.example", key="rsa1024")), "warning", id="a lone self-signed one"),
        pytest.param(chain(SERVER, SUB, CROSS, SHORT_ROOT), "warning", id="the root above a cross-certificate"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


def test_what_is_above_a_known_root_does_not_count() -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB, CROSS, SHORT_ROOT))
    assert answer(RULE, conn, context(FakeHistory(roots={"CN=Root": "a trust store"}))) == "silent"


@pytest.mark.parametrize(
    ("key", "short"),
    [
        pytest.param(PublicKey("RSA", 2047), True, id="one bit too few"),
        pytest.param(PublicKey("RSA", 2048), False, id="just enough"),
        pytest.param(PublicKey("DSA", 1024), True, id="DSA"),
        pytest.param(PublicKey("EC", 192, "P-192"), True, id="a small curve"),
        pytest.param(PublicKey("EC", 224, "P-224"), False, id="the smallest good curve"),
        pytest.param(PublicKey("EC", None, "1.2.3.4"), False, id="an unknown curve"),
        pytest.param(PublicKey("Ed25519", 256), False, id="Ed25519"),
        pytest.param(PublicKey("RSA"), False, id="a size that cannot be read"),
        pytest.param(None, False, id="no key"),
    ],
)
def test_which_keys(key: PublicKey | None, short: bool) -> None:
    assert is_short(key) is short


def year(number: int) -> int:
    """Nanoseconds since 1970 at its middle."""
    return int(datetime(number, 7, 1, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("identity", "at", "expected"),
    [
        pytest.param(SHORT, 2026, "error", id="1,024 bits today"),
        pytest.param(SHORT, 2016, "warning", id="1,024 bits when everybody took them"),
        pytest.param(TINY, 2016, "error", id="512 bits when Windows refused them"),
        pytest.param(TINY, 2010, "warning", id="512 bits when nobody refused them"),
    ],
)
def test_a_cause_only_where_such_keys_were_refused(identity: pki.Identity, at: int, expected: str) -> None:
    conn = connection(*CLIENT_FLIGHT, "< RST", client_chain=chain(identity, SUB), end_ns=year(at))
    assert answer(RULE, conn) == expected
    assert finding(RULE, conn).depth is (Depth.ROOT if expected == "error" else Depth.SYMPTOM)


@pytest.mark.parametrize(
    ("ladder", "side", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), Side.SERVER, "warning", id="it works"),
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), Side.SERVER, "error", id="bad_certificate"),
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), Side.SERVER, "warning", id="refused for its date"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), Side.SERVER, "warning", id="refused for its CA"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 43"), Side.CLIENT, "error", id="the server refuses the client's"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 43"), Side.SERVER, "warning", id="the server refuses, this is its own"),
    ],
)
def test_who_refused_whom(ladder: tuple[str, ...], side: Side, expected: str) -> None:
    assert answer(RULE, connection(*ladder, **{f"{side}_chain": chain(SHORT, SUB)})) == expected  # type: ignore[arg-type]


def test_one_finding_a_side_names_all() -> None:
    both = chain(SHORT_SUB.issue("deep.example", key="rsa1024"), SHORT_SUB)
    server, client = findings(RULE, connection(*HANDSHAKE, *DATA, server_chain=both, client_chain=chain(SHORT, SUB)))
    assert server.summary == (
        "2 certificates of the server's chain have weak keys: deep.example RSA 1024, ShortSub RSA 1024"
    )
    assert client.summary == "the client's certificate short.example has a weak key: RSA 1024"
    assert "192.0.2.10" in client.advice
    assert "openssl req -newkey" in client.advice
    assert client.confidence is Confidence.HIGH


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE, server_chain=chain(OTHER.issue("o.example")))) == "silent"
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
