"""Looking up messages of a side."""

from __future__ import annotations

from analyzer.folding.case import body, body_of, client_hello, server_hello
from analyzer.folding.timeline import Direction
from analyzer.tls.messages import ClientHello, Handshake, Plain, ServerHello, Span, Unreadable
from analyzer.tls.names import HandshakeType
from tests.scenarios.following import only


def message(kind: int, body: ClientHello | ServerHello | Plain | Unreadable) -> Handshake:
    return Handshake(kind, body, 4, 1, Span(0, 4))


def test_a_body_of_another_kind_is_none() -> None:
    done = message(14, Plain())
    assert body_of(None, Plain) is None and body_of(done, Plain) is done.body and body_of(done, ClientHello) is None


def test_a_message_that_is_not_there_or_cannot_be_read_has_no_body() -> None:
    direction = Direction(messages={1: message(1, Unreadable("too short"))})
    assert body(direction, HandshakeType.client_hello, ClientHello) is None
    assert client_hello(direction) is None and server_hello(Direction()) is None


def test_a_hello_retry_request_is_no_server_hello() -> None:
    conn = only("hello_retry_13")
    assert conn.hello_retry_request is not None and conn.server_hello is not None
    retry = Direction(messages={2: message(2, conn.hello_retry_request)})
    assert server_hello(retry) is None
    assert server_hello(Direction(messages={2: message(2, conn.server_hello)})) is conn.server_hello
