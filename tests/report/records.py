"""Records for the tests of outputs: one with everything in it, some ordinary ones, and hostile copies of any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from io import BytesIO
from typing import Any, cast

import pytest

from analyzer.certificates.certificate import load
from analyzer.certificates.chain import assess
from analyzer.certificates.names import Name, parse_name
from analyzer.connection import CertificateState, ClientAuth13, Connection, Outcome, Side
from analyzer.findings import Comparison, Confidence, Difference, Finding, Relation, Severity
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.summary import Amendment, CaptureSummary, LostPackets, Repeated
from tests.build.connections import (
    CLIENT_DONE,
    HANDSHAKE,
    START_NS,
    ca_list,
    client_hello,
    connection,
    server_hello,
)
from tests.build.pki import root

SECOND_NS = 1_000_000_000
ROOT = root("Root CA")
SUB = ROOT.issue("Issuing CA", ca=True)
SERVER = SUB.issue("sip.example.com", san=["sip.example.com", "*.example.com"])
CLIENT = SUB.issue("edge.partner.example", san=["edge.partner.example"])
NAMES = ca_list(parse_name(load(ROOT.der).subject.der), parse_name(load(SUB.der).subject.der))


def finding(rule: str = "tls-alert", severity: Severity = Severity.ERROR, **facts: Any) -> Finding:
    """A finding with every part."""
    usual: dict[str, Any] = {
        "confidence": Confidence.HIGH,
        "summary": f"the summary of {rule}",
        "advice": f"the advice of {rule}",
        "frames": (4, 9),
        "filter": "frame.number in {4, 9}",
        "references": ("RFC 5246 section 7.2",),
    }
    return Finding(rule=rule, severity=severity, **(usual | facts))


def healthy(**facts: Any) -> Connection:
    """A whole mutual handshake with both chains and a CA list."""
    usual: dict[str, Any] = {
        "server_chain": assess((SERVER.der, SUB.der)),
        "client_chain": assess((CLIENT.der, SUB.der)),
        "request": NAMES,
        "curve": "x25519",
    }
    return connection(*HANDSHAKE, "> ApplicationData", "< ApplicationData", "> FIN", "< FIN", **(usual | facts))


def failed(*findings: Finding, **facts: Any) -> Connection:
    """The server resets after the client's flight."""
    told = findings or (
        finding("client-certificate-rejected", frames=(9, 14)),
        finding("ca-list-too-long", Severity.WARNING),
    )
    usual: dict[str, Any] = {
        "server_chain": assess((SERVER.der, SUB.der)),
        "client_chain": assess((CLIENT.der,)),
        "request": NAMES,
        "findings": told,
        "diagnosis": told[0].summary,
    }
    return connection(*CLIENT_DONE, "< RST", **(usual | facts))


BESIDE = Comparison(
    failed_stream=0,
    failed_uid="Ctest0000000000000",
    stream=7,
    uid="Cother000000000000",
    relation=Relation.SAME_CLIENT,
    after_ns=-1_200_000_000,
    differences=(
        Difference("client-certificates", "the client sent", "3 certificates (a, b, c)", "1 certificate (a)"),
        Difference("server-name", "the client asked", "for no name (no SNI)", 'for "sip.example.com"'),
        Difference("alpn", "the client offered", "no ALPN", "h2"),
        Difference("extensions", "besides common extensions the client offered", "no others", "status_request"),
    ),
)


def everything() -> Connection:
    """A record in which no attribute is absent and every list has something in it."""
    hello = client_hello(
        alpn=("h2", "http/1.1"),
        supported_versions=(0x0A0A, 0x0304, 0x0303),
        supported_groups=(29, 23),
        key_share_groups=(29,),
        signature_schemes=(0x0403, 0x0804),
        signature_schemes_cert=(0x0403,),
        ec_point_formats=(0,),
        psk_key_exchange_modes=(1,),
        compress_certificate=(1,),
        certificate_authorities=(load(ROOT.der).subject.der,),
        session_ticket_bytes=0,
        psk_identities=1,
        ech="outer",
        fixed_pattern="google",
        oddities=("odd",),
        session_id=b"\1" * 32,
    )
    answer = server_hello(extensions=(43, 51), key_share_group=29, alpn="h2", psk_identity=0, downgrade="TLSv1.2")
    return failed(
        client_hello=hello,
        first_client_hello=hello,
        server_hello=answer,
        hello_retry_request=answer,
        next_protocol="h2",
        curve="x25519",
        ja3="a" * 32,
        ja3s="b" * 32,
        ja4="t13d",
        preamble="HTTP CONNECT",
        not_tls=("SIP", Side.CLIENT, b"OPTIONS"),
        malformed=("client: byte 7: odd",),
        client_auth_13=ClientAuth13("sent", "high", True, False, (100, 53), (19,), (9,)),
        client_certificate_state=CertificateState.INFERRED_SENT,
        worked_beside=BESIDE,
        visibility={"conflict_frames": (1, 2), "gap_side": Side.SERVER, "one_sided": Side.CLIENT},
    )


