"""A public key infrastructure for tests: `root("Root").issue("sub", ca=True).issue("leaf", san=["a.example"]).der`.

Everything is made from its arguments alone (keys and serials too): the same call gives the same bytes (not for PSS, DSA) in
every run, and from a cache the second time. DER is put together by hand, so every part can be odd: see `issue`.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

from tests.build import asn1

NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2035, 1, 1, tzinfo=UTC)

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
    | dsa.DSAPrivateKey
)

HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
HASH_OIDS = {"sha1": "1.3.14.3.2.26"} | {
    name: f"2.16.840.1.101.3.4.2.{last}" for name, last in (("sha256", 1), ("sha384", 2), ("sha512", 3))
}
RSA_WITH = {"md5": 4, "sha1": 5, "sha256": 11, "sha384": 12, "sha512": 13}
ECDSA_WITH = {"sha1": "1", "sha256": "3.2", "sha384": "3.3", "sha512": "3.4"}
CURVES: dict[str, ec.EllipticCurve] = {"ec": ec.SECP256R1(), "ec384": ec.SECP384R1(), "ec521": ec.SECP521R1()}
EKU = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "ocspSigning": "1.3.6.1.5.5.7.3.9",
    "any": "2.5.29.37.0",
}
KEY_USAGE = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
ATTRIBUTES = {
    "CN": "2.5.4.3",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "DC": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
}


# ---------------------------------------------------------------------------------------------------------------- keys


def _seed(*parts: object) -> int:
    return int.from_bytes(hashlib.sha512("\0".join(map(str, parts)).encode()).digest())


@cache
def key(kind: str, label: str) -> PrivateKey:
    """The private key of this label: "ec" (P-256), "ec384", "ec521", "rsa" (2048), "rsa1024", ..., "ed25519", "ed448"."""
    seed = _seed("key", kind, label)
    if kind in CURVES:
        return ec.derive_private_key(seed % 2**250 + 1, CURVES[kind])
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed.to_bytes(64)[:32])
    if kind == "ed448":
        return ed448.Ed448PrivateKey.from_private_bytes(seed.to_bytes(64)[:57])
    if kind == "dsa":
        return dsa.generate_private_key(1024)  # the only kind that differs from run to run
    return _rsa_key(int(kind.removeprefix("rsa") or 2048), seed)


def _rsa_key(size: int, seed: int) -> rsa.RSAPrivateKey:
    chance = random.Random(seed)
    exponent = 65537
    p, q = _prime(size // 2, chance), _prime(size - size // 2, chance)
    d = pow(exponent, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(exponent, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _prime(size: int, chance: random.Random) -> int:
    small = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
    while True:
        candidate = chance.getrandbits(size) | 3 << size - 2 | 1  # both top bits: the product has full size
        if all(candidate % n for n in small) and candidate % 65537 != 1 and pow(2, candidate - 1, candidate) == 1:
            return candidate


def spki(private: PrivateKey) -> bytes:
    """The SubjectPublicKeyInfo of this key."""
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


# ---------------------------------------------------------------------------------------------------------- signatures


def signature_algorithm(private: PrivateKey, digest: str, pss: bool = False) -> bytes:
    """The AlgorithmIdentifier for a signature by this key."""
    if isinstance(private, rsa.RSAPrivateKey):
        if not pss:
            return asn1.seq(asn1.oid(f"1.2.840.113549.1.1.{RSA_WITH[digest]}"), asn1.null())
        hashed = asn1.seq(asn1.oid(HASH_OIDS[digest]), asn1.null())
        mask = asn1.seq(asn1.oid("1.2.840.113549.1.1.8"), hashed)
        salt = asn1.integer(HASHES[digest].digest_size)
        parameters = asn1.seq(asn1.explicit(0, hashed), asn1.explicit(1, mask), asn1.explicit(2, salt))
        return asn1.seq(asn1.oid("1.2.840.113549.1.1.10"), parameters)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return asn1.seq(asn1.oid(f"1.2.840.10045.4.{ECDSA_WITH[digest]}"))
    if isinstance(private, dsa.DSAPrivateKey):
        return asn1.seq(asn1.oid("1.2.840.10040.4.3" if digest == "sha1" else "2.16.840.1.101.3.4.3.2"))
    return asn1.seq(asn1.oid("1.3.101.112" if isinstance(private, ed25519.Ed25519PrivateKey) else "1.3.101.113"))


def sign(private: PrivateKey, data: bytes, digest: str, pss: bool = False) -> bytes:
    """The raw signature; MD5 and SHA-1 too."""
    algorithm = HASHES[digest]
    if isinstance(private, rsa.RSAPrivateKey):
        if pss:
            return private.sign(data, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
        return private.sign(data, padding.PKCS1v15(), algorithm)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(algorithm, deterministic_signing=True))
    if isinstance(private, dsa.DSAPrivateKey):
        return private.sign(data, algorithm)
    return private.sign(data)


# --------------------------------------------------------------------------------------------------------------- names


def subject_name(text: str) -> bytes:
    """The DER Name of "CN=leaf,O=Lab" (most specific first, no escapes, "+" joins an RDN); a bare word is a CN; "" is empty."""
    if not text:
        return asn1.name()
    if "=" not in text:
        text = f"CN={text}"
    rdns = [[_attribute(*part.split("=", 1)) for part in rdn.split("+")] for rdn in reversed(text.split(","))]
    return asn1.name(*rdns)


def _attribute(kind: str, value: str) -> bytes:
    string = {"C": asn1.printable, "SERIALNUMBER": asn1.printable, "DC": asn1.ia5, "E": asn1.ia5}.get(kind, asn1.utf8)
    return asn1.attribute(ATTRIBUTES.get(kind, kind), string(value))


def general_name(text: str) -> bytes:
    """One GeneralName: an IP address, "http://...", "sip:..." (URI), "a@b" (email), "dirname:CN=x", else a dNSName."""
    try:
        return asn1.implicit(7, ipaddress.ip_address(text).packed)
    except ValueError:
        pass
    if text.startswith("dirname:"):
        return asn1.explicit(4, subject_name(text.removeprefix("dirname:")))
    scheme = re.match(r"[a-z][a-z0-9+.-]*:", text)
    return asn1.implicit(6 if scheme else 1 if "@" in text else 2, text.encode())


# ---------------------------------------------------------------------------------------------------------- extensions


def extension(kind: str, value: bytes, critical: bool = False) -> bytes:
    """One Extension: dotted OID and the DER inside its OCTET STRING."""
    return asn1.seq(asn1.oid(kind), *([asn1.boolean(True)] if critical else []), asn1.octets(value))


def basic_constraints(ca: bool, path_length: int | None = None) -> bytes:
    parts = ([asn1.boolean(True)] if ca else []) + ([] if path_length is None else [asn1.integer(path_length)])
    return extension("2.5.29.19", asn1.seq(*parts), critical=True)


def key_usage(names: Sequence[str]) -> bytes:
    numbers = [KEY_USAGE.index(name) for name in names]
    size = max(numbers, default=-1) + 1
    value = sum(1 << (15 - number) for number in numbers)
    content = value.to_bytes(2)[: (size + 7) // 8]
    return extension("2.5.29.15", asn1.bits(content, -size % 8), critical=True)


def subject_alt_name(names: Sequence[str], critical: bool = False) -> bytes:
    return extension("2.5.29.17", asn1.seq(*map(general_name, names)), critical)


def extended_key_usage(uses: Sequence[str]) -> bytes:
    return extension("2.5.29.37", asn1.seq(*(asn1.oid(EKU.get(use, use)) for use in uses)))


def crl_distribution_points(urls: Sequence[str]) -> bytes:
    point = asn1.explicit(0, asn1.explicit(0, *(asn1.implicit(6, url.encode()) for url in urls)))
    return extension("2.5.29.31", asn1.seq(asn1.seq(point)))


def authority_information(issuers: Sequence[str], ocsp: Sequence[str]) -> bytes:
    rows = [("1.3.6.1.5.5.7.48.1", url) for url in ocsp] + [("1.3.6.1.5.5.7.48.2", url) for url in issuers]
    entries = [asn1.seq(asn1.oid(method), asn1.implicit(6, url.encode())) for method, url in rows]
    return extension("1.3.6.1.5.5.7.1.1", asn1.seq(*entries))


def name_constraints(permitted: Sequence[str] = (), excluded: Sequence[str] = ()) -> bytes:
    """Each base as in `general_name`; "10.0.0.0/8" for addresses, "email:b.example" and "uri:b.example" for the others."""
    trees = [(number, [asn1.seq(_base(text)) for text in bases]) for number, bases in ((0, permitted), (1, excluded))]
    return extension("2.5.29.30", asn1.seq(*(asn1.explicit(n, *bases) for n, bases in trees if bases)), critical=True)


def _base(text: str) -> bytes:
    if "/" in text:
        network = ipaddress.ip_network(text)
        return asn1.implicit(7, network.network_address.packed + network.netmask.packed)
    for prefix, number in (("email:", 1), ("uri:", 6)):
        if text.startswith(prefix):
            return asn1.implicit(number, text.removeprefix(prefix).encode())
    return general_name(text)


# ---------------------------------------------------------------------------------------------------------- identities


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A certificate, its key, and who issued it.

    Attributes:
        name: the subject, as given. der: the certificate. key: its private key.
        subject: the DER Name. key_id: its key identifier.
        issuer: None for a self-signed one.
    """

    name: str
    der: bytes = field(repr=False)
    key: PrivateKey = field(repr=False)
    subject: bytes = field(repr=False)
    key_id: bytes = field(repr=False)
    issuer: Identity | None = field(repr=False, default=None)

    def issue(self, name: str, **odd: Any) -> Identity:
        """A certificate signed by this identity; keywords as in `make`."""
        return make(name, issuer=self, **odd)

    def cross_sign(self, other: Identity, **odd: Any) -> Identity:
        """Another certificate for `other`'s name and key, signed by this identity."""
        return make(other.name, issuer=self, ca=True, keep=other, **odd)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """What a server sends: this certificate and those above it, without the root. A root is its own chain."""
        above = self.full_chain
        return above[:-1] or above

    @property
    def full_chain(self) -> tuple[bytes, ...]:
        """The same with the root."""
        return (self.der,) if self.issuer is None else (self.der, *self.issuer.full_chain)

    @property
    def pem(self) -> str:
        return pem(self.der)

    @property
    def key_pem(self) -> str:
        """The private key, for programs that must serve with it."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def pem(der: bytes) -> str:
    """One certificate as text."""
    lines = base64.encodebytes(der).decode().replace("\n", "")
    body = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def root(name: str, **odd: Any) -> Identity:
    """A self-signed CA; keywords as in `make`."""
    return make(name, **({"ca": True} | odd))


def self_signed(name: str, **odd: Any) -> Identity:
    """A self-signed certificate that is no CA; keywords as in `make`."""
    return make(name, **odd)


_made: dict[tuple[object, ...], Identity] = {}


def make(name: str, *, issuer: Identity | None = None, **given: Any) -> Identity:
    """A certificate for `name` ("leaf" or "CN=leaf,O=Lab"), self-signed without `issuer`. Keywords, all optional:

    ca: bool, with keyCertSign and basicConstraints. path_length: int.
    san, eku, key_usage: lists of text; `None` leaves the extension out (`key_usage` has a default).
    not_before, not_after: datetime. serial: int.
    key: "ec", "rsa", "ed25519", ... (see `key`). key_label: default is the name, so equal names share a key.
    digest: "sha256", "sha1", "md5", ...; pss: bool. By the issuer's kind of key.
    crl, aia, ocsp: lists of URLs; `crl` has a default unless self-signed, () leaves the extension out.
    skid, akid: bytes, True (default, by the keys) or False (left out).
    extensions: more DER extensions (see `extension`). only_extensions: these instead of all others; [] for none.
    signer: an Identity whose key signs instead of the issuer's (a broken link).
    keep: an Identity whose subject and key are taken.
    version, serial_der, subject, issuer_name, validity, spki, algorithm, signature: DER in place of the usual part.
    """
    options = _Options(**given)
    mark = (name, issuer, *((word, _mark(given[word])) for word in sorted(given)))
    if mark not in _made:
        _made[mark] = _build(name, issuer, options)
    return _made[mark]


def _mark(value: Any) -> Any:
    """Something hashable that stands for an argument; huge numbers have no decimal form."""
    return value if isinstance(value, Identity | int) else repr(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The keywords of `make`."""

    ca: bool = False
    path_length: int | None = None
    san: Sequence[str] | None = None
    eku: Sequence[str] | None = None
    key_usage: Sequence[str] | None = ("default",)
    not_before: datetime = NOT_BEFORE
    not_after: datetime = NOT_AFTER
    serial: int | None = None
    key: str = "ec"
    key_label: str | None = None
    digest: str = "sha256"
    pss: bool = False
    crl: Sequence[str] = ("default",)
    aia: Sequence[str] = ()
    ocsp: Sequence[str] = ()
    skid: bytes | bool = True
    akid: bytes | bool = True
    extensions: Sequence[bytes] = ()
    only_extensions: Sequence[bytes] | None = None
    signer: Identity | None = None
    keep: Identity | None = None
    version: bytes | None = None
    serial_der: bytes | None = None
    subject: bytes | None = None
    issuer_name: bytes | None = None
    validity: bytes | None = None
    spki: bytes | None = None
    algorithm: bytes | None = None
    signature: bytes | None = None


