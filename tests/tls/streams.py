"""Helpers for tests of `TlsStream`: cut bytes into slices, and say events in one word each."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from analyzer.tls.messages import (
    Alert,
    ChangeCipherSpec,
    Event,
    Handshake,
    Lost,
    Malformed,
    NotTls,
    OpaqueRecord,
    Preamble,
)
from analyzer.tls.stream import TlsStream


def slices(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The data cut at these places; places behind its end count from the start again."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


def events_of(data: bytes, cuts: Iterable[int] = (), *, mid_stream: bool = False) -> list[Event]:
    """All events of one direction that ends after `data`."""
    stream = TlsStream(mid_stream=mid_stream)
    events = [event for part in slices(data, cuts) for event in stream.feed(part)]
    return events + stream.finish()


def holed(data: bytes, start: int, size: int) -> tuple[TlsStream, list[Event]]:
    """The same with `size` bytes from `start` on missing from the capture."""
    stream = TlsStream()
    events = stream.feed(data[:start]) + stream.gap(size) + stream.feed(data[start + size :])
    return stream, events + stream.finish()


def words(events: Sequence[Event]) -> list[str]:
    """ "1" = handshake message of type 1, "ccs", "alert 48", "opaque 23", "lost 11", "malformed", "not-tls SIP", ..."""
    return [_word(event) for event in events]


def _word(event: Event) -> str:
    match event:
        case Handshake():
            return str(int(event.type))
        case ChangeCipherSpec():
            return "ccs"
        case Alert():
            return f"alert {event.description}"
        case OpaqueRecord():
            return f"opaque {event.content_type}"
        case Preamble():
            return f"preamble {event.protocol}"
        case NotTls():
            return f"not-tls {event.protocol}"
        case Lost():
            return f"lost {event.what}" + ("" if event.resumed else " broken")
        case Malformed():
            return "malformed"
