"""Records to JSON bytes, fast: what repeats from one connection to the next is encoded once and spliced in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.json import Encoder

from analyzer.connection import Connection
from analyzer.report.certificates import certificate_object
from analyzer.report.hellos import (
    client_hello_head,
    client_hello_key,
    client_hello_offer,
    request_head,
    request_key,
    request_list,
    server_hello_choice,
    server_hello_head,
    server_hello_key,
)
from analyzer.report.mapping import (
    ca_list_object,
    connection_end,
    connection_head,
    connection_key,
    connection_shared,
    finding_head,
    finding_rest,
    visibility_head,
    visibility_key,
    visibility_rest,
)
from analyzer.report.safe import ascii_json, utf8

KEPT = 4096
"""Parts remembered of each kind. A part may be up to a megabyte, so memory has `KEPT_BYTES` as well."""
KEPT_BYTES = 8 * 1024 * 1024
WRITTEN = 200_000
"""Certificates and CA lists known to be written; more different ones than that and a few are written twice."""
_encode = Encoder().encode


def to_json(value: Any) -> bytes:
    """ASCII-safe JSON. Lone surrogates (file names that are no UTF-8) become `\\xNN`."""
    try:
        document = _encode(value)
    except UnicodeEncodeError:
        document = _encode(_repaired(value))
    return ascii_json(document)


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, dict):
        return {utf8(key): _repaired(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_repaired(item) for item in value]
    return value


def _members(value: dict[str, Any]) -> bytes:
    """The members of a JSON object, without its braces."""
    return to_json(value)[1:-1]


class _Memo:
    """Encoded members by key, thrown away all at once when there are too many."""

    def __init__(self) -> None:
        self._parts: dict[Any, bytes] = {}
        self._bytes = 0

    def get(self, key: Any, make: Callable[[Any], dict[str, Any]], source: Any) -> bytes:
        part = self._parts.get(key)
        if part is None:
            part = _members(make(source))
            if len(self._parts) >= KEPT or self._bytes + len(part) > KEPT_BYTES:
                self._parts.clear()
                self._bytes = 0
            self._parts[key] = part
            self._bytes += len(part)
        return part


class ConnectionEncoder:
    """Connections of one output, and the certificates and CA lists that they need, each once.

    A connection is nearly all repetition: its bytes are handed out in pieces, so that what is remembered is copied once,
    when the pieces are joined for writing.
    """

    def __init__(self) -> None:
        self._written: dict[str, None] = {}
        self._shared, self._visibilities, self._findings = _Memo(), _Memo(), _Memo()
        self._client_hellos, self._server_hellos, self._requests = _Memo(), _Memo(), _Memo()

    def connection(self, conn: Connection) -> list[bytes]:
        """The pieces of the connection as one JSON object; the same keys and values as `mapping.connection_object`."""
        pieces = [
            to_json(connection_head(conn))[:-1],
            b",",
            self._shared.get(connection_key(conn), connection_shared, conn),
        ]
        hello, answer, request = conn.client_hello, conn.server_hello, conn.certificate_request
        if hello is None:
            pieces.append(b',"client_hello":null')
        else:
            rest = self._client_hellos.get(client_hello_key(hello), client_hello_offer, hello)
            pieces += (b',"client_hello":', to_json(client_hello_head(conn, hello))[:-1], b",", rest, b"}")
        if answer is None:
            pieces.append(b',"server_hello":null')
        else:
            rest = self._server_hellos.get(server_hello_key(answer), server_hello_choice, answer)
            pieces += (b',"server_hello":', to_json(server_hello_head(conn, answer))[:-1], b",", rest, b"}")
        if request is None:
            pieces.append(b',"certificate_request":null')
        else:
            rest = self._requests.get(request_key(request), request_list, request)
            pieces += (b',"certificate_request":', to_json(request_head(conn, request))[:-1], b",", rest, b"}")
        rest = self._visibilities.get(visibility_key(conn), visibility_rest, conn)
        pieces += (b',"visibility":', to_json(visibility_head(conn))[:-1], b",", rest, b'},"findings":[')
        pieces += self._told(conn)
        pieces += (b"],", to_json(connection_end(conn))[1:])
        return pieces

    def _told(self, conn: Connection) -> Iterator[bytes]:
        for index, finding in enumerate(conn.findings):
            key = (finding.rule, finding.summary, finding.advice, finding.severity._value_, finding.confidence._value_)
            if index:
                yield b","
            yield to_json(finding_head(finding, conn))[:-1]
            yield b","
            yield self._findings.get(key, finding_rest, finding)
            yield b"}"

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
