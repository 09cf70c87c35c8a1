"""-T eve: Suricata's EVE, one JSON object a line: a `tls` event for every attempt, an `alert` event for every cause of trouble.

Suricata writes no `tls` event for a handshake that ended before the certificate; here those are the point.
What EVE has no key for is in `tls.mtls` and `tls.diagnosis`. Both events of a connection have one `flow_id`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, BinaryIO
from zlib import crc32

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, Side
from analyzer.findings import Finding, Severity
from analyzer.report import codes
from analyzer.report.attempt import MAX_FRAMES, facts, finding_facts, in_file, known, leaf, repeated_facts, verdict
from analyzer.report.encode import to_json
from analyzer.report.frames import labels
from analyzer.report.lines import write_lines
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.safe import utf8
from analyzer.report.times import rfc3339
from analyzer.report.zeek_columns import serial
from analyzer.summary import CaptureSummary, Repeated
from analyzer.tls.messages import ClientHello, ServerHello
from analyzer.tls.names import is_grease

VERSIONS = {"TLSv1.0": "TLSv1", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}
"""As Suricata spells them; the older ones as we do, others as their number."""
SEVERITIES = {Severity.ERROR: (1, "Major"), Severity.WARNING: (2, "Minor"), Severity.NOTE: (3, "Informational")}
"""alert.severity and metadata.signature_severity."""
CATEGORY = "Mutual TLS"
FIRST_SIGNATURE = 1_000_000
"""Signature ids for local use begin here (and end at 1,999,999): ours cannot be mistaken for a ruleset's."""


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write events as they come."""
    write_lines((to_json(event) + b"\n" for item in items for event in _events(item)), out, options.prompt)


def _events(item: Item) -> Iterable[dict[str, Any]]:
    if isinstance(item, Connection):
        yield {**_head(item, "tls"), "pcap_cnt": in_file(item, item.client.first_frame) or 1, "tls": _tls(item)}
        yield from (_alert(item, finding) for finding in item.findings if _alarming(finding))
    elif isinstance(item, Repeated):
        yield _repeated(item)
    elif isinstance(item, CaptureSummary):  # Suricata tells what was lost in its stats, with much that we have not
        yield from (_capture_alert(item, finding) for finding in item.findings if _alarming(finding))


def _alarming(finding: Finding) -> bool:
    """An error or a warning that is not only the trace of another one: an alert each for cause and traces is noise."""
    return finding.severity is not Severity.NOTE and finding.explained_by is None


def signature_id(rule: str) -> int:
    """A number for a rule's id that stays the same."""
    return FIRST_SIGNATURE + crc32(utf8(rule).encode()) % 1_000_000


def timestamp(time_ns: int) -> str:
    """ "2026-11-21T09:30:00.123456+0000"."""
    return rfc3339(time_ns, 6)[:-1] + "+0000"


def flow_id(uid: str) -> int:
    """A number for a connection, small enough for readers that keep numbers as doubles."""
    return int.from_bytes(sha256(utf8(uid).encode()).digest()[:6])


def _head(conn: Connection, kind: str) -> dict[str, Any]:
    return {
        "timestamp": timestamp(conn.ts_ns),
        "flow_id": flow_id(conn.uid),
        "event_type": kind,
        "src_ip": conn.client_ip,
        "src_port": conn.client_port,
        "dest_ip": conn.server_ip,
        "dest_port": conn.server_port,
        "proto": "TCP",
        "ip_v": 6 if ":" in conn.client_ip else 4,
        "community_id": conn.community_id,
        "pcap_filename": conn.capture,
        **({"app_proto": "tls"} if conn.tls else {}),
    }


def _tls(conn: Connection) -> dict[str, Any]:
    hello, answer = conn.client_hello, conn.server_hello
    server, client = leaf(conn, Side.SERVER), leaf(conn, Side.CLIENT)
    return known(
        **(certificate_object(server) if server else {}),
        subjectaltname=list(server.san.dns) if server and server.san else None,
        sni=conn.server_name,
        version=_version(conn.version),
        session_resumed=True if conn.resumed else None,
        ja3=known(hash=conn.ja3),
        ja3s=known(hash=conn.ja3s),
        ja4=conn.ja4,
        client_alpns=list(hello.alpn or ()) if hello else None,
        server_alpns=[conn.next_protocol] if conn.next_protocol else None,
        client=certificate_object(client) if client else None,
        client_handshake=_client_handshake(hello) if hello else None,
        server_handshake=_server_handshake(answer) if answer else None,
        mtls=facts(conn),
        diagnosis=verdict(conn),
    )