def summary(**facts: Any) -> CaptureSummary:
    """The end of an input with 20 packets."""
    usual: dict[str, Any] = {
        "capture": "test.pcap",
        "format": "pcap",
        "packets": 20,
        "bytes": 4000,
        "decoded": 17,
        "reasons": {"udp": 2, "arp": 1},
        "tcp_streams": 2,
        "connections": 2,
        "tls_connections": 2,
        "first_ns": START_NS,
        "last_ns": START_NS + 90 * SECOND_NS,
        "ports": {("tcp", 5061): 17, ("udp", 53): 2},
    }
    return CaptureSummary(**(usual | facts))


def full_summary() -> CaptureSummary:
    """A summary in which no attribute is absent."""
    return summary(
        files=("a.pcap", "b.pcap"),
        snap_length=96,
        dropped=2**60,
        cut_packets=3,
        one_sided=1,
        evicted=1,
        findings=(finding("pool-members-differ", Severity.WARNING),),
        comparisons=(
            replace(BESIDE, after_ns=2_000_000_000),
            replace(BESIDE, relation=Relation.SAME_NAME, differences=()),
        ),
        amendments=(Amendment("C1", "withdrawn", "server-chain-incomplete", "the issuer is a root"),),
        notes=("local time of an unknown zone",),
        error="test.pcap: ends 12 bytes into a packet",
    )


def repeated() -> Repeated:
    """400 refused connections, one every five seconds."""
    return Repeated(
        "test.pcap",
        "connection-refused",
        "192.0.2.1",
        "2001:db8::5",
        5061,
        400,
        START_NS,
        START_NS + SECOND_NS,
        SECOND_NS,
    )


def lost() -> LostPackets:
    """1,204 packets within a second."""
    return LostPackets("test.pcap", START_NS, START_NS + SECOND_NS, 1204)


def written(output: Output, items: Iterable[Item], **options: Any) -> bytes:
    """What an output writes for these items."""
    out = BytesIO()
    output.write(items, out, OutputOptions(**options))
    return out.getvalue()


def written_until(output: Output, *items: Item) -> bytes:
    """What an output has written when somebody presses Ctrl-C after these items."""

    def interrupted() -> Iterator[Item]:
        yield from items
        raise KeyboardInterrupt

    out = BytesIO()
    with pytest.raises(KeyboardInterrupt):
        output.write(interrupted(), out, OutputOptions())
    return out.getvalue()


KEPT = {"severity", "confidence", "how", "change", "capture_kind", "outcome"}
"""Attributes with a fixed set of values, which no peer chooses."""


def poisoned(record: Any, text: str) -> Any:
    """A copy of a record in which every text, however deep, is `text`. Numbers, bytes and fixed words stay."""
    if isinstance(record, str):
        return text if type(record) is str else record
    if isinstance(record, tuple):
        return tuple(poisoned(item, text) for item in record)
    if isinstance(record, Name):
        return replace(record, text=text, attributes=(("2.5.4.3", text),))
    if is_dataclass(record) and not isinstance(record, type):
        changed = {
            field.name: poisoned(getattr(record, field.name), text)
            for field in fields(record)
            if field.init and field.name not in KEPT
        }
        return replace(record, **changed)
    return record


def poisoned_item(item: Item, text: str) -> Item:
    """A hostile copy of an item; `client_certificate` of the TLS 1.3 inference keeps its fixed word."""
    copy = poisoned(item, text)
    if isinstance(copy, Connection) and isinstance(item, Connection):
        copy = replace(copy, client_ip=item.client_ip, server_ip=item.server_ip, client_auth_13=item.client_auth_13)
    return cast(Item, copy)


def established(conn: Connection) -> Connection:
    """The same, but it went well."""
    return replace(conn, outcome=Outcome.ESTABLISHED, established=True)
