"""-T sqlite: every table in one SQLite database. Nothing but Python is needed.

Texts are TEXT, flags 0 or 1, lists JSON arrays (`json_each` takes them apart). Times are TEXT such as
2026-11-21T09:30:00.123456789Z, which sorts by time and which SQLite's date functions read. What is missing is NULL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from analyzer.errors import UsageError
from analyzer.report.batches import batches, through_a_file
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.tables import TABLES, Kind, Row, Table, TableColumn
from analyzer.report.times import rfc3339

_EPOCH, _SECOND = datetime(1970, 1, 1), timedelta(seconds=1)
MAGIC = b"SQLite format 3\0"
VERSION = 1
"""PRAGMA user_version: grows when a column changes its meaning or goes."""
_TYPES = {Kind.INTEGER: "INTEGER", Kind.FLAG: "INTEGER", Kind.REAL: "REAL"}
INDEXES = (
    "connections(uid)",
    "findings(uid)",
    "findings(rule)",
    "messages(uid)",
    "chains(uid)",
    "chains(sha256)",
    "requests(uid)",
)
"""Columns that are looked up."""


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
            base.execute(create(table))
        try:
            for table, rows in batches(items):
                marks = ", ".join("?" * len(table.columns))
                base.executemany(f"INSERT INTO {table.name} VALUES ({marks})", as_stored(table, rows))  # noqa: S608
        finally:
            for index in INDEXES:
                base.execute(create_index(index))
            base.execute("COMMIT")
    except sqlite3.Error as error:
        raise UsageError(f"cannot write the database: {error}") from None
    finally:
        base.close()


def tables_in(path: Path) -> set[str] | None:
    """Names of the tables of a database, which is not touched; None if they cannot be read, or not all of it is in the file."""
    import sqlite3

    log = log_of(path)
    if log.exists() and log.stat().st_size:
        return None
    try:
        base = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        try:
            return {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type <> 'index'")}
        finally:
            base.close()
    except sqlite3.Error:
        return None


def log_of(path: Path) -> Path:
    """The write-ahead log, which is there as long as somebody writes. SQLite follows links first."""
    real = path.resolve()
    return real.with_name(f"{real.name}-wal")


def create(table: Table) -> str:
    """The statement that makes it."""
    return f"CREATE TABLE {table.name} ({', '.join(map(define, table.columns))})"


def define(column: TableColumn) -> str:
    """A column as in CREATE TABLE."""
    return f'"{column.name}" {_TYPES.get(column.kind, "TEXT")}'


def create_index(columns: str, unique: bool = False) -> str:
    """The statement for an index on "table(column, ...)"."""
    name = re.sub(r"\W+", "_", columns).strip("_")
    return f"CREATE {'UNIQUE ' if unique else ''}INDEX IF NOT EXISTS {name} ON {columns}"


def as_stored(table: Table, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with what SQLite has no type for as texts. They are changed in place: most columns stay."""
    changed = [(index, _TEXTS[column.kind]) for index, column in enumerate(table.columns) if column.kind in _TEXTS]
    for row in rows:
        for index, as_text in changed:
            if row[index] is not None:
                row[index] = as_text(row[index])
        yield row


def as_read(table: Table, rows: Iterable[Sequence[Any]]) -> Iterator[Row]:
    """The other way: values as `tables` has them."""
    changed = [(index, _VALUES[column.kind]) for index, column in enumerate(table.columns) if column.kind in _VALUES]
    for row in rows:
        values = list(row)
        for index, as_value in changed:
            if values[index] is not None:
                values[index] = as_value(values[index])
        yield values


def _time(time_ns: int) -> str:
    return rfc3339(time_ns, 9)


def _date(time_us: int) -> str:
    return rfc3339(time_us * 1000, 0)


def _nanoseconds(text: str) -> int:
    whole, _, digits = text.rstrip("Z").partition(".")
    seconds = (datetime.fromisoformat(whole) - _EPOCH) // _SECOND
    return seconds * 1_000_000_000 + int(digits.ljust(9, "0"))


def _microseconds(text: str) -> int:
    return _nanoseconds(text) // 1000


_TEXTS: dict[Kind, Callable[[Any], str]] = {Kind.TIME: _time, Kind.DATE: _date, Kind.TEXTS: json.dumps}
_VALUES: dict[Kind, Callable[[Any], Any]] = {
    Kind.TIME: _nanoseconds,
    Kind.DATE: _microseconds,
    Kind.TEXTS: json.loads,
    Kind.FLAG: bool,
}

OUTPUT = Output(name="sqlite", help="a SQLite database with every table of docs/frames.md", write=write, binary=True)
