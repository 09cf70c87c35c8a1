"""Request files for planned certificates: a configuration for `openssl req`, an .inf for `certreq -new`.

Every text in them is a host name that was checked when the topology was read, or one of our own words: nothing needs
quoting in either format.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from analyzer.dataclass import dataclass
from analyzer.topology.plan import Plan, PlannedCertificate

KEY_BITS = 2048
"""Supported everywhere; Microsoft recommends at least this (environmental-requirements.md)."""
EKU_OIDS = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2"}  # RFC 5280 section 4.2.1.12


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A file's name and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RequestFormat:
    """How one tool wants its requests: the ending of the files, and the text for one certificate in a file of this name."""

    suffix: str
    text: Callable[[PlannedCertificate, str], str]

    def files(self, planned: Plan) -> list[RequestFile]:
        """A file for each certificate. The names are different whatever the certificates are called."""
        made = []
        for number, certificate in enumerate(planned.certificates, 1):
            words = re.sub(r"[^\w.-]+", "-", f"{certificate.role} {certificate.usage} {certificate.servers[0]}")
            stem = f"{number:02}-{words}"[:120]
            made.append(RequestFile(f"{stem}.{self.suffix}", self.text(certificate, stem)))
        return made


def _openssl(certificate: PlannedCertificate, stem: str) -> str:
    lines = [
        *(f"# {line}" for line in _about(certificate)),
        f"# openssl req -new -newkey rsa:{KEY_BITS} -nodes -config {stem}.cnf -keyout {stem}.key -out {stem}.csr",
        "",
        "[req]",
        "prompt = no",
        "utf8 = yes",
        "default_md = sha256",
        f"default_bits = {KEY_BITS}",
        "distinguished_name = subject",
        "req_extensions = extensions",
        "",
        "[subject]",
        f"CN = {certificate.common_name}",
        "",
        "[extensions]",
        "basicConstraints = CA:FALSE",
        "keyUsage = critical, digitalSignature, keyEncipherment",
        f"extendedKeyUsage = {', '.join(certificate.eku)}",
        "subjectAltName = @names",
        "",
        "[names]",
        *(f"DNS.{number} = {name}" for number, name in enumerate(certificate.names, 1)),
    ]
    return "\n".join(lines) + "\n"


def _certreq(certificate: PlannedCertificate, stem: str) -> str:
    names = [f'_continue_ = "dns={name}{"&" if name != certificate.names[-1] else ""}"' for name in certificate.names]
    lines = [
        *(f"; {line}" for line in _about(certificate)),
        f"; certreq -new {stem}.inf {stem}.req",
        "",
        "[Version]",
        'Signature = "$Windows NT$"',
        "",
        "[NewRequest]",
        f'Subject = "CN={certificate.common_name}"',
        f"KeyLength = {KEY_BITS}",
        "KeyAlgorithm = RSA",
        "HashAlgorithm = sha256",
        "KeySpec = 1 ; AT_KEYEXCHANGE",
        "KeyUsage = 0xA0 ; digitalSignature, keyEncipherment",
        "MachineKeySet = TRUE",
        f"Exportable = {str(certificate.exportable).upper()}",
        'ProviderName = "Microsoft RSA SChannel Cryptographic Provider"',
        "ProviderType = 12",
        "RequestType = PKCS10",
        "",
        "[EnhancedKeyUsageExtension]",
        *(f"OID = {EKU_OIDS[use]} ; {use}" for use in certificate.eku),
        "",
        "[Extensions]",
        '2.5.29.17 = "{text}"',
        *names,
    ]
    return "\n".join(lines) + "\n"


def _about(certificate: PlannedCertificate) -> list[str]:
    about = [
        f"{certificate.role}, {certificate.usage}, for {', '.join(certificate.servers)}",
        f"issuer: {certificate.issuer} CA",
    ]
    return [*about, certificate.note] if certificate.note else about


REQUEST_FORMATS = {"openssl": RequestFormat("cnf", _openssl), "certreq": RequestFormat("inf", _certreq)}
