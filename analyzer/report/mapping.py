"""From records to the objects of schema `mtlscope/1`: the one place that knows both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Alert, CaList, CertificateRequest, CertificateState, Connection, SentChain, Side
from analyzer.findings import Finding
from analyzer.report import codes
from analyzer.report.hellos import (
    client_hello_head,
    client_hello_offer,
    request_head,
    request_list,
    server_hello_choice,
    server_hello_head,
)
from analyzer.report.times import moment, rfc3339
from analyzer.summary import Amendment, CaptureSummary, Repeated
from analyzer.tls.messages import ClientHello, ServerHello
from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.report import objects

SCHEMA: Literal["mtlscope/1"] = "mtlscope/1"
EXACT = 2**53
"""Larger integers lose digits in readers that keep numbers as doubles: they are written as strings."""


class Nested:
    """The parts of a connection that repeat from one to the next. `encode.py` replaces these by remembered ones."""

    def client_hello(self, conn: Connection, hello: ClientHello) -> objects.ClientHelloObject:
        """The last ClientHello."""
        return {**client_hello_head(conn, hello), **client_hello_offer(hello)}  # type: ignore[typeddict-item]

    def server_hello(self, conn: Connection, hello: ServerHello) -> objects.ServerHelloObject:
        """The ServerHello."""
        return {**server_hello_head(conn, hello), **server_hello_choice(hello)}  # type: ignore[typeddict-item]

    def certificates(self, sent: SentChain) -> list[objects.SentCertificateObject]:
        """A chain as sent."""
        return [sent_certificate_object(certificate) for certificate in sent.chain.certificates]

    def request(self, request: CertificateRequest) -> objects.CertificateRequestObject:
        """The CertificateRequest."""
        return {**request_head(request), **request_list(request)}  # type: ignore[typeddict-item]

    def finding(self, finding: Finding) -> objects.FindingObject:
        """One finding."""
        return finding_object(finding)


PLAIN = Nested()


def connection_object(conn: Connection, nested: Nested = PLAIN) -> objects.ConnectionObject:
    """A connection, every key of the contract in its order."""
    return {
        "schema": SCHEMA,
        "type": "connection",
        "capture": conn.capture,
        "stream": conn.stream,
        "uid": conn.uid,
        "community_id": conn.community_id,
        "ts": rfc3339(conn.ts_ns, conn.time_digits),
        "duration": conn.duration,
        "client_ip": conn.client_ip,
        "client_port": conn.client_port,
        "server_ip": conn.server_ip,
        "server_port": conn.server_port,
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
        "client_hello": nested.client_hello(conn, conn.client_hello) if conn.client_hello else None,
        "server_hello": nested.server_hello(conn, conn.server_hello) if conn.server_hello else None,
        "server_certificates": _certificates(conn.server_chain, conn.server_certificate_state, nested),
        "client_certificates": _certificates(conn.client_chain, conn.client_certificate_state, nested),
        "server_certificate_state": _value(conn.server_certificate_state),
        "client_certificate_state": _value(conn.client_certificate_state),
        "certificate_request": nested.request(conn.certificate_request) if conn.certificate_request else None,
        "alerts": [alert_object(alert) for alert in conn.alerts],
        "closed": closed_object(conn),
        "visibility": visibility_object(conn),
        "diagnosis": conn.diagnosis,
        "findings": [nested.finding(finding) for finding in conn.findings],
    }


def _certificates(
    sent: SentChain | None, state: CertificateState | None, nested: Nested
) -> list[objects.SentCertificateObject] | None:
    if sent is not None:
        return nested.certificates(sent)
    return [] if state is CertificateState.EMPTY else None


def _value(state: CertificateState | None) -> Any:
    return None if state is None else state.value


def _list(values: Sequence[Any] | None) -> list[Any] | None:
    return None if values is None else list(values)


# ---- certificates --------------------------------------------------------------------------------------------------


def sent_certificate_object(certificate: Certificate) -> objects.SentCertificateObject:
    """The short form in a connection."""
    return {
        "sha256": certificate.sha256,
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "not_before": _date(certificate.not_before),
        "not_after": _date(certificate.not_after),
    }


def _date(time: datetime | None) -> str | None:
    return None if time is None else moment(time)


def certificate_object(certificate: Certificate) -> objects.CertificateObject:
    """Every field of a certificate."""
    return {
        "schema": SCHEMA,
        "type": "certificate",
        "sha256": certificate.sha256,
        "sha1": certificate.sha1,
        "readable": certificate.readable,
        "version": certificate.version,
        "serial": certificate.serial,
        "subject": certificate.subject.text,
        "issuer": certificate.issuer.text,
        "self_issued": certificate.self_issued,
        "not_before": _date(certificate.not_before),
        "not_after": _date(certificate.not_after),
        "not_before_text": certificate.not_before_text,
        "not_after_text": certificate.not_after_text,
        "san": _san(certificate),
        "key": _key(certificate),
        "signature_algorithm": certificate.signature_algorithm,
        "signature_hash": certificate.signature_hash,
        "eku": _eku(certificate),
        "key_usage": _list(certificate.key_usage),
        "crl_urls": list(certificate.crl_urls),
        "aia_urls": list(certificate.aia_urls),
        "ocsp_urls": list(certificate.ocsp_urls),
        "is_ca": certificate.is_ca,
        "path_length": certificate.path_length,
        "subject_key_id": None if certificate.subject_key_id is None else certificate.subject_key_id.hex(),
        "authority_key_id": None if certificate.authority_key_id is None else certificate.authority_key_id.hex(),
        "extensions": [
            {"oid": oid, "name": codes.oid(oid), "critical": critical} for oid, critical in certificate.extensions
        ],
        "oddities": list(certificate.oddities),
    }


def _san(certificate: Certificate) -> objects.SubjectAltNameObject | None:
    san = certificate.san
    if san is None:
        return None
    return {
        "dns": list(san.dns),
        "ip": list(san.ip),
        "uri": list(san.uri),
        "email": list(san.email),
        "in_order": list(san.in_order),
        "bytes": san.size,
    }


def _key(certificate: Certificate) -> objects.KeyObject | None:
    key = certificate.key
    if key is None:
        return None
    return {
        "algorithm": key.algorithm,
        "bits": key.bits,
        "curve": key.curve,
        "spki_sha256": certificate.spki_sha256,
    }


def _eku(certificate: Certificate) -> list[objects.OidObject] | None:
    if certificate.eku is None:
        return None
    return [{"oid": oid, "name": codes.oid(oid)} for oid in certificate.eku]


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


def alert_object(alert: Alert) -> objects.AlertObject:
    """An alert; level, code and description are None if it is encrypted."""
    return {
        "from": alert.side.value,
        "level": None if alert.level is None else codes.alert_level(alert.level),
        "code": alert.code,
        "description": None if alert.code is None else codes.alert(alert.code),
        "frame": alert.frame,
        "encrypted": alert.encrypted,
        "inferred": alert.inferred,
    }


def closed_object(conn: Connection) -> objects.ClosedObject:
    """How it ended."""
    closed = conn.closed
    how: Any = closed.how
    return {
        "by": _side(closed.by),
        "how": how,
        "stage": closed.stage or None,
        "frame": closed.frame,
        "after": _seconds(closed.after_ns),
    }


def _side(side: Side | None) -> Literal["client", "server"] | None:
    return None if side is None else side.value


def _seconds(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e9


def visibility_object(conn: Connection) -> objects.VisibilityObject:
    """How much the capture shows, and what it shows besides TLS."""
    view = conn.visibility
    payload, sender, _sample = conn.not_tls or (None, None, b"")
    return {
        "syn_seen": view.syn_seen,
        "client_bytes": view.client_bytes,
        "server_bytes": view.server_bytes,
        "gap_bytes": view.gap_bytes,
        "gap_side": _side(view.gap_side),
        "truncated_packets": view.truncated_packets,
        "truncated_handshake": view.truncated_handshake,
        "conflicts": view.conflicts,
        "conflict_frames": list(view.conflict_frames),
        "one_sided": _side(view.one_sided),
        "mid_stream": view.mid_stream,
        "open_end": view.open_end,
        "evicted": view.evicted,
        "roles_known": conn.roles_known,
        "round_trip": _seconds(conn.rtt_ns),
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


def finding_object(finding: Finding) -> objects.FindingObject:
    """One finding."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "summary": finding.summary,
        "advice": finding.advice,
        "frames": list(finding.frames),
        "filter": finding.filter,
        "references": list(finding.references),
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
        "dropped": str(summary.dropped) if summary.dropped is not None and summary.dropped > EXACT else summary.dropped,
        "cut_packets": summary.cut_packets,
        "one_sided": summary.one_sided,
        "evicted": summary.evicted,
        "findings": [finding_object(finding) for finding in summary.findings],
        "amendments": [_amendment(amendment) for amendment in summary.amendments],
        "notes": list(summary.notes),
        "error": summary.error,
    }


def _amendment(amendment: Amendment) -> objects.AmendmentObject:
    change: Any = amendment.change
    return {"uid": amendment.uid, "change": change, "rule": amendment.rule, "reason": amendment.reason}
