"""Handshake messages from the fragments of handshake records. RFC 8446 section 5.1: a message may span records, and a
record may hold several messages.

Knows what the direction has said before (Context), since the form of later messages hangs on it.
"""

from __future__ import annotations

from dataclasses import replace

from analyzer import knowledge
from analyzer.tls.handshake import Context, parse_message
from analyzer.tls.messages import ClientHello, Event, Handshake, Malformed, ServerHello, Span
from analyzer.tls.names import TLS13, HandshakeType
from analyzer.tls.preamble import MESSAGE_HEADER

MAX_MESSAGE = 2**20
"""Ours, not the RFC's: bounds memory per direction."""
BEGINNING = 64 * 1024
"""Of a chain that is larger, so much is read."""
MAX_REPEATS = 10
"""Events kept of one kind that a peer can repeat without end; the others are only counted."""
_CLIENT_HELLO, _CERTIFICATE = int(HandshakeType.client_hello), int(HandshakeType.certificate)
_SERVER_HELLOS = frozenset((int(HandshakeType.server_hello), int(HandshakeType.hello_retry_request)))
"""Plain numbers: enum look-ups cost as much as the rest of the loop."""
_MS_TURN_SUITE, _MS_TURN_FRAGMENT = 0x0018, 0x4E
_SERVER_HELLO_DONE = b"\x0e\0\0\0"


