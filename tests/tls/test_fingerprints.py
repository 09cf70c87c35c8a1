"""JA3, JA3S and JA4 against values published with their specifications."""

import hashlib

import pytest

from analyzer.tls.fingerprints import ja3, ja3s, ja4

CHROME_SUITES = (
    *(0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9),
    *(0xCCA8, 0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035),
)
CHROME_EXTENSIONS = (
    *(0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D),
    *(0x0005, 0x0023, 0x0012, 0x002B, 0xFF01, 0x000B, 0x000A, 0x0015),
)
CHROME_SCHEMES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)


def test_ja3_of_its_published_example() -> None:
    suites = (47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4)
    assert ja3(769, suites, (0, 10, 11), (23, 24, 25), (0,)) == "ada70206e40642a3e4461f35503241d5"


def test_ja3_without_extensions_keeps_its_commas() -> None:
    assert ja3(769, (4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99), (), (), ()) == "de350869b8c85de67a350c8d186f11e6"


def test_ja3s() -> None:
    assert ja3s(771, 49200, (65281, 11)) == hashlib.md5(b"771,49200,65281-11").hexdigest()


def test_ja4_of_its_published_example() -> None:
    value = ja4(0x0303, (0x0304, 0x0303), CHROME_SUITES, CHROME_EXTENSIONS, CHROME_SCHEMES, b"h2")
    assert value == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_grease_never_counts() -> None:
    value = ja4(
        0x0303,
        (0x1A1A, 0x0304),
        (0x2A2A, *CHROME_SUITES),
        (0x3A3A, *CHROME_EXTENSIONS, 0x4A4A),
        CHROME_SCHEMES,
        b"h2",
    )
    assert value == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert ja3(771, (0x0A0A, 47), (0x1A1A, 0), (0x2A2A, 23), (0,)) == ja3(771, (47,), (0,), (23,), (0,))


@pytest.mark.parametrize(
    ("alpn", "letters"),
    [
        pytest.param(None, "00", id="none"),
        pytest.param(b"", "00", id="an empty one"),
        pytest.param(b"http/1.1", "h1", id="first and last character"),
        pytest.param(b"x", "xx", id="a single character"),
        pytest.param(b"\xab", "ab", id="one byte that is no letter: its hexadecimal form"),
        pytest.param(b"\xab\xcd", "ad", id="two of them"),
        pytest.param(b"0\xab", "3b", id="one end that is no letter is enough"),
    ],
)
def test_ja4_letters_of_alpn(alpn: bytes | None, letters: str) -> None:
    assert ja4(0x0303, None, (47,), (16,), (), alpn)[8:10] == letters


@pytest.mark.parametrize(
    ("legacy", "supported", "start"),
    [
        pytest.param(0x0303, None, "t12i", id="the version field"),
        pytest.param(0x0303, (0x0304, 0x0303), "t13i", id="the highest supported version"),
        pytest.param(0x0303, (), "t12i", id="an empty list of versions"),
        pytest.param(0x0300, None, "ts3i", id="SSL 3.0"),
        pytest.param(0x0002, None, "ts2i", id="SSL 2.0"),
        pytest.param(0x0303, (0x7F1C,), "t00i", id="a draft"),
    ],
)
def test_ja4_version(legacy: int, supported: tuple[int, ...] | None, start: str) -> None:
    assert ja4(legacy, supported, (47,), (43,), (), None).startswith(start)


def test_ja4_without_anything() -> None:
    assert ja4(0x0303, None, (), (), (), None) == "t12i000000_000000000000_000000000000"


def test_ja4_counts_to_99() -> None:
    assert ja4(0x0303, None, range(0x0100, 0x0200), range(300, 500), (), None)[4:8] == "9999"