def _build(name: str, issuer: Identity | None, given: _Options) -> Identity:
    own_key = given.keep.key if given.keep else key(given.key, given.key_label or name)
    signing_key = (given.signer or issuer).key if given.signer or issuer else own_key  # type: ignore[union-attr]
    public = given.spki or spki(own_key)
    key_id = given.skid if isinstance(given.skid, bytes) else hashlib.sha1(spki(own_key)).digest()
    subject = given.subject or (given.keep.subject if given.keep else subject_name(name))
    serial = given.serial if given.serial is not None else _seed(name, issuer and issuer.name, given) >> 393
    algorithm = given.algorithm or signature_algorithm(signing_key, given.digest, given.pss)
    extensions = _extensions(given, key_id, issuer)
    tbs = asn1.seq(
        asn1.explicit(0, asn1.integer(2)) if given.version is None else given.version,
        given.serial_der or asn1.integer(serial),
        algorithm,
        given.issuer_name or (issuer.subject if issuer else subject),
        given.validity or asn1.seq(asn1.time(given.not_before), asn1.time(given.not_after)),
        subject,
        public,
        asn1.explicit(3, asn1.seq(*extensions)) if extensions else b"",
    )
    signature = given.signature or asn1.bits(sign(signing_key, tbs, given.digest, given.pss))
    return Identity(name, asn1.seq(tbs, algorithm, signature), own_key, subject, key_id, issuer)


