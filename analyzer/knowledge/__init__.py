"""Cached look-ups of names that the outside world gave to codes. The data is in the csv and toml files beside this one.

An unknown code is its number as "0x7f1c", never an error. A file is read when something in it is first asked for.
"""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from analyzer.dataclass import dataclass

_HERE = Path(__file__).parent
_VERSIONS = {
    0x0002: "SSLv2",
    0x0300: "SSLv3",
    0x0301: "TLSv1.0",
    0x0302: "TLSv1.1",
    0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}
_TWO_BYTES = 4
"""Hexadecimal digits of a code that the wire carries in two bytes."""


@dataclass(frozen=True, slots=True)
class AlertInfo:
    """What is known of an alert.

    Attributes:
        code: AlertDescription.
        name: RFC spelling, e.g. "unknown_ca"; "0x.." if unknown.
        meaning: one plain sentence; "" if unknown.
        schannel_error, schannel_code: what Schannel reports when it receives it; "" and 0 if there is no such row.
        schannel_event: events of the Windows System log that go with it, besides 36887 at the side that received it and
            36888 at the side that sent it; "" if none.
        source: where that is said.
    """

    code: int
    name: str
    meaning: str = ""
    schannel_error: str = ""
    schannel_code: int = 0
    schannel_event: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class PortRole:
    """Who listens on a port of a Lync or Skype for Business deployment.

    Attributes:
        port: TCP port.
        name: the role or service.
        speaks: what is spoken there.
        tls: TLS is expected.
        mtls: both sides present certificates.
        sip: the protocol is SIP.
        source: where that is said.
    """

    port: int
    name: str
    speaks: str
    tls: bool
    mtls: bool
    sip: bool
    source: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold: `value` in `unit`, with the reason for it and the source."""

    name: str
    value: int
    unit: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """How to do one thing: `windows` on Windows, `others` where OpenSSL, nginx or Java do the work. Clauses, no sentences."""

    name: str
    windows: str
    others: str
    source: str


def cipher_suite(code: int) -> str:
    """IANA name; SSLv2 kinds are 0x010000 and above."""
    return _names("cipher_suites").get(code) or _hex(code)


def extension(code: int) -> str:
    """IANA ExtensionType name."""
    return _names("extensions").get(code) or _hex(code)


def group(code: int) -> str:
    """IANA name of a supported group (a curve, a finite field, a post-quantum hybrid)."""
    return _names("groups").get(code) or _hex(code)


def signature_scheme(code: int) -> str:
    """SignatureScheme name; for the pairs that only TLS 1.2 knows "rsa_pkcs1_md5", "dsa_sha1" and so on."""
    return _names("signature_schemes").get(code) or _hex(code)


def handshake_type(code: int) -> str:
    """RFC name of a handshake message, e.g. "client_hello"."""
    return _names("handshake_types").get(code) or _hex(code, 2)


def certificate_type(code: int) -> str:
    """ClientCertificateType name, e.g. "rsa_sign"."""
    return _names("certificate_types").get(code) or _hex(code, 2)


def version_name(code: int) -> str:
    """ "SSLv2", "SSLv3", "TLSv1.0" ... "TLSv1.3"; drafts and others as "0x7f1c"."""
    return _VERSIONS.get(code) or _hex(code)


def alert(code: int) -> str:
    """RFC name of an AlertDescription, e.g. "unknown_ca"."""
    return alert_info(code).name


def alert_info(code: int) -> AlertInfo:
    """All that is known of an AlertDescription; an unknown one has only its number as name."""
    return _alerts().get(code) or AlertInfo(code, _hex(code, 2))


def known_alert(code: int) -> bool:
    """True if the code is a registered AlertDescription."""
    return code in _alerts()


def oid(dotted: str) -> str:
    """Name of an object identifier, e.g. "extKeyUsage"; the dotted form itself if unknown."""
    row = _oids().get(dotted)
    return row[0] if row else dotted


def attribute_keyword(dotted: str) -> str | None:
    """How a distinguished name writes this attribute ("CN", "emailAddress"); None if it is no known name attribute."""
    row = _oids().get(dotted)
    return (row[1] or None) if row else None


def role(port: int) -> PortRole | None:
    """Who listens on this port in a Lync or Skype for Business deployment; None if nobody known."""
    return _roles().get(port)


@cache
def mtls_ports() -> frozenset[int]:
    """Ports on which both sides are expected to present certificates."""
    return frozenset(port for port, row in _roles().items() if row.mtls)


@cache
def sip_ports() -> frozenset[int]:
    """Ports on which SIP is spoken, in clear or inside TLS."""
    return frozenset(port for port, row in _roles().items() if row.sip)


@cache
def default_tls_ports() -> frozenset[int]:
    """Ports on which TLS is expected: 443, 5061 and the other TLS ports of the deployment."""
    return frozenset(port for port, row in _roles().items() if row.tls)


def openssl_name(name: str) -> str | None:
    """How OpenSSL's command line writes this suite, group or signature scheme; None if OpenSSL 3.0 does not know it."""
    return _openssl_names().get(name)


