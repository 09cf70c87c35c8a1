"""The columns of Zeek's ssl.log and x509.log, filled from our records; what Zeek has no column for stands behind its own.

Names and types are Zeek's (tests/report/formats says which and from where). Ours begin with `mtls_`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.names import Name
from analyzer.connection import CertificateState, Connection, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.report import codes
from analyzer.report.attempt import authorities, sni_matches
from analyzer.report.attempt import leaf as leaf_of
from analyzer.report.frames import labels
from analyzer.summary import Repeated

Value = str | int | bool | tuple[str, ...] | None
"""None is unset. A time is whole nanoseconds since 1970."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRITTEN = 200_000
"""Certificates known to be written; more different ones than that and a few are written twice."""
CURVES = {
    "P-192": "prime192v1",
    "P-224": "secp224r1",
    "P-256": "prime256v1",
    "P-384": "secp384r1",
    "P-521": "secp521r1",
}
"""Curves as OpenSSL and so Zeek calls them."""
KEYS = {"RSA": ("rsaEncryption", "rsa"), "EC": ("id-ecPublicKey", "ecdsa"), "DSA": ("dsaEncryption", "dsa")}
"""Kinds of keys: key_alg and key_type."""


@dataclass(frozen=True, slots=True)
class SslColumn:
    """A column of ssl.log: Zeek's name and type, and where the value comes from."""

    name: str
    type: str
    value: Callable[[Connection], Value]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A certificate as one side sent it. `leaf`: it stood first in its message."""

    certificate: Certificate
    time_ns: int
    side: Side
    leaf: bool


@dataclass(frozen=True, slots=True)
class X509Column:
    """A column of x509.log."""

    name: str
    type: str
    value: Callable[[Sighting], Value]


def ssl_row(conn: Connection) -> list[Value]:
    """The values of all columns of ssl.log."""
    return [column.value(conn) for column in SSL]


def repeated_row(repeated: Repeated) -> list[Value]:
    """Connections that were counted instead of listed: one row, with their number. Port 0: they came from many."""
    known: dict[str, Value] = {
        "ts": repeated.first_ns,
        "id.orig_h": repeated.client_ip,
        "id.orig_p": 0,
        "id.resp_h": repeated.server_ip,
        "id.resp_p": repeated.server_port,
        "resumed": False,
        "established": False,
        "mtls_capture": repeated.capture,
        "mtls_findings": (repeated.rule,),
        "mtls_repeated": repeated.count,
    }
    return [known.get(column.name) for column in SSL]


def x509_row(sighting: Sighting) -> list[Value]:
    """The values of all columns of x509.log."""
    return [column.value(sighting) for column in X509]


class Sightings:
    """Certificates that are new, or new in a role: Zeek writes each once per (hash, end host or not, client or server)."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, Side, bool], None] = {}

    def new(self, conn: Connection) -> Iterator[Sighting]:
        """Those of this connection that were not yielded before."""
        for sent in conn.chains():
            for place, certificate in enumerate(sent.chain.certificates):
                key = (certificate.sha256, sent.side, place == 0)
                if key in self._written:
                    continue
                if len(self._written) >= WRITTEN:
                    del self._written[next(iter(self._written))]
                self._written[key] = None
                yield Sighting(certificate, sent.time_ns, sent.side, place == 0)


# ---- values of ssl.log ---------------------------------------------------------------------------------------------


def version(conn: Connection) -> str | None:
    """ "TLSv12"; what Zeek has no name for as "unknown-64282"."""
    if conn.version is None or conn.version_code is None:
        return conn.version
    return f"unknown-{conn.version_code}" if conn.version.startswith("0x") else conn.version.replace(".", "")


def _cipher(conn: Connection) -> str | None:
    if conn.cipher is None or conn.cipher_code is None or not conn.cipher.startswith("0x"):
        return conn.cipher
    return f"unknown-{conn.cipher_code}"