def _extensions(given: _Options, key_id: bytes, issuer: Identity | None) -> list[bytes]:
    if given.only_extensions is not None:
        return list(given.only_extensions)
    usage, issuer_key_id = given.key_usage, issuer.key_id if issuer else key_id
    points = given.crl
    if points == ("default",):
        points = ("http://pki.example/ca.crl",) if issuer else ()
    if usage == ("default",):
        usage = ("keyCertSign", "cRLSign") if given.ca else ("digitalSignature", "keyEncipherment")
    parts = [basic_constraints(True, given.path_length)] if given.ca else []
    if usage is not None:
        parts.append(key_usage(usage))
    if given.eku is not None:
        parts.append(extended_key_usage(given.eku))
    if given.san is not None:
        parts.append(subject_alt_name(given.san))
    if given.skid is not False:
        parts.append(extension("2.5.29.14", asn1.octets(key_id)))
    if given.akid is not False:
        parts.append(
            extension(
                "2.5.29.35",
                asn1.seq(asn1.implicit(0, given.akid if isinstance(given.akid, bytes) else issuer_key_id)),
            )
        )
    if points:
        parts.append(crl_distribution_points(points))
    if given.aia or given.ocsp:
        parts.append(authority_information(given.aia, given.ocsp))
    return [*parts, *given.extensions]
