"""-T zeek: ssl.log and x509.log as Zeek's ASCII writer makes them, for zeek-cut and everything that reads such logs.

Into a folder as two files. Into one stream ssl.log comes first and x509.log, with a header of its own, behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import BinaryIO, cast

from analyzer.connection import Connection
from analyzer.report.lines import PATIENCE
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.safe import utf8
from analyzer.report.zeek_columns import (
    SSL,
    X509,
    Sightings,
    SslColumn,
    Value,
    X509Column,
    repeated_row,
    ssl_row,
    x509_row,
)
from analyzer.summary import Repeated

UNSET, EMPTY, SET_SEPARATOR = "-", "(empty)", ","
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of x509.log that wait in memory while ssl.log is written into the same stream."""
SECOND_NS = 1_000_000_000
_UNSAFE = re.compile(rb"[^ -\[\]-~]")
_UNSAFE_ELEMENT = re.compile(rb"[^ -+\--\[\]-~]")


class _Log:
    """One log: the header before the first row, `#close` at the end. Both tell the time of the capture, not of the clock:
    the same capture gives the same bytes."""

    def __init__(self, path: str, columns: Sequence[SslColumn | X509Column], out: BinaryIO, prompt: bool) -> None:
        self._path, self._columns, self._out, self._prompt = path, columns, out, prompt
        self._types = [column.type for column in columns]
        self._open, self._last_ns, self._flushed = False, 0, monotonic()

    def row(self, values: Sequence[Value], time_ns: int) -> None:
        """Write one row."""
        self._start(time_ns)
        self._last_ns = max(self._last_ns, time_ns)
        cells = map(cell, values, self._types)
        self._out.write(b"\t".join(cells) + b"\n")
        now = monotonic()
        if self._prompt or now - self._flushed >= PATIENCE:
            self._out.flush()
            self._flushed = now

    def close(self) -> None:
        """Also a log without rows gets its header: what reads it next expects one."""
        self._start(0)
        self._out.write(f"#close\t{_date(self._last_ns)}\n".encode())
        self._out.flush()

    def _start(self, time_ns: int) -> None:
        if self._open:
            return
        self._open = True
        lines = (
            "#separator \\x09",
            f"#set_separator\t{SET_SEPARATOR}",
            f"#empty_field\t{EMPTY}",
            f"#unset_field\t{UNSET}",
            f"#path\t{self._path}",
            f"#open\t{_date(time_ns)}",
            "\t".join(["#fields", *(column.name for column in self._columns)]),
            "\t".join(["#types", *self._types]),
        )
        self._out.write("".join(f"{line}\n" for line in lines).encode())


def cell(value: Value, kind: str) -> bytes:
    """One value as Zeek's ASCII writer shows it."""
    if value is None:
        return UNSET.encode()
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, int):
        return seconds(value).encode() if kind == "time" else str(value).encode()
    if isinstance(value, tuple):
        return _vector(value) if value else EMPTY.encode()
    return _text(value, _UNSAFE)


@lru_cache(maxsize=256)
def _vector(parts: tuple[str, ...]) -> bytes:
    """CA lists have hundreds of names, and thousands of connections share one."""
    return SET_SEPARATOR.encode().join([_text(part, _UNSAFE_ELEMENT) for part in parts])


def seconds(time_ns: int) -> str:
    """ "1790000000.123456"; before 1970 with a minus."""
    micro = time_ns // 1000
    whole, rest = divmod(abs(micro), 1_000_000)
    return f"{'-' if micro < 0 else ''}{whole}.{rest:06d}"


def _text(text: str, unsafe: re.Pattern[bytes]) -> bytes:
    """A string; what is not printable ASCII as the bytes of its UTF-8, `\\xNN`. What looks like the words for unset and
    empty is written so that it does not."""
    if not text:
        return EMPTY.encode()
    if text in (UNSET, EMPTY):
        return f"\\x{ord(text[0]):02x}{text[1:]}".encode()
    raw = utf8(text).encode()
    return unsafe.sub(lambda found: b"\\\\" if found[0] == b"\\" else b"\\x%02x" % found[0][0], raw)


def _date(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).strftime("%Y-%m-%d-%H-%M-%S")


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """ssl.log, then x509.log."""
    later = cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115  (closed below)
    try:
        write_files(items, (out, later), options)
        later.seek(0)
        while block := later.read(64 * 1024):
            out.write(block)
        out.flush()
    finally:
        later.close()


def write_files(items: Iterable[Item], outs: Sequence[BinaryIO], options: OutputOptions) -> None:
    """Each log into a file of its own."""
    ssl, x509 = _Log("ssl", SSL, outs[0], options.prompt), _Log("x509", X509, outs[1], options.prompt)
    sightings = Sightings()
    try:
        for item in items:
            if isinstance(item, Connection):
                ssl.row(ssl_row(item), item.ts_ns)
                for sighting in sightings.new(item):
                    x509.row(x509_row(sighting), sighting.time_ns)
            elif isinstance(item, Repeated):
                ssl.row(repeated_row(item), item.first_ns)
    finally:  # interrupted: the logs are still whole
        ssl.close()
        x509.close()


OUTPUT = Output(
    name="zeek",
    help="Zeek's ssl.log and x509.log; -o FOLDER/ for two files",
    write=write,
    files=("ssl.log", "x509.log"),
    write_files=write_files,
)
