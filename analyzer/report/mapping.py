"""From records to the objects of schema `mtlscope/1`: the one place that knows both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from analyzer.connection import Alert, CaList, CertificateState, Connection, SentChain, Side
from analyzer.findings import Comparison, Finding
from analyzer.report import codes
from analyzer.report.certificates import SCHEMA, sent_certificate_object
from analyzer.report.frames import finding_filter, label, labels
from analyzer.report.heads import (
    AlertHead,
    Closed,
    ConnectionEnd,
    ConnectionHead,
    FindingHead,
    VisibilityHead,
    as_dict,
)
from analyzer.report.hellos import client_hello_object, request_object, server_hello_object
from analyzer.report.times import rfc3339
from analyzer.summary import Amendment, CaptureSummary, LostPackets, Repeated
from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.report import object_findings, objects

EXACT = 2**53
"""Larger integers lose digits in readers that keep numbers as doubles: they are written as strings."""


def connection_object(conn: Connection) -> objects.ConnectionObject:
    """A connection, every key of docs/fields.md."""
    made: dict[str, Any] = {
        **as_dict(connection_head(conn)),
        **connection_shared(conn),
        "client_hello": client_hello_object(conn, conn.client_hello) if conn.client_hello else None,
        "server_hello": server_hello_object(conn, conn.server_hello) if conn.server_hello else None,
        "certificate_request": request_object(conn, conn.certificate_request) if conn.certificate_request else None,
        "visibility": {**as_dict(visibility_head(conn)), **visibility_rest(conn)},
        "findings": [finding_object(finding, conn) for finding in conn.findings],
        **as_dict(connection_end(conn)),
    }
    return cast("objects.ConnectionObject", made)


def connection_head(conn: Connection) -> ConnectionHead:
    """Which connection it is."""
    return ConnectionHead(
        SCHEMA,
        "connection",
        conn.capture,
        conn.stream,
        conn.uid,
        conn.community_id,
        rfc3339(conn.ts_ns, conn.time_digits),
        conn.duration,
        conn.client_ip,
        conn.client_port,
        conn.server_ip,
        conn.server_port,
    )


def connection_key(conn: Connection) -> tuple[Any, ...]:
    """Everything that `connection_shared` depends on."""
    return (
        conn.outcome._value_,  # hashing an Enum member is Python code: its value is not
        conn.version,
        conn.cipher,
        conn.curve,
        conn.server_name,
        conn.next_protocol,
        conn.resumed,
        conn.established,
        conn.ssl_history,
        conn.ja3,
        conn.ja3s,
        conn.ja4,
        conn.server_chain and conn.server_chain.chain,
        conn.client_chain and conn.client_chain.chain,
        conn.server_certificate_state and conn.server_certificate_state._value_,
        conn.client_certificate_state and conn.client_certificate_state._value_,
    )


def connection_shared(conn: Connection) -> dict[str, Any]:
    """What was negotiated: the same for many connections of one pair of programs."""
    return {
        "outcome": conn.outcome.value,
        "version": conn.version,
        "cipher": conn.cipher,
        "curve": conn.curve,
        "server_name": conn.server_name,
        "next_protocol": conn.next_protocol,
        "resumed": conn.resumed,
        "established": conn.established,
        "ssl_history": conn.ssl_history,
        "ja3": conn.ja3,
        "ja3s": conn.ja3s,
        "ja4": conn.ja4,
        "server_certificates": _certificates(conn.server_chain, conn.server_certificate_state),
        "client_certificates": _certificates(conn.client_chain, conn.client_certificate_state),
        "server_certificate_state": None
        if conn.server_certificate_state is None
        else conn.server_certificate_state.value,
        "client_certificate_state": None
        if conn.client_certificate_state is None
        else conn.client_certificate_state.value,
    }


def connection_end(conn: Connection) -> ConnectionEnd:
    """How it ended, and the diagnosis."""
    sure, beside = conn.diagnosis_confidence, conn.worked_beside
    return ConnectionEnd(
        [_alert(alert, conn) for alert in conn.alerts],
        _closed(conn),
        conn.diagnosis,
        None if sure is None else sure._value_,
        None if beside is None else comparison_object(beside),
    )


def _certificates(sent: SentChain | None, state: CertificateState | None) -> list[objects.SentCertificateObject] | None:
    if sent is not None:
        return [sent_certificate_object(certificate) for certificate in sent.chain.certificates]
    return [] if state is CertificateState.EMPTY else None


def ca_list_object(names: CaList) -> objects.CaListObject:
    """Every CA name, never cut."""
    return {
        "schema": SCHEMA,
        "type": "ca-list",
        "id": names.id,
        "names": [name.text for name in names.names],
        "bytes": names.size,
        "complete": names.complete,
    }


# ---- the rest of a connection --------------------------------------------------------------------------------------


def _alert(alert: Alert, conn: Connection) -> AlertHead:
    """Level, code and description are None if it is encrypted."""
    return AlertHead(
        alert.side._value_,
        None if alert.level is None else codes.alert_level(alert.level),
        alert.code,
        None if alert.code is None else codes.alert(alert.code),
        conn.frame_label(alert.frame),
        alert.encrypted,
        alert.inferred,
    )


def _closed(conn: Connection) -> Closed:
    closed = conn.closed
    return Closed(
        _side(closed.by), closed.how, closed.stage or None, label(conn, closed.frame), _seconds(closed.after_ns)
    )


def _side(side: Side | None) -> Literal["client", "server"] | None:
    return None if side is None else side._value_


def _seconds(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e9


def visibility_head(conn: Connection) -> VisibilityHead:
    """What differs from connection to connection."""
    view = conn.visibility
    return VisibilityHead(
        view.client_bytes, view.server_bytes, _seconds(conn.rtt_ns), labels(conn, view.conflict_frames)
    )


def visibility_key(conn: Connection) -> tuple[Any, ...]:
    """Everything that `visibility_rest` depends on."""
    view = conn.visibility
    return (
        view.syn_seen,
        view.gap_bytes,
        view.gap_side and view.gap_side._value_,
        view.truncated_packets,
        view.truncated_handshake,
        view.conflicts,
        view.one_sided and view.one_sided._value_,
        view.mid_stream,
        view.open_end,
        view.lost_packets,
        view.evicted,
        conn.roles_known,
        conn.preamble,
        conn.not_tls and (conn.not_tls[0], conn.not_tls[1]._value_),
        conn.local_time_doubt,
        conn.malformed,
        conn.client_auth_13,
    )


def visibility_rest(conn: Connection) -> dict[str, Any]:
    """How much the capture shows, and what it shows besides TLS: mostly the same."""
    view = conn.visibility
    payload, sender, _sample = conn.not_tls or (None, None, b"")
    return {
        "syn_seen": view.syn_seen,
        "gap_bytes": view.gap_bytes,
        "gap_side": _side(view.gap_side),
        "truncated_packets": view.truncated_packets,
        "truncated_handshake": view.truncated_handshake,
        "conflicts": view.conflicts,
        "one_sided": _side(view.one_sided),
        "mid_stream": view.mid_stream,
        "open_end": view.open_end,
        "lost_packets": view.lost_packets,
        "evicted": view.evicted,
        "roles_known": conn.roles_known,
        "preamble": conn.preamble,
        "payload": payload,
        "payload_from": _side(sender),
        "local_time_doubt": conn.local_time_doubt,
        "malformed": list(conn.malformed),
        "inference": _inference(conn),
    }


def _inference(conn: Connection) -> objects.InferenceObject | None:
    told = conn.client_auth_13
    if told is None:
        return None
    answer: Any = told.answer
    return {
        "client_certificate": answer,
        "confidence": told.confidence,
        "refused": told.refused,
        "client_records": list(told.client_records),
        "server_records": list(told.server_records),
    }


def finding_object(finding: Finding, conn: Connection | None = None) -> object_findings.FindingObject:
    """One finding; `conn` is None for those across connections."""
    return {**as_dict(finding_head(finding, conn)), **finding_rest(finding)}  # type: ignore[typeddict-item]


def finding_head(finding: Finding, conn: Connection | None) -> FindingHead:
    """Where to see it."""
    if conn is not None and conn.files:
        return FindingHead(labels(conn, finding.frames), finding_filter(conn, finding))
    return FindingHead(list(finding.frames), finding.filter)


def finding_key(finding: Finding) -> tuple[Any, ...]:
    """Everything that `finding_rest` depends on: the references are the rule's."""
    return (
        finding.rule,
        finding.summary,
        finding.advice,
        finding.severity._value_,
        finding.confidence._value_,
        finding.explained_by,
    )