def _version(name: str | None) -> str | None:
    return None if name is None else VERSIONS.get(name, name)


def certificate_object(certificate: Certificate) -> dict[str, Any]:
    """The keys that a certificate of either side has."""
    number, digest = serial(certificate), certificate.sha1
    return known(
        subject=_one_line(certificate.subject.attributes) or certificate.subject.text,
        issuerdn=_one_line(certificate.issuer.attributes) or certificate.issuer.text,
        serial=None if number is None else ":".join(_pairs(number)),
        fingerprint=":".join(_pairs(digest)),
        notbefore=_time(certificate.not_before),
        notafter=_time(certificate.not_after),
    )


def _pairs(digits: str) -> list[str]:
    start = 1 if digits.startswith("-") else 0
    pairs = [digits[at : at + 2] for at in range(start, len(digits), 2)]
    return [digits[:start] + pairs[0], *pairs[1:]] if pairs else []


def _one_line(attributes: tuple[tuple[str, str], ...]) -> str:
    """ "C=DE, O=Example, CN=a": root first, as OpenSSL's old one-line form and so Suricata has it."""
    return ", ".join(f"{kind}={value}" for kind, value in attributes)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _client_handshake(hello: ClientHello) -> dict[str, Any]:
    versions = _real(hello.supported_versions)
    return known(
        version=_version(codes.version(max(versions, default=hello.legacy_version))),
        ciphers=_real(hello.cipher_suites),
        exts=_real(hello.extensions),
        sig_algs=_real(hello.signature_schemes),
    )


def _server_handshake(answer: ServerHello) -> dict[str, Any]:
    return known(
        version=_version(codes.version(answer.selected_version)),
        cipher=answer.cipher_suite,
        exts=_real(answer.extensions),
    )


def _real(sent: Sequence[int] | None) -> list[int]:
    """Without GREASE values, which Suricata leaves out."""
    return [code for code in sent or () if not is_grease(code)]


def _signature(finding: Finding) -> dict[str, Any]:
    number, word = SEVERITIES[finding.severity]
    return {
        "action": "allowed",
        "gid": 1,
        "signature_id": signature_id(finding.rule),
        "rev": 1,
        "signature": f"MTLSCOPE {finding.rule}",
        "category": CATEGORY,
        "severity": number,
        "metadata": {"signature_severity": [word], "tag": [finding.rule]},
    }


def _alert(conn: Connection, finding: Finding) -> dict[str, Any]:
    frames = [frame for frame in (in_file(conn, frame) for frame in finding.frames) if frame]
    return {
        **_head(conn, "alert"),
        **({"pcap_cnt": frames[-1]} if frames else {}),
        "alert": _signature(finding),
        "tls": known(
            sni=conn.server_name,
            version=_version(conn.version),
            diagnosis=finding_facts(finding, list(map(str, labels(conn, finding.frames[:MAX_FRAMES])))),
        ),
    }


def _capture_alert(summary: CaptureSummary, finding: Finding) -> dict[str, Any]:
    """A finding across connections has no addresses of its own."""
    return {
        "timestamp": timestamp(summary.last_ns or 0),
        "event_type": "alert",
        "pcap_filename": summary.capture,
        **({"pcap_cnt": finding.frames[-1]} if finding.frames else {}),
        "alert": _signature(finding),
        "tls": {"diagnosis": finding_facts(finding, list(map(str, finding.frames[:MAX_FRAMES])))},
    }


def _repeated(repeated: Repeated) -> dict[str, Any]:
    return {
        "timestamp": timestamp(repeated.first_ns),
        "flow_id": flow_id(f"{repeated.rule} {repeated.client_ip} {repeated.server_ip} {repeated.server_port}"),
        "event_type": "tls",
        "src_ip": repeated.client_ip,
        "dest_ip": repeated.server_ip,
        "dest_port": repeated.server_port,
        "proto": "TCP",
        "ip_v": 6 if ":" in repeated.client_ip else 4,
        "pcap_filename": repeated.capture,
        "tls": {"mtls": repeated_facts(repeated)},
    }


OUTPUT = Output(
    name="eve", help="Suricata's EVE: tls and alert events, one JSON object a line", write=write, lines=True
)
