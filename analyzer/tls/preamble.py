"""Where TLS begins in a direction that does not begin with it: behind plain text, or in the middle of a connection.

Both searches are linear, keep a bounded buffer, and find the same place however the bytes are cut (but see
`Boundary.search`).
"""

from __future__ import annotations

import re

from analyzer import knowledge
from analyzer.tls.names import AlertLevel, ContentType, HandshakeType
from analyzer.tls.protocols import SAMPLE, UNKNOWN, Protocol, identify

MAX_RECORD = 2**14 + 2048
"""RFC 5246 section 6.2.3: the largest fragment that any version allows."""
MAX_PREAMBLE = 2**16
"""Ours: plain text before TLS is a few hundred bytes; bounds memory and time."""
MAX_HELLO = 2**16
"""Ours: a hello announced larger than this is taken for chance."""
HEADER, MESSAGE_HEADER = 5, 4
"""Bytes of the headers of a record and of a handshake message."""
_HELLO_SEEN = HEADER + MESSAGE_HEADER + 2
"""Bytes of a hello to look at: both headers and the version."""
_ALERT_SEEN = HEADER + 2
_MAX_UNDECIDED = 64
_SHORTEST_HELLO = 38
"""Body of a ServerHello without session id and extensions; no ClientHello is shorter than 41."""

_TLS_START = re.compile(rb"[\x15\x16]\x03[\x00-\x04]", re.DOTALL)
_RECORD_START = re.compile(rb"[\x14-\x18]\x03[\x00-\x04]", re.DOTALL)
_HELLOS = (HandshakeType.client_hello, HandshakeType.server_hello)
_CLEAR_MESSAGES = frozenset(HandshakeType)
_ENDS_A_REPLY = (b"\n", b">", b"S")
"""Last byte of the answer to STARTTLS: a line, an XML element, PostgreSQL's S."""


def is_record(data: bytes | bytearray, at: int = 0) -> bool:
    """Do five bytes from `at` look like a record header of any version?"""
    kind, length = data[at], data[at + 3] << 8 | data[at + 4]
    if not 20 <= kind <= 24 or data[at + 1] != 3 or length > MAX_RECORD:
        return False
    return kind == ContentType.handshake or (data[at + 2] <= 4 and length > 0)


def may_be_record(start: bytes | bytearray) -> bool:
    """Do fewer than five bytes look like the start of one?"""
    return len(start) > 0 and 20 <= start[0] <= 24 and (len(start) < 2 or start[1] == 3)


def is_hello(data: bytes | bytearray, at: int, kinds: tuple[int, ...] = _HELLOS) -> bool:
    """Does the handshake record at `at`, of which eleven bytes are there, start with a hello whose lengths and version fit?"""
    length, kind = data[at + 3] << 8 | data[at + 4], data[at + 5]
    size = data[at + 6] << 16 | data[at + 7] << 8 | data[at + 8]
    major, minor = data[at + 9], data[at + 10]
    if (
        kind not in kinds
        or not _SHORTEST_HELLO <= size <= MAX_HELLO
        or not _HELLO_SEEN - HEADER <= length <= MAX_RECORD
    ):
        return False
    if kind == HandshakeType.client_hello and size + MESSAGE_HEADER < length:
        return False  # nothing follows a ClientHello in its record
    return (major == 3 and minor <= 4) or major == 0x7F


