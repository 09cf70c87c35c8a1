"""Does this key verify that certificate's signature? The raw question, for SHA-1 and MD5 too.

The library's own "was issued by" refuses old hashes, which an old capture is full of. It is imported here when the first
signature has to be verified, and not before: many captures never need it. What it refuses, pkcs1.py computes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.certificates.algorithms import SignatureAlgorithm, read_public_key, read_signature_algorithm
from analyzer.certificates.pkcs1 import verify_pkcs1
from analyzer.certificates.tolerant import outline

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

MAX_KEY = 2**14  # bytes of a SubjectPublicKeyInfo that are given to the library; ours, bounds its work


def verify(der: bytes, issuer_der: bytes) -> bool | None:
    """True or False; None if it cannot be computed (unknown algorithm, unreadable key or certificate). Never raises."""
    child, issuer = outline(der), outline(issuer_der)
    if child.tbs is None or child.signature is None or child.algorithm is None or issuer.spki is None:
        return None
    algorithm = read_signature_algorithm(child.reader, child.algorithm)
    key = read_public_key(issuer.reader, issuer.spki)
    if algorithm is None or algorithm.key is None or key is None:
        return None
    if key.algorithm != algorithm.key:
        return False  # an RSA key made no ECDSA signature
    spki = issuer.reader.whole(issuer.spki)
    if len(spki) > MAX_KEY:
        return None
    signature = child.reader.content(child.signature)[1:]
    return _verify(spki, signature, child.reader.whole(child.tbs), algorithm)


def _verify(spki: bytes, signature: bytes, signed: bytes, algorithm: SignatureAlgorithm) -> bool | None:
    from cryptography.exceptions import InvalidSignature

    answer: bool | None
    try:
        answer = _check(spki, signature, signed, algorithm)
    except InvalidSignature:
        answer = False
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # the library raises many kinds, and its Rust part panics outside of Exception
        answer = None
    if answer is not True and algorithm.key == "RSA" and algorithm.salt_bytes is None and algorithm.hash is not None:
        # Some builds refuse old hashes and small keys, or call what they refuse a bad signature: a No must be sure.
        own = verify_pkcs1(spki, signature, signed, algorithm.hash)
        answer = own if own is not None else answer
    return answer


def _check(spki: bytes, signature: bytes, signed: bytes, algorithm: SignatureAlgorithm) -> bool | None:
    """True, or None if unknown; raises InvalidSignature, and what the library pleases."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(spki)
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signature, signed)
        return True
    digest, mask = _hash(algorithm.hash), _hash(algorithm.mask_hash)
    if digest is None:
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(digest))
    elif isinstance(key, dsa.DSAPublicKey):
        key.verify(signature, signed, digest)
    elif isinstance(key, rsa.RSAPublicKey) and algorithm.salt_bytes is None:
        key.verify(signature, signed, padding.PKCS1v15(), digest)
    elif isinstance(key, rsa.RSAPublicKey) and mask is not None and algorithm.salt_bytes is not None:
        key.verify(signature, signed, padding.PSS(padding.MGF1(mask), algorithm.salt_bytes), digest)
    else:
        return None
    return True


def _hash(name: str | None) -> HashAlgorithm | None:
    from cryptography.hazmat.primitives import hashes

    kinds: dict[str, type[HashAlgorithm]] = {
        "md5": hashes.MD5,
        "sha1": hashes.SHA1,
        "sha224": hashes.SHA224,
        "sha256": hashes.SHA256,
        "sha384": hashes.SHA384,
        "sha512": hashes.SHA512,
        "sha3-256": hashes.SHA3_256,
        "sha3-384": hashes.SHA3_384,
        "sha3-512": hashes.SHA3_512,
        "sm3": hashes.SM3,
    }
    return kinds[name]() if name in kinds else None
