"""-T zeek-json: the same two logs as -T zeek, one JSON object a line; `_path` tells in one stream which log it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from analyzer.connection import Connection
from analyzer.report.encode import to_json
from analyzer.report.lines import write_lines
from analyzer.report.output import Item, Output, OutputOptions
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


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Both logs into one stream, each line with `_path`; the certificates before the connection that sent them first."""
    write_lines((_line(path, values, tagged=True) for path, values in _rows(items)), out, options.prompt)


def write_files(items: Iterable[Item], outs: Sequence[BinaryIO], options: OutputOptions) -> None:
    """Each log into a file of its own, as Zeek does it with LogAscii::use_json."""
    ssl, x509 = outs
    try:
        for path, values in _rows(items):
            log = ssl if path == "ssl" else x509
            log.write(_line(path, values, tagged=False))
            if options.prompt:
                log.flush()
    finally:
        ssl.flush()
        x509.flush()


def _rows(items: Iterable[Item]) -> Iterator[tuple[str, Sequence[Value]]]:
    sightings = Sightings()
    for item in items:
        if isinstance(item, Connection):
            for sighting in sightings.new(item):
                yield "x509", x509_row(sighting)
            yield "ssl", ssl_row(item)
        elif isinstance(item, Repeated):
            yield "ssl", repeated_row(item)


def _line(path: str, values: Sequence[Value], tagged: bool) -> bytes:
    """Unset fields are left out, as Zeek does it."""
    made: dict[str, Any] = {"_path": path} if tagged else {}
    columns: Sequence[SslColumn | X509Column] = SSL if path == "ssl" else X509
    for column, value in zip(columns, values, strict=True):
        if value is not None:
            # whole microseconds: all that a double holds of a time of today
            made[column.name] = value // 1000 / 1e6 if column.type == "time" and isinstance(value, int) else value
    return to_json(made) + b"\n"


OUTPUT = Output(
    name="zeek-json",
    help="the same as JSON lines; in one stream with _path",
    write=write,
    files=("ssl.log", "x509.log"),
    write_files=write_files,
    lines=True,
)
