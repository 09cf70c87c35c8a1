"""Results as tables: the names, kinds and meanings of their columns, for data frames, Parquet, DuckDB and SQLite alike.

Rows are lists of plain values in the order of the columns. Times are integers (see `Kind`), so that every store can
make of them what it has; texts hold no lone surrogate and integers fit 64 bits, which is what all of them can take.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, partial
from typing import Any

from analyzer.certificates.certificate import Certificate
from analyzer.connection import CaList, Connection, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Finding
from analyzer.report import codes, flat, safe
from analyzer.report.frames import labels, place
from analyzer.report.ladder import facts
from analyzer.report.mapping import finding_object
from analyzer.report.output import Item
from analyzer.summary import CaptureSummary, LostPackets, Repeated

Row = list[Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = range(-(2**63), 2**63)


class Kind(Enum):
    """What a column holds; each may be missing (None) unless the column says otherwise."""

    TEXT = "text"
    CATEGORY = "text, few different values"
    INTEGER = "integer"
    REAL = "real number"
    FLAG = "true or false"
    TIME = "time of a packet, UTC, nanoseconds"
    """As a value: integer nanoseconds since 1970."""
    DATE = "date of a certificate, UTC"
    """As a value: integer microseconds since 1970; nanoseconds would end in the year 2262, and certificates do not."""
    TEXTS = "list of texts"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column: its name, kind and meaning."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `meaning`: what a row is."""

    name: str
    meaning: str
    columns: tuple[TableColumn, ...]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]


def _columns(*rows: tuple[str, Kind, str]) -> tuple[TableColumn, ...]:
    return tuple(TableColumn(*row) for row in rows)


T, C, I, R, F, TIME, DATE, L = Kind  # noqa: E741  (the tables below are read by their columns)

_OF_A_CONNECTION = (("capture", C, "input file"), ("stream", I, "the connection"), ("uid", T, "the connection"))

_FLAT_KINDS = {
    **dict.fromkeys(
        ("capture", "client_ip", "server_ip", "outcome", "severity", "version", "cipher", "curve", "next_protocol"), C
    ),
    **dict.fromkeys(
        ("server_certificate_state", "client_certificate_state", "closed_by", "closed_how", "closed_stage"), C
    ),
    **dict.fromkeys(("stream", "client_port", "server_port", "ca_count", "ca_bytes", "closed_frame"), I),
    **dict.fromkeys(("client_bytes", "server_bytes", "gap_bytes"), I),
    **dict.fromkeys(("resumed", "established", "mid_stream"), F),
    **dict.fromkeys(("server_not_before", "server_not_after", "client_not_before", "client_not_after"), DATE),
    "ts": TIME,
    "duration": R,
}
"""Kinds of the columns of -T csv; the others are texts."""

CONNECTIONS = Table(
    "connections",
    "one TCP connection that carried, tried or failed to start TLS; the columns of `-T csv`",
    tuple(TableColumn(c.name, _FLAT_KINDS.get(c.name, T), c.meaning) for c in flat.COLUMNS),
)

FINDINGS = Table(
    "findings",
    "one finding of a connection, or across the connections of a capture (then only `capture` says where)",
    _columns(
        ("capture", C, "input file"),
        ("stream", I, "the connection; missing for a finding across connections"),
        ("uid", T, "the connection"),
        ("client_ip", C, "of the connection"),
        ("client_port", I, "of the connection"),
        ("server_ip", C, "of the connection"),
        ("server_port", I, "of the connection"),
        ("server_name", T, "SNI of the connection"),
        ("rank", I, "0 is the likeliest cause"),
        ("rule", C, "id of the rule"),
        ("severity", C, "error, warning or note"),
        ("confidence", C, "high, medium or low"),
        ("summary", T, "what is wrong"),
        ("advice", T, "what to do"),
        ("frames", L, "where to see it; `FILE#N` in a later file of a ring"),
        ("filter", T, "a Wireshark display filter"),
        ("references", L, "RFC sections and vendor pages"),
        ("explained_by", C, "rule of the finding that this one is only a trace of"),
    ),
)

