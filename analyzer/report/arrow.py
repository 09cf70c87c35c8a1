"""The tables as Apache Arrow, for Parquet and DuckDB. The only place that imports pyarrow, and only when it is needed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

from analyzer.errors import UsageError
from analyzer.report.batches import batches
from analyzer.report.output import Item
from analyzer.report.tables import TABLES, Kind, Row, Table
from analyzer.version import __version__


def pyarrow(format_name: str) -> Any:
    """The library. Raise UsageError without it."""
    try:
        import pyarrow as library
    except ImportError:
        raise UsageError(f"{format_name} needs pyarrow: python -m pip install pyarrow") from None
    return library


def schema(library: Any, table: Table, zone: str | None = "UTC") -> Any:
    """The Arrow schema; meanings are in the metadata. `zone`: of times; None for a store that keeps none."""
    types = {
        Kind.TEXT: library.string(),
        Kind.CATEGORY: library.dictionary(library.int32(), library.string()),
        Kind.INTEGER: library.int64(),
        Kind.REAL: library.float64(),
        Kind.FLAG: library.bool_(),
        Kind.TIME: library.timestamp("ns", zone),
        Kind.DATE: library.timestamp("us", zone),
        Kind.TEXTS: library.list_(library.string()),
    }
    fields = [
        library.field(column.name, types[column.kind], metadata={"description": column.meaning})
        for column in table.columns
    ]
    about = {"description": table.meaning, "table": table.name, "tool": f"mtlscope {__version__}"}
    return library.schema(fields, metadata=about)


def arrow_table(library: Any, table: Table, known: Any, rows: Sequence[Row]) -> Any:
    """Rows as an Arrow table; `known` is its schema."""
    columns = [
        library.array(_texts(each) if column.kind is Kind.TEXTS else each, known.field(column.name).type)
        for column, each in zip(table.columns, zip(*rows, strict=True), strict=True)
    ]
    return library.Table.from_arrays(columns, schema=known)


def _texts(lists: Iterable[list[Any] | None]) -> list[list[str] | None]:
    """Frames are numbers, but `FILE#N` in later files of a ring."""
    return [None if one is None else [str(value) for value in one] for one in lists]


def write_parquet(items: Iterable[Item], sinks: Mapping[str, BinaryIO]) -> None:
    """Write tables (name -> sink) as Parquet, a row group a batch. Raise UsageError without pyarrow."""
    library = pyarrow("Parquet")
    from pyarrow import parquet

    schemas = {table.name: schema(library, table) for table in TABLES if table.name in sinks}
    writers = {
        name: parquet.ParquetWriter(_Positioned(sinks[name]), known, compression="zstd")
        for name, known in schemas.items()
    }
    try:
        for table, rows in batches(items, writers):
            writers[table.name].write_table(arrow_table(library, table, schemas[table.name], rows))
    finally:
        for writer in writers.values():
            writer.close()


class _Positioned(io.RawIOBase):
    """A sink that can only be written to, for a library that also asks where it is."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink, self._at = sink, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        block = bytes(data)
        self._sink.write(block)
        self._at += len(block)
        return len(block)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        self._sink.flush()