class Search:
    """Looks for TLS behind plain text in the first 64 KiB of a direction.

    Attributes:
        text: the bytes so far.
        found: offset in `text` where TLS begins; None while it is not known.
        protocol: what the start looks like; None until SAMPLE bytes are there.
        over: nothing will be found any more: it is something else, or the 64 KiB are used up.
    """

    __slots__ = ("_next", "found", "over", "protocol", "text")

    def __init__(self, text: bytes | bytearray = b"", protocol: Protocol | None = None) -> None:
        self.text = bytearray(text)
        self.found: int | None = None
        self.protocol = protocol
        self.over = False
        self._next = 0

    def feed(self, data: bytes | bytearray) -> None:
        """Take more bytes and look again. Bytes behind the 64 KiB are kept only if TLS was found before them."""
        self.text += data
        self._look(min(len(self.text), SAMPLE))
        if self.found is None and self.protocol is None and len(self.text) >= SAMPLE:
            self.protocol = identify(bytes(self.text[:SAMPLE]))
        if self.found is None and self.protocol is not None:
            if self.protocol.leads:
                self._look(min(len(self.text), MAX_PREAMBLE))
            self.over = self.found is None and (not self.protocol.leads or len(self.text) >= MAX_PREAMBLE)

    def finish(self) -> Protocol:
        """The stream ends: what it looked like."""
        return self.protocol or identify(bytes(self.text[:SAMPLE]))

    def _look(self, limit: int) -> None:
        """Judge every candidate that ends before `limit`, each once."""
        while (match := _TLS_START.search(self.text, self._next, limit)) is not None:
            at = match.start()
            hello = self.text[at] == ContentType.handshake
            if at + (_HELLO_SEEN if hello else _ALERT_SEEN) > limit:
                self._next = at
                return
            if is_hello(self.text, at) if hello else self._is_refusal(at):
                self.found = at
                return
            self._next = at + 1
        self._next = max(self._next, limit - 2)

    def _is_refusal(self, at: int) -> bool:
        """A fatal alert right behind the answer to STARTTLS: the server gave up on the ClientHello at once."""
        alert = self.text[at + 3 : at + _ALERT_SEEN]
        if alert[:3] != b"\0\2\2" or not knowledge.known_alert(alert[3]) or alert[2] != AlertLevel.fatal:
            return False
        known = identify(bytes(self.text[: min(at, SAMPLE)]))
        return at > 0 and known is not UNKNOWN and known.leads and bytes(self.text[at - 1 : at]) in _ENDS_A_REPLY


class Boundary:
    """Looks for a record boundary in a direction whose start was not captured."""

    __slots__ = ("_next", "_undecided", "text")

    def __init__(self) -> None:
        self.text = bytearray()
        self._next = 0
        self._undecided: list[tuple[int, int]] = []  # offset, and the size of `text` that lets us judge it

    def search(self, data: bytes) -> int | None:
        """Offset in `text` of a record that is followed by another one, or ends where the data so far ends.

        The second form makes the answer hang on how the bytes are cut; without it a capture of a quiet connection, one
        record at a time, would never be understood.
        """
        self.text += data
        while (match := _RECORD_START.search(self.text, self._next)) is not None:
            self._next = match.start() + 1
            self._undecided.append((match.start(), match.start() + HEADER))
            if len(self._undecided) > _MAX_UNDECIDED:
                del self._undecided[0]
        size = len(self.text)
        self._next = max(self._next, size - 2)
        undecided = []
        for at, wanted in self._undecided:
            verdict = self._judge(at) if size >= wanted else wanted
            if verdict is True:
                return at
            if verdict is not False:
                undecided.append((at, verdict))
        self._undecided = undecided
        return None

    def _judge(self, at: int) -> bool | int:
        """True: a record starts here. False: it does not. Else the size of `text` at which to judge again."""
        size = len(self.text)
        if not is_record(self.text, at):
            return False
        end = at + HEADER + (self.text[at + 3] << 8 | self.text[at + 4])
        if end >= size:
            return True if end == size else end
        if end + HEADER > size:
            return end + HEADER
        return is_record(self.text, end) and self.text[end + 2] <= 4


def is_clear(record: bytes | bytearray) -> bool:
    """Is the first record of `record` in clear? A handshake record is if it holds whole messages of known types."""
    kind, end = record[0], HEADER + (record[3] << 8 | record[4])
    if kind != ContentType.handshake:
        return (kind, end - HEADER) in ((ContentType.change_cipher_spec, 1), (ContentType.alert, 2))
    at = HEADER
    while at + MESSAGE_HEADER <= end:
        if record[at] not in _CLEAR_MESSAGES:
            return False
        at += MESSAGE_HEADER + int.from_bytes(record[at + 1 : at + 4], "big")
    return at == end
