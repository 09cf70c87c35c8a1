"""Certificates signed with SHA-1 or MD5, which `cryptography` no longer makes: signed again by the openssl program."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

WITH_RSA = bytes.fromhex("2a864886f70d0101")  # pkcs-1, RFC 8017; the last byte says which digest
SHA256 = WITH_RSA + b"\x0b"
LAST = {"md5": b"\x04", "sha1": b"\x05"}


def signed_again(certificate: x509.Certificate, digest: str, key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
    """The same certificate with an older digest: names of algorithms have the same length, so no length changes."""
    body = certificate.tbs_certificate_bytes.replace(SHA256, WITH_RSA + LAST[digest], 1)
    whole = certificate.public_bytes(serialization.Encoding.DER)
    start = whole.index(certificate.tbs_certificate_bytes)
    behind = whole[start + len(body) :].replace(SHA256, WITH_RSA + LAST[digest], 1)
    signature = _signature(body, digest, key)
    return x509.load_der_x509_certificate(whole[:start] + body + behind[: -len(signature)] + signature)


def _signature(body: bytes, digest: str, key: CertificateIssuerPrivateKeyTypes) -> bytes:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "key.pem"
        place.write_bytes(private)
        words = ("openssl", "dgst", f"-{digest}", "-sign", str(place))
        return subprocess.run(words, input=body, capture_output=True, check=True).stdout
