"""Records to JSON bytes, fast: what repeats from one connection to the next is encoded once and spliced in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Raw
from msgspec.json import Encoder

from analyzer.connection import CertificateRequest, Connection
from analyzer.findings import Finding
from analyzer.report.certificates import certificate_object
from analyzer.report.hellos import (
    client_hello_head,
    client_hello_key,
    client_hello_offer,
    request_head,
    request_list,
    server_hello_choice,
    server_hello_head,
    server_hello_key,
)
from analyzer.report.mapping import (
    Nested,
    ca_list_object,
    connection_head,
    connection_key,
    connection_shared,
    connection_tail,
    finding_object,
    visibility_head,
    visibility_key,
    visibility_rest,
)
from analyzer.report.safe import ascii_json, utf8
from analyzer.tls.messages import ClientHello, ServerHello

if TYPE_CHECKING:
    from analyzer.report import objects

KEPT = 4096
"""Parts remembered of each kind. A part may be up to a megabyte, so memory has `KEPT_BYTES` as well."""
KEPT_BYTES = 8 * 1024 * 1024
WRITTEN = 200_000
"""Certificates and CA lists known to be written; more different ones than that and a few are written twice."""
_encode = Encoder().encode


def to_json(value: Any) -> bytes:
    """ASCII-safe JSON."""
    return ascii_json(_part(value))


def _part(value: Any) -> bytes:
    """JSON. Lone surrogates (file names that are no UTF-8) become `\\xNN`."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(_repaired(value))


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, dict):
        return {utf8(key): _repaired(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_repaired(item) for item in value]
    return value


class _Memo:
    """Encoded parts by key, thrown away all at once when there are too many."""

    def __init__(self) -> None:
        self._parts: dict[Any, bytes] = {}
        self._bytes = 0

    def get(self, key: Any, make: Callable[[Any], Any], source: Any) -> bytes:
        part = self._parts.get(key)
        if part is None:
            part = _part(make(source))
            if len(self._parts) >= KEPT or self._bytes + len(part) > KEPT_BYTES:
                self._parts.clear()
                self._bytes = 0
            self._parts[key] = part
            self._bytes += len(part)
        return part


def _spliced(head: dict[str, Any], rest: bytes) -> Any:
    """One JSON object of `head` and the members of the object `rest`."""
    return Raw(b"%b,%b" % (_part(head)[:-1], rest[1:]))


class _Remembered(Nested):
    """The repeating parts of a connection, encoded once."""

    def __init__(self) -> None:
        self._client_hellos, self._server_hellos = _Memo(), _Memo()
        self._visibilities, self._requests, self._findings = _Memo(), _Memo(), _Memo()

    def client_hello(self, conn: Connection, hello: ClientHello) -> objects.ClientHelloObject:
        rest = self._client_hellos.get(client_hello_key(hello), client_hello_offer, hello)
        spliced: objects.ClientHelloObject = _spliced(client_hello_head(conn, hello), rest)
        return spliced

    def server_hello(self, conn: Connection, hello: ServerHello) -> objects.ServerHelloObject:
        rest = self._server_hellos.get(server_hello_key(hello), server_hello_choice, hello)
        spliced: objects.ServerHelloObject = _spliced(server_hello_head(conn, hello), rest)
        return spliced

    def visibility(self, conn: Connection) -> objects.VisibilityObject:
        rest = self._visibilities.get(visibility_key(conn), visibility_rest, conn)
        spliced: objects.VisibilityObject = _spliced(visibility_head(conn), rest)
        return spliced

    def request(self, request: CertificateRequest) -> objects.CertificateRequestObject:
        names = request.ca_list
        key = (names.id, names.size, request.certificate_types, request.signature_schemes, names.complete, request.size)
        rest = self._requests.get(key, request_list, request)
        spliced: objects.CertificateRequestObject = _spliced(request_head(request), rest)
        return spliced

    def finding(self, finding: Finding) -> objects.FindingObject:
        key = (finding.rule, finding.summary, finding.advice, finding.severity, finding.confidence)
        rest = self._findings.get(key, _finding_rest, finding)
        spliced: objects.FindingObject = _spliced({"frames": finding.frames, "filter": finding.filter}, rest)
        return spliced


def _finding_rest(finding: Finding) -> dict[str, Any]:
    whole: dict[str, Any] = dict(finding_object(finding))
    del whole["frames"], whole["filter"]
    return whole


class ConnectionEncoder:
    """Connections of one output, and the certificates and CA lists that they need, each once."""

    def __init__(self) -> None:
        self._nested, self._shared = _Remembered(), _Memo()
        self._written: dict[str, None] = {}

    def connection(self, conn: Connection) -> bytes:
        """The connection as one JSON object."""
        shared = self._shared.get(connection_key(conn), connection_shared, conn)
        head, tail = _part(connection_head(conn)), _part(connection_tail(conn, self._nested))
        return ascii_json(b"%b,%b,%b" % (head[:-1], shared[1:-1], tail[1:]))

    def certificates(self, conn: Connection) -> Iterator[bytes]:
        """Objects of type `certificate` that were not yielded before."""
        for sent in (conn.server_chain, conn.client_chain):
            if sent is None:
                continue
            for certificate in sent.chain.certificates:
                if certificate.sha256 not in self._written and self._first(certificate.sha256):
                    yield to_json(certificate_object(certificate))

    def ca_lists(self, conn: Connection) -> Iterator[bytes]:
        """The object of type `ca-list`, if this list was not yielded before."""
        request = conn.certificate_request
        if request is not None and request.ca_list.id not in self._written and self._first(request.ca_list.id):
            yield to_json(ca_list_object(request.ca_list))

    def _first(self, key: str) -> bool:
        if len(self._written) >= WRITTEN:
            del self._written[next(iter(self._written))]
        self._written[key] = None
        return True
