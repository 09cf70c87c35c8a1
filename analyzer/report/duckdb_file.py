"""-T duckdb: every table in one DuckDB database (extra `sql`). The only place that imports duckdb.

Times are TIMESTAMP_NS, dates of certificates TIMESTAMP, both UTC and without a zone: DuckDB's type with a zone keeps only
microseconds, and shows them in the zone of whoever looks. Lists are VARCHAR[]. Meanings are comments of the columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from analyzer.errors import UsageError
from analyzer.report.arrow import arrow_table, pyarrow, schema
from analyzer.report.batches import batches, through_a_file
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.tables import TABLES, Kind, Table

MAGIC, MAGIC_AT = b"DUCK", 8
_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.CATEGORY: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.REAL: "DOUBLE",
    Kind.FLAG: "BOOLEAN",
    Kind.TIME: "TIMESTAMP_NS",
    Kind.DATE: "TIMESTAMP",
    Kind.TEXTS: "VARCHAR[]",
}


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise UsageError("DuckDB needs duckdb: python -m pip install duckdb pyarrow") from None
    return duckdb


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write the database when all items have come; the rows go to a file meanwhile. Raise UsageError without the extra."""
    library, arrow = _duckdb(), pyarrow("DuckDB")
    through_a_file(out, lambda path: _fill(library, arrow, items, path))


def _fill(library: Any, arrow: Any, items: Iterable[Item], path: Path) -> None:
    schemas = {table.name: schema(arrow, table, zone=None) for table in TABLES}
    try:
        # nothing is fetched from the network, and nothing but what we hand over is read
        base = library.connect(str(path), config={"autoinstall_known_extensions": "false"})
        try:
            for table in TABLES:
                for statement in _create(table):
                    base.execute(statement)
            for table, rows in batches(items):
                base.register("batch", arrow_table(arrow, table, schemas[table.name], rows))
                base.execute(f"INSERT INTO {table.name} SELECT * FROM batch")  # noqa: S608
                base.unregister("batch")
        finally:
            base.close()
    except library.Error as error:
        raise UsageError(f"cannot write the database: {error}") from None


def tables_in(path: Path) -> set[str] | None:
    """Names of the tables of a database, which is not touched; None if they cannot be read. Raise UsageError without the
    extra."""
    library = _duckdb()
    try:
        base = library.connect(str(path), read_only=True, config={"autoinstall_known_extensions": "false"})
        try:
            found = base.execute("SELECT table_name FROM information_schema.tables").fetchall()
        finally:
            base.close()
    except library.Error:
        return None
    return {name for (name,) in found}


def _create(table: Table) -> Iterable[str]:
    columns = ", ".join(f'"{column.name}" {_TYPES[column.kind]}' for column in table.columns)
    yield f"CREATE TABLE {table.name} ({columns})"
    yield f"COMMENT ON TABLE {table.name} IS {_quoted(table.meaning)}"
    for column in table.columns:
        yield f'COMMENT ON COLUMN {table.name}."{column.name}" IS {_quoted(column.meaning)}'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _ready() -> None:
    _duckdb()
    pyarrow("DuckDB")


OUTPUT = Output(
    name="duckdb", help="a DuckDB database with every table of docs/frames.md", write=write, binary=True, ready=_ready
)
