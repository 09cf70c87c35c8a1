"""How a direction opens: with a TLS record, a hello in SSLv2 format, plain text that may lead to TLS, or in the middle."""

from __future__ import annotations

from enum import Enum

from analyzer.tls import sslv2
from analyzer.tls.messages import Event, Handshake, Lost, Malformed, NotTls, Preamble, Span
from analyzer.tls.names import HandshakeType
from analyzer.tls.preamble import HEADER, MAX_PREAMBLE, Boundary, Search, is_clear, is_record, may_be_record
from analyzer.tls.protocols import SAMPLE, Protocol, preamble_name

_CLIENT_HELLO, _SERVER_HELLO = int(HandshakeType.client_hello), int(HandshakeType.server_hello)
_SSLV2_KINDS = (sslv2.CLIENT_HELLO, sslv2.SERVER_HELLO, sslv2.ERROR)


class State(Enum):
    """Where one direction stands."""

    START = "start"
    """Nothing is known yet."""
    PLAIN = "plain"
    """The start is no TLS; looking for TLS behind it."""
    CLEAR = "clear"
    """Records are readable."""
    OPAQUE = "opaque"
    """Encrypted from here on."""
    BROKEN = "broken"
    """Bytes are missing or break the framing; said once, then silent."""
    NOT_TLS = "not-tls"
    """No TLS; said once, then silent."""


class Opening:
    """The first bytes of a direction, until it is known where its records begin.

    Attributes:
        state: START or PLAIN while that is not known; the answer afterwards.
        protocol: name of the plain text before TLS; "" if there was none.
        sslv2: the direction began with a message in SSLv2 format.
        client: that message was a hello of the client.
        fixed: it was a known pseudo-TLS hello.
    """

    __slots__ = ("_boundary", "_search", "_start", "client", "fixed", "protocol", "sslv2", "state")

    def __init__(self, *, mid_stream: bool = False) -> None:
        self.state = State.START
        self.protocol = ""
        self.sslv2 = self.client = self.fixed = False
        self._start = bytearray()
        self._search: Search | None = None
        self._boundary = Boundary() if mid_stream else None

    def feed(self, data: bytes, offset: int, events: list[Event]) -> tuple[bytes, int] | None:
        """The next bytes; `offset` is the stream's behind them. Once known: the bytes to frame and where they lie."""
        if self._search is not None:
            return self._search_on(self._search, data, offset, events)
        if self._boundary is not None:
            return self._find_boundary(self._boundary, data, offset)
        start = self._start
        if not start and len(data) >= HEADER and is_record(data):
            self.state = State.CLEAR
            return data, 0
        start += data
        if len(start) < HEADER:
            return None
        if is_record(start):
            self.state = State.CLEAR
            return bytes(start), 0
        if start[0] & 0x80 and start[2] in _SSLV2_KINDS:
            size = sslv2.record_size(bytes(start[: sslv2.NEED]))
            if size is not None:
                return self._begin_sslv2(size, events) if len(start) >= size else None
            if len(start) < sslv2.NEED and start[2] != sslv2.ERROR:
                return None
        self.state, self._search = State.PLAIN, Search()
        return self._search_on(self._search, bytes(start), offset, events)

    def gap(self, size: int, at: int) -> list[Event]:
        """Bytes are missing. Plain text can be searched on behind them; a start that was not seen may be anything."""
        lost = Lost(None, None, size, at, False)
        if self._boundary is not None or not at:
            self._boundary = Boundary()
            return [lost]
        if self._search is None and (may_be_record(self._start) or self._start[0] & 0x80):
            self.state = State.BROKEN
            return [lost]
        seen = self._search or Search(self._start)
        protocol = seen.finish()
        if not protocol.leads:
            return [lost, self._not_tls(protocol, seen.text, at)]
        self.state, self._search = State.PLAIN, Search(protocol=protocol)
        return [lost]

    def finish(self, offset: int) -> list[Event]:
        """The stream ends before it was known."""
        if self._search is not None:
            return [self._not_tls(self._search.finish(), self._search.text, offset)]
        if self._boundary is not None or not self._start:
            return []
        if may_be_record(self._start):
            self.state = State.BROKEN
            return [Lost(None, self._start[0], HEADER - len(self._start), offset, False)]
        return [self._not_tls(Search(self._start).finish(), self._start, offset)]

    def _search_on(self, search: Search, data: bytes, offset: int, events: list[Event]) -> tuple[bytes, int] | None:
        """Behind plain text."""
        search.feed(data)
        base = offset - len(search.text)
        if search.found is not None:
            self.state = State.CLEAR
            text, found = bytes(search.text), search.found
            self.protocol = search.protocol.name if search.protocol and base else preamble_name(text[:found])
            events.append(Preamble(self.protocol, Span(0, base + found)))
            return text[found:], base + found
        if search.over:
            protocol = search.finish()
            looked = MAX_PREAMBLE if protocol.leads else SAMPLE
            events.append(self._not_tls(protocol, search.text, base + looked))
        return None

    def _find_boundary(self, boundary: Boundary, data: bytes, offset: int) -> tuple[bytes, int] | None:
        """In the middle of a connection."""
        found = boundary.search(data)
        if found is None:
            if len(boundary.text) > MAX_PREAMBLE:
                self.state = State.BROKEN
            return None
        record = bytes(boundary.text[found:])
        self.state = State.CLEAR if is_clear(record) else State.OPAQUE
        return record, offset - len(record)

    def _begin_sslv2(self, size: int, events: list[Event]) -> tuple[bytes, int]:
        """A whole message in SSLv2 format. Its lengths add up (record_size has looked), so that parsing cannot fail."""
        data = bytes(self._start)
        self.state, self.sslv2 = State.CLEAR, True
        payload, span = data[sslv2.HEADER : size], Span(0, size)
        self.client = payload[0] == sslv2.CLIENT_HELLO
        if self.client:
            client = sslv2.parse_client_hello(payload)
            events.append(Handshake(_CLIENT_HELLO, client, size, 1, span))
            self.fixed = client.fixed_pattern is not None
        elif payload[0] == sslv2.SERVER_HELLO:
            server, chain = sslv2.parse_server_hello(payload)
            events.append(Handshake(_SERVER_HELLO, server, size, 1, span))
            if chain.certificates:
                events.append(Handshake(int(HandshakeType.certificate), chain, size, 1, span))
        else:
            events.append(Malformed(f"SSLv2 error: {sslv2.parse_error(payload)}", 0))
        return data[size:], size

    def _not_tls(self, protocol: Protocol, text: bytearray, looked: int) -> NotTls:
        self.state = State.NOT_TLS
        return NotTls(protocol.name, bytes(text[:SAMPLE]), Span(0, looked))