@cache
def _openssl_names() -> dict[str, str]:
    return {row[0]: row[1] for row in _csv("openssl_names")}


def certificate_schemes(algorithm: str, digest: str | None) -> frozenset[str]:
    """SignatureScheme names that a certificate's signature of this algorithm and hash counts as; empty if unknown."""
    known = _certificate_schemes()
    return known.get(algorithm) or known.get(f"{algorithm} {digest}", frozenset())


@cache
def _certificate_schemes() -> dict[str, frozenset[str]]:
    return {row[0]: frozenset(row[1].split()) for row in _csv("certificate_signatures")}


@cache
def skype_labels() -> frozenset[str]:
    """First labels of host names that only Lync and Skype for Business use: "lyncdiscover", ..."""
    return frozenset(row[0] for row in _csv("skype_labels"))


def limit(name: str) -> int:
    """Value of a threshold of stack_limits.toml. Raise KeyError for a name that is not there: a bug of ours."""
    return _limits()[name].value


def limit_info(name: str) -> Limit:
    """A threshold with its reason and source. Raise KeyError as `limit` does."""
    return _limits()[name]


def public_roots() -> list[list[str]]:
    """Rows of public_roots.csv: sha256, key of the name, key identifier, uses at Microsoft, uses at Mozilla, certificate in
    Base64, subject. Read at each call."""
    return _csv("public_roots")


def public_root_lines() -> list[str]:
    """The same as lines, of which all columns but the subject can be split at the commas: a megabyte of CSV takes as long to
    read as a small capture."""
    return (_HERE / "public_roots.csv").read_text(encoding="ascii").splitlines()[2:]


def remedy(name: str) -> Remedy:
    """How to do it in both worlds. Raise KeyError for a name that is not there: a bug of ours."""
    return _remedies()[name]


@cache
def schannel_event(name: str) -> int:
    """Number of the event with which Windows tells of this. Raise KeyError for a name that is not there: a bug of ours."""
    return {row["name"]: int(row["event"]) for row in _toml("schannel_events", "event")}[name]


@cache
def satisfying(use: str) -> frozenset[str]:
    """Names of the extended key usages that allow this use ("serverAuth", "clientAuth")."""
    return next(frozenset(row["satisfied_by"]) for row in _toml("key_purposes", "purpose") if row["name"] == use)


@cache
def client_auth_end() -> str:
    """When public CAs stop issuing clientAuth: "DigiCert since October 2025, ..."."""
    return ", ".join(f"{row['name']} {row['when']}" for row in _toml("client_auth_end", "end"))


def _hex(code: int, digits: int = _TWO_BYTES) -> str:
    return f"0x{code:0{digits}x}"


@cache
def _names(table: str) -> dict[int, str]:
    """Rows `code,name` of a csv file; codes are decimal or hexadecimal."""
    return {int(row[0], 0): row[1] for row in _csv(table)}


@cache
def _oids() -> dict[str, tuple[str, str]]:
    return {row[0]: (row[1], row[2]) for row in _csv("oids")}


@cache
def _alerts() -> dict[int, AlertInfo]:
    return {row["code"]: AlertInfo(**row) for row in _toml("alerts", "alert")}


@cache
def _roles() -> dict[int, PortRole]:
    roles = {}
    for row in _toml("lync_roles", "role"):
        first, last = row.pop("ports")
        roles.update({port: PortRole(port=port, **row) for port in range(first, last + 1)})
    return roles


@cache
def _limits() -> dict[str, Limit]:
    return {row["name"]: Limit(**row) for row in _toml("stack_limits", "limit")}


@cache
def _remedies() -> dict[str, Remedy]:
    return {row["name"]: Remedy(**row) for row in _toml("remedies", "remedy")}


def _csv(table: str) -> list[list[str]]:
    """Rows below the source line and the header line."""
    with (_HERE / f"{table}.csv").open(encoding="ascii", newline="") as lines:
        return list(csv.reader(lines))[2:]


def _toml(table: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((_HERE / f"{table}.toml").read_text(encoding="ascii"))[key]
    return rows
