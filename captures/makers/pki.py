"""A private PKI under example.com and example.net: two companies, each with a root, an issuing CA and leaves.

Validity is fixed and long, so captures made years apart do not differ in it; rules judge at the time of the capture.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _day(year: int) -> dt.datetime:
    return dt.datetime(year, 1, 1, tzinfo=dt.UTC)


VALID = (_day(2026), _day(2036))
EXPIRED = (_day(2023), _day(2025))
NOT_YET = (_day(2040), _day(2045))
CA_VALID = (_day(2020), _day(2046))

BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


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


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def new_key(kind: str = "rsa") -> Key:
    """RSA 2048, or P-256 for "ec"."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


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

    def authority(self, common: str, organization: str, host: str, parent: Authority | None = None) -> Authority:
        """A root, or an intermediate of `parent`; the same object for the same name."""
        if common in self._authorities:
            return self._authorities[common]
        name, key = distinguished_name(common, organization), new_key()
        builder = self._builder(name, key, parent, CA_VALID)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(ca=True), critical=True)
        made = Authority(name, key, self._sign(builder, parent.key if parent else key), parent, host)
        self._authorities[common] = made
        return made

    def leaf(
        self,
        names: str | tuple[str, ...],
        issuer: Authority | None,
        *,
        validity: tuple[dt.datetime, dt.datetime] = VALID,
        chain: Iterable[Authority] | None = None,
        kind: str = "rsa",
    ) -> Identity:
        """A leaf for these names (the first is also the common name).

        issuer None = self-signed. chain None = all intermediates, no root; else exactly these, in this order.
        """
        names = (names,) if isinstance(names, str) else names
        if chain is None:
            chain = _intermediates(issuer)
        stem = f"{names[0]}-{self._serial}"
        key = new_key(kind)
        builder = self._builder(distinguished_name(names[0], _organization(issuer)), key, issuer, validity)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(ca=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(BOTH), critical=False)
        alternative = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
        certificate = self._sign(builder, issuer.key if issuer else key)
        return self._write(stem, key, certificate, b"".join(item.pem() for item in chain), issuer)

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
        self, name: x509.Name, key: Key, issuer: Authority | None, validity: tuple[dt.datetime, dt.datetime]
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
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(authority_key, critical=False)
        builder = builder.add_extension(_crl(issuer), critical=False)
        return builder.add_extension(_issuer_url(issuer), critical=False)

    def _sign(self, builder: x509.CertificateBuilder, key: Key) -> x509.Certificate:
        return builder.sign(key, hashes.SHA256())


def _stem(issuer: Authority) -> str:
    common = issuer.name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return str(common).lower().replace(" ", "-")


def _crl(issuer: Authority) -> x509.CRLDistributionPoints:
    url = x509.UniformResourceIdentifier(f"http://{issuer.host}/crl/{_stem(issuer)}.crl")
    return x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)])


def _issuer_url(issuer: Authority) -> x509.AuthorityInformationAccess:
    url = x509.UniformResourceIdentifier(f"http://{issuer.host}/aia/{_stem(issuer)}.cer")
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url)])


def _organization(issuer: Authority | None) -> str:
    if issuer is None:
        return ""
    return str(issuer.name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)


def _intermediates(issuer: Authority | None) -> tuple[Authority, ...]:
    chain: list[Authority] = []
    while issuer is not None and issuer.parent is not None:
        chain.append(issuer)
        issuer = issuer.parent
    return tuple(chain)
