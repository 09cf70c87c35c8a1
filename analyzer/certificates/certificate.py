"""Facts of one certificate, taken from its DER by our own forgiving reader; `cryptography` is asked about odd ones."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from analyzer import knowledge
from analyzer.certificates import hostnames, library, signatures
from analyzer.certificates.algorithms import PublicKey as PublicKey
from analyzer.certificates.algorithms import SignatureAlgorithm, read_public_key, read_signature_algorithm
from analyzer.certificates.cache import BoundedCache
from analyzer.certificates.der import Element, integer_hex, is_shortest_integer
from analyzer.certificates.extensions import Extensions, read_extension
from analyzer.certificates.extensions import SubjectAltName as SubjectAltName
from analyzer.certificates.names import Name, parse_name
from analyzer.certificates.times import read_time
from analyzer.certificates.tolerant import Outline, extension_list, outline
from analyzer.dataclass import dataclass

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_SERIAL = 20  # octets; RFC 5280 section 4.1.2.2
SHORT_HASH = 16  # hex digits of a SHA-256 that stand for a certificate without a name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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
        if self.subject.common_name:
            return self.subject.common_name
        for name in self.san.in_order if self.san else ():
            return name.partition(":")[2]
        if self.subject.readable and self.subject.text:
            return self.subject.text
        return self.sha256[:SHORT_HASH]

    @property
    def names(self) -> tuple[str, ...]:
        """The host names it speaks for: SAN dNSNames and IP addresses; the CN only if there is no SAN dNSName."""
        dns, addresses = (self.san.dns, self.san.ip) if self.san else ((), ())
        common_name = self.subject.common_name
        return (*dns, *addresses) if dns or not common_name else (common_name, *addresses)

    def covers(self, host: str) -> str | None:
        """How the certificate covers this host name or IP address: "exact", "wildcard" (left-most full label only,
        RFC 6125 section 6.4.3), "common-name" (no SAN dNSName: legacy), or None. Case and a trailing dot do not count."""
        dns, addresses = (self.san.dns, self.san.ip) if self.san else ((), ())
        return hostnames.coverage(host, dns, addresses, self.subject.common_name)

    def valid_at(self, time_ns: int) -> bool | None:
        """not_before <= time <= not_after; None if a date is unreadable."""
        if self.not_before is None or self.not_after is None:
            return None
        return _nanoseconds(self.not_before) <= time_ns <= _nanoseconds(self.not_after)

    def signed_by(self, issuer: Certificate) -> bool | None:
        """Does `issuer`'s key verify this signature (SHA-1 and MD5 too)? None if it cannot be computed (unknown
        algorithm, unreadable key). Cached."""
        pair = (self.sha256, issuer.spki_sha256)
        found = _signed.get(pair)
        if found is None:
            found = _signed.put(pair, (signatures.verify(self.der, issuer.der),))
        return found[0]

    def __eq__(self, other: object) -> bool:
        return self.der == other.der if isinstance(other, Certificate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"Certificate({self.short!r}, sha256={self.sha256[:SHORT_HASH]})"


_loaded: BoundedCache[bytes, Certificate] = BoundedCache(max_entries=4096, max_weight=2**22)
_signed: BoundedCache[tuple[str, str], tuple[bool | None]] = BoundedCache(max_entries=4096, max_weight=4096)


def load(der: bytes) -> Certificate:
    """Facts of a certificate. Never raises. Equal DER gives the same object (bounded cache)."""
    found = _loaded.get(der)
    return found if found is not None else _loaded.put(der, _read(der), len(der))


def _read(der: bytes) -> Certificate:
    parts = outline(der)
    reader = parts.reader
    subject, issuer = _name(parts, parts.subject, "subject"), _name(parts, parts.issuer, "issuer")
    not_before, before_text, not_after, after_text = _validity(parts)
    algorithm = _signature_algorithm(parts)
    extensions, listed = _extensions(parts)
    spki = reader.whole(parts.spki) if parts.spki else b""
    key = read_public_key(reader, parts.spki) if parts.spki else None
    version, serial = _version(parts, bool(listed)), _serial(parts)
    oddities = tuple(reader.notes)
    return Certificate(
        der=der,
        sha256=hashlib.sha256(der).hexdigest(),
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        readable=parts.tbs is not None,
        version=version,
        serial=serial,
        subject=subject,
        issuer=issuer,
        not_before=not_before,
        not_after=not_after,
        not_before_text=before_text,
        not_after_text=after_text,
        san=extensions.san,
        key=key,
        spki_sha256=hashlib.sha256(spki).hexdigest() if spki else "",
        signature_algorithm=algorithm.name if algorithm else "",
        signature_hash=algorithm.hash if algorithm else None,
        eku=extensions.eku,
        eku_names=None if extensions.eku is None else tuple([knowledge.oid(use) for use in extensions.eku]),
        key_usage=extensions.key_usage,
        crl_urls=extensions.crl_urls,
        aia_urls=extensions.aia_urls,
        ocsp_urls=extensions.ocsp_urls,
        is_ca=extensions.is_ca,
        path_length=extensions.path_length,
        subject_key_id=extensions.subject_key_id,
        authority_key_id=extensions.authority_key_id,
        extensions=listed,
        self_issued=subject.readable and issuer.readable and subject == issuer,
        oddities=oddities + library.second_opinion(der) if oddities else (),
    )


def _version(parts: Outline, has_extensions: bool) -> int | None:
    """1 if the field is absent; None if it cannot be read."""
    reader = parts.reader
    if parts.tbs is None:
        return None
    version: int | None = 1
    if parts.version is not None:
        inner = reader.children(parts.version)
        content = reader.content(inner[0]) if inner else b""
        version = int.from_bytes(content, signed=True) + 1 if 0 < len(content) <= 4 else None
        if version not in (2, 3):
            reader.note("version 1 written out" if version == 1 else f"version {version}")
    if has_extensions and version in (1, 2):
        reader.note(f"extensions in a version {version} certificate")
    return version


def _serial(parts: Outline) -> str | None:
    if parts.serial is None:
        return None
    content = parts.reader.content(parts.serial)
    serial = integer_hex(content)
    if serial is None:
        parts.reader.note("empty serial number")
        return None
    if serial.startswith("-"):
        parts.reader.note("negative serial")
    elif serial == "0":
        parts.reader.note("serial number 0")
    if len(content) > MAX_SERIAL + (content[0] == 0):
        parts.reader.note(f"serial number of {len(content):,} bytes")
    if not is_shortest_integer(content):
        parts.reader.note("serial number not in its shortest form")
    return serial


def _name(parts: Outline, place: Element | None, what: str) -> Name:
    if place is None:
        return Name(b"", "(unreadable name: )", readable=False)
    name = parse_name(parts.reader.whole(place))
    for oddity in name.oddities:
        parts.reader.note(f"{what}: {oddity}")
    if what == "issuer" and name.readable and not name.attributes:
        parts.reader.note("empty issuer")
    return name


def _validity(parts: Outline) -> tuple[datetime | None, str, datetime | None, str]:
    reader = parts.reader
    times = reader.children(parts.validity) if parts.validity else []
    read = [read_time(time[0], reader.content(time)) for time in times[:2]]
    if parts.validity and len(times) != 2:
        reader.note("a validity of other than two times")
    for what, (_, _, oddity) in zip(("notBefore", "notAfter"), read, strict=False):
        if oddity:
            reader.note(f"{what}: {oddity}")
    read += [(None, "", None)] * (2 - len(read))
    (before, before_text, _), (after, after_text, _) = read
    if before and after and after < before:
        reader.note("notAfter before notBefore")
    return before, before_text, after, after_text


def _signature_algorithm(parts: Outline) -> SignatureAlgorithm | None:
    """The one beside the signature, which verifiers use; the inner one if that is lost."""
    reader = parts.reader
    outside, inside = parts.algorithm, parts.inner_algorithm
    if outside and inside and reader.whole(outside) != reader.whole(inside):
        reader.note("two signature algorithms that differ")
    place = outside or inside
    return read_signature_algorithm(reader, place) if place else None


def _extensions(parts: Outline) -> tuple[Extensions, tuple[tuple[str, bool], ...]]:
    values = Extensions()
    listed = extension_list(parts)
    read: set[str] = set()
    for dotted, _, value in listed:
        if dotted not in read:  # of duplicates the first one counts
            read_extension(parts.reader, dotted, value, values)
        read.add(dotted)
    return values, tuple([(dotted, critical) for dotted, critical, _ in listed])


def _nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
