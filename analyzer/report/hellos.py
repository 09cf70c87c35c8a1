"""Hellos and certificate requests as objects of schema `mtlscope/1`, each in two parts: a head that differs from one
connection to the next, and a rest that repeats and is worth remembering (`encode.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.connection import CertificateRequest, Connection
from analyzer.report import codes
from analyzer.report.frames import label, labels
from analyzer.report.heads import ClientHelloHead, HelloRetry, RequestHead, ServerHelloHead, as_dict
from analyzer.tls.messages import ClientHello, ServerHello

if TYPE_CHECKING:
    from analyzer.report import objects

Name = Callable[[int], str]


def named(code: int, name: Name) -> objects.CodeObject:
    """A code and its name."""
    return {"code": code, "name": name(code)}


def _named(values: Sequence[int], name: Name) -> list[objects.CodeObject]:
    return [{"code": code, "name": name(code)} for code in values]


def _named_or_none(values: Sequence[int] | None, name: Name) -> list[objects.CodeObject] | None:
    return None if values is None else _named(values, name)


def _list(values: Sequence[Any] | None) -> list[Any] | None:
    return None if values is None else list(values)


def client_hello_object(conn: Connection, hello: ClientHello) -> objects.ClientHelloObject:
    """The last ClientHello."""
    return {**as_dict(client_hello_head(conn, hello)), **client_hello_offer(hello)}  # type: ignore[typeddict-item]


def client_hello_head(conn: Connection, hello: ClientHello) -> ClientHelloHead:
    """Where the hello is, and its random parts."""
    first, last = _hello_frames(conn)
    return ClientHelloHead(
        label(conn, last),
        None if conn.first_client_hello is None else label(conn, first),
        hello.random.hex(),
        hello.session_id.hex(),
        hello.server_name,
    )


def _hello_frames(conn: Connection) -> tuple[int | None, int | None]:
    """Frames of the first and, after a hello retry, of the last ClientHello."""
    frames = conn.frames_of("ClientHello")
    if not frames or conn.first_client_hello is None:
        return (frames[0], frames[0]) if frames else (None, None)
    return frames[0], max(step.frames[0] for step in conn.steps if step.name == "ClientHello")


def client_hello_key(hello: ClientHello) -> tuple[Any, ...]:
    """Everything that `client_hello_offer` depends on."""
    return (
        hello.cipher_suites,
        hello.extensions,
        hello.legacy_version,
        hello.record_version,
        hello.compression_methods,
        hello.alpn,
        hello.supported_versions,
        hello.supported_groups,
        hello.key_share_groups,
        hello.signature_schemes,
        hello.signature_schemes_cert,
        hello.ec_point_formats,
        hello.psk_key_exchange_modes,
        hello.compress_certificate,
        hello.certificate_authorities,
        hello.session_ticket_bytes,
        hello.psk_identities,
        hello.early_data,
        hello.ech,
        hello.sslv2,
        hello.fixed_pattern,
        hello.oddities,
    )


def client_hello_offer(hello: ClientHello) -> dict[str, Any]:
    """The lists of the hello: the same for every connection of one client program."""
    return {
        "record_version": named(hello.record_version, codes.version),
        "legacy_version": named(hello.legacy_version, codes.version),
        "versions": _named_or_none(hello.supported_versions, codes.version),
        "cipher_suites": _named(hello.cipher_suites, codes.cipher_suite),
        "compression_methods": list(hello.compression_methods),
        "extensions": _named_or_none(hello.extensions, codes.extension),
        "groups": _named_or_none(hello.supported_groups, codes.group),
        "key_share_groups": _named_or_none(hello.key_share_groups, codes.group),
        "signature_schemes": _named_or_none(hello.signature_schemes, codes.signature_scheme),
        "signature_schemes_cert": _named_or_none(hello.signature_schemes_cert, codes.signature_scheme),
        "ec_point_formats": _list(hello.ec_point_formats),
        "alpn": _list(hello.alpn),
        "psk_key_exchange_modes": _list(hello.psk_key_exchange_modes),
        "compress_certificate": _list(hello.compress_certificate),
        "certificate_authorities": codes.authorities(hello.certificate_authorities),
        "session_ticket_bytes": hello.session_ticket_bytes,
        "psk_identities": hello.psk_identities,
        "early_data": hello.early_data,
        "ech": hello.ech,
        "sslv2": hello.sslv2,
        "fixed_pattern": hello.fixed_pattern,
        "oddities": list(hello.oddities),
    }


def server_hello_object(conn: Connection, hello: ServerHello) -> objects.ServerHelloObject:
    """The ServerHello."""
    return {**as_dict(server_hello_head(conn, hello)), **server_hello_choice(hello)}  # type: ignore[typeddict-item]


def server_hello_head(conn: Connection, hello: ServerHello) -> ServerHelloHead:
    """Where the hello is, and its random parts."""
    frames = conn.frames_of("ServerHello")
    retry = conn.hello_retry_request
    return ServerHelloHead(
        label(conn, frames[0]) if frames else None,
        hello.random.hex(),
        hello.session_id.hex(),
        None if retry is None else _hello_retry(conn, retry),
    )


def _hello_retry(conn: Connection, retry: ServerHello) -> HelloRetry:
    frames = conn.frames_of("HelloRetryRequest")
    return HelloRetry(
        label(conn, frames[0]) if frames else None,
        named(retry.cipher_suite, codes.cipher_suite),
        None if retry.key_share_group is None else named(retry.key_share_group, codes.group),
    )


def server_hello_key(hello: ServerHello) -> tuple[Any, ...]:
    """Everything that `server_hello_choice` depends on."""
    return (
        hello.cipher_suite,
        hello.extensions,
        hello.legacy_version,
        hello.selected_version,
        hello.compression_method,
        hello.key_share_group,
        hello.alpn,
        hello.psk_identity,
        hello.downgrade,
        hello.sslv2,
        hello.fixed_pattern,
        hello.oddities,
    )


def server_hello_choice(hello: ServerHello) -> dict[str, Any]:
    """What repeats for every connection to one server."""
    return {
        "legacy_version": named(hello.legacy_version, codes.version),
        "version": named(hello.selected_version, codes.version),
        "cipher_suite": named(hello.cipher_suite, codes.cipher_suite),
        "compression_method": hello.compression_method,
        "extensions": _named_or_none(hello.extensions, codes.extension),
        "key_share_group": None if hello.key_share_group is None else named(hello.key_share_group, codes.group),
        "alpn": hello.alpn,
        "psk_identity": hello.psk_identity,
        "downgrade": hello.downgrade,
        "sslv2": hello.sslv2,
        "fixed_pattern": hello.fixed_pattern,
        "oddities": list(hello.oddities),
    }


def request_object(conn: Connection, request: CertificateRequest) -> objects.CertificateRequestObject:
    """The CertificateRequest."""
    return {**as_dict(request_head(conn, request)), **request_list(request)}  # type: ignore[typeddict-item]


def request_head(conn: Connection, request: CertificateRequest) -> RequestHead:
    """Where the request is."""
    frames = labels(conn, request.frames)
    return RequestHead(frames[0], frames, request.records)


def request_key(request: CertificateRequest) -> tuple[Any, ...]:
    """Everything that `request_list` depends on."""
    names = request.ca_list
    return (names.id, names.size, names.complete, request.certificate_types, request.signature_schemes, request.size)


def request_list(request: CertificateRequest) -> dict[str, Any]:
    """What repeats for every connection to one server."""
    return {
        "certificate_types": _named(request.certificate_types, codes.certificate_type),
        "signature_schemes": _named_or_none(request.signature_schemes, codes.signature_scheme),
        "ca_list": request.ca_list.id,
        "certificate_authorities_count": len(request.ca_list.names),
        "certificate_authorities_bytes": request.ca_list.size,
        "complete": request.ca_list.complete,
        "bytes": request.size,
    }
