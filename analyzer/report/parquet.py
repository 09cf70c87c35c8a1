"""-T parquet: the connections as a Parquet file, or with `-o FOLDER/` every table as a file of its own (extra `parquet`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from analyzer.errors import UsageError
from analyzer.report.arrow import pyarrow, write_parquet
from analyzer.report.batches import replaceable
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.tables import CONNECTIONS, TABLES

MAGIC = b"PAR1"
FILES = tuple(f"{table.name}.parquet" for table in TABLES)


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write the connections as they come, some thousand at once. Raise UsageError without pyarrow."""
    write_parquet(items, {CONNECTIONS.name: out})
    out.flush()


def write_files(items: Iterable[Item], outs: Sequence[BinaryIO], options: OutputOptions) -> None:
    """Write each table into a file of its own."""
    write_parquet(items, {table.name: out for table, out in zip(TABLES, outs, strict=True)})


def write_folder(items: Iterable[Item], folder: Path) -> None:
    """Write every table as NAME.parquet into a folder, which is made if it is not there.

    Raise UsageError without pyarrow, if the folder cannot be written, or if a file of such a name is no Parquet file.
    """
    pyarrow("Parquet")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            paths = [replaceable(folder / name, MAGIC) for name in FILES]
            write_files(items, [stack.enter_context(path.open("wb")) for path in paths], OutputOptions())
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from None


def _ready() -> None:
    pyarrow("Parquet")


OUTPUT = Output(
    name="parquet",
    help="connections as Parquet; with -o FOLDER/ every table of docs/frames.md",
    write=write,
    binary=True,
    ready=_ready,
    files=FILES,
    write_files=write_files,
)
