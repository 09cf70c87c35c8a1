"""-T sqlite: every table in one SQLite database. Nothing but Python is needed.

Texts are TEXT, flags 0 or 1, lists JSON arrays (`json_each` takes them apart). Times are TEXT such as
2026-11-21T09:30:00.123456789Z, which sorts by time and which SQLite's date functions read. What is missing is NULL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from analyzer.errors import UsageError
from analyzer.report.batches import batches, through_a_file
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.tables import TABLES, Kind, Row, Table
from analyzer.report.times import rfc3339

MAGIC = b"SQLite format 3\0"
VERSION = 1
"""PRAGMA user_version: grows when a column changes its meaning or goes."""
_TYPES = {Kind.INTEGER: "INTEGER", Kind.FLAG: "INTEGER", Kind.REAL: "REAL"}
_INDEXES = ("connections(uid)", "findings(uid)", "findings(rule)", "messages(uid)", "chains(uid)", "chains(sha256)", "requests(uid)")


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write the database when all items have come; the rows go to a file meanwhile. Raise UsageError if the disk is full."""
    through_a_file(out, lambda path: _fill(items, path))


def _fill(items: Iterable[Item], path: Path) -> None:
    import sqlite3

    base = sqlite3.connect(path, isolation_level=None)
    try:
        base.execute("PRAGMA journal_mode = OFF")  # nobody else has the file, and if we fail it is thrown away
        base.execute("PRAGMA synchronous = OFF")
        base.execute(f"PRAGMA user_version = {VERSION}")
        base.execute("BEGIN")
        for table in TABLES:
            base.execute(_create(table))
        try:
            for table, rows in batches(items):
                marks = ", ".join("?" * len(table.columns))
                base.executemany(f"INSERT INTO {table.name} VALUES ({marks})", _rows(table, rows))  # noqa: S608
        finally:
            for index in _INDEXES:
                base.execute(f"CREATE INDEX {index.replace('(', '_').rstrip(')')} ON {index}")
            base.execute("COMMIT")
    except sqlite3.Error as error:
        raise UsageError(f"cannot write the database: {error}") from None
    finally:
        base.close()


def _create(table: Table) -> str:
    columns = ", ".join(f'"{column.name}" {_TYPES.get(column.kind, "TEXT")}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({columns})"


def _rows(table: Table, rows: list[Row]) -> Iterator[Row]:
    """The rows with what SQLite has no type for as texts. They are changed in place: most columns stay."""
    changed = [(index, _TEXTS[column.kind]) for index, column in enumerate(table.columns) if column.kind in _TEXTS]
    for row in rows:
        for index, as_text in changed:
            if row[index] is not None:
                row[index] = as_text(row[index])
        yield row


def _time(time_ns: int) -> str:
    return rfc3339(time_ns, 9)


def _date(time_us: int) -> str:
    return rfc3339(time_us * 1000, 0)


_TEXTS: dict[Kind, Callable[[Any], str]] = {Kind.TIME: _time, Kind.DATE: _date, Kind.TEXTS: json.dumps}

OUTPUT = Output(name="sqlite", help="a SQLite database with every table of docs/frames.md", write=write, binary=True)
