"""-T ecs: Elastic Common Schema, one JSON object a line for every attempt, and one of kind `alert` for a finding across them.

What ECS has no field for is under `tls.detailed`, where Packetbeat puts such things.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, BinaryIO

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.names import Name
from analyzer.connection import Connection, Outcome, Side
from analyzer.findings import Finding, Severity
from analyzer.report import codes
from analyzer.report.attempt import facts, finding_facts, known, leaf, repeated_facts, verdict
from analyzer.report.encode import to_json
from analyzer.report.lines import write_lines
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.times import moment, rfc3339
from analyzer.report.zeek_columns import CURVES, serial
from analyzer.summary import CaptureSummary, Repeated

VERSION = "8.17.0"
"""The version of ECS whose fields these are; 9 has the same."""
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "info"}
OUTCOMES = {
    Outcome.ESTABLISHED: "success",
    Outcome.FAILED: "failure",
    Outcome.NOT_TLS: "failure",
    Outcome.UNKNOWN: "unknown",
}
ATTRIBUTES = {
    "CN": "common_name",
    "O": "organization",
    "OU": "organizational_unit",
    "L": "locality",
    "ST": "state_or_province",
    "C": "country",
}
RENAMED = {
    "requested_cas": "client_certificate_authorities",
    "requested_cas_count": "client_certificate_authorities_count",
    "requested_cas_bytes": "client_certificate_authorities_bytes",
    "requested_cas_complete": "client_certificate_authorities_complete",
}


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write documents as they come."""
    write_lines((to_json(document) + b"\n" for item in items for document in _documents(item)), out, options.prompt)


def _documents(item: Item) -> Iterable[dict[str, Any]]:
    if isinstance(item, Connection):
        yield _connection(item)
    elif isinstance(item, Repeated):
        yield _repeated(item)
    elif isinstance(item, CaptureSummary):  # ECS has no field for what was lost
        yield from (_across(item, finding) for finding in item.findings)


def _connection(conn: Connection) -> dict[str, Any]:
    outcome, first = _outcome(conn), conn.findings[0] if conn.findings else None
    failure = outcome == "failure"
    return known(
        **_head(rfc3339(conn.ts_ns, conn.time_digits)),
        message=conn.diagnosis or f"TLS handshake {conn.outcome.value}",
        log=known(file={"path": conn.capture}, level=LEVELS[first.severity] if first else "info"),
        event=known(
            **_event("event"),
            type=["connection", "protocol"] if conn.tls else ["connection"],
            outcome=outcome,
            reason=conn.diagnosis,
            id=conn.uid,
            start=rfc3339(conn.ts_ns, conn.time_digits),
            end=rfc3339(max(conn.ts_ns, conn.end_ns), conn.time_digits),
            duration=max(0, conn.end_ns - conn.ts_ns),
        ),
        **_ends(conn.client_ip, conn.client_port, conn.server_ip, conn.server_port, conn.server_name),
        network=known(**_network(conn.client_ip), protocol="tls" if conn.tls else None, community_id=conn.community_id),
        tls=_tls(conn),
        error=known(code=first.rule if first else None, message=conn.diagnosis) if failure else None,
        rule=known(id=first.rule, ruleset="mtlscope") if first and conn.diagnosis else None,
        related=_related(conn),
    )


def _head(time: str) -> dict[str, Any]:
    return {"@timestamp": time, "ecs": {"version": VERSION}, "observer": {"product": "mtlscope"}}


def _event(kind: str) -> dict[str, Any]:
    return {"kind": kind, "category": ["network"], "module": "mtlscope", "dataset": "mtlscope.tls"}


def _outcome(conn: Connection) -> str:
    """Nothing was said on the connection: a failure if something was wrong about that, else a probe."""
    if conn.outcome is Outcome.NO_DATA:
        return "failure" if any(finding.severity is Severity.ERROR for finding in conn.findings) else "unknown"
    return OUTCOMES[conn.outcome]


def _ends(client: str, client_port: int | None, server: str, port: int, name: str | None) -> dict[str, Any]:
    one = known(address=client, ip=client, port=client_port)
    other = known(address=server, ip=server, port=port, domain=name)
    return {"source": one, "client": one, "destination": other, "server": other}


def _network(address: str) -> dict[str, Any]:
    return {"transport": "tcp", "iana_number": "6", "type": "ipv6" if ":" in address else "ipv4"}


