"""DNS over TCP: messages with their length in front (RFC 1035 section 4.2.2), in one segment or in a few in a row."""

from __future__ import annotations

from collections.abc import Iterator

DNS_PORT = 53
"""RFC 1035 section 4.2."""
MAX_STREAMS = 64
"""Directions that wait for the rest of a message; each holds less than 64 KiB."""
LENGTH = 2
Ends = tuple[str, int, str, int]


class DnsStreams:
    """Puts messages together. A direction with a hole begins anew with its next segment."""

    def __init__(self) -> None:
        self._waiting: dict[Ends, tuple[int, bytes]] = {}  # the next sequence number, and what there is of a message

    def feed(self, ends: Ends, seq: int, payload: bytes) -> Iterator[bytes]:
        """The messages that a segment completes. A whole message that cannot be told from its length is none."""
        expected, begun = self._waiting.pop(ends, (seq, b""))
        data = begun + payload if expected == seq else payload
        while len(data) >= LENGTH:
            size = LENGTH + int.from_bytes(data[:LENGTH])
            if len(data) < size:
                break
            yield data[LENGTH:size]
            data = data[size:]
        if data:
            if len(self._waiting) >= MAX_STREAMS:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[ends] = (seq + len(payload)) & 0xFFFFFFFF, data
