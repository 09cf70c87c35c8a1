"""DNS over TCP: messages do not depend on how they were cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sightings.streams import MAX_STREAMS, DnsStreams

ENDS = ("192.0.2.1", 53, "192.0.2.2", 50_000)


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2) + message for message in messages)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.sets(st.integers(1, 1_000), max_size=6))
def test_messages_do_not_depend_on_segments(messages: list[bytes], cuts: set[int]) -> None:
    data, streams = framed(*messages), DnsStreams()
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    start = 2**32 - 100  # the numbers begin again on the way
    found = [m for a, b in pairwise(edges) for m in streams.feed(ENDS, (start + a) % 2**32, data[a:b])]
    assert found == messages


def test_a_hole_begins_anew() -> None:
    streams = DnsStreams()
    assert list(streams.feed(ENDS, 1, framed(b"first")[:4])) == []
    assert list(streams.feed(ENDS, 999, framed(b"second"))) == [b"second"]


def test_waiting_directions_are_bounded() -> None:
    streams = DnsStreams()
    for port in range(1_000):
        assert list(streams.feed(("192.0.2.1", 53, "192.0.2.2", port), 1, b"\0\7begun"[:4])) == []
    assert len(streams._waiting) == MAX_STREAMS