class Assembler:
    """One direction's handshake messages.

    Attributes:
        context: what the direction's ServerHello said.
        counts: messages seen by HandshakeType, the uncounted events included.
        retried: the last message was a HelloRetryRequest.
        sealed: the direction's ServerHello chose TLS 1.3: all that follows is encrypted.
        idle: the next byte starts a message.
        fixed: a pseudo-TLS hello was seen: what follows is no TLS.
        stopped: one of these two.
        suppressed: messages beyond MAX_REPEATS of one type that became no event.
    """

    __slots__ = (
        "_at",
        "_message",
        "_records",
        "_skip",
        "_skipped",
        "_unframed",
        "context",
        "counts",
        "fixed",
        "idle",
        "retried",
        "sealed",
        "stopped",
        "suppressed",
    )

    def __init__(self) -> None:
        self.context = Context()
        self.counts: dict[int, int] = {}
        self.retried = self.sealed = self.fixed = self.stopped = False
        self.suppressed = 0
        self._message = bytearray()  # less than one whole message, header included
        self._at = 0  # where it starts in the stream
        self._records = 0
        self._skip = 0  # bytes still to come of a message that is lost or too large
        self._skipped: int | None = None  # its type
        self.idle = True
        self._unframed = False  # the next message's start is not known

    def copy(self) -> Assembler:
        """Another one at the same place; only while `idle`."""
        other = Assembler()
        other.context, other.counts = replace(self.context), self.counts.copy()
        other.retried, other.sealed = self.retried, self.sealed
        other.fixed, other.stopped, other.suppressed = self.fixed, self.stopped, self.suppressed
        return other

    @property
    def pending(self) -> int | None:
        """Type of the message that is not whole yet; None if there is none."""
        return self._message[0] if self._message else None

    def feed(self, data: bytes, pos: int, end: int, base: int, events: list[Event], *, continued: bool = False) -> None:
        """Take `data[pos:end]`, a record's fragment; `base` is the stream offset of `data[0]`. `continued`: a further part
        of a fragment that came before."""
        if self._message and not continued:
            self._records += 1
        start = pos
        while pos < end and not (self._unframed or self.sealed):
            if self._skip:
                step = min(self._skip, end - pos)
                self._skip -= step
                pos += step
            elif self._message:
                pos = self._continue(data, pos, end, base, events)
            else:
                size = end - pos
                if size >= MESSAGE_HEADER:
                    size = MESSAGE_HEADER + (data[pos + 1] << 16 | data[pos + 2] << 8 | data[pos + 3])
                    if size <= end - pos:
                        self.emit(data, pos, pos + size, Span(base + pos, base + pos + size), 1, events)
                        pos += size
                        continue
                self._at, self._records = base + pos, 1
                pos = self._continue(data, pos, end, base, events)
        self._update_idle()
        if self.context.cipher_suite == _MS_TURN_SUITE and end - start == _MS_TURN_FRAGMENT:
            self._mark_ms_turn(data[start:end], events)

    def _continue(self, data: bytes, pos: int, end: int, base: int, events: list[Event]) -> int:
        """Add to the message that is not whole; the new position."""
        message = self._message
        if len(message) < MESSAGE_HEADER:
            step = min(MESSAGE_HEADER - len(message), end - pos)
            message += data[pos : pos + step]
            pos += step
            if len(message) < MESSAGE_HEADER:
                return pos
            if self._total() > MAX_MESSAGE:
                self._refuse(events)
                if not message:
                    return pos
        size = self._total()
        kept = size if size <= MAX_MESSAGE else MESSAGE_HEADER + BEGINNING
        step = min(kept - len(message), end - pos)
        message += data[pos : pos + step]
        if len(message) == kept:
            part = bytes(message)
            message.clear()
            self._skip, self._skipped = size - kept, part[0]
            if kept == size or 0 < int.from_bytes(part[7:10]) <= kept - 10:  # whole, or with a whole certificate in it
                self.emit(part, 0, kept, Span(self._at, base + pos + step), self._records, events)
        return pos + step

    def _refuse(self, events: list[Event]) -> None:
        """A message that is too large: of a chain its beginning is read, of others nothing."""
        kind, size = self._message[0], self._total() - MESSAGE_HEADER
        events.append(Malformed(f"{_name(kind)} announces {size:,} bytes", self._at))
        if kind != _CERTIFICATE:
            self._skip, self._skipped = size, kind
            self._message.clear()

    def emit(self, data: bytes, pos: int, end: int, span: Span, records: int, events: list[Event]) -> None:
        """A whole message, header included, is `data[pos:end]`; it lies at `span` in the stream."""
        kind, counts = data[pos], self.counts
        self.retried = False
        if kind in counts:
            counts[kind] += 1
            if counts[kind] > MAX_REPEATS:
                self.suppressed += 1
                return
        else:
            counts[kind] = 1
        parsed = parse_message(kind, data, self.context, pos + MESSAGE_HEADER, end)
        if kind == _CLIENT_HELLO:
            self.fixed = isinstance(parsed, ClientHello) and parsed.fixed_pattern is not None
            self.stopped = self.sealed or self.fixed
        elif kind in _SERVER_HELLOS and isinstance(parsed, ServerHello):
            self._on_server_hello(parsed)
        events.append(Handshake(kind, parsed, end - pos, records, span))

    def _on_server_hello(self, hello: ServerHello) -> None:
        self.context.version, self.context.cipher_suite = hello.selected_version, hello.cipher_suite
        self.retried = hello.hello_retry_request
        is_13 = hello.selected_version == TLS13 or hello.selected_version >> 8 == 0x7F
        self.sealed = is_13 and not self.retried
        self.fixed = hello.fixed_pattern is not None
        self.stopped = self.sealed or self.fixed

    def _mark_ms_turn(self, fragment: bytes, events: list[Event]) -> None:
        """[MS-TURN] section 2.1.1: ServerHello and ServerHelloDone fill one record, and no certificate comes."""
        if not fragment.startswith(b"\2\0\0\x46\3\1") or not fragment.endswith(_SERVER_HELLO_DONE) or len(events) < 2:
            return
        hello = events[-2]
        if isinstance(hello, Handshake) and isinstance(hello.body, ServerHello):
            body = replace(hello.body, fixed_pattern="ms-turn")
            events[-2] = Handshake(hello.type, body, hello.size, hello.records, hello.span)
            self.fixed = self.stopped = True

    def hole(self, size: int) -> int | None:
        """`size` bytes of fragments are missing here. The type of the message that is lost by it, if known.

        Goes on behind the message if its end is known and the hole does not reach beyond it; else no later message of
        this direction can be framed.
        """
        if not self._skip and len(self._message) >= MESSAGE_HEADER:
            self._skip, self._skipped = self._total() - len(self._message), self.pending
            self._message.clear()
        kind = self._skipped if self._skip else self.pending
        step = min(self._skip, size)
        self._skip -= step
        if step < size:
            self._unframed = True
            self._message.clear()
        self._update_idle()
        return kind

    def drop(self) -> int | None:
        """Give up the message that is not whole; its type if there was one."""
        kind = self.pending
        self._message.clear()
        self._skip = 0
        self._update_idle()
        return kind

    def missing(self) -> int:
        """Bytes that the message that is not whole still needs, as far as known; 0 if there is none."""
        return self._total() - len(self._message) if self._message else 0

    def _update_idle(self) -> None:
        self.idle = not (self._message or self._skip or self._unframed)

    def _total(self) -> int:
        message = self._message
        if len(message) < MESSAGE_HEADER:
            return MESSAGE_HEADER
        return MESSAGE_HEADER + (message[1] << 16 | message[2] << 8 | message[3])


def _name(kind: int) -> str:
    return f"handshake message {knowledge.handshake_type(kind)}"