CERTIFICATES = Table(
    "certificates",
    "one certificate, wherever it was sent",
    _columns(
        ("sha256", T, "of the DER"),
        ("sha1", T, "of the DER, the thumbprint that Windows shows"),
        ("readable", F, "false: everything below is missing"),
        ("version", I, "usually 3"),
        ("serial", T, "hexadecimal"),
        ("subject", T, "RFC 4514"),
        ("issuer", T, "RFC 4514"),
        ("self_issued", F, "subject and issuer are the same name"),
        ("not_before", DATE, "start of the validity"),
        ("not_after", DATE, "end of the validity"),
        ("not_before_text", T, "as written in the certificate"),
        ("not_after_text", T, "as written in the certificate"),
        ("names", L, "host names and addresses that it speaks for"),
        ("san", L, "every subject alternative name, as kind:value"),
        ("key", C, "algorithm of its key"),
        ("key_bits", I, "size of its key"),
        ("key_curve", C, "curve of an EC key"),
        ("spki_sha256", T, "of the public key"),
        ("signature_algorithm", C, "how it was signed"),
        ("signature_hash", C, "with which hash"),
        ("eku", L, "what it may be used for; missing: for anything"),
        ("key_usage", L, "RFC 5280 names; missing: no such extension"),
        ("crl_urls", L, "where its CRL is"),
        ("aia_urls", L, "where its issuer is"),
        ("ocsp_urls", L, "who answers about it"),
        ("is_ca", F, "basicConstraints; missing: no such extension"),
        ("path_length", I, "CA certificates that may follow"),
        ("subject_key_id", T, "hexadecimal"),
        ("authority_key_id", T, "hexadecimal"),
        ("extensions", L, "names or OIDs in order, critical ones with `!` in front"),
        ("oddities", L, "what is odd about it"),
    ),
)

CHAINS = Table(
    "chains",
    "one certificate in one Certificate message: joins connections and certificates",
    _columns(
        *_OF_A_CONNECTION,
        ("side", C, "who sent it: client or server"),
        ("position", I, "0 is the leaf"),
        ("sha256", T, "the certificate"),
    ),
)

CA_LISTS = Table(
    "ca_lists",
    "one list of CA names, however often a server sent it",
    _columns(
        ("ca_list", T, "sha256 of the list's bytes"),
        ("count", I, "how many names"),
        ("bytes", I, "the list's length field"),
        ("complete", F, "false: the list or a name runs past its end"),
        ("names", L, "every name in the order of the list, RFC 4514"),
    ),
)

REQUESTS = Table(
    "requests",
    "one CertificateRequest: joins connections and CA lists",
    _columns(
        *_OF_A_CONNECTION,
        ("ca_list", T, "the list that it carried"),
    ),
)

MESSAGES = Table(
    "messages",
    "one message of a handshake, or packet that opens or closes a connection",
    _columns(
        *_OF_A_CONNECTION,
        ("number", I, "0 is the first one of the connection"),
        ("ts", TIME, "when its last byte was seen"),
        ("side", C, "who sent it: client or server"),
        ("message", C, "ClientHello, Alert, RST ..."),
        ("frame", I, "first frame that carries it"),
        ("last_frame", I, "last frame that carries it; in another file of a ring its number there"),
        ("file", C, "a later file of a ring that `frame` is in; missing: the capture itself"),
        ("bytes", I, "its size"),
        ("count", I, "how many equal ones in a row this stands for (application data)"),
        ("detail", T, "what matters most in it"),
    ),
)

