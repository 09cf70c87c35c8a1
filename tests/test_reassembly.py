"""Segments of one direction in, its bytes out: order, copies that disagree, holes, and where each byte came from."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.reassembly import MAX_NOTED_FRAMES, MAX_PENDING_BYTES, MAX_PENDING_SEGMENTS, Assembler, Hole, seq_distance
from tests.build.frames import ipv4, ipv6, tcp

BASE = 1_000
TEXT = bytes(range(100))
SECOND = 1_000_000_000  # between two segments
Piece = tuple[int, bytes]  # offset and bytes


@pytest.mark.parametrize(
    ("later", "earlier", "distance"),
    [
        pytest.param(5, 5, 0, id="equal"),
        pytest.param(6, 5, 1, id="one later"),
        pytest.param(5, 6, -1, id="one earlier"),
        pytest.param(0, 2**32 - 1, 1, id="one later over the wrap"),
        pytest.param(2**32 - 1, 0, -1, id="one earlier over the wrap"),
        pytest.param(2**31 - 1, 0, 2**31 - 1, id="as far ahead as can be"),
        pytest.param(2**31, 0, -(2**31), id="half the circle counts as behind"),
        pytest.param(100, 2**32 - 100, 200, id="far over the wrap"),
    ],
)
def test_seq_distance(later: int, earlier: int, distance: int) -> None:
    assert seq_distance(later, earlier) == distance


# ---- helpers ---------------------------------------------------------------------------------------------------------


def headers(payload: bytes, *, good: bool = True, v6: bool = False) -> bytes:
    """IP and TCP headers of a segment, with a right or a wrong checksum."""
    packet = ipv6(tcp(payload), good=good) if v6 else ipv4(tcp(payload), good=good)
    return packet[: len(packet) - len(payload)]


def put(
    assembler: Assembler, at: int, data: bytes, frame: int = 0, *, head: bytes = b"", wire: int | None = None
) -> None:
    assembler.feed((BASE + at) % 2**32, data, len(data) if wire is None else wire, frame, frame * SECOND, head, 50)


def fed(*pieces: Piece) -> Assembler:
    """An assembler with these segments; frames count from 1."""
    assembler = Assembler(BASE)
    for frame, (at, data) in enumerate(pieces, 1):
        put(assembler, at, data, frame)
    return assembler


def out(assembler: Assembler) -> list[bytes | int]:
    """What came out: runs of bytes as one, holes as their sizes."""
    result: list[bytes | int] = []
    for part in assembler.take():
        last = result[-1] if result else None
        if isinstance(part, Hole):
            result.append(part.size)
        elif isinstance(last, bytes):
            result[-1] = last + part
        else:
            result.append(part)
    return result


def cut(*edges: int) -> list[Piece]:
    return [(start, TEXT[start:end]) for start, end in zip((0, *edges), (*edges, 100), strict=True)]


# ---- order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(cut(), id="one segment"),
        pytest.param(cut(30, 60), id="in order"),
        pytest.param(cut(30, 60)[::-1], id="backwards"),
        pytest.param([*cut(30, 60), *cut(30, 60)], id="everything twice"),
        pytest.param([(0, TEXT[:30]), (0, TEXT[:60]), (20, TEXT[20:])], id="sent again in larger segments"),
        pytest.param([(0, TEXT[:60]), (10, TEXT[10:20]), (60, TEXT[60:])], id="a part sent again"),
        pytest.param(
            [(50, TEXT[50:60]), (40, TEXT[40:80]), (0, TEXT[:45]), (70, TEXT[70:])], id="overlaps behind a hole"
        ),
        pytest.param(
            [(40, TEXT[40:50]), (60, TEXT[60:70]), (30, TEXT[30:]), (0, TEXT[:30])], id="one covers two islands"
        ),
        pytest.param([(-20, bytes(20) + TEXT)], id="bytes from before the beginning are left out"),
    ],
)
def test_bytes_come_in_order(pieces: list[Piece]) -> None:
    assembler = fed(*pieces)
    assert out(assembler) == [TEXT]
    assert (assembler.next, assembler.high, assembler.waiting) == (100, 100, None)


def test_nothing_comes_out_of_order() -> None:
    assembler = fed((10, TEXT[10:20]))
    assert out(assembler) == [] and assembler.waiting == 10
    put(assembler, 0, TEXT[:10], 2)
    assert out(assembler) == [TEXT[:20]] and out(assembler) == []


def test_sequence_numbers_wrap() -> None:
    assembler = Assembler(2**32 - 40)
    for at in (0, 60, 30):
        assembler.feed((2**32 - 40 + at) % 2**32, TEXT[at : at + 30], 30, at, 0, b"")
    assert out(assembler) == [TEXT[:90]]
    assert assembler.offset(50) == 90 and assembler.offset(2**32 - 40) == 0


@settings(max_examples=60, deadline=None)
@given(edges=st.sets(st.integers(1, 99), max_size=12), seed=st.integers(0, 9_999), base=st.integers(0, 2**32 - 1))
def test_order_duplication_and_overlap_never_change_the_bytes(edges: set[int], seed: int, base: int) -> None:
    chance = random.Random(seed)
    pieces = cut(*sorted(edges))
    longer = [(at, TEXT[at : at + len(data) + chance.randrange(9)]) for at, data in pieces]
    segments = pieces + chance.sample(longer, len(longer) // 2)
    chance.shuffle(segments)
    assembler = Assembler(base)
    for frame, (at, data) in enumerate(segments):
        assembler.feed((base + at) % 2**32, data, len(data), frame, frame, b"")
    assert out(assembler) == [TEXT] and assembler.conflicts == 0 and assembler.holes == []


# ---- sent again ------------------------------------------------------------------------------------------------------


def test_segments_that_bring_nothing_new_are_counted() -> None:
    assembler = fed(*cut(60, 90), (0, TEXT[:60]), (90, TEXT[90:]), (0, TEXT[:60]))
    assert (assembler.retransmitted, assembler.retransmitted_full) == (3, 2)  # 50 bytes and more are full size here
    assert assembler.again_frames == [4, 5, 6]
    assert assembler.tries == {0: 2, 90: 1}


def test_a_copy_that_still_waits_behind_a_hole_is_one_too() -> None:
    assembler = fed((50, TEXT[50:]), (50, TEXT[50:]), (60, TEXT[60:80]))
    assert assembler.retransmitted == 2


def test_a_segment_with_something_new_is_none() -> None:
    assert fed((0, TEXT[:30]), (0, TEXT[:31])).retransmitted == 0


@pytest.mark.parametrize("garbage", [TEXT[99:], b"\0"])
def test_a_keep_alive_probe_is_neither_a_copy_nor_a_conflict(garbage: bytes) -> None:
    assembler = fed((0, TEXT), (99, garbage))
    assert (assembler.retransmitted, assembler.conflicts, out(assembler)) == (0, 0, [TEXT])


def test_remembered_frames_are_bounded_and_counts_are_not() -> None:
    assembler = fed((0, TEXT), *[(0, TEXT)] * 30, *[(0, bytes(100))] * 30)
    assert (assembler.retransmitted, len(assembler.again_frames)) == (60, MAX_NOTED_FRAMES)
    assert (assembler.conflicts, len(assembler.conflict_frames)) == (30, MAX_NOTED_FRAMES)


# ---- copies that disagree --------------------------------------------------------------------------------------------

GOOD, BAD = headers(TEXT[:50]), headers(bytes(50), good=False)
OTHER = headers(bytes(50))


@pytest.mark.parametrize(
    ("first", "second", "result", "rewritten"),
    [
        pytest.param((TEXT[:50], GOOD), (bytes(50), OTHER), TEXT[:50], False, id="both good: the first wins"),
        pytest.param((TEXT[:50], GOOD), (bytes(50), BAD), TEXT[:50], False, id="the second is bad"),
        pytest.param(
            (bytes(50), BAD), (TEXT[:50], GOOD), TEXT[:50], True, id="the first is bad: the second replaces it"
        ),
        pytest.param((bytes(50), BAD), (TEXT[:50], headers(TEXT[:50], good=False)), bytes(50), False, id="both bad"),
        pytest.param((bytes(50), b""), (TEXT[:50], GOOD), bytes(50), False, id="unknown counts as good"),
    ],
)
def test_two_copies_of_bytes_already_given_out(
    first: tuple[bytes, bytes], second: tuple[bytes, bytes], result: bytes, rewritten: bool
) -> None:
    assembler = Assembler(BASE)
    put(assembler, 0, first[0], 1, head=first[1])
    assert out(assembler) == [first[0]]
    put(assembler, 0, second[0], 2, head=second[1])
    assert (assembler.conflicts, assembler.conflict_frames, assembler.rewritten) == (1, [2], rewritten)
    assert assembler.replay() == [result] and not assembler.rewritten
    assert assembler.frames(0, 50) == ((2,) if rewritten else (1,))


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        pytest.param((TEXT[:50], GOOD), (bytes(50), OTHER), TEXT[:50], id="both good: the first wins"),
        pytest.param((bytes(50), BAD), (TEXT[:50], GOOD), TEXT[:50], id="the first is bad"),
    ],
)
def test_two_copies_of_bytes_that_wait_behind_a_hole(
    first: tuple[bytes, bytes], second: tuple[bytes, bytes], result: bytes
) -> None:
    assembler = Assembler(BASE)
    put(assembler, 10, first[0], 1, head=first[1])
    put(assembler, 10, second[0], 2, head=second[1])
    put(assembler, 0, bytes(10), 3)
    assert (assembler.conflicts, assembler.rewritten) == (1, False)
    assert out(assembler) == [bytes(10) + result]


def test_of_two_good_copies_after_a_bad_one_the_first_wins() -> None:
    for at in (0, 10):  # given out already; waiting behind a hole
        assembler = Assembler(BASE)
        put(assembler, at, bytes(50), 1, head=BAD)
        put(assembler, at, TEXT[:50], 2, head=GOOD)
        put(assembler, at, b"\1" * 50, 3, head=headers(b"\1" * 50))
        assembler.finish(None)
        assert assembler.replay()[-1] == TEXT[:50]
        assert (assembler.conflicts, assembler.frames(at, at + 50)) == (2, (2,))


@pytest.mark.parametrize("at", [0, 10])
def test_a_forged_copy_loses_to_each_good_one_that_meets_it(at: int) -> None:
    """Given out already, and waiting behind a hole."""
    assembler = Assembler(BASE)
    put(assembler, at, bytes(50), 1, head=BAD)
    put(assembler, at + 10, TEXT[10:20], 2, head=headers(TEXT[10:20]))
    put(assembler, at + 30, TEXT[30:60], 3, head=headers(TEXT[30:60]))
    assembler.finish(None)
    last = assembler.replay()[-1]
    assert last == bytes(10) + TEXT[10:20] + bytes(10) + TEXT[30:60]
    assert assembler.frames(at, at + 60) == (1, 2, 3) and assembler.frames(at + 12, at + 18) == (2,)
    assert assembler.take() == [] and assembler.conflicts == 2


def test_checksums_of_ipv6_are_looked_at_too() -> None:
    assembler = Assembler(BASE)
    put(assembler, 0, bytes(50), 1, head=headers(bytes(50), good=False, v6=True))
    put(assembler, 0, TEXT[:50], 2, head=headers(TEXT[:50], v6=True))
    assert assembler.replay() == [TEXT[:50]]


def test_only_the_bytes_that_overlap_change() -> None:
    assembler = Assembler(BASE)
    put(assembler, 0, bytes(50), 1, head=BAD)
    put(assembler, 50, TEXT[50:], 2)
    put(assembler, 20, TEXT[20:40], 3, head=headers(TEXT[20:40]))
    assert (
        b"".join(p for p in assembler.replay() if isinstance(p, bytes))
        == bytes(20) + TEXT[20:40] + bytes(10) + TEXT[50:]
    )


def test_a_replay_tells_the_holes_again() -> None:
    assembler = Assembler(BASE)
    put(assembler, 0, bytes(50), 1, head=BAD)
    put(assembler, 60, TEXT[60:70], 2)
    put(assembler, 70, TEXT[70:80], 3, wire=30)
    assembler.finish(None)
    before = assembler.take()
    put(assembler, 0, TEXT[:50], 4, head=GOOD)
    assert assembler.rewritten
    assert assembler.replay() == [TEXT[:50], *before[1:]]
    assert before[1:] == [Hole(10), TEXT[60:80], Hole(20, cut=True)]


def test_after_forgetting_nothing_is_compared_and_frames_are_still_known() -> None:
    assembler = fed(*cut(50))
    assembler.take()
    assembler.forget()
    put(assembler, 0, bytes(50), 9)
    assert (assembler.conflicts, assembler.frames(0, 100), assembler.time_ns(0, 100)) == (0, (1, 2), 2 * SECOND)


# ---- holes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acknowledged", "result"),
    [
        pytest.param(None, [TEXT[:10], 10, TEXT[20:30], 10, TEXT[40:50]], id="the peer is not in the capture"),
        pytest.param(50, [TEXT[:10], 10, TEXT[20:30], 10, TEXT[40:50]], id="the peer has all"),
        pytest.param(40, [TEXT[:10], 10, TEXT[20:30], 10, TEXT[40:50]], id="the peer has the holes, and no more yet"),
        pytest.param(30, [TEXT[:10], 10, TEXT[20:30]], id="the peer waits for the second hole as well"),
        pytest.param(10, [TEXT[:10]], id="the peer waits for the first hole as well"),
    ],
)
def test_a_hole_is_one_only_if_the_peer_got_past_it(acknowledged: int | None, result: list[bytes | int]) -> None:
    assembler = fed((0, TEXT[:10]), (20, TEXT[20:30]), (40, TEXT[40:50]))
    assembler.finish(acknowledged)
    assert out(assembler) == result


def test_a_hole_has_a_place_and_a_size() -> None:
    assembler = fed((0, TEXT[:10]), (25, TEXT[25:]))
    assembler.finish(None)
    assert assembler.holes == [(10, 15, False)]


def test_bytes_that_the_snapshot_length_cut_are_a_hole_at_once() -> None:
    assembler = Assembler(BASE)
    put(assembler, 0, TEXT[:20], 1, wire=50)
    put(assembler, 50, TEXT[50:], 2)
    assert assembler.take() == [TEXT[:20], Hole(30, cut=True), TEXT[50:]]
    assert assembler.holes == [(20, 30, True)]


def test_a_whole_copy_before_a_cut_one_leaves_no_hole() -> None:
    assembler = Assembler(BASE)
    put(assembler, 0, TEXT[:50], 1)
    put(assembler, 0, TEXT[:20], 2, wire=50)
    put(assembler, 50, TEXT[50:], 3)
    assert out(assembler) == [TEXT] and assembler.holes == []


def test_a_cut_segment_of_which_a_part_was_known_brings_only_the_rest() -> None:
    assembler = Assembler(BASE)
    put(assembler, 0, TEXT[:30], 1)
    put(assembler, 0, TEXT[:40], 2, wire=60)
    assert out(assembler) == [TEXT[:40], 20]
    assert assembler.next == 60


def test_too_much_behind_a_hole_gives_it_up() -> None:
    assembler = Assembler(BASE)
    for number in range(MAX_PENDING_SEGMENTS + 1):
        put(assembler, 10 + 2 * number, b"x", number)
    assert assembler.holes[0] == (0, 10, False)
    large = Assembler(BASE)
    for number in range(17):
        put(large, 10 + (number << 16), bytes(1 << 16), number)
    assert large.holes == [(0, 10, False)] and large.next > MAX_PENDING_BYTES


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.integers(-50, 150), st.binary(max_size=40), st.integers(0, 30)), max_size=30),
    acknowledged=st.none() | st.integers(0, 200),
)
def test_any_segments_conserve_bytes_and_never_raise(
    pieces: list[tuple[int, bytes, int]], acknowledged: int | None
) -> None:
    assembler = Assembler(BASE)
    given_out = 0
    for frame, (at, data, missing) in enumerate(pieces):
        put(assembler, at, data, frame, wire=len(data) + missing)
        given_out += sum(part.size if isinstance(part, Hole) else len(part) for part in assembler.take())
    assembler.finish(acknowledged)
    given_out += sum(part.size if isinstance(part, Hole) else len(part) for part in assembler.take())
    assert given_out == assembler.next <= max(assembler.high, 0)
    assert sum(len(part) if isinstance(part, bytes) else part.size for part in assembler.replay()) == assembler.next


# ---- where bytes came from -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "frames", "seconds"),
    [
        pytest.param(0, 30, (1,), 1, id="exactly one segment"),
        pytest.param(5, 6, (1,), 1, id="within one"),
        pytest.param(29, 31, (1, 3), 3, id="over a border"),
        pytest.param(30, 60, (3,), 3, id="that came late"),
        pytest.param(0, 100, (1, 2, 3), 3, id="all: frames ascend, the time is the latest"),
        pytest.param(60, 100, (2,), 2, id="the last"),
    ],
)
def test_frames_and_times_of_bytes(start: int, end: int, frames: tuple[int, ...], seconds: int) -> None:
    assembler = fed((0, TEXT[:30]), (60, TEXT[60:]), (30, TEXT[30:60]), (0, TEXT[:30]))
    assert (assembler.frames(start, end), assembler.time_ns(start, end)) == (frames, seconds * SECOND)


def test_of_no_bytes_there_are_no_frames() -> None:
    assert (Assembler(BASE).frames(0, 10), Assembler(BASE).time_ns(0, 10)) == ((), 0)
