"""Texts that a peer, a file or a file name chose, made safe for where they are shown. The value stays recoverable.

Everything that could move a cursor, hide, reverse or break a line is written as `\\xNN`, `\\uNNNN` or `\\UNNNNNNNN`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters that Python calls printable and that nobody sees."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters that make a spreadsheet run a cell (OWASP, CSV injection), full-width forms included."""

DEL = 0x7F
"""A number: to look for it in bytes is ten times as fast as for a piece of bytes."""


def escape(char: str) -> str:
    """One character as `\\xNN`, `\\uNNNN` or `\\UNNNNNNNN`."""
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def line(text: str, unicode: bool = True) -> str:
    """`text` for one line of a terminal: no control, bidi, zero-width or invisible character, no line break.

    With `unicode` False everything outside ASCII is escaped too, for consoles that cannot show it.
    """
    if text.isascii() and text.isprintable():
        return text
    if not unicode:
        return "".join(c if c.isascii() and c.isprintable() else escape(c) for c in text)
    if text.isprintable() and not _BLANK.search(text):
        return text
    return "".join(c if c.isprintable() and not _BLANK.match(c) else escape(c) for c in text)


def cell(text: str) -> str:
    """`text` for a cell of a CSV file: one line, and a leading `'` where a spreadsheet would run it as a formula."""
    dangerous = text.startswith(_FORMULA)
    return ("'" if dangerous else "") + line(text)


def utf8(text: str) -> str:
    """`text` without lone surrogates (a file name that is no UTF-8 has them): those become `\\xNN` or `\\uNNNN`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_surrogate(c) if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    return text


def _surrogate(char: str) -> str:
    """How Python keeps a byte of a file name that is no UTF-8 (PEP 383): the byte; else the code."""
    byte = ord(char) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else escape(char)


def columns(text: str) -> int:
    """Terminal columns that `text` takes: wide characters count 2, combining ones 0."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` cut to `width` columns; a cut one ends in `ellipsis`."""
    if columns(text) <= width:
        return text
    room, kept = width - len(ellipsis), []
    for char in text:
        room -= _columns(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + ellipsis


def pad(text: str, width: int) -> str:
    """`text` filled with spaces to `width` columns; a longer one stays."""
    return text + " " * (width - columns(text))


def ascii_json(document: bytes) -> bytes:
    """JSON text with everything outside ASCII (and DEL) as `\\uNNNN`. In JSON that can only stand inside strings."""
    if document.isascii() and DEL not in document:
        return document
    return document.decode().encode("ascii", "mtlscope-json").replace(b"\x7f", b"\\u007f")


def _json_escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be")
    pairs = (units[i : i + 2].hex() for i in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end


codecs.register_error("mtlscope-json", _json_escape)