def _last_alert(conn: Connection) -> str | None:
    code = next((alert.code for alert in reversed(conn.alerts) if alert.code is not None), None)
    if code is None:
        return None
    name = codes.alert(code)
    return f"unknown-{code}" if name.startswith("0x") else name


def _hashes(sent: SentChain | None, state: CertificateState | None) -> tuple[str, ...] | None:
    if sent is None:
        return () if state is CertificateState.EMPTY else None
    return tuple([certificate.sha256 for certificate in sent.chain.certificates])


def _name(side: Side, pick: Callable[[Certificate], Name]) -> Callable[[Connection], Value]:
    def text(conn: Connection) -> Value:
        leaf = leaf_of(conn, side)
        return pick(leaf).text if leaf else None

    return text


def alerts(conn: Connection) -> tuple[str, ...] | None:
    """ "server:fatal:unknown_ca" for each alert; None if there was none."""
    told = [
        f"{alert.side.value}:encrypted"
        if alert.code is None
        else f"{alert.side.value}:{codes.alert_level(alert.level or 0)}:{codes.alert(alert.code)}"
        for alert in conn.alerts
    ]
    return tuple(told) or None


def frames(conn: Connection) -> tuple[str, ...] | None:
    """The frames that the findings name; None if they name none."""
    named = sorted({frame for finding in conn.findings for frame in finding.frames})
    return tuple(map(str, labels(conn, named))) or None


SSL: tuple[SslColumn, ...] = (
    SslColumn("ts", "time", lambda c: c.ts_ns),
    SslColumn("uid", "string", lambda c: c.uid),
    SslColumn("id.orig_h", "addr", lambda c: c.client_ip),
    SslColumn("id.orig_p", "port", lambda c: c.client_port),
    SslColumn("id.resp_h", "addr", lambda c: c.server_ip),
    SslColumn("id.resp_p", "port", lambda c: c.server_port),
    SslColumn("version", "string", version),
    SslColumn("cipher", "string", _cipher),
    SslColumn("curve", "string", lambda c: c.curve),
    SslColumn("server_name", "string", lambda c: c.server_name),
    SslColumn("resumed", "bool", lambda c: c.resumed),
    SslColumn("last_alert", "string", _last_alert),
    SslColumn("next_protocol", "string", lambda c: c.next_protocol),
    SslColumn("established", "bool", lambda c: c.established),
    SslColumn("ssl_history", "string", lambda c: c.ssl_history or None),
    SslColumn("cert_chain_fps", "vector[string]", lambda c: _hashes(c.server_chain, c.server_certificate_state)),
    SslColumn("client_cert_chain_fps", "vector[string]", lambda c: _hashes(c.client_chain, c.client_certificate_state)),
    SslColumn("sni_matches_cert", "bool", sni_matches),
    # what Zeek writes if its options or packages are on
    SslColumn("subject", "string", _name(Side.SERVER, lambda leaf: leaf.subject)),
    SslColumn("issuer", "string", _name(Side.SERVER, lambda leaf: leaf.issuer)),
    SslColumn("client_subject", "string", _name(Side.CLIENT, lambda leaf: leaf.subject)),
    SslColumn("client_issuer", "string", _name(Side.CLIENT, lambda leaf: leaf.issuer)),
    SslColumn("requested_client_certificate_authorities", "vector[string]", authorities),
    SslColumn("ja3", "string", lambda c: c.ja3),
    SslColumn("ja3s", "string", lambda c: c.ja3s),
    SslColumn("ja4", "string", lambda c: c.ja4),
    SslColumn("community_id", "string", lambda c: c.community_id),
    # what it has no column for
    SslColumn("mtls_capture", "string", lambda c: c.capture),
    SslColumn("mtls_stream", "count", lambda c: c.stream),
    SslColumn("mtls_outcome", "string", lambda c: c.outcome.value),
    SslColumn(
        "mtls_server_cert_state",
        "string",
        lambda c: c.server_certificate_state.value if c.server_certificate_state else None,
    ),
    SslColumn(
        "mtls_client_cert_state",
        "string",
        lambda c: c.client_certificate_state.value if c.client_certificate_state else None,
    ),
    SslColumn("mtls_alerts", "vector[string]", alerts),
    SslColumn("mtls_closed_by", "string", lambda c: c.closed.by.value if c.closed.by else None),
    SslColumn("mtls_closed_how", "string", lambda c: c.closed.how),
    SslColumn("mtls_closed_stage", "string", lambda c: c.closed.stage or None),
    SslColumn("mtls_diagnosis", "string", lambda c: c.diagnosis),
    SslColumn("mtls_confidence", "string", lambda c: c.diagnosis_confidence.value if c.diagnosis_confidence else None),
    SslColumn("mtls_findings", "vector[string]", lambda c: tuple([one.rule for one in c.findings]) or None),
    SslColumn("mtls_frames", "vector[string]", frames),
    SslColumn("mtls_repeated", "count", lambda _c: None),
)


