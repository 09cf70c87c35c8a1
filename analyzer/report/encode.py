"""Records to JSON bytes, fast: what repeats from one connection to the next is encoded once and spliced in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.json import Encoder

from analyzer.connection import Connection
from analyzer.report.certificates import certificate_object
from analyzer.report.heads import as_dict
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
    finding_key,
    finding_rest,
    visibility_head,
    visibility_key,
    visibility_rest,
)
from analyzer.report.safe import DEL, ascii_json, utf8

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
    return document if document.isascii() and DEL not in document else ascii_json(document)


def _repaired(value: Any) -> Any:
    if isinstance(value, Struct):
        return _repaired(as_dict(value))
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, dict):
        return {utf8(key): _repaired(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_repaired(item) for item in value]
    return value


def _head(head: Struct) -> bytes:
    """The JSON object without its closing brace: what is remembered goes on behind it."""
    return to_json(head)[:-1]


class _Memo:
    """Encoded members by key, thrown away all at once when there are too many. `make` tells them from what is encoded;
    `behind` are the bytes between them and the next head."""

    def __init__(self, make: Callable[[Any], dict[str, Any]], behind: bytes) -> None:
        self._make = make
        self._behind = behind
        self._parts: dict[Any, bytes] = {}
        self._bytes = 0

    def get(self, key: Any, source: Any) -> bytes:
        return self._parts.get(key) or self._keep(key, source)

    def _keep(self, key: Any, source: Any) -> bytes:
        part = b"," + to_json(self._make(source))[1:-1] + self._behind
        if len(self._parts) >= KEPT or self._bytes + len(part) > KEPT_BYTES:
            self._parts.clear()
            self._bytes = 0
        self._parts[key] = part
        self._bytes += len(part)
        return part


class ConnectionEncoder:
    """Connections of one output, and the certificates and CA lists that they need, each once.

    A connection is nearly all repetition: its bytes are handed out in pieces, heads that are its own and remembered parts
    in turn, so that what is remembered is copied once, when the pieces are joined for writing.
    """

    def __init__(self) -> None:
        self._written: dict[str, None] = {}
        self._shared = _Memo(connection_shared, b',"client_hello":')
        self._client_hellos = _Memo(client_hello_offer, b'},"server_hello":')
        self._server_hellos = _Memo(server_hello_choice, b'},"certificate_request":')
        self._requests = _Memo(request_list, b'},"visibility":')
        self._visibilities = _Memo(visibility_rest, b'},"findings":[')
        self._findings = _Memo(finding_rest, b"}")

    def connection(self, conn: Connection) -> list[bytes]:
        """The pieces of the connection as one JSON object; the same keys and values as `mapping.connection_object`."""
        hello, answer, request = conn.client_hello, conn.server_hello, conn.certificate_request
        pieces = [_head(connection_head(conn)), self._shared.get(connection_key(conn), conn)]
        if hello is None:
            pieces.append(b'null,"server_hello":')
        else:
            pieces += _head(client_hello_head(conn, hello)), self._client_hellos.get(client_hello_key(hello), hello)
        if answer is None:
            pieces.append(b'null,"certificate_request":')
        else:
            pieces += _head(server_hello_head(conn, answer)), self._server_hellos.get(server_hello_key(answer), answer)
        if request is None:
            pieces.append(b'null,"visibility":')
        else:
            pieces += _head(request_head(conn, request)), self._requests.get(request_key(request), request)
        pieces += _head(visibility_head(conn)), self._visibilities.get(visibility_key(conn), conn)
        for index, finding in enumerate(conn.findings):
            if index:
                pieces.append(b",")
            pieces += _head(finding_head(finding, conn)), self._findings.get(finding_key(finding), finding)
        pieces += b"],", to_json(connection_end(conn))[1:]
        return pieces

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
