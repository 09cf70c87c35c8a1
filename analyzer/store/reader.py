"""Reads a store, also while it is written: `open_db(path)`.

No read lasts longer than it takes to fetch what was asked for, so that a reader never keeps the write-ahead log from shrinking.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import places
from analyzer.errors import UsageError
from analyzer.report import tables
from analyzer.report.sqlite_file import as_read, log_of
from analyzer.report.tables import Kind, Table, TableColumn
from analyzer.report.times import rfc3339
from analyzer.selection import parse_time
from analyzer.store import schema

if TYPE_CHECKING:
    from analyzer.report.dataframe import DataFrame

PAGE = 1_000
"""Rows that are fetched at once while somebody iterates."""
When = str | datetime | None
_TIMES = {"runs": "seen", "losses": "ts", "connections": "ts", "repeated": "last", "captures": "last"}
"""Column that `since` and `until` look at; in the other tables it is the connection's."""


def open_db(path: str | os.PathLike[str]) -> Store:
    """Open a store that `mtlscope live --db` or `Result.to_db` wrote, or is writing. Nothing in it is ever changed.

    Raise UsageError if there is none, if the file is another one, or of a newer mtlscope.
    """
    return Store(Path(path))


class Store:
    """A store, open for reading. Close it, or use it in a `with`.

    Iterating gives the connections as dicts. `since` and `until` are times as "2026-11-21T09:30:00Z" or aware datetimes:
    of connections, and of what belongs to them, by their first packet. Every method raises UsageError if SQLite cannot do it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if places.is_folder(path):
            raise UsageError(f"{path} is a folder; a store is a file that mtlscope live --db makes")
        if not places.is_file(path):
            raise UsageError(f"{path}: there is no such file; mtlscope live --db makes it")
        schema.refuse_others(path)
        self._base, self._unchanging = _connect(path)
        try:
            schema.check(self._base, path)
        except BaseException:
            self._base.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._base.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.rows("connections")

    def rows(self, table: str, since: When = None, until: When = None) -> Iterator[dict[str, Any]]:
        """Rows of a table in the order in which they were written, as dicts. Times are texts, as in JSON Lines.

        What is written meanwhile is given too; when the rows are at an end, so is the iterator.
        """
        known = _table(table)
        plain = replace(known, columns=tuple(map(_as_text, known.columns)))
        where, values = _between(table, since, until)
        query = (
            f"SELECT rowid, {self._columns(known)} FROM {table} WHERE rowid > ? AND {where} ORDER BY rowid LIMIT {PAGE}"  # noqa: S608
        )
        at = 0
        while page := self._query(query, (at, *values)):
            for row in as_read(plain, (row[1:] for row in page)):
                yield dict(zip(plain.names, row, strict=True))
            at = page[-1][0]

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query of SQL gives; docs/store.md has the tables."""
        return self._query(query, parameters)

    def sql_frame(self, query: str, parameters: Sequence[Any] = ()) -> DataFrame:
        """The same as a frame, of values as SQLite has them. Raise UsageError without pandas."""
        from analyzer.report import dataframe

        with self._told():
            found = self._ready().execute(query, parameters)
            return dataframe.answer([name for (name, *_) in found.description or ()], found.fetchall())

    def frame(self, table: str, since: When = None, until: When = None) -> DataFrame:
        """Any table as a frame; the dtypes are those of docs/frames.md. Raise UsageError without pandas."""
        from analyzer.report import dataframe

        known = _table(table)
        where, values = _between(table, since, until)
        found = self._query(f"SELECT {self._columns(known)} FROM {table} WHERE {where} ORDER BY rowid", values)  # noqa: S608
        return dataframe.frame(known, list(as_read(known, found)))

    def to_frame(self, since: When = None, until: When = None) -> DataFrame:
        """One row a connection. Raise UsageError without pandas."""
        return self.frame("connections", since, until)

    def findings_frame(self, since: When = None, until: When = None) -> DataFrame:
        """One row a finding; those across connections only where no time is asked for. Raise UsageError without pandas."""
        return self.frame("findings", since, until)

    def messages_frame(self, since: When = None, until: When = None) -> DataFrame:
        """One row a message of a handshake, SYN, FIN or RST. Raise UsageError without pandas."""
        return self.frame("messages", since, until)

    def runs_frame(self) -> DataFrame:
        """One row a run. Raise UsageError without pandas."""
        return self.frame("runs")

    def certificates_frame(self, since: When = None, until: When = None) -> DataFrame:
        """One row a certificate, with who sent it how often. Raise UsageError without pandas."""
        from analyzer.report import dataframe

        where, values = _between("connections", since, until)
        found = self._query(_CERTIFICATES.format(columns=self._columns(tables.CERTIFICATES), where=where), values)
        rows = list(as_read(dataframe.CERTIFICATES, found))
        addresses = [dataframe.CERTIFICATES.names.index(name) for name in ("clients", "servers")]
        for row in rows:
            for index in addresses:
                row[index].sort()
        return dataframe.frame(dataframe.CERTIFICATES, rows)

    def _columns(self, table: Table) -> str:
        """Those of a table for SELECT, NULL for what an older mtlscope did not write yet."""
        there = {name for (_, name, *_) in self._query(f"PRAGMA table_info({table.name})")}
        if not there:
            raise UsageError(f"{self.path} has no table {table.name}: an older mtlscope wrote it")
        return ", ".join(f'{table.name}."{name}"' if name in there else f'NULL AS "{name}"' for name in table.names)

    def _query(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._told():
            return self._ready().execute(query, parameters).fetchall()

    def _ready(self) -> sqlite3.Connection:
        """The database, opened anew if somebody began to write it although it was believed not to change."""
        if self._unchanging and log_of(self.path).exists():
            self._base.close()
            self._base, self._unchanging = _connect(self.path)
        return self._base

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise UsageError(f"{self.path}: {error}") from None

    def __repr__(self) -> str:
        return f"<Store {self.path}>"


_CERTIFICATES = """
    SELECT {columns}, count(DISTINCT uid),
        json_group_array(DISTINCT client_ip) FILTER (WHERE side = 'client'),
        json_group_array(DISTINCT server_ip) FILTER (WHERE side = 'server'),
        max(position = 0)
    FROM certificates JOIN chains USING (sha256) JOIN connections USING (uid)
    WHERE {where} GROUP BY sha256 ORDER BY certificates.rowid
"""


def _connect(path: Path) -> tuple[sqlite3.Connection, bool]:
    """The database, and whether SQLite believes that it never changes: without the right to write beside it, and with nobody
    writing, it opens it only if it is told so."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    for unchanging in (False, True):
        base = sqlite3.connect(f"{uri}&immutable=1" if unchanging else uri, uri=True, isolation_level=None)
        try:
            base.execute("PRAGMA query_only = ON")
            base.execute("SELECT count(*) FROM sqlite_master")
            return base, unchanging
        except sqlite3.Error as error:
            base.close()
            reason = error
            if log_of(path).exists():
                break
    raise UsageError(f"cannot read {path}: {reason}")


def _table(name: str) -> Table:
    if name not in schema.BY_NAME:
        raise UsageError(f"no table called {name!r}; there are {', '.join(schema.BY_NAME)}")
    return schema.BY_NAME[name]


def _as_text(column: TableColumn) -> TableColumn:
    return replace(column, kind=Kind.TEXT) if column.kind in (Kind.TIME, Kind.DATE) else column


def _between(table: str, since: When, until: When) -> tuple[str, list[str]]:
    """A condition on a table's rows, and its values."""
    limits = [
        (how, _time(when, option)) for how, when, option in ((">=", since, "since"), ("<", until, "until")) if when
    ]
    if not limits:
        return "TRUE", []
    values = [time for _, time in limits]
    column = _TIMES.get(table, "ts")
    where = " AND ".join(f"{column} {how} ?" for how, _ in limits)
    if table in _TIMES:
        return where, values
    where = f"uid IN (SELECT uid FROM connections WHERE {where})"  # noqa: S608
    if table in schema.LINKED:
        key = schema.ONCE[table]
        where = f"{key} IN (SELECT {key} FROM {schema.LINKED[table]} WHERE {where})"  # noqa: S608
    return where, values


def _time(when: str | datetime, option: str) -> str:
    """As it is in the store."""
    return rfc3339(parse_time(when.isoformat() if isinstance(when, datetime) else when, option), 9)