def finding_rest(finding: Finding) -> dict[str, Any]:
    """What is said: often the same for many connections."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "summary": finding.summary,
        "advice": finding.advice,
        "references": list(finding.references),
        "explained_by": finding.explained_by,
    }


def comparison_object(comparison: Comparison) -> object_findings.ComparisonObject:
    """A connection that failed, beside one that worked."""
    relation: Any = comparison.relation.value
    return {
        "failed_stream": comparison.failed_stream,
        "failed_uid": comparison.failed_uid,
        "stream": comparison.stream,
        "uid": comparison.uid,
        "relation": relation,
        "after": comparison.after_ns / 1e9,
        "differences": [
            {"what": one.what, "worked": one.first, "failed": one.second, "text": one.text()}
            for one in comparison.differences
        ],
    }


# ---- whole inputs --------------------------------------------------------------------------------------------------


def repeated_object(repeated: Repeated, digits: int = 6) -> objects.RepeatedObject:
    """Connections that were counted instead of listed."""
    return {
        "schema": SCHEMA,
        "type": "repeated",
        "capture": repeated.capture,
        "rule": repeated.rule,
        "client_ip": repeated.client_ip,
        "server_ip": repeated.server_ip,
        "server_port": repeated.server_port,
        "count": repeated.count,
        "first": rfc3339(repeated.first_ns, digits),
        "last": rfc3339(repeated.last_ns, digits),
        "period": _seconds(repeated.period_ns),
    }


def loss_object(lost: LostPackets) -> objects.LossObject:
    """Packets that the capture lost."""
    begin, end = (
        None if time_ns is None else rfc3339(time_ns, lost.time_digits) for time_ns in (lost.begin_ns, lost.end_ns)
    )
    return {
        "schema": SCHEMA,
        "type": "loss",
        "capture": lost.capture,
        "begin": begin,
        "end": end,
        "packets": _exact(lost.packets),
    }


def _exact(count: int) -> int | str:
    """As a text if readers that keep numbers as doubles would change it."""
    return str(count) if count > EXACT else count


def capture_object(summary: CaptureSummary) -> objects.CaptureObject:
    """One input; packets = decoded + the sum of not_decoded."""
    return {
        "schema": SCHEMA,
        "type": "capture",
        "tool": f"mtlscope {__version__}",
        "capture": summary.capture,
        "files": list(summary.files) or [summary.capture],
        "format": summary.format,
        "packets": summary.packets,
        "bytes": summary.bytes,
        "decoded": summary.decoded,
        "not_decoded": dict(summary.reasons),
        "connections": summary.connections,
        "tcp_streams": summary.tcp_streams,
        "tls_connections": summary.tls_connections,
        "first": None if summary.first_ns is None else rfc3339(summary.first_ns, summary.time_digits),
        "last": None if summary.last_ns is None else rfc3339(summary.last_ns, summary.time_digits),
        "ports": [
            {"protocol": protocol, "port": port, "packets": packets}
            for (protocol, port), packets in summary.ports.items()
        ],
        "snap_length": summary.snap_length,
        "dropped": None if summary.dropped is None else _exact(summary.dropped),
        "cut_packets": summary.cut_packets,
        "one_sided": summary.one_sided,
        "evicted": summary.evicted,
        "findings": [finding_object(finding) for finding in summary.findings],
        "amendments": [_amendment(amendment) for amendment in summary.amendments],
        "comparisons": [comparison_object(comparison) for comparison in summary.comparisons],
        "notes": list(summary.notes),
        "error": summary.error,
    }


def _amendment(amendment: Amendment) -> object_findings.AmendmentObject:
    change: Any = amendment.change
    return {"uid": amendment.uid, "change": change, "rule": amendment.rule, "reason": amendment.reason}
