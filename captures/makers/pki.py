"""A private PKI under example.com and example.net: two companies, each with a root, an issuing CA and leaves.

Validity is fixed and long, so captures made years apart do not differ in it; rules judge at the time of the capture.
A leaf is healthy by every rule unless its `Odd` says otherwise: RSA 2048, SHA-256, both extended key usages, key usage,
its common name among its alternative names, a CRL and an issuer to be had over HTTP.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from captures.makers.old_digests import signed_again

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _day(year: int) -> dt.datetime:
    return dt.datetime(year, 1, 1, tzinfo=dt.UTC)


VALID = (_day(2026), _day(2036))
EXPIRED = (_day(2023), _day(2025))
NOT_YET = (_day(2040), _day(2045))
CA_VALID = (_day(2020), _day(2046))

SERVER_ONLY = (ExtendedKeyUsageOID.SERVER_AUTH,)
CLIENT_ONLY = (ExtendedKeyUsageOID.CLIENT_AUTH,)
ANY_USE = (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)
BOTH = SERVER_ONLY + CLIENT_ONLY

HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
OLD = ("sha1", "md5")


@dataclass(frozen=True, slots=True)
class Odd:
    """In what a certificate differs from a healthy one.

    Attributes:
        common: the common name, if not the first of the names.
        eku: extended key usages; () = no such extension.
        usage: fields of x509.KeyUsage that are set; () = no such extension.
        crl: URLs instead of the issuer's; () = no such extension.
        bits: of the RSA key. digest: "sha256", "sha384", "sha512", "sha1", "md5", or "pss" (with SHA-256).
        authority_key: False = no authority key identifier.
    """

    common: str = ""
    eku: tuple[x509.ObjectIdentifier, ...] = BOTH
    usage: tuple[str, ...] = ("digital_signature", "key_encipherment")
    crl: tuple[str, ...] | None = None
    bits: int = 2048
    digest: str = "sha256"
    authority_key: bool = True


HEALTHY = Odd()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a CA's certificate allows below it: levels of CAs (None = any), names (() = any), uses (() = any)."""

    levels: int | None = None
    names: tuple[str, ...] = ()
    eku: tuple[x509.ObjectIdentifier, ...] = ()


