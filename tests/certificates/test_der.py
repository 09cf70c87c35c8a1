"""The reader of DER: forgiving, forward only, never deep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.certificates.der import Der, integer_hex, is_shortest_integer, oid_text
from analyzer.errors import ParseError


def contents(data: bytes, clip: bool = False) -> tuple[list[bytes], list[str]]:
    """Contents of the elements that follow each other in `data`, and the notes."""
    reader = Der(data)
    found = [reader.content(child) for child in reader.children((0x30, 0, 0, len(data)), clip)]
    return found, list(reader.notes)


@pytest.mark.parametrize(
    ("data", "expected", "notes"),
    [
        pytest.param(b"", [], [], id="nothing"),
        pytest.param(b"\x04\x01a\x04\x00", [b"a", b""], [], id="two short ones"),
        pytest.param(b"\x04\x81\x80" + bytes(128), [bytes(128)], [], id="a length of two octets"),
        pytest.param(
            b"\x04\x81\x01a", [b"a"], ["length not in its shortest form"], id="a long length where a short one does"
        ),
        pytest.param(
            b"\x04\x82\x00\x80" + bytes(128), [bytes(128)], ["length not in its shortest form"], id="a zero in front"
        ),
        pytest.param(b"\x1f\x81\x01\x01a\x04\x01b", [b"a", b"b"], [], id="a tag of three octets"),
        pytest.param(
            b"\x30\x80\x04\x01a\x00\x00\x04\x01b",
            [b"\x04\x01a", b"b"],
            ["indefinite length"],
            id="an indefinite length",
        ),
        pytest.param(
            b"\x30\x80\x30\x80\x04\x01a\x00\x00\x00\x00\x05\x00",
            [b"\x30\x80\x04\x01a\x00\x00", b""],
            ["indefinite length"],
            id="one indefinite length in another",
        ),
        pytest.param(
            b"\x30\x80\x04\x01a",
            [b"\x04\x01a"],
            ["indefinite length", "cut short: an indefinite length has no end"],
            id="an indefinite length without an end",
        ),
        pytest.param(
            b"\x30\x80\x1f\x81\x00",
            [b"\x1f\x81\x00"],
            ["indefinite length", "cut short: an indefinite length has no end"],
            id="a long tag inside an indefinite length",
        ),
        pytest.param(
            b"\x30\x80\x04\x05a",
            [b"\x04\x05a"],
            ["indefinite length", "cut short: an indefinite length has no end"],
            id="a length past the end inside an indefinite length",
        ),
        pytest.param(
            b"\x04\x01a\x04\x05b",
            [b"a"],
            ["DER: an element claims 5 bytes, 1 are there"],
            id="a length past the end",
        ),
        pytest.param(b"\x04\x01a\x04", [b"a"], ["DER: 1 bytes left where an element should start"], id="half a header"),
        pytest.param(b"\x1f\x81", [], ["DER: a tag runs past the end"], id="a tag past the end"),
        pytest.param(b"\x04\x82\x01", [], ["DER: a length runs past the end"], id="a length field past the end"),
    ],
)
def test_elements_are_read(data: bytes, expected: list[bytes], notes: list[str]) -> None:
    assert contents(data) == (expected, notes)


def test_a_length_past_the_end_can_be_cut() -> None:
    assert contents(b"\x04\x05ab", clip=True) == ([b"ab"], ["cut short: a length runs past the end"])


def test_a_single_element_that_is_not_there_is_an_error_with_its_place() -> None:
    with pytest.raises(ParseError) as caught:
        Der(b"\x04\x05ab").element(0, 4)
    assert caught.value.at == 0
    assert Der(b"\x04\x02ab").whole(Der(b"\x04\x02ab").element(0, 4)) == b"\x04\x02ab"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("550403", "2.5.4.3", id="a common one"),
        pytest.param("2a864886f70d", "1.2.840.113549", id="arcs of several octets"),
        pytest.param("883703", "2.999.3", id="a second arc above 39 under 2"),
        pytest.param("", "#", id="empty"),
        pytest.param("5583", "#5583", id="cut in an arc"),
        pytest.param("81" * 128 + "01", "#" + "81" * 128 + "01", id="too long for decimal numbers"),
    ],
)
def test_object_identifiers(content: str, text: str) -> None:
    assert oid_text(bytes.fromhex(content)) == text


@pytest.mark.parametrize(
    ("content", "text", "shortest"),
    [
        pytest.param("01", "1", True, id="one"),
        pytest.param("00", "0", True, id="zero"),
        pytest.param("00ff", "ff", True, id="a sign octet"),
        pytest.param("0001", "1", False, id="a needless zero"),
        pytest.param("ff", "-1", True, id="negative"),
        pytest.param("ff80", "-80", False, id="a needless ff"),
        pytest.param("", None, False, id="empty"),
        pytest.param("7f" * 65536, "7f" * 65536, True, id="64 KB, far beyond what Python prints in decimal"),
    ],
)
def test_integers_are_hex(content: str, text: str | None, shortest: bool) -> None:
    raw = bytes.fromhex(content)
    assert (integer_hex(raw), is_shortest_integer(raw)) == (text, shortest)


@pytest.mark.parametrize("opening", [b"\x30\x80", b"\x3f\x01\x80", b"\x30\x83\x0f\xff\xff"])
def test_ten_thousand_levels_are_no_recursion(opening: bytes) -> None:
    contents(opening * 10_000, clip=True)


@given(data=st.binary(max_size=64))
def test_any_bytes_are_read_forwards_and_inside_the_buffer(data: bytes) -> None:
    for clip in (False, True):
        reader = Der(data)
        at = 0
        for _, first, start, stop in reader.children((0x30, 0, 0, len(data)), clip):
            assert at <= first < start <= stop <= len(data)
            at = stop
