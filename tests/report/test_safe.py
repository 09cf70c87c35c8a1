"""Texts from the wire, made safe for a terminal, a CSV cell and JSON."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report import safe

ANY = st.text(st.characters(), max_size=40)
"""Lone surrogates included: a file name can hold them."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("sip.example.com", "sip.example.com", id="an ordinary name stays"),
        pytest.param("Müller Bäcker GmbH", "Müller Bäcker GmbH", id="letters of other languages stay"),
        pytest.param("a\x1b[31mb", r"a\x1b[31mb", id="an escape sequence does not colour"),
        pytest.param("a\x9b2Jb", r"a\x9b2Jb", id="nor does the one-byte CSI of C1"),
        pytest.param("a\r\nb\tc", r"a\x0d\x0ab\x09c", id="no new line, no tab"),
        pytest.param("a\u202egpj.exe", r"a\u202egpj.exe", id="nothing is read backwards"),
        pytest.param("a\u2066b\u2069\u061c", r"a\u2066b\u2069\u061c", id="isolates and the Arabic mark are shown"),
        pytest.param("a\u200bb\ufeff\u2060", r"a\u200bb\ufeff\u2060", id="zero-width characters are shown"),
        pytest.param("a\u3164b\u115f\u2800", r"a\u3164b\u115f\u2800", id="fillers that look like nothing are shown"),
        pytest.param("a\u00a0b\u2003", r"a\xa0b\u2003", id="spaces that are no space are shown"),
        pytest.param("a\u2028b\u2029", r"a\u2028b\u2029", id="line separators do not break the line"),
        pytest.param("\x7f\x00", r"\x7f\x00", id="DEL and NUL"),
        pytest.param("a\U000e0041", r"a\U000e0041", id="tag characters"),
        pytest.param("a\udcff", r"a\udcff", id="a lone surrogate"),
    ],
)
def test_line(text: str, shown: str) -> None:
    assert safe.line(text) == shown


@given(ANY)
def test_a_line_shows_only_what_is_visible(text: str) -> None:
    shown = safe.line(text)
    assert shown.isprintable()
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\u061c\ufeff\u3164\u034f]", shown)


@given(ANY)
def test_the_value_of_a_line_is_recoverable(text: str) -> None:
    clean = text.replace("\\", "/")
    back = re.sub(
        r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})",
        lambda m: chr(int(m[1] or m[2] or m[3], 16)),
        safe.line(clean),
    )
    assert back == clean


@given(ANY)
def test_a_line_for_an_old_console_is_ascii(text: str) -> None:
    assert safe.line(text, unicode=False).isascii()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("=1+1", "'=1+1", id="a formula"),
        pytest.param("+1", "'+1", id="a plus"),
        pytest.param("-2", "'-2", id="a minus, as of a negative serial number"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="an at sign"),
        pytest.param("\t=1", "'\\x09=1", id="a tab before it"),
        pytest.param("＝1", "'＝1", id="full width"),
        pytest.param("a=1", "a=1", id="an equals sign inside is harmless"),
        pytest.param("", "", id="an empty cell"),
    ],
)
def test_cell(text: str, shown: str) -> None:
    assert safe.cell(text) == shown


@given(ANY)
@settings(max_examples=50)
def test_json_is_ascii_and_keeps_the_value(text: str) -> None:
    fixed = safe.utf8(text)
    raw = json.dumps(fixed, ensure_ascii=False).encode()
    document = safe.ascii_json(raw)
    assert document.isascii()
    assert b"\x7f" not in document
    assert json.loads(document) == fixed


def test_a_file_name_that_is_no_utf8_shows_its_bytes() -> None:
    assert safe.utf8("caf\udce9.pcap") == r"caf\xe9.pcap"


@pytest.mark.parametrize(
    ("text", "width"),
    [
        pytest.param("abc", 3, id="latin"),
        pytest.param("日本", 4, id="wide characters take two columns"),
        pytest.param("e\u0301", 1, id="a combining accent takes none"),
    ],
)
def test_columns(text: str, width: int) -> None:
    assert safe.columns(text) == width


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        pytest.param("abcdef", 6, "abcdef", id="fits"),
        pytest.param("abcdef", 4, "abc…", id="cut with an ellipsis"),
        pytest.param("日本語", 4, "日…", id="a wide character is not cut in half"),
    ],
)
def test_fit(text: str, width: int, fitted: str) -> None:
    assert safe.fit(text, width) == fitted
    assert safe.columns(safe.fit(text, width)) <= width


def test_other_errors_than_encoding_are_not_swallowed() -> None:
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", "mtlscope-json")


def test_pad_counts_columns() -> None:
    assert safe.pad("日", 4) == "日  "
