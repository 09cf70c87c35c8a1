"""Rows of all tables in batches as the items come, and files that a library wants to write by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from analyzer import places
from analyzer.errors import UsageError
from analyzer.report.output import Item
from analyzer.report.tables import TABLES, Row, Rows, Table

ROWS = 5_000
"""Rows of one table that are held back: the memory that a long capture needs."""


def batches(items: Iterable[Item], wanted: Collection[str] | None = None) -> Iterator[tuple[Table, list[Row]]]:
    """Batches of rows of one table each, at most ROWS long and a little over; the order within a table is that of the items.
    Only of the tables with these names; None is all.

    Interrupted while items are fetched, it still gives what was decided until then, and then raises what interrupted it.
    """
    made, waiting = Rows(wanted), {table.name: list[Row]() for table in TABLES}
    stopped: BaseException | None = None
    source = iter(items)
    while True:
        try:
            item = next(source, None)
        except (KeyboardInterrupt, Exception) as error:
            stopped, item = error, None
        if item is None:
            break
        for table, row in made.of(item):
            if wanted is None or table.name in wanted:
                waiting[table.name].append(row)
        for table in TABLES:
            if len(waiting[table.name]) >= ROWS:
                yield table, waiting[table.name]
                waiting[table.name] = []
    for table in TABLES:
        if waiting[table.name]:
            yield table, waiting[table.name]
    if stopped is not None:
        raise stopped


def through_a_file(out: BinaryIO, fill: Callable[[Path], None]) -> None:
    """Let `fill` make a file (a database needs to seek), then copy that to `out`, also when it was interrupted.

    The file is in the folder for temporary files (TMPDIR). Raise UsageError if that cannot be written.
    """
    with TemporaryDirectory(prefix="mtlscope-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "tables")
        try:
            fill(path)
        finally:
            if path.exists():
                from shutil import copyfileobj

                with path.open("rb") as made:
                    copyfileobj(made, out, 2**20)
    out.flush()


def replaceable(
    path: Path, magic: bytes, at: int = 0, tables_in: Callable[[Path], set[str] | None] | None = None
) -> Path:
    """`path`, if nothing is there or an earlier one of ours. Raise UsageError for another file: it may be a capture, a store,
    or somebody's database.

    `tables_in`: the names of the tables in such a file, None if they cannot be read; without it the kind of file counts.
    """
    if places.is_folder(path):
        raise UsageError(f"{path} is a folder; choose a file")
    if places.is_file(path):
        try:
            with path.open("rb") as file:
                head = file.read(at + len(magic))
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
        if head and head[at:] != magic:
            raise UsageError(f"{path} is a file of another kind and would be lost; choose another name")
        found = tables_in(path) if head and tables_in is not None else set()
        if found is None or not found <= {table.name for table in TABLES}:
            raise UsageError(f"{path} is a database of another kind and would be lost; choose another name")
    return path
