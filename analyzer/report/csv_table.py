"""-T csv: one row a connection (RFC 4180, UTF-8). Cells are one line and never run as formulas in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from analyzer.connection import Connection
from analyzer.report import safe
from analyzer.report.flat import COLUMNS, Value, row
from analyzer.report.output import Item, Output, OutputOptions


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write the header and a row for each connection as it comes."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(column.name for column in COLUMNS)
    for item in items:
        if isinstance(item, Connection):
            rows.writerow(_cell(value) for value in row(item))
            _flush(text, out)
            if options.prompt:
                out.flush()
    _flush(text, out)
    out.flush()


def _cell(value: Value) -> str | int | float:
    if isinstance(value, str):
        return safe.cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _flush(text: io.StringIO, out: BinaryIO) -> None:
    out.write(text.getvalue().encode("utf-8"))
    text.seek(0)
    text.truncate()


OUTPUT = Output(name="csv", help="one row a connection", write=write)
