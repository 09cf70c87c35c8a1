"""Facts of one certificate, taken from its DER: by `cryptography` where it can, by our tolerant reader where it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analyzer.certificates.names import Name


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`algorithm`: "RSA", "EC", "Ed25519", "DSA", ... or a dotted OID. `bits`: None if not readable. `curve`: EC only."""

    algorithm: str
    bits: int | None = None
    curve: str | None = None

    def __str__(self) -> str:
        """ "RSA 2048", "EC P-256"."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class SubjectAltName:
    """subjectAltName, each kind in order. `size`: bytes of the extension's value. `in_order`: dNSNames and the rest mixed
    as sent, "dns:a.example", "ip:192.0.2.1", "uri:...", "email:...", "other:<oid>"."""

    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    in_order: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """One X.509 certificate. Equal if the DER is equal (then it is the same object: `load` keeps a bounded cache).

    Attributes:
        der: as sent. sha256, sha1: lower hex of the DER.
        readable: False if not even our own reader found a TBSCertificate; then all else is None or empty.
        version: 1..3 (or what the field says); None if unreadable.
        serial: lower hex without leading zeros, "-" in front if negative; None if unreadable.
        subject, issuer: never None; an unreadable one has `readable` False.
        not_before, not_after: aware UTC; None if unreadable.
        not_before_text, not_after_text: as written in the certificate ("" if absent), for dates that are no dates.
        san: None if the extension is absent or unreadable.
        key: None if unreadable. spki_sha256: lower hex of the SubjectPublicKeyInfo; "" if unreadable.
        signature_algorithm: "sha256WithRSAEncryption", "ecdsa-with-SHA384", "RSASSA-PSS", ... or a dotted OID; "" if unreadable.
        signature_hash: "sha1", "sha256", "md5", ...; None if the algorithm has none or it is unknown.
        eku: dotted OIDs of extendedKeyUsage; None if the extension is absent. `eku_names` the same as readable names.
        key_usage: RFC 5280 names ("digitalSignature", ...); None if absent.
        crl_urls: URIs of CRL distribution points (http, ldap, ...), () if there is no such extension.
        aia_urls: URIs of caIssuers; ocsp_urls: of OCSP.
        is_ca: basicConstraints cA; None if the extension is absent. path_length: None if absent.
        subject_key_id, authority_key_id: None if absent.
        extensions: (dotted OID, critical) in order.
        self_issued: subject and issuer are equal names.
        oddities: what is odd: the library's refusal, a negative serial, a duplicate extension, ...; () for an ordinary one.
    """

    der: bytes
    sha256: str
    sha1: str
    readable: bool
    version: int | None
    serial: str | None
    subject: Name
    issuer: Name
    not_before: datetime | None
    not_after: datetime | None
    not_before_text: str
    not_after_text: str
    san: SubjectAltName | None
    key: PublicKey | None
    spki_sha256: str
    signature_algorithm: str
    signature_hash: str | None
    eku: tuple[str, ...] | None
    eku_names: tuple[str, ...] | None
    key_usage: tuple[str, ...] | None
    crl_urls: tuple[str, ...]
    aia_urls: tuple[str, ...]
    ocsp_urls: tuple[str, ...]
    is_ca: bool | None
    path_length: int | None
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    extensions: tuple[tuple[str, bool], ...]
    self_issued: bool
    oddities: tuple[str, ...]

    @property
    def short(self) -> str:
        """How a sentence names it: its common name, else its first SAN, else its subject, else its sha256's start."""
        raise NotImplementedError

    @property
    def names(self) -> tuple[str, ...]:
        """The host names it speaks for: SAN dNSNames and IP addresses; the CN only if there is no SAN dNSName."""
        raise NotImplementedError

    def covers(self, host: str) -> str | None:
        """How the certificate covers this host name or IP address: "exact", "wildcard" (left-most full label only,
        RFC 6125 section 6.4.3), "common-name" (no SAN dNSName: legacy), or None. Case and a trailing dot do not count."""
        raise NotImplementedError

    def valid_at(self, time_ns: int) -> bool | None:
        """not_before <= time <= not_after; None if a date is unreadable."""
        raise NotImplementedError

    def signed_by(self, issuer: Certificate) -> bool | None:
        """Does `issuer`'s key verify this signature (SHA-1 and MD5 too)? None if it cannot be computed (unknown
        algorithm, unreadable key). Cached."""
        raise NotImplementedError


def load(der: bytes) -> Certificate:
    """Facts of a certificate. Never raises. Equal DER gives the same object (bounded cache)."""
    raise NotImplementedError