REPEATED = Table(
    "repeated",
    "connections that were counted instead of listed: refused ones and probes beyond the first 25 of a kind",
    _columns(
        ("capture", C, "input file"),
        ("rule", C, "what is said of each"),
        ("client_ip", C, "who"),
        ("server_ip", C, "to whom"),
        ("server_port", I, "to which port"),
        ("count", I, "how many"),
        ("first", TIME, "begin of the first"),
        ("last", TIME, "begin of the last"),
        ("period", R, "seconds between two; missing: not regular"),
    ),
)

CAPTURES = Table(
    "captures",
    "one input",
    _columns(
        ("capture", C, "input file"),
        ("format", C, "pcap, pcapng, Network Monitor ..."),
        ("files", L, "the files of a ring; else the capture alone"),
        ("packets", I, "frames read"),
        ("bytes", I, "captured bytes of these"),
        ("decoded", I, "frames with TCP or ICMP"),
        ("tcp_streams", I, "TCP connections seen"),
        ("tls_connections", I, "of these with TLS"),
        ("connections", I, "connections reported"),
        ("first", TIME, "first packet"),
        ("last", TIME, "last packet"),
        ("dropped", I, "packets that the capture lost; missing: unknown"),
        ("cut_packets", I, "packets cut by the snapshot length"),
        ("notes", L, "oddities of the file"),
        ("error", T, "why it could not be read to its end; missing: it could"),
    ),
)

TABLES = (CONNECTIONS, FINDINGS, CERTIFICATES, CHAINS, CA_LISTS, REQUESTS, MESSAGES, REPEATED, CAPTURES)
"""Every table, in the order of docs/frames.md."""


class Rows:
    """Items to rows of tables, as they come. Certificates and CA lists once each: only their hashes are remembered.

    `wanted`: names of the tables; None is all. Messages, ten and more a connection, are not even made if nobody wants them.
    """

    def __init__(self, wanted: Collection[str] | None = None) -> None:
        self._known: set[str] = set()
        self._messages = wanted is None or MESSAGES.name in wanted

    def of(self, item: Item) -> Iterator[tuple[Table, Row]]:
        """The rows that this item adds."""
        if isinstance(item, CaptureSummary):
            yield from ((FINDINGS, row) for row in finding_rows(item.capture, item.findings))
            yield CAPTURES, capture_row(item)
        elif isinstance(item, Repeated):
            yield REPEATED, repeated_row(item)
        elif not isinstance(item, LostPackets):  # a capture's row has their sum
            yield CONNECTIONS, connection_row(item)
            yield from ((FINDINGS, row) for row in finding_rows(item.capture, item.findings, item))
            for sent in item.chains():
                for position, certificate in enumerate(sent.chain.certificates):
                    if certificate.sha256 not in self._known:
                        self._known.add(certificate.sha256)
                        yield CERTIFICATES, certificate_row(certificate)
                    yield CHAINS, _clean([*_which(item), sent.side.value, position, certificate.sha256])
            if item.certificate_request is not None:
                names = item.certificate_request.ca_list
                if names.id not in self._known:
                    self._known.add(names.id)
                    yield CA_LISTS, ca_list_row(names)
                yield REQUESTS, _clean([*_which(item), names.id])
            if self._messages:
                yield from ((MESSAGES, row) for row in message_rows(item))


def connection_row(conn: Connection) -> Row:
    """A row of CONNECTIONS."""
    return _clean([take(conn) for take in _connection_values()])


@cache
def _connection_values() -> tuple[Callable[[Connection], Any], ...]:
    """The values of -T csv, but for times, which are numbers here."""
    other: dict[str, Callable[[Connection], Any]] = {"ts": lambda c: c.ts_ns, "closed_frame": _closed_frame}
    for side in Side:
        for date in ("not_before", "not_after"):
            other[f"{side.value}_{date}"] = partial(_of_leaf, side, date)
    return tuple(other.get(column.name, column.value) for column in flat.COLUMNS)


def _of_leaf(side: Side, name: str, conn: Connection) -> int | None:
    sent = conn.chain(side)
    return None if sent is None else microseconds(getattr(sent.chain.leaf, name))


