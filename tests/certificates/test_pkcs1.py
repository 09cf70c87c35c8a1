"""Our own RSASSA-PKCS1-v1_5, against the library that signs."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates import signatures
from analyzer.certificates.certificate import load
from analyzer.certificates.pkcs1 import MAX_MODULUS, verify_pkcs1
from tests.build import asn1, pki

KEY = pki.key("rsa1024", "signer")
OTHER = pki.key("rsa1024", "another")
EC = pki.key("ec", "signer")
DATA = b"what was signed"


def key_info(modulus: int, exponent: int) -> bytes:
    key = asn1.seq(asn1.integer(modulus), asn1.integer(exponent))
    return asn1.seq(asn1.seq(asn1.oid("1.2.840.113549.1.1.1"), asn1.null()), asn1.bits(key))


def signed_by_hand(message: bytes) -> bytes:
    """What an old signer makes that leaves out the NULL behind the hash's OID."""
    assert isinstance(KEY, rsa.RSAPrivateKey)
    numbers = KEY.private_numbers()
    info = asn1.seq(asn1.seq(asn1.oid("1.3.14.3.2.26")), asn1.octets(hashlib.sha1(message).digest()))
    padded = b"\0\1" + b"\xff" * (128 - 3 - len(info)) + b"\0" + info
    return pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(128)


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_it_agrees_with_who_signed(digest: str) -> None:
    signature = pki.sign(KEY, DATA, digest)
    assert verify_pkcs1(pki.spki(KEY), signature, DATA, digest) is True
    assert verify_pkcs1(pki.spki(OTHER), signature, DATA, digest) is False
    assert verify_pkcs1(pki.spki(KEY), signature, DATA + b"!", digest) is False
    assert verify_pkcs1(pki.spki(KEY), signature[:-1], DATA, digest) is False


def test_a_hash_without_its_null_counts() -> None:
    assert verify_pkcs1(pki.spki(KEY), signed_by_hand(DATA), DATA, "sha1") is True


@pytest.mark.parametrize(
    ("spki", "digest"),
    [
        pytest.param(pki.spki(KEY), "sha-9", id="a hash that nobody knows"),
        pytest.param(pki.spki(EC), "sha1", id="a key of another kind"),
        pytest.param(b"", "sha1", id="no key"),
        pytest.param(asn1.seq(), "sha1", id="an empty key"),
        pytest.param(asn1.seq(asn1.bits(b"")), "sha1", id="a key without numbers"),
        pytest.param(asn1.seq(asn1.bits(asn1.seq(asn1.integer(5)))), "sha1", id="a key of one number"),
        pytest.param(key_info(0, 3), "sha1", id="a modulus of zero"),
        pytest.param(key_info(1 << MAX_MODULUS, 3), "sha1", id="a modulus that would take long"),
        pytest.param(key_info((1 << 1023) + 1, 1 << 80), "sha1", id="an exponent that would take long"),
    ],
)
def test_what_it_does_not_compute(spki: bytes, digest: str) -> None:
    assert verify_pkcs1(spki, bytes(128), DATA, digest) is None


def test_a_key_too_small_for_the_hash_signed_nothing() -> None:
    assert verify_pkcs1(key_info((1 << 255) + 1, 3), bytes(32), DATA, "sha512") is False


@pytest.mark.parametrize("refusal", [ValueError("not supported"), None])
def test_it_answers_where_the_library_refuses(monkeypatch: pytest.MonkeyPatch, refusal: Exception | None) -> None:
    """A library that raises, and one that knows no such hash."""

    def refuse(*_: object) -> bool | None:
        if refusal:
            raise refusal
        return None

    monkeypatch.setattr(signatures, "_check", refuse)
    root = pki.root("Old", key="rsa1024", digest="md5")
    leaf = load(root.issue("old leaf", digest="md5", serial=77).der)
    assert leaf.signed_by(load(root.der)) is True
    assert leaf.signed_by(load(pki.root("New", key="rsa1024").der)) is False


@settings(max_examples=80, deadline=None)
@given(spki=st.binary(max_size=80), signature=st.binary(max_size=80))
def test_any_bytes_get_an_answer(spki: bytes, signature: bytes) -> None:
    assert verify_pkcs1(spki, signature, DATA, "sha1") in (True, False, None)
