"""Keys and signature algorithms that are not the usual ones."""

from __future__ import annotations

import pytest

from analyzer.certificates.algorithms import PublicKey, SignatureAlgorithm, read_public_key, read_signature_algorithm
from analyzer.certificates.der import Der
from tests.build import asn1

RSA, PSS, EC, DSA, SHA256, SHA512 = (
    "1.2.840.113549.1.1.1",
    "1.2.840.113549.1.1.10",
    "1.2.840.10045.2.1",
    "1.2.840.10040.4.1",
    asn1.seq(asn1.oid("2.16.840.1.101.3.4.2.1")),
    asn1.seq(asn1.oid("2.16.840.1.101.3.4.2.3")),
)
MGF1_SHA512 = asn1.seq(asn1.oid("1.2.840.113549.1.1.8"), SHA512)


def signature(der: bytes) -> SignatureAlgorithm | None:
    reader = Der(der)
    return read_signature_algorithm(reader, reader.element(0, len(der)))


def key(algorithm: bytes, content: bytes = b"\4") -> tuple[PublicKey | None, list[str]]:
    reader = Der(asn1.seq(algorithm, asn1.bits(content)))
    return read_public_key(reader, reader.element(0, len(reader.data))), list(reader.notes)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param(None, ("sha1", "sha1", 20), id="no parameters: all defaults"),
        pytest.param(asn1.seq(), ("sha1", "sha1", 20), id="empty parameters: all defaults"),
        pytest.param(
            asn1.seq(asn1.explicit(0, SHA256), asn1.explicit(1, MGF1_SHA512), asn1.explicit(2, asn1.integer(32))),
            ("sha256", "sha512", 32),
            id="all given",
        ),
        pytest.param(asn1.seq(asn1.explicit(2, asn1.integer(64))), ("sha1", "sha1", 64), id="the salt alone"),
        pytest.param(asn1.seq(asn1.explicit(0, asn1.seq())), (None, "sha1", 20), id="a hash without a name"),
        pytest.param(asn1.seq(asn1.explicit(0)), ("sha1", "sha1", 20), id="an empty part"),
        pytest.param(asn1.seq(asn1.explicit(3, asn1.integer(1))), ("sha1", "sha1", 20), id="the trailer field"),
        pytest.param(
            asn1.seq(asn1.explicit(1, asn1.seq(asn1.oid("1.2.3"), SHA256))), ("sha1", None, 20), id="another mask"
        ),
    ],
)
def test_pss_parameters(parameters: bytes | None, expected: tuple[str | None, str | None, int]) -> None:
    found = signature(asn1.seq(asn1.oid(PSS), parameters or b""))
    assert found == SignatureAlgorithm("RSASSA-PSS", "RSA", *expected)


def test_an_unknown_signature_algorithm_is_its_number() -> None:
    assert signature(asn1.seq(asn1.oid("1.2.3"))) == SignatureAlgorithm("1.2.3")
    assert signature(asn1.utf8("x")) is None


@pytest.mark.parametrize(
    ("algorithm", "content", "text", "notes"),
    [
        pytest.param(
            asn1.seq(asn1.oid(RSA), asn1.null()),
            asn1.seq(asn1.integer(1 << 4095), asn1.integer(3)),
            "RSA 4096",
            [],
            id="RSA",
        ),
        pytest.param(asn1.seq(asn1.oid(RSA)), b"", "RSA", ["unreadable RSA key"], id="an empty RSA key"),
        pytest.param(asn1.seq(asn1.oid(RSA)), asn1.seq(asn1.utf8("x")), "RSA", ["unreadable RSA key"], id="no number"),
        pytest.param(asn1.seq(asn1.oid(EC), asn1.oid("1.3.132.0.10")), b"\4", "EC secp256k1", [], id="another curve"),
        pytest.param(
            asn1.seq(asn1.oid(EC), asn1.oid("1.2.3")), b"\4", "EC 1.2.3", ["unknown curve 1.2.3"], id="no curve"
        ),
        pytest.param(asn1.seq(asn1.oid(DSA), asn1.seq(asn1.integer(1 << 2047))), b"\4", "DSA 2048", [], id="DSA"),
        pytest.param(asn1.seq(asn1.oid(DSA)), b"\4", "DSA", ["unreadable DSA key"], id="DSA without parameters"),
        pytest.param(asn1.seq(asn1.oid("1.3.101.112")), b"x" * 32, "Ed25519", [], id="Ed25519"),
        pytest.param(asn1.seq(asn1.oid("2.16.840.1.101.3.4.3.18")), b"x", "ML-DSA-65", [], id="ML-DSA"),
        pytest.param(asn1.seq(asn1.oid("1.2.3")), b"x", "1.2.3", ["unknown key algorithm 1.2.3"], id="an unknown kind"),
    ],
)
def test_keys(algorithm: bytes, content: bytes, text: str, notes: list[str]) -> None:
    found, noted = key(algorithm, content)
    assert (str(found), noted) == (text, notes)


def test_what_is_no_key() -> None:
    assert key(asn1.utf8("x")) == (None, ["unreadable public key"])
    assert key(asn1.seq(asn1.utf8("x"))) == (None, ["unreadable public key"])
