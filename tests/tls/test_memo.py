"""The memories stay small and never answer with another's value."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.tls import memo
from analyzer.tls.memo import Memo, ShapeMemo


def test_equal_bytes_in_the_same_context_are_found() -> None:
    kept: Memo[str] = Memo()
    kept.keep(1, b"body", "value")
    assert (kept.find(1, b"body"), kept.find(2, b"body"), kept.find(1, b"else")) == ("value", None, None)


def test_equal_ends_are_not_enough() -> None:
    kept: Memo[str] = Memo()
    one, other = bytes(100) + b"1" + bytes(100), bytes(100) + b"2" + bytes(100)
    kept.keep(1, one, "one")
    assert kept.find(1, other) is None
    kept.keep(1, other, "other")
    assert (kept.find(1, one), kept.find(1, other)) == (None, "other")


def test_memo_is_bounded_by_number_and_size() -> None:
    many: Memo[int] = Memo()
    for index in range(memo.MAX_ENTRIES + 10):
        many.keep(0, b"%d" % index, index)
    assert (many.find(0, b"9"), many.find(0, b"10")) == (None, 10)
    large: Memo[int] = Memo()
    for index in range(20):
        large.keep(0, bytes(2**20) + bytes([index]), index)
    assert sum(large.find(0, bytes(2**20) + bytes([index])) is not None for index in range(20)) == 7


def test_shape_is_found_whatever_varies() -> None:
    shapes: ShapeMemo[str] = ShapeMemo()
    shapes.keep(b"v", b"AAkkBBkkCC", [(2, 4), (6, 8)], "value")
    assert shapes.find(b"v", b"AA12BB34CC") == "value"
    assert shapes.find(b"w", b"AA12BB34CC") is None
    assert shapes.find(b"v", b"AA12Bx34CC") is None
    assert shapes.find(b"v", b"AA12BB34CCC") is None


def test_shapes_are_bounded() -> None:
    shapes: ShapeMemo[int] = ShapeMemo()
    for index in range(memo.MAX_ENTRIES * 2 + 5):
        shapes.keep(b"", index.to_bytes(4, "big"), [(4, 4)], index)
    assert shapes._count <= memo.MAX_ENTRIES
    for index in range(40):
        shapes.keep(b"", bytes(41), [(index, index + 1)], index)
    assert len(shapes._layouts[41]) == memo.MAX_LAYOUTS
    for index in range(40):
        shapes.keep(bytes([index]), bytes(2**20), [], index)
    assert shapes._size <= memo.MAX_BYTES


@given(
    st.lists(
        st.tuples(st.binary(min_size=6, max_size=6), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=20
    ),
    st.binary(min_size=6, max_size=6),
)
def test_shapes_answer_only_for_their_fixed_bytes(rows: list[tuple[bytes, int, int]], asked: bytes) -> None:
    shapes: ShapeMemo[tuple[bytes, int, int]] = ShapeMemo()
    for tail, start, size in rows:
        shapes.keep(b"", tail, [(start, min(start + size, 6))], (tail, start, min(start + size, 6)))
    found = shapes.find(b"", asked)
    if found is not None:
        tail, start, end = found
        assert tail[:start] + tail[end:] == asked[:start] + asked[end:]
