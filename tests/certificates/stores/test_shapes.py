"""What a piece of DER is, told apart by its outline: keys and requests of real libraries are not taken for certificates."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.stores import shapes
from tests.build import asn1, pki, store_files

ROOT = pki.root("Root", key="rsa")
EC = pki.key("ec", "x")
RSA = pki.key("rsa1024", "x")
assert isinstance(EC, ec.EllipticCurvePrivateKey)
assert isinstance(RSA, rsa.RSAPrivateKey)
SECRET = serialization.BestAvailableEncryption(b"secret")
LOADED = x509.load_der_x509_certificate(ROOT.der)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(EC, hashes.SHA256())
REVOKED = (
    x509.CertificateRevocationListBuilder()
    .issuer_name(NAME)
    .last_update(pki.NOT_BEFORE)
    .next_update(pki.NOT_AFTER)
    .sign(EC, hashes.SHA256())
)


def key(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, form: PrivateFormat) -> bytes:
    return private.private_bytes(Encoding.DER, form, NoEncryption())


@pytest.mark.parametrize(
    ("der", "expected"),
    [
        pytest.param(ROOT.der, shapes.CERTIFICATE, id="certificate"),
        pytest.param(pki.root("v1", version=b"", only_extensions=[]).der, shapes.CERTIFICATE, id="version 1"),
        pytest.param(ROOT.der[:200], shapes.CERTIFICATE, id="certificate cut short"),
        pytest.param(store_files.pkcs7(ROOT.der), shapes.SIGNED_DATA, id="PKCS#7"),
        pytest.param(asn1.seq(asn1.oid("1.2.840.113549.1.7.3")), shapes.OTHER_PKCS7, id="enveloped data"),
        pytest.param(pkcs12.serialize_key_and_certificates(b"x", EC, None, None, SECRET), shapes.PKCS12, id="PKCS#12"),
        pytest.param(key(EC, PrivateFormat.PKCS8), shapes.PRIVATE_KEY, id="PKCS#8 key"),
        pytest.param(key(EC, PrivateFormat.TraditionalOpenSSL), shapes.PRIVATE_KEY, id="SEC1 key"),
        pytest.param(key(RSA, PrivateFormat.TraditionalOpenSSL), shapes.PRIVATE_KEY, id="PKCS#1 key"),
        pytest.param(
            EC.private_bytes(Encoding.DER, PrivateFormat.PKCS8, SECRET), shapes.ENCRYPTED_KEY, id="encrypted key"
        ),
        pytest.param(
            EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            shapes.PUBLIC_KEY,
            id="public key",
        ),
        pytest.param(REQUEST.public_bytes(Encoding.DER), shapes.REQUEST, id="request"),
        pytest.param(REVOKED.public_bytes(Encoding.DER), shapes.CRL, id="CRL"),
        pytest.param(asn1.seq(), shapes.UNKNOWN, id="an empty sequence"),
        pytest.param(asn1.seq(asn1.seq(asn1.boolean(True))), shapes.UNKNOWN, id="a sequence of something"),
        pytest.param(asn1.octets(b"x"), shapes.NOT_DER, id="no sequence"),
        pytest.param(b"", shapes.NOT_DER, id="nothing"),
        pytest.param(b"-----BEGIN", shapes.NOT_DER, id="text"),
    ],
)
def test_shape(der: bytes, expected: str) -> None:
    assert shapes.shape(der) == expected


@settings(max_examples=100, deadline=None)
@given(cut=st.integers(0, 400), at=st.integers(0, 399), value=st.integers(0, 255))
def test_damage_never_raises(cut: int, at: int, value: int) -> None:
    damaged = bytearray(ROOT.der[:400])
    damaged[at] = value
    assert shapes.shape(bytes(damaged[:cut])).strip()