# ---- values of x509.log --------------------------------------------------------------------------------------------


def serial(certificate: Certificate) -> str | None:
    """Upper-case hex, whole bytes."""
    if certificate.serial is None:
        return None
    digits = certificate.serial.removeprefix("-")
    return ("-" if certificate.serial.startswith("-") else "") + ("0" * (len(digits) % 2) + digits).upper()


def _time(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // timedelta(microseconds=1) * 1000


def _key(place: int) -> Callable[[Sighting], Value]:
    def value(sighting: Sighting) -> Value:
        key = sighting.certificate.key
        if key is None:
            return None
        known = KEYS.get(key.algorithm)
        return known[place] if known else (key.algorithm, None)[place]

    return value


def _curve(sighting: Sighting) -> str | None:
    key = sighting.certificate.key
    return None if key is None or key.curve is None else CURVES.get(key.curve, key.curve)


def _san(kind: str) -> Callable[[Sighting], Value]:
    def value(sighting: Sighting) -> Value:
        san = sighting.certificate.san
        names: tuple[str, ...] = getattr(san, kind) if san else ()
        return names or None

    return value


X509: tuple[X509Column, ...] = (
    X509Column("ts", "time", lambda s: s.time_ns),
    X509Column("fingerprint", "string", lambda s: s.certificate.sha256),
    X509Column("certificate.version", "count", lambda s: s.certificate.version),
    X509Column("certificate.serial", "string", lambda s: serial(s.certificate)),
    X509Column("certificate.subject", "string", lambda s: s.certificate.subject.text),
    X509Column("certificate.issuer", "string", lambda s: s.certificate.issuer.text),
    X509Column("certificate.not_valid_before", "time", lambda s: _time(s.certificate.not_before)),
    X509Column("certificate.not_valid_after", "time", lambda s: _time(s.certificate.not_after)),
    X509Column("certificate.key_alg", "string", _key(0)),
    X509Column("certificate.sig_alg", "string", lambda s: s.certificate.signature_algorithm or None),
    X509Column("certificate.key_type", "string", _key(1)),
    X509Column("certificate.key_length", "count", lambda s: s.certificate.key.bits if s.certificate.key else None),
    X509Column("certificate.exponent", "string", lambda _s: None),
    X509Column("certificate.curve", "string", _curve),
    X509Column("san.dns", "vector[string]", _san("dns")),
    X509Column("san.uri", "vector[string]", _san("uri")),
    X509Column("san.email", "vector[string]", _san("email")),
    X509Column("san.ip", "vector[addr]", _san("ip")),
    X509Column("basic_constraints.ca", "bool", lambda s: s.certificate.is_ca),
    X509Column("basic_constraints.path_len", "count", lambda s: s.certificate.path_length),
    X509Column("host_cert", "bool", lambda s: s.leaf),
    X509Column("client_cert", "bool", lambda s: s.side is Side.CLIENT),
)