def _tls(conn: Connection) -> dict[str, Any]:
    server, client = leaf(conn, Side.SERVER), leaf(conn, Side.CLIENT)
    protocol, number = _version(conn.version)
    return known(
        version=number,
        version_protocol=protocol,
        cipher=conn.cipher,
        curve=conn.curve,
        next_protocol=conn.next_protocol,
        resumed=conn.resumed,
        established=conn.established,
        client=known(
            ja3=conn.ja3,
            ja4=conn.ja4,
            server_name=conn.server_name,
            supported_ciphers=_suites(conn.client_hello.cipher_suites) if conn.client_hello else None,
            **(_certificate(client) if client else {}),
        ),
        server=known(ja3s=conn.ja3s, **(_certificate(server) if server else {})),
        detailed=known(
            version=conn.version,
            **{
                RENAMED.get(name, name): value for name, value in facts(conn).items() if name not in ("cipher", "curve")
            },
            diagnosis=verdict(conn),
        ),
    )


def _version(name: str | None) -> tuple[str | None, str | None]:
    """ "tls" and "1.2" for "TLSv1.2"; an unknown one has no number."""
    if name is None or "v" not in name:
        return None, None
    protocol, _, number = name.partition("v")
    return protocol.lower(), number


@lru_cache(maxsize=256)
def _suites(sent: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(map(codes.cipher_suite, sent))


def _certificate(certificate: Certificate) -> dict[str, Any]:
    key, san = certificate.key, certificate.san
    dates = {"not_before": _time(certificate.not_before), "not_after": _time(certificate.not_after)}
    return known(
        subject=certificate.subject.text,
        issuer=certificate.issuer.text,
        **dates,
        hash={"sha1": certificate.sha1.upper(), "sha256": certificate.sha256.upper()},
        x509=known(
            version_number=None if certificate.version is None else str(certificate.version),
            serial_number=serial(certificate),
            subject=_name(certificate.subject),
            issuer=_name(certificate.issuer),
            signature_algorithm=certificate.signature_algorithm,
            **dates,
            public_key_algorithm=key.algorithm if key else None,
            public_key_size=key.bits if key else None,
            public_key_curve=CURVES.get(key.curve, key.curve) if key and key.curve else None,
            alternative_names=[name.partition(":")[2] for name in san.in_order] if san else None,
        ),
    )


def _name(name: Name) -> dict[str, Any]:
    made: dict[str, Any] = {"distinguished_name": name.text}
    for kind, value in reversed(name.attributes):
        if kind in ATTRIBUTES:
            made.setdefault(ATTRIBUTES[kind], []).append(value)
    return known(**made)


def _time(time: datetime | None) -> str | None:
    return None if time is None else moment(time)


def _related(conn: Connection) -> dict[str, Any]:
    chains = [certificate.sha256.upper() for sent in conn.chains() for certificate in sent.chain.certificates]
    return known(
        ip=list(dict.fromkeys((conn.client_ip, conn.server_ip))),
        hash=list(dict.fromkeys(chains)),
        hosts=[conn.server_name] if conn.server_name else None,
    )


def _repeated(repeated: Repeated) -> dict[str, Any]:
    return {
        **_head(rfc3339(repeated.first_ns, 6)),
        "message": f"{repeated.count:,} more connections with {repeated.rule}",
        "log": {"file": {"path": repeated.capture}},
        "event": {
            **_event("event"),
            "type": ["connection"],
            "outcome": "unknown",
            "start": rfc3339(repeated.first_ns, 6),
            "end": rfc3339(repeated.last_ns, 6),
        },
        **_ends(repeated.client_ip, None, repeated.server_ip, repeated.server_port, None),
        "network": _network(repeated.client_ip),
        "rule": {"id": repeated.rule, "ruleset": "mtlscope"},
        "tls": {"detailed": repeated_facts(repeated)},
    }


def _across(summary: CaptureSummary, finding: Finding) -> dict[str, Any]:
    return {
        **_head(rfc3339(summary.last_ns or 0, summary.time_digits)),
        "message": finding.summary,
        "log": {"file": {"path": summary.capture}, "level": LEVELS[finding.severity]},
        "event": {**_event("alert"), "type": ["info"], "reason": finding.summary},
        "rule": {"id": finding.rule, "ruleset": "mtlscope"},
        "tls": {"detailed": {"diagnosis": finding_facts(finding, list(map(str, finding.frames)))}},
    }


OUTPUT = Output(name="ecs", help="Elastic Common Schema, one JSON object a line", write=write, lines=True)
