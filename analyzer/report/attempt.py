"""What other tools' formats have no place for, said once for all of them: `facts` of a connection, `verdict` on it.

-T eve shows them as `tls.mtls` and `tls.diagnosis`, -T ecs as `tls.detailed`. Facts that are absent have no key.
"""

from __future__ import annotations

from typing import Any

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.names import Name
from analyzer.connection import Alert, CertificateState, Connection, SentChain, Side
from analyzer.findings import Finding
from analyzer.report import codes
from analyzer.report.frames import connection_filter, finding_filter, labels
from analyzer.report.times import rfc3339
from analyzer.summary import Repeated

MAX_FRAMES = 32
"""Frames that a verdict names at most."""
LISTS = 64
"""CA lists whose texts are remembered."""
_lists: dict[str, tuple[tuple[Name, ...], tuple[str, ...]]] = {}


def leaf(conn: Connection, side: Side) -> Certificate | None:
    """The certificate that this side showed as its own."""
    sent = conn.chain(side)
    return sent.chain.leaf if sent else None


def known(**members: Any) -> dict[str, Any]:
    """The members that have a value: neither None nor an empty list, dictionary or text. False and 0 are values."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], {}, ())}


def sni_matches(conn: Connection) -> bool | None:
    """Does the server's certificate cover the name that the client asked for? None if either is not there."""
    certificate = leaf(conn, Side.SERVER)
    return None if certificate is None or not conn.server_name else certificate.covers(conn.server_name) is not None


def authorities(conn: Connection) -> tuple[str, ...] | None:
    """The CA names of the server's request, every one; None without a request. Thousands of connections share one list:
    its texts are remembered."""
    if conn.certificate_request is None:
        return None
    names = conn.certificate_request.ca_list
    kept = _lists.get(names.id)
    if kept is not None and kept[0] is names.names:
        return kept[1]
    if len(_lists) >= LISTS:
        _lists.clear()
    texts = tuple([name.text for name in names.names])
    _lists[names.id] = (names.names, texts)
    return texts


def facts(conn: Connection) -> dict[str, Any]:
    """Outcome, how far it got, who asked for what, who ended it."""
    request = conn.certificate_request
    listed = request.ca_list if request else None
    return known(
        uid=conn.uid,
        stream=conn.stream,
        outcome=conn.outcome.value,
        history=conn.ssl_history,
        cipher=conn.cipher,
        curve=conn.curve,
        sni_present=conn.server_name is not None if conn.client_hello else None,
        sni_matches_cert=sni_matches(conn),
        server_cert_state=_state(conn.server_certificate_state),
        client_cert_state=_state(conn.client_certificate_state),
        client_certificate_requested=True if request else None,
        server_chain_sha256=_hashes(conn.server_chain),
        client_chain_sha256=_hashes(conn.client_chain),
        requested_cas=authorities(conn),
        requested_cas_count=len(listed.names) if listed else None,
        requested_cas_bytes=listed.size if listed else None,
        requested_cas_complete=listed.complete if listed else None,
        alerts=[_alert(conn, alert) for alert in conn.alerts],
        ended_by=conn.closed.by.value if conn.closed.by else None,
        end_kind=conn.closed.how,
        end_stage=conn.closed.stage,
        findings=[finding.rule for finding in conn.findings],
    )


def verdict(conn: Connection) -> dict[str, Any] | None:
    """The likeliest cause; None when all is well."""
    if conn.diagnosis is None:
        return None
    first = conn.findings[0] if conn.findings else None
    sure = conn.diagnosis_confidence
    return known(
        code=first.rule if first else None,
        severity=first.severity.value if first else None,
        confidence=sure.value if sure else None,
        summary=conn.diagnosis,
        advice=next((finding.advice for finding in conn.findings if finding.advice), None),
        frames=[str(frame) for frame in labels(conn, first.frames[:MAX_FRAMES])] if first else None,
        filter=finding_filter(conn, first) if first and first.filter else connection_filter(conn),
    )


def finding_facts(finding: Finding, frames: list[str]) -> dict[str, Any]:
    """One finding, with the keys of `verdict`."""
    return known(
        code=finding.rule,
        severity=finding.severity.value,
        confidence=finding.confidence.value,
        summary=finding.summary,
        advice=finding.advice,
        frames=frames,
    )


def repeated_facts(repeated: Repeated) -> dict[str, Any]:
    """Connections that were counted instead of listed."""
    return known(
        findings=[repeated.rule],
        repeated=repeated.count,
        repeated_until=rfc3339(repeated.last_ns, 6),
        repeated_every=None if repeated.period_ns is None else repeated.period_ns / 1e9,
    )


def in_file(conn: Connection, frame: int | None) -> int | None:
    """A frame's number as a number: None in a later file of a ring, where it is another file's."""
    told = None if frame is None else conn.frame_label(frame)
    return told if isinstance(told, int) else None


def _state(state: CertificateState | None) -> str | None:
    return None if state is None else state.value


def _hashes(sent: SentChain | None) -> list[str] | None:
    return [certificate.sha256 for certificate in sent.chain.certificates] if sent else None


def _alert(conn: Connection, alert: Alert) -> dict[str, Any]:
    return known(
        source=alert.side.value,
        severity=None if alert.level is None else codes.alert_level(alert.level),
        code=alert.code,
        type=None if alert.code is None else codes.alert(alert.code),
        encrypted=alert.encrypted,
        frame=str(conn.frame_label(alert.frame)),
    )
