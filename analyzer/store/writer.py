"""Writes a store: rows wait in memory, and all of them go in one transaction at each `commit`.

A transaction is short, so that several runs can write one file, and readers see nothing but whole connections. The
write-ahead log is kept small by SQLite's own checkpoints; if a reader holds a snapshot for so long that it reaches MAX_LOG,
nothing is written until the reader lets go.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.report import safe, tables
from analyzer.report.output import Item
from analyzer.report.sqlite_file import as_stored, log_of
from analyzer.report.tables import Row, Rows
from analyzer.report.times import rfc3339
from analyzer.store import pruning, schema
from analyzer.summary import CaptureSummary
from analyzer.version import __version__

PATIENCE = 2.0
"""Seconds to wait for another writer when opening and closing: a service has three for its end."""
HURRY = 0.05
"""The same while packets arrive."""
MAX_LOG = 256 * 2**20
"""Bytes of the write-ahead log."""
KEPT_LOG = 16 * 2**20
"""Bytes of it that stay allocated after a checkpoint."""
EARLY = 5_000
"""Rows that are not let wait for longer, whoever writes."""


def append(path: Path, source: str, items: Iterable[Item], now_ns: Callable[[], int]) -> None:
    """Write items as one run. Raise UsageError if that is not possible; what was written until then stays."""
    writer = Writer(path, source, now_ns)
    try:
        try:
            for item in items:
                writer.add(item)
                if isinstance(item, CaptureSummary):
                    writer.packets += item.packets
                    writer.lost += item.dropped or 0
                if writer.waiting >= EARLY:
                    writer.commit()
        finally:
            writer.close()
    except sqlite3.Error as error:
        raise UsageError(f"cannot write {path}: {error}") from None


class Writer:
    """One run that writes into a store.

    Attributes:
        run: its number. waiting: rows that wait for the next commit.
        packets, lost, unwritten: see the table runs; set by the caller.
    """

    _rows: Rows
    _waiting: dict[str, list[Row]]

    def __init__(self, path: Path, source: str, now_ns: Callable[[], int], filter_: str | None = None) -> None:
        """Raise UsageError if the store cannot be opened."""
        self.path, self._now_ns = path, now_ns
        self.packets = self.lost = self.unwritten = 0
        self._connections = 0
        self._forget()
        self._base = schema.open_to_write(path, PATIENCE)
        try:
            self._base.execute(f"PRAGMA journal_size_limit = {KEPT_LOG}")
            self._base.execute("BEGIN IMMEDIATE")
            (self.run,) = self._base.execute("SELECT coalesce(max(run), 0) + 1 FROM runs").fetchone()
            begun = now_ns()
            named = [safe.utf8(source), None if filter_ is None else safe.utf8(filter_)]
            self._insert(schema.RUNS.name, [[self.run, begun, begun, None, *named, __version__, 0, 0, 0, 0]])
            self._base.execute("COMMIT")
            self._wait(HURRY)
        except sqlite3.Error as error:
            self._base.close()
            raise UsageError(f"cannot write {path}: {error}") from None
        self._log, self._file = log_of(path), path.stat()

    def add(self, item: Item) -> None:
        """Let the rows of an item wait: all of them, or none if making them fails."""
        try:
            made = list(self._rows.of(item))
        except BaseException:
            self._rows = Rows()  # a certificate that it believes to be written may not be
            raise
        self._connections += isinstance(item, Connection)
        for table, row in made:
            self._put(table.name, row if table.name in schema.ONCE else [self.run, *row])

    def add_loss(self, now_ns: int, packets: int) -> None:
        """Let a row of losses wait."""
        self.lost += packets
        self._put(schema.LOSSES.name, [self.run, now_ns, packets])

    def commit(self, ended: bool = False) -> None:
        """Write what waits. Raise sqlite3.Error if that is not possible (the disk is full, another process writes): it still
        waits then, and may be tried again. Raise UsageError if the file was taken away."""
        self._look_at_the_files()
        self._base.execute("BEGIN IMMEDIATE")
        try:
            for name, rows in self._waiting.items():
                self._insert(name, rows)
            self._sign(ended)
            self._base.execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:  # SQLite ends some by itself
                self._base.execute("ROLLBACK")
            raise
        self._forget()

    def prune(self, before_ns: int) -> bool:
        """Take away a few of the connections before that time; is there more to do? Raise sqlite3.Error as `commit`."""
        return pruning.prune(self._base, before_ns, self.run)

    def close(self) -> None:
        """Write what waits and the end of the run. Raise as `commit`; the file is closed in any case."""
        try:
            self._wait(PATIENCE)
            self.commit(ended=True)
        finally:
            self._base.close()

    def _put(self, name: str, row: Row) -> None:
        self._waiting.setdefault(name, []).append(row)
        self.waiting += 1

    def _forget(self) -> None:
        """Begin anew: also with certificates, since those written before may be pruned meanwhile."""
        self._rows = Rows()
        self._waiting = {}
        self.waiting = 0

    def _insert(self, name: str, rows: Iterable[Row]) -> None:
        table = schema.BY_NAME[name]
        columns = ", ".join(f'"{column}"' for column in table.names)
        marks = ", ".join("?" * len(table.columns))
        how = "INSERT OR REPLACE" if name == tables.REPEATED.name else "INSERT OR IGNORE"
        self._base.executemany(
            f"{how} INTO {name} ({columns}) VALUES ({marks})",
            as_stored(table, map(list, rows)),  # copies: they may be tried again
        )

    def _sign(self, ended: bool) -> None:
        """The run's counts, and that it is alive."""
        now = rfc3339(self._now_ns(), 9)
        self._base.execute(
            "UPDATE runs SET seen = ?, ended = ?, packets = ?, lost = ?, connections = ?, unwritten = ? WHERE run = ?",
            (now, now if ended else None, self.packets, self.lost, self._connections, self.unwritten, self.run),
        )

    def _wait(self, seconds: float) -> None:
        self._base.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def _look_at_the_files(self) -> None:
        try:
            same = os.path.samestat(self.path.stat(), self._file)
        except OSError:
            same = False
        if not same:
            self._base.close()
            raise UsageError("somebody removed or replaced the file")
        if self._log_size() > MAX_LOG:
            self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if self._log_size() > MAX_LOG:
                raise sqlite3.OperationalError(f"a reader keeps {self._log.name} from shrinking")

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0
