"""Keys and signature algorithms: what an AlgorithmIdentifier and a SubjectPublicKeyInfo say.

Source: RFC 3279, RFC 4055, RFC 5480, RFC 5758, RFC 8410, FIPS 204. Only what code branches on has a row here.
"""

from __future__ import annotations

from analyzer.certificates.der import BIT_STRING, INTEGER, NULL, OID, SEQUENCE, Der, Element, oid_text
from analyzer.dataclass import dataclass
from analyzer.errors import ParseError


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`algorithm`: "RSA", "EC", "Ed25519", "DSA", ... or a dotted OID. `bits`: None if not readable. `curve`: EC only."""

    algorithm: str
    bits: int | None = None
    curve: str | None = None

    def __str__(self) -> str:
        """ "RSA 2048", "EC P-256"."""
        detail = self.curve or self.bits
        fixed = self.algorithm in _FIXED_SIZE
        return self.algorithm if detail is None or fixed else f"{self.algorithm} {detail}"


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """`name` as RFCs write it or a dotted OID. `key`: the kind of key that makes it, `hash`: its hash; None if unknown
    or none. `mask_hash`, `salt_bytes`: RSASSA-PSS only."""

    name: str
    key: str | None = None
    hash: str | None = None
    mask_hash: str | None = None
    salt_bytes: int | None = None


_FIXED_SIZE = {"Ed25519", "Ed448", "X25519", "X448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}

RSA, RSA_PSS, RSA_OAEP, EC = (
    "1.2.840.113549.1.1.1",
    "1.2.840.113549.1.1.10",
    "1.2.840.113549.1.1.7",
    "1.2.840.10045.2.1",
)
DSA = "1.2.840.10040.4.1"
MASK_GENERATION_1 = "1.2.840.113549.1.1.8"

KEYS = {
    RSA: "RSA",
    RSA_PSS: "RSA",
    RSA_OAEP: "RSA",
    EC: "EC",
    DSA: "DSA",
    "1.2.840.10046.2.1": "DH",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}
KEY_BITS = {"X25519": 256, "X448": 448, "Ed25519": 256, "Ed448": 456}

CURVES = {
    "1.2.840.10045.3.1.1": ("P-192", 192),
    "1.2.840.10045.3.1.7": ("P-256", 256),
    "1.3.132.0.33": ("P-224", 224),
    "1.3.132.0.34": ("P-384", 384),
    "1.3.132.0.35": ("P-521", 521),
    "1.3.132.0.10": ("secp256k1", 256),
    "1.3.132.0.1": ("sect163k1", 163),
    "1.3.132.0.15": ("sect163r2", 163),
    "1.3.132.0.26": ("sect233k1", 233),
    "1.3.132.0.27": ("sect233r1", 233),
    "1.3.132.0.16": ("sect283k1", 283),
    "1.3.132.0.17": ("sect283r1", 283),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256),
    "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512),
    "1.2.156.10197.1.301": ("SM2", 256),
}

HASHES = {
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
}

SIGNATURES = {
    oid: SignatureAlgorithm(name, key, digest)
    for oid, name, key, digest in (
        ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", "RSA", "md2"),
        ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", "RSA", "md5"),
        ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", "RSA", "sha1"),
        ("1.3.14.3.2.29", "sha1WithRSAEncryption", "RSA", "sha1"),
        ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", "RSA", "sha256"),
        ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", "RSA", "sha384"),
        ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", "RSA", "sha512"),
        ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption", "RSA", "sha224"),
        ("2.16.840.1.101.3.4.3.14", "id-rsassa-pkcs1-v1_5-with-sha3-256", "RSA", "sha3-256"),
        ("1.2.840.10045.4.1", "ecdsa-with-SHA1", "EC", "sha1"),
        ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224", "EC", "sha224"),
        ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", "EC", "sha256"),
        ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", "EC", "sha384"),
        ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", "EC", "sha512"),
        ("2.16.840.1.101.3.4.3.10", "ecdsa-with-SHA3-256", "EC", "sha3-256"),
        ("1.2.840.10040.4.3", "dsa-with-SHA1", "DSA", "sha1"),
        ("2.16.840.1.101.3.4.3.1", "dsa-with-SHA224", "DSA", "sha224"),
        ("2.16.840.1.101.3.4.3.2", "dsa-with-SHA256", "DSA", "sha256"),
        ("1.3.101.112", "Ed25519", "Ed25519", None),
        ("1.3.101.113", "Ed448", "Ed448", None),
        ("2.16.840.1.101.3.4.3.17", "ML-DSA-44", "ML-DSA-44", None),
        ("2.16.840.1.101.3.4.3.18", "ML-DSA-65", "ML-DSA-65", None),
        ("2.16.840.1.101.3.4.3.19", "ML-DSA-87", "ML-DSA-87", None),
        ("1.2.156.10197.1.501", "SM2-with-SM3", "EC", "sm3"),
    )
}


def read_signature_algorithm(reader: Der, element: Element) -> SignatureAlgorithm | None:
    """What an AlgorithmIdentifier of a signature says; None (and a note) if it has no OID."""
    parts = reader.children(element)
    if element[0] != SEQUENCE or not parts or parts[0][0] != OID:
        reader.note("unreadable signature algorithm")
        return None
    dotted = oid_text(reader.content(parts[0]))
    if dotted == RSA_PSS:
        return _read_pss(reader, parts[1] if len(parts) > 1 else None)
    found = SIGNATURES.get(dotted)
    if found is None:
        return SignatureAlgorithm(dotted)
    if found.key == "RSA" and (len(parts) != 2 or parts[1][0] != NULL):
        reader.note("NULL params missing in an RSA signature algorithm")
    if found.key != "RSA" and len(parts) != 1:
        reader.note(f"params in a signature algorithm that has none ({found.name})")
    return found


def _read_pss(reader: Der, parameters: Element | None) -> SignatureAlgorithm:
    """RFC 4055 section 3.1: every part has a default (SHA-1, MGF1 with SHA-1, 20 bytes of salt)."""
    digest: str | None = "sha1"
    mask: str | None = "sha1"
    salt = 20
    for part in reader.children(parameters) if parameters else ():
        inner = reader.children(part)
        if not inner:
            continue
        if part[0] == 0xA0:
            digest = _hash_of(reader, inner[0])
        elif part[0] == 0xA1:
            steps = reader.children(inner[0])
            is_mgf1 = len(steps) == 2 and oid_text(reader.content(steps[0])) == MASK_GENERATION_1
            mask = _hash_of(reader, steps[1]) if is_mgf1 else None
        elif part[0] == 0xA2:
            salt = int.from_bytes(reader.content(inner[0])[:4])
    return SignatureAlgorithm("RSASSA-PSS", "RSA", digest, mask, salt)


def _hash_of(reader: Der, element: Element) -> str | None:
    parts = reader.children(element)
    return HASHES.get(oid_text(reader.content(parts[0]))) if parts else None


def read_public_key(reader: Der, spki: Element) -> PublicKey | None:
    """What a SubjectPublicKeyInfo says; None (and a note) if not even its algorithm can be read."""
    try:
        identifier = reader.element(spki[2], spki[3])
        kind = reader.element(identifier[2], identifier[3])
        if spki[0] != SEQUENCE or identifier[0] != SEQUENCE or kind[0] != OID:
            raise ParseError("no AlgorithmIdentifier")
    except ParseError:
        reader.note("unreadable public key")
        return None
    dotted = oid_text(reader.content(kind))
    algorithm = KEYS.get(dotted, dotted)
    if dotted not in KEYS:
        reader.note(f"unknown key algorithm {dotted}")
    try:
        if len(reader.children(identifier)) > 2:
            reader.note("bytes behind the parameters of a key")
        box = reader.element(identifier[3], spki[3])
        if box[0] != BIT_STRING or box[3] != spki[3] or reader.data[box[2] : box[2] + 1] != b"\0":
            raise ParseError("no BIT STRING of whole octets")
        if algorithm == "EC":
            return _read_curve(reader, identifier, kind)
        if algorithm == "RSA":
            return PublicKey(algorithm, _modulus_bits(reader, box))
        if algorithm in ("DSA", "DH"):
            parameters = reader.element(kind[3], identifier[3])
            return PublicKey(algorithm, _integer_bits(reader, reader.element(parameters[2], parameters[3])))
    except ParseError:
        reader.note(f"unreadable {algorithm} key")
        return PublicKey(algorithm)
    return PublicKey(algorithm, KEY_BITS.get(algorithm))


def _modulus_bits(reader: Der, box: Element) -> int:
    """Size of n in RSAPublicKey, SEQUENCE { n, e }, inside the BIT STRING."""
    pair = reader.element(box[2] + 1, box[3])
    return _integer_bits(reader, reader.element(pair[2], pair[3]))


def _integer_bits(reader: Der, number: Element) -> int:
    if number[0] != INTEGER:
        raise ParseError("no INTEGER")
    content = reader.content(number)
    if content[:1] > b"\x7f":
        reader.note("negative number in a public key")
    return int.from_bytes(content).bit_length()


def _read_curve(reader: Der, identifier: Element, kind: Element) -> PublicKey:
    """RFC 5480 section 2.1.1: a named curve; anything else is forbidden, and met (CVE-2020-0601)."""
    parameters = reader.element(kind[3], identifier[3])
    if parameters[0] == OID:
        dotted = oid_text(reader.content(parameters))
        if dotted not in CURVES:
            reader.note(f"unknown curve {dotted}")
            return PublicKey("EC", None, dotted)
        curve, bits = CURVES[dotted]
        return PublicKey("EC", bits, curve)
    reader.note("explicit curve parameters")
    version = reader.element(parameters[2], parameters[3])
    field = reader.element(version[3], parameters[3])
    field_type = reader.element(field[2], field[3])
    return PublicKey("EC", _integer_bits(reader, reader.element(field_type[3], field[3])), "explicit parameters")