def _closed_frame(conn: Connection) -> int | None:
    """Its number in its file: of a ring, `messages` says which."""
    return None if conn.closed.frame is None else place(conn, conn.closed.frame)[1]


def finding_rows(capture: str, findings: Iterable[Finding], conn: Connection | None = None) -> Iterator[Row]:
    """Rows of FINDINGS; `conn` is None for those across connections."""
    about = [None] * 7 if conn is None else [getattr(conn, name) for name in FINDINGS.names[1:8]]
    for rank, finding in enumerate(findings):
        known: Any = finding_object(finding, conn)
        frames = list(finding.frames) if conn is None else labels(conn, finding.frames)
        yield _clean([capture, *about, rank, *({**known, "frames": frames}[name] for name in FINDINGS.names[9:])])


def certificate_row(one: Certificate) -> Row:
    """A row of CERTIFICATES."""
    key, san = one.key, one.san
    values: dict[str, Any] = {
        "not_before": microseconds(one.not_before),
        "not_after": microseconds(one.not_after),
        "san": None if san is None else san.in_order,
        "key": key and key.algorithm,
        "key_bits": key and key.bits,
        "key_curve": key and key.curve,
        "eku": one.eku_names,
        "subject": one.subject.text,
        "issuer": one.issuer.text,
        "signature_algorithm": one.signature_algorithm or None,
        "spki_sha256": one.spki_sha256 or None,
        "subject_key_id": None if one.subject_key_id is None else one.subject_key_id.hex(),
        "authority_key_id": None if one.authority_key_id is None else one.authority_key_id.hex(),
        "extensions": [f"{'!' if critical else ''}{codes.oid(oid)}" for oid, critical in one.extensions],
    }
    return _clean([values[name] if name in values else getattr(one, name) for name in CERTIFICATES.names])


def ca_list_row(one: CaList) -> Row:
    """A row of CA_LISTS."""
    return _clean([one.id, len(one.names), one.size, one.complete, [name.text for name in one.names]])


def message_rows(conn: Connection) -> Iterator[Row]:
    """Rows of MESSAGES. There are many: only texts are cleaned, and the connection's once."""
    which = _clean(_which(conn))
    for number, step in enumerate(conn.steps):
        (file, first), (_file, last) = place(conn, step.frames[0]), place(conn, step.frames[-1])
        told = _clean_value(", ".join(facts(conn, step))) or None
        who, what = step.side.value, _clean_value(step.name)
        where = (first, last, _clean_value(file) or None)
        yield [*which, number, step.time_ns, who, what, *where, step.size, step.count, told]


def repeated_row(one: Repeated) -> Row:
    """A row of REPEATED."""
    who = [one.capture, one.rule, one.client_ip, one.server_ip, one.server_port, one.count, one.first_ns, one.last_ns]
    return _clean([*who, None if one.period_ns is None else one.period_ns / 1e9])


def capture_row(one: CaptureSummary) -> Row:
    """A row of CAPTURES."""
    values = {"files": one.files or (one.capture,), "first": one.first_ns, "last": one.last_ns}
    return _clean([values[name] if name in values else getattr(one, name) for name in CAPTURES.names])


def _which(conn: Connection) -> list[Any]:
    return [conn.capture, conn.stream, conn.uid]


def microseconds(time: datetime | None) -> int | None:
    """Since 1970."""
    return None if time is None else (time - _EPOCH) // _MICROSECOND


def _clean(values: Row) -> Row:
    """What every store can take: no lone surrogates (file names have them), no integer beyond 64 bits, lists as lists."""
    return [value if value is None or type(value) is bool else _clean_value(value) for value in values]


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else safe.utf8(value)
    if isinstance(value, list | tuple):
        return [_clean_value(one) for one in value]
    if type(value) is int and value not in _INT64:
        return None
    return value
