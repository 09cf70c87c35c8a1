"""A connection as one flat row: the columns of -T csv and of the data frame, each with its meaning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.report import codes
from analyzer.report.frames import connection_filter, label, labels
from analyzer.report.times import moment, rfc3339

Value = str | int | float | bool | None
LIST = " "
"""Between the values of a list in one cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `value` takes it from the record; None where the fact is absent or cannot be seen."""

    name: str
    meaning: str
    value: Callable[[Connection], Value]


def row(conn: Connection) -> list[Value]:
    """The values of all columns."""
    return [column.value(conn) for column in COLUMNS]


def _leaf(sent: SentChain | None) -> Certificate | None:
    return None if sent is None else sent.chain.leaf


def _of_leaf(side: Side, value: Callable[[Certificate], Value]) -> Callable[[Connection], Value]:
    def of(conn: Connection) -> Value:
        leaf = _leaf(conn.chain(side))
        return None if leaf is None else value(leaf)

    return of


def _date(time: datetime | None) -> str | None:
    return None if time is None else moment(time)


def _chain(side: Side) -> Callable[[Connection], Value]:
    def hashes(conn: Connection) -> Value:
        sent = conn.chain(side)
        return None if sent is None else LIST.join(certificate.sha256 for certificate in sent.chain.certificates)

    return hashes


def _certificate(side: Side) -> list[Column]:
    who = f"the {side.value}'s leaf"
    return [
        Column(f"{side}_certificate_state", f"what is known of the {side.value}'s certificate", _state(side)),
        Column(f"{side}_certificates", f"sha256 of the {side.value}'s certificates, in order", _chain(side)),
        Column(f"{side}_subject", f"subject of {who}, RFC 4514", _of_leaf(side, lambda leaf: leaf.subject.text)),
        Column(f"{side}_issuer", f"issuer of {who}, RFC 4514", _of_leaf(side, lambda leaf: leaf.issuer.text)),
        Column(
            f"{side}_not_before", f"start of {who}'s validity, UTC", _of_leaf(side, lambda leaf: _date(leaf.not_before))
        ),
        Column(
            f"{side}_not_after", f"end of {who}'s validity, UTC", _of_leaf(side, lambda leaf: _date(leaf.not_after))
        ),
        Column(f"{side}_names", f"host names of {who}", _of_leaf(side, lambda leaf: LIST.join(leaf.names))),
    ]


def _state(side: Side) -> Callable[[Connection], Value]:
    def state(conn: Connection) -> Value:
        known = conn.client_certificate_state if side is Side.CLIENT else conn.server_certificate_state
        return None if known is None else known.value

    return state


def _alerts(conn: Connection) -> str | None:
    told = [
        f"{alert.side.value}:{'encrypted' if alert.code is None else codes.alert(alert.code)}@{conn.frame_label(alert.frame)}"
        for alert in conn.alerts
    ]
    return LIST.join(told) or None


def _severity(conn: Connection) -> str | None:
    worst = min((finding.severity for finding in conn.findings), key=lambda severity: severity.rank, default=None)
    return None if worst is None else worst.value


def _ca_count(conn: Connection) -> int | None:
    return len(conn.certificate_request.ca_list.names) if conn.certificate_request else None


def _ca_bytes(conn: Connection) -> int | None:
    return conn.certificate_request.ca_list.size if conn.certificate_request else None


def _beside(conn: Connection) -> str | None:
    found = conn.worked_beside
    if found is None:
        return None
    first = found.differences[0].text() if found.differences else "nothing that can be seen was different"
    return f"stream {found.stream} worked: {first}"


def _advice(conn: Connection) -> str | None:
    return next((finding.advice for finding in conn.findings if finding.advice), None)


def _frames(conn: Connection) -> str | None:
    frames = sorted({frame for finding in conn.findings for frame in finding.frames})
    return LIST.join(map(str, labels(conn, frames))) or None


COLUMNS: tuple[Column, ...] = (
    Column("capture", "input file, as it was named", lambda c: c.capture),
    Column("stream", "number in order of the first packet, as Wireshark's tcp.stream", lambda c: c.stream),
    Column("uid", "ours; stable for the same file", lambda c: c.uid),
    Column("community_id", "Community ID v1", lambda c: c.community_id),
    Column("ts", "first packet, RFC 3339 UTC", lambda c: rfc3339(c.ts_ns, c.time_digits)),
    Column("duration", "seconds from the first to the last packet", lambda c: c.duration),
    Column("client_ip", "who sent the ClientHello; before one, who sent the SYN", lambda c: c.client_ip),
    Column("client_port", "its TCP port", lambda c: c.client_port),
    Column("server_ip", "the other side", lambda c: c.server_ip),
    Column("server_port", "its TCP port", lambda c: c.server_port),
    Column("outcome", "established, failed, not-tls, no-data or unknown", lambda c: c.outcome.value),
    Column("severity", "worst severity of the findings; empty if there are none", _severity),
    Column("diagnosis", "one sentence: the likeliest cause; empty when all is well", lambda c: c.diagnosis),
    Column("advice", "what to do about the likeliest cause", _advice),
    Column("worked_beside", "an earlier connection of the same kind that worked, and the first difference", _beside),
    Column(
        "findings",
        "rule ids, likeliest cause first",
        lambda c: LIST.join(finding.rule for finding in c.findings) or None,
    ),
    Column("frames", "frames that the findings name", _frames),
    Column("filter", "a Wireshark display filter for the connection", connection_filter),
    Column("version", "negotiated TLS version", lambda c: c.version),
    Column("cipher", "negotiated suite, IANA name", lambda c: c.cipher),
    Column("curve", "group of the key exchange", lambda c: c.curve),
    Column("server_name", "SNI as sent", lambda c: c.server_name),
    Column("next_protocol", "ALPN chosen", lambda c: c.next_protocol),
    Column("resumed", "an earlier session was resumed", lambda c: c.resumed),
    Column("established", "the handshake completed as far as can be seen", lambda c: c.established),
    Column("ssl_history", "Zeek's letters", lambda c: c.ssl_history),
    Column("ja3", "fingerprint of the client", lambda c: c.ja3),
    Column("ja3s", "fingerprint of the server", lambda c: c.ja3s),
    Column("ja4", "fingerprint of the client", lambda c: c.ja4),
    *_certificate(Side.SERVER),
    *_certificate(Side.CLIENT),
    Column("ca_count", "CA names in the CertificateRequest; empty if none was seen", _ca_count),
    Column("ca_bytes", "their size in bytes", _ca_bytes),
    Column("alerts", "who:alert@frame", _alerts),
    Column(
        "closed_by", "client or server; empty if nobody closed it", lambda c: c.closed.by.value if c.closed.by else None
    ),
    Column("closed_how", "fin, rst, timeout or open", lambda c: c.closed.how),
    Column("closed_stage", "the last handshake message before the end", lambda c: c.closed.stage or None),
    Column("closed_frame", "frame of that FIN or RST", lambda c: label(c, c.closed.frame)),
    Column("client_bytes", "payload bytes seen of the client", lambda c: c.visibility.client_bytes),
    Column("server_bytes", "payload bytes seen of the server", lambda c: c.visibility.server_bytes),
    Column("gap_bytes", "bytes of the handshake missing from the capture", lambda c: c.visibility.gap_bytes),
    Column("mid_stream", "the capture starts inside the connection", lambda c: c.visibility.mid_stream),
)
"""Every column, in order."""
