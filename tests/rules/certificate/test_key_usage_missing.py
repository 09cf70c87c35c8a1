"""key-usage-missing: what the key is put to in this handshake, against what its certificate allows."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import Confidence
from tests.build import asn1, pki
from tests.build.connections import (
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    connection,
)
from tests.rules.cast import SUB, answer, chain, finding, raw

RULE = "key-usage-missing"
ECDHE, RSA = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"
ECDSA, DHE, STATIC = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA",
)


def leaf(*usages: str, key: str = "rsa", **odd: Any) -> pki.Identity:
    """A certificate with these key usages; "free" has no such extension."""
    allowed = None if usages == ("free",) else list(usages)
    return SUB.issue(f"{key}-{'-'.join(usages) or 'none'}.example", key=key, key_usage=allowed, **odd)


BOTH, SIGNS, ENCIPHERS, FREE = (
    leaf("digitalSignature", "keyEncipherment"),
    leaf("digitalSignature"),
    leaf("keyEncipherment", "dataEncipherment"),
    leaf("free"),
)
EC_SIGNS, EC_AGREES = leaf("digitalSignature", key="ec"), leaf("keyAgreement", key="ec")
REPUDIATES = leaf("nonRepudiation")
DAMAGED = SUB.issue("damaged.example", key_usage=None, extensions=[pki.extension("2.5.29.15", asn1.utf8("all"))])


def speaks(cipher: str, side: Side, identity: pki.Identity, *ladder: str, **facts: Any) -> Connection:
    """A connection with this suite in which the side sends this leaf."""
    steps = ladder or (*HANDSHAKE, *DATA)
    return connection(*steps, cipher=cipher, **{f"{side}_chain": chain(identity, SUB)}, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cipher", "identity", "expected"),
    [
        pytest.param(ECDHE, BOTH, "silent", id="both usages, ECDHE"),
        pytest.param(RSA, BOTH, "silent", id="both usages, RSA key exchange"),
        pytest.param(ECDHE, SIGNS, "silent", id="signing is enough for ECDHE"),
        pytest.param(DHE, SIGNS, "silent", id="signing is enough for DHE"),
        pytest.param(ECDSA, EC_SIGNS, "silent", id="signing is enough for an EC key"),
        pytest.param(RSA, ENCIPHERS, "silent", id="enciphering is enough for RSA key exchange"),
        pytest.param(STATIC, EC_AGREES, "silent", id="agreeing is enough for fixed ECDH"),
        pytest.param(RSA, FREE, "silent", id="no extension allows all"),
        pytest.param("TLS_DH_anon_WITH_RC4_128_MD5", ENCIPHERS, "silent", id="nobody's key is used"),
        pytest.param("TLS_RSA_EXPORT_WITH_RC4_40_MD5", SIGNS, "silent", id="an export suite may do either"),
        pytest.param("0x7f1c", ENCIPHERS, "silent", id="an unknown suite"),
        pytest.param(RSA, EC_SIGNS, "silent", id="an EC key cannot encipher, so it was not asked to"),
        pytest.param(ECDHE, DAMAGED, "cannot tell", id="the extension cannot be read"),
        pytest.param(RSA, SIGNS, "warning", id="RSA key exchange with a signing key"),
        pytest.param(ECDHE, ENCIPHERS, "warning", id="ECDHE with an enciphering key"),
        pytest.param(DHE, ENCIPHERS, "warning", id="DHE with an enciphering key"),
        pytest.param(STATIC, EC_SIGNS, "warning", id="fixed ECDH with a signing key"),
        pytest.param(ECDHE, REPUDIATES, "warning", id="non-repudiation does not sign handshakes"),
        pytest.param(ECDHE, leaf(), "warning", id="an empty list allows nothing"),
    ],
)
def test_the_server(cipher: str, identity: pki.Identity, expected: str) -> None:
    assert answer(RULE, speaks(cipher, Side.SERVER, identity)) == expected


@pytest.mark.parametrize(
    ("cipher", "identity", "expected"),
    [
        pytest.param(ECDHE, BOTH, "silent", id="both usages"),
        pytest.param(RSA, SIGNS, "silent", id="it signs, whatever the key exchange"),
        pytest.param(ECDHE, FREE, "silent", id="no extension allows all"),
        pytest.param(STATIC, EC_AGREES, "silent", id="fixed ECDH needs no signature"),
        pytest.param("0x7f1c", ENCIPHERS, "silent", id="an unknown suite"),
        pytest.param(RSA, ENCIPHERS, "warning", id="it may encipher, and has to sign"),
        pytest.param(ECDHE, EC_AGREES, "warning", id="it may agree, and has to sign"),
    ],
)
def test_the_client(cipher: str, identity: pki.Identity, expected: str) -> None:
    assert answer(RULE, speaks(cipher, Side.CLIENT, identity)) == expected


def test_tls_1_3_always_signs() -> None:
    facts = {"version": "TLSv1.3"}
    assert answer(RULE, speaks("TLS_AES_128_GCM_SHA256", Side.SERVER, ENCIPHERS, **facts)) == "warning"
    assert answer(RULE, speaks("TLS_AES_128_GCM_SHA256", Side.SERVER, SIGNS, **facts)) == "silent"


@pytest.mark.parametrize(
    ("side", "ladder", "expected"),
    [
        pytest.param(Side.SERVER, (*SERVER_FLIGHT, "> Alert 43"), "error", id="unsupported_certificate"),
        pytest.param(Side.SERVER, (*SERVER_FLIGHT, "> RST"), "error", id="the client resets"),
        pytest.param(Side.SERVER, (*SERVER_FLIGHT, "> Alert 45"), "warning", id="refused for its date"),
        pytest.param(Side.SERVER, (*CLIENT_FLIGHT, "< Alert 43"), "warning", id="the client was refused"),
        pytest.param(Side.CLIENT, (*CLIENT_FLIGHT, "< Alert 43"), "error", id="the client was refused for it"),
    ],
)
def test_who_refused_whom(side: Side, ladder: tuple[str, ...], expected: str) -> None:
    assert answer(RULE, speaks(ECDHE, side, ENCIPHERS, *ladder)) == expected


def test_what_is_said() -> None:
    said = finding(RULE, speaks(RSA, Side.SERVER, SIGNS, *SERVER_FLIGHT, "> Alert 43"))
    assert said.summary == (
        "the server's certificate rsa-digitalSignature.example does not allow the key exchange of "
        f"{RSA}, which needs the key usage keyEncipherment (it has digitalSignature); the client refused with the alert "
        "unsupported_certificate (43)"
    )
    assert said.confidence is Confidence.MEDIUM
    assert "Signature and encryption" in said.advice
    client = finding(RULE, speaks(RSA, Side.CLIENT, ENCIPHERS))
    assert "the proof that it has the key" in client.summary


def test_what_is_needed_to_tell() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    hidden = Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE
    assert answer(RULE, connection(*HANDSHAKE, hidden=hidden)) == "cannot tell"
    lost = connection(*HANDSHAKE, server_chain=chain(SIGNS, SUB), without=Seen.SERVER_HELLO, hidden=Seen.SERVER_HELLO)
    assert answer(RULE, lost) == "cannot tell"
    assert answer(RULE, connection(*HANDSHAKE, server_chain=raw(b"junk"))) == "cannot tell"
