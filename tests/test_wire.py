"""The cursor: what it reads, and that it never reads past its block."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import ParseError
from analyzer.wire import Reader, numbers, text


def test_numbers_are_big_endian_and_move_the_cursor() -> None:
    reader = Reader(bytes(range(1, 12)))
    assert (reader.u8(), reader.u16(), reader.u24(), reader.u32()) == (1, 0x0203, 0x040506, 0x0708090A)
    assert (reader.pos, reader.left, reader.rest(), reader.left) == (10, 1, b"\x0b", 0)


def test_block_bounds_its_reader_and_the_outer_one_goes_on_behind_it() -> None:
    reader = Reader(b"\x02ab\x00\x01cd")
    inner = reader.block(1)
    assert (inner.take(2), reader.vector(2), reader.rest()) == (b"ab", b"c", b"d")
    with pytest.raises(ParseError):
        inner.u8()


def test_list_reads_items_until_the_end() -> None:
    assert Reader(b"\x01a\x02bc\x00").list(lambda reader: reader.vector(1)) == (b"a", b"bc", b"")


@pytest.mark.parametrize(
    ("read", "reason", "at"),
    [
        pytest.param(lambda r: r.u16("version"), "version needs 2 bytes, 1 remain", 2, id="a number past the end"),
        pytest.param(lambda r: r.take(1500, "random"), "random needs 1,500 bytes, 1 remain", 2, id="data past the end"),
        pytest.param(lambda r: r.block(1, "list"), "list says 7 bytes, 0 remain", 2, id="a block past the end"),
        pytest.param(lambda r: r.finish("body"), "body is followed by 1 bytes too many", 2, id="bytes left over"),
        pytest.param(lambda r: numbers(r, 2, "suites"), "suites of 1 bytes is no multiple of 2", 2, id="odd list"),
    ],
)
def test_errors_say_what_and_where(read: Callable[[Reader], object], reason: str, at: int) -> None:
    with pytest.raises(ParseError) as caught:
        read(Reader(b"??\x07", 2))
    assert (caught.value.reason, caught.value.at) == (reason, at)


@pytest.mark.parametrize(
    ("width", "data", "expected"),
    [
        pytest.param(1, b"\x00\xff", (0, 255), id="bytes"),
        pytest.param(2, b"\x00\x01\x13\x02", (1, 0x1302), id="two bytes each"),
        pytest.param(3, b"\x01\x00\x80", (0x010080,), id="three bytes each"),
        pytest.param(2, b"", (), id="empty"),
    ],
)
def test_numbers_of_a_block(width: int, data: bytes, expected: tuple[int, ...]) -> None:
    assert numbers(Reader(data), width) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"sip.example.com", "sip.example.com", id="plain"),
        pytest.param(b"two words!", "two words!", id="a space is printable"),
        pytest.param(b"a\x00b\x7f", "a\\x00b\\x7f", id="control characters"),
        pytest.param(b"\x1b[31m", "\\x1b[31m", id="an escape sequence loses its power"),
        pytest.param("münchen".encode(), "m\\xc3\\xbcnchen", id="beyond ASCII"),
        pytest.param(b"a\\x00", "a\\x5cx00", id="a backslash of the peer is not taken for ours"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_text_from_the_wire(data: bytes, expected: str) -> None:
    assert text(data) == expected


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_different_bytes_are_different_texts(one: bytes, other: bytes) -> None:
    assert (text(one) == text(other)) == (one == other)
    assert text(one).isascii()
    assert text(one) == "" or text(one).isprintable()


@given(st.binary(max_size=40), st.lists(st.sampled_from(["u8", "u16", "u24", "u32", "rest"]), max_size=20))
def test_any_reads_stay_inside_or_raise(data: bytes, calls: list[str]) -> None:
    reader = Reader(b"--" + data, 2)
    for call in calls:
        try:
            getattr(reader, call)()
        except ParseError:
            assert 2 <= reader.pos <= reader.end
        assert reader.pos <= len(data) + 2
