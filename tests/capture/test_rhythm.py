"""Guessing where the next records are never changes where they are found."""

from __future__ import annotations

import io
import struct
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.pcap import FILE_HEADER, read_header, walk
from analyzer.capture.rhythm import MAX_GUESSES, RUN, Rhythm, context_of
from analyzer.capture.source import Facts
from analyzer.capture.window import Window

HANDSHAKE = (66, 66, 66, 583, 1514, 1514, 1514, 538, 1514, 238, 117, 97)


def pcap(lengths: list[int], order: str = "<") -> bytes:
    head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    return head + b"".join(struct.pack(order + "IIII", 0, 0, size, size) + bytes(size) for size in lengths)


def offsets(lengths: list[int]) -> list[int]:
    return list(accumulate((16 + size for size in lengths[:-1]), initial=FILE_HEADER))


def walked(data: bytes, window_bytes: int) -> list[int]:
    """Where records were found, walking window by window."""
    window = Window(io.BytesIO(data), size=window_bytes)
    layout = read_header(window, Facts())
    found: list[int] = []
    while True:
        starts = walk(window, layout).tolist()
        if starts:
            found += [window.offset + at for at in starts]
            (last,) = layout.length.unpack_from(window.buffer, starts[-1] + 8)
            window.start = starts[-1] + 16 + last
        elif not window.refill(window.left + 1):
            return found


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param([1514] * 500, id="one length without end"),
        pytest.param(([1514] * 17 + [66]) * 40, id="a transfer with acknowledgements"),
        pytest.param(list(HANDSHAKE) * 60, id="the same handshake again and again"),
        pytest.param([*HANDSHAKE * 20, *(90, 91), *HANDSHAKE * 20], id="a rhythm that is broken once"),
        pytest.param([0] * 300, id="records without bytes"),
        pytest.param([*[60] * 100, *[61] * 100], id="a run that changes by one byte"),
        pytest.param(list(range(400)), id="no rhythm at all"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("window_bytes", [4_096, 1 << 20])
def test_every_record_is_found_where_it_is(lengths: list[int], order: str, window_bytes: int) -> None:
    assert walked(pcap(lengths, order), window_bytes) == offsets(lengths)


@given(
    motif=st.lists(st.integers(0, 90), min_size=1, max_size=40),
    times=st.integers(1, 12),
    changes=st.dictionaries(st.integers(0, 200), st.integers(0, 90), max_size=6),
    cut=st.integers(0, 120),
)
def test_rhythms_with_changes_in_any_place_and_a_cut_end(
    motif: list[int], times: int, changes: dict[int, int], cut: int
) -> None:
    lengths = [changes.get(place, size) for place, size in enumerate(motif * times)]
    data = pcap(lengths)
    whole = data[: max(FILE_HEADER, len(data) - cut)]
    expected = [at for at, size in zip(offsets(lengths), lengths, strict=True) if at + 16 + size <= len(whole)]
    assert walked(whole, 2_048) == expected


def test_what_came_twice_is_expected_and_a_long_run_at_once() -> None:
    rhythm, tail, lengths = Rhythm(16, "<"), (1, 2, 3), tuple(range(RUN))
    assert rhythm.after(tail) is None
    rhythm.learn(tail, lengths)
    assert rhythm.after(tail) is None
    rhythm.learn(tail, lengths)
    guess = rhythm.after(tail)
    assert guess is not None
    assert guess.lengths == lengths
    run = rhythm.after(context_of((66,) * RUN))
    assert run is not None
    assert run.lengths == (66,) * RUN


def test_the_place_in_a_run_and_what_was_before_it_tell_apart_what_comes_next() -> None:
    five, six = (1514,) * 5, (1514,) * 6
    assert len({context_of((66, *five)), context_of((66, *six)), context_of((97, *five))}) == 3
    assert context_of((1, 66, *five)) == context_of((66, *five))


def test_hostile_lengths_do_not_fill_the_memory() -> None:
    rhythm = Rhythm(16, "<")
    for size in range(3 * MAX_GUESSES):
        rhythm.after(context_of((size,) * RUN))
        for _ in range(2):
            rhythm.learn((size, 1, 2), (size,) * RUN)
    assert len(rhythm._guesses) <= MAX_GUESSES
    assert len(rhythm._once) <= MAX_GUESSES