FREE = Limits()


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA. `parent` is None for a root."""

    name: x509.Name
    key: Key
    certificate: x509.Certificate
    parent: Authority | None
    host: str

    def pem(self) -> bytes:
        """The certificate."""
        return _pem(self.certificate)


@dataclass(frozen=True, slots=True)
class Identity:
    """A leaf on disk. `chain` holds what is sent after the leaf, in order; empty if only the leaf is sent."""

    key: Path
    cert: Path
    chain: Path
    fullchain: Path
    both: Path
    issuer: Authority | None

    def sends_chain(self) -> bool:
        """There is something to send after the leaf."""
        return self.chain.stat().st_size > 0


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def distinguished_name(common: str, organization: str = "", country: str = "DE", unit: str = "") -> x509.Name:
    """C, O, OU, CN in this order, empty ones left out."""
    pairs = (
        (NameOID.COUNTRY_NAME, country if organization else ""),
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, common),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs if value])


USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
CA_USAGE = ("digital_signature", "key_cert_sign", "crl_sign")


def _key_usage(wanted: tuple[str, ...]) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in wanted for name in USAGES})


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def new_key(kind: str = "rsa", bits: int = 2048) -> Key:
    """RSA, or P-256 for "ec"."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class Pki:
    """Makes authorities and leaves; leaves are written below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._serial = 0x1000
        self._authorities: dict[str, Authority] = {}
        self._leaves: dict[str, Identity] = {}
        self.root = self.authority("Example Root CA", "Example Corporation", "pki.example.com")
        self.issuing = self.authority("Example Issuing CA 1", "Example Corporation", "pki.example.com", self.root)
        self.partner_root = self.authority("Partner Root CA", "Example Networks", "pki.example.net")
        self.partner_issuing = self.authority(
            "Partner Issuing CA G2", "Example Networks", "pki.example.net", self.partner_root
        )

    def authority(
        self, common: str, organization: str, host: str, parent: Authority | None = None, limits: Limits = FREE
    ) -> Authority:
        """A root, or an intermediate of `parent`; the same object for the same name."""
        if common not in self._authorities:
            self._authorities[common] = self._authority(
                distinguished_name(common, organization), new_key(), host, parent, limits, CA_VALID
            )
        return self._authorities[common]

    def namesake(self, authority: Authority) -> Authority:
        """Another CA of the same name and parent with another key: the next generation, or a wrong one."""
        return self._authority(authority.name, new_key(), authority.host, authority.parent, FREE, CA_VALID)

    def crossed(self, authority: Authority, by: Authority, validity: tuple[dt.datetime, dt.datetime]) -> Authority:
        """The same name and key, certified by another CA: a cross certificate."""
        return self._authority(authority.name, authority.key, authority.host, by, FREE, validity)

    def _authority(
        self,
        name: x509.Name,
        key: Key,
        host: str,
        parent: Authority | None,
        limits: Limits,
        validity: tuple[dt.datetime, dt.datetime],
    ) -> Authority:
        builder = self._builder(name, key, parent, validity, HEALTHY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=limits.levels), critical=True)
        builder = builder.add_extension(_key_usage(CA_USAGE), critical=True)
        if limits.names:
            allowed = [x509.DNSName(item) for item in limits.names]
            builder = builder.add_extension(x509.NameConstraints(allowed, None), critical=True)
        if limits.eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage(limits.eku), critical=False)
        return Authority(name, key, self._sign(builder, parent.key if parent else key, HEALTHY), parent, host)

    def leaf(
        self,
        names: str | tuple[str, ...],
        issuer: Authority | None,
        *,
        validity: tuple[dt.datetime, dt.datetime] = VALID,
        chain: Iterable[Authority] | None = None,
        kind: str = "rsa",
        odd: Odd = HEALTHY,
        key: Key | None = None,
    ) -> Identity:
        """A leaf for these names (the first is also the common name).

        issuer None = self-signed. chain None = all intermediates, no root; else exactly these, in this order.
        key: an old key instead of a new one.
        """
        names = (names,) if isinstance(names, str) else names
        if chain is None:
            chain = intermediates(issuer)
        key = key or new_key(kind, odd.bits)
        common = odd.common or names[0]
        builder = self._builder(distinguished_name(common, _organization(issuer)), key, issuer, validity, odd)
        stem = f"{common.replace('*', 'any')}-{self._serial}"
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if odd.usage:
            builder = builder.add_extension(_key_usage(odd.usage), critical=True)
        if odd.eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage(odd.eku), critical=False)
        alternative = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
        certificate = self._sign(builder, issuer.key if issuer else key, odd)
        return self._write(stem, key, certificate, b"".join(item.pem() for item in chain), issuer)

    def sending(self, identity: Identity, *certificates: bytes) -> Identity:
        """The same leaf with another chain behind it (PEM each)."""
        number, self._serial = self._serial, self._serial + 1
        places = (identity.chain, identity.fullchain, identity.both)
        chain, full, both = (path.with_name(f"{path.stem}-{number}{path.suffix}") for path in places)
        sent = b"".join(certificates)
        chain.write_bytes(sent)
        full.write_bytes(identity.cert.read_bytes() + sent)
        both.write_bytes(identity.key.read_bytes() + identity.cert.read_bytes() + sent)
        return replace(identity, chain=chain, fullchain=full, both=both)

    def usual(self, key: str, names: tuple[str, ...], issuer: Authority) -> Identity:
        """The same leaf at every call with the same key: identities that many cases share."""
        if key not in self._leaves:
            self._leaves[key] = self.leaf(names, issuer)
        return self._leaves[key]

    def bundle(self, *authorities: Authority) -> Path:
        """A PEM file of these CAs, to be trusted."""
        stem = "-".join(str(item.certificate.serial_number) for item in authorities) or "none"
        path = self.folder / f"bundle-{stem}.pem"
        path.write_bytes(b"".join(item.pem() for item in authorities))
        return path

    def _write(
        self, stem: str, key: Key, certificate: x509.Certificate, chain: bytes, issuer: Authority | None
    ) -> Identity:
        key_path, cert, sent, full, both = (
            self.folder / f"{stem}.{end}" for end in ("key", "crt", "chain", "full", "pem")
        )
        made = Identity(key_path, cert, sent, full, both, issuer)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        made.key.write_bytes(private)
        made.cert.write_bytes(_pem(certificate))
        made.chain.write_bytes(chain)
        made.fullchain.write_bytes(_pem(certificate) + chain)
        made.both.write_bytes(private + _pem(certificate) + chain)
        return made

    def _builder(
        self, name: x509.Name, key: Key, issuer: Authority | None, validity: tuple[dt.datetime, dt.datetime], odd: Odd
    ) -> x509.CertificateBuilder:
        self._serial += 1
        signer = issuer.key if issuer else key
        builder = x509.CertificateBuilder(
            subject_name=name,
            issuer_name=issuer.name if issuer else name,
            public_key=key.public_key(),
            serial_number=self._serial,
            not_valid_before=validity[0],
            not_valid_after=validity[1],
        )
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        if issuer is None:
            return builder
        if odd.authority_key:
            authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
            builder = builder.add_extension(authority_key, critical=False)
        if odd.crl != ():
            builder = builder.add_extension(_crl(issuer, odd.crl), critical=False)
        return builder.add_extension(_issuer_url(issuer), critical=False)

    def _sign(self, builder: x509.CertificateBuilder, key: Key, odd: Odd) -> x509.Certificate:
        if odd.digest == "pss":
            salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            return builder.sign(key, hashes.SHA256(), rsa_padding=salted)
        if odd.digest in OLD:
            return signed_again(builder.sign(key, hashes.SHA256()), odd.digest, key)
        return builder.sign(key, HASHES[odd.digest]())


def revocation_list(issuer: Authority, numbers: Iterable[int] = ()) -> x509.CertificateRevocationList:
    """The issuer's list with these serial numbers."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.name)
    builder = builder.last_update(VALID[0]).next_update(CA_VALID[1])
    for number in numbers:
        revoked = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(VALID[0])
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(issuer.key, hashes.SHA256())


def _stem(issuer: Authority) -> str:
    common = issuer.name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return str(common).lower().replace(" ", "-")


def _crl(issuer: Authority, others: tuple[str, ...] | None) -> x509.CRLDistributionPoints:
    urls = (f"http://{issuer.host}/crl/{_stem(issuer)}.crl",) if others is None else others
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def _issuer_url(issuer: Authority) -> x509.AuthorityInformationAccess:
    url = x509.UniformResourceIdentifier(f"http://{issuer.host}/aia/{_stem(issuer)}.cer")
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url)])


def _organization(issuer: Authority | None) -> str:
    if issuer is None:
        return ""
    return str(issuer.name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)


def intermediates(issuer: Authority | None) -> tuple[Authority, ...]:
    """The CAs from the issuer upwards, without the root."""
    chain: list[Authority] = []
    while issuer is not None and issuer.parent is not None:
        chain.append(issuer)
        issuer = issuer.parent
    return tuple(chain)
