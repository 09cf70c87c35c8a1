"""What is in a store: the tables of `report/tables.py` with the run that wrote a row, the runs themselves, and losses.

The file says what it is: PRAGMA application_id is APPLICATION, user_version is VERSION. Within a version tables and columns
are only added, so that an older mtlscope still reads and writes the file.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from analyzer import places
from analyzer.errors import UsageError
from analyzer.report import sqlite_file, tables
from analyzer.report.tables import Kind, Table, TableColumn

APPLICATION = int.from_bytes(b"mtls")
"""PRAGMA application_id."""
VERSION = 1
"""PRAGMA user_version: grows when a table or column goes or changes its meaning."""

_RUN = TableColumn("run", Kind.INTEGER, "the run that wrote it, see runs")
RUNS = Table(
    "runs",
    "one run that wrote into the store",
    (
        TableColumn("run", Kind.INTEGER, "1 is the first"),
        TableColumn("begun", Kind.TIME, "by the machine's clock, as the next two"),
        TableColumn("seen", Kind.TIME, "its last sign of life; about every ten seconds there is one"),
        TableColumn("ended", Kind.TIME, "missing: it goes on, or was killed"),
        TableColumn("source", Kind.TEXT, "the interface, or the captures"),
        TableColumn("filter", Kind.TEXT, "the capture filter"),
        TableColumn("version", Kind.TEXT, "of mtlscope"),
        TableColumn("packets", Kind.INTEGER, "read"),
        TableColumn("lost", Kind.INTEGER, "packets that the capture lost, see losses"),
        TableColumn("connections", Kind.INTEGER, "written, those too that were pruned since"),
        TableColumn(
            "unwritten",
            Kind.INTEGER,
            "connections left out: they found no room, on the disk and then in memory, or a bug of ours hit them",
        ),
    ),
)
LOSSES = Table(
    "losses",
    "packets that the capture lost in about a second",
    (
        _RUN,
        TableColumn("ts", Kind.TIME, "when it was noticed, by the machine's clock"),
        TableColumn("packets", Kind.INTEGER, "how many"),
    ),
)
ONCE = {tables.CERTIFICATES.name: "sha256", tables.CA_LISTS.name: "ca_list"}
"""Tables that all runs share: a row is there once a hash."""
LINKED = {tables.CERTIFICATES.name: tables.CHAINS.name, tables.CA_LISTS.name: tables.REQUESTS.name}
"""What joins these with connections, by the same column."""


def _with_run(table: Table) -> Table:
    return table if table.name in ONCE else Table(table.name, table.meaning, (_RUN, *table.columns))


TABLES = (RUNS, *map(_with_run, tables.TABLES), LOSSES)
BY_NAME = {table.name: table for table in TABLES}
_UNIQUE = (
    "runs(run)",
    *(f"{name}({key})" for name, key in ONCE.items()),
    "repeated(run, rule, client_ip, server_ip, server_port, first)",
)
_INDEXES = ("connections(ts)", "requests(ca_list)", "losses(ts)", "repeated(last)")


def open_to_write(path: Path, timeout: float) -> sqlite3.Connection:
    """The database at `path`, made or completed. Raise UsageError if that is not possible or the file is another one.

    `timeout`: seconds to wait for another writer.
    """
    if places.is_there(path) and not (places.is_file(path) or places.is_folder(path)):
        raise UsageError(f"{path} is no file on a disk; choose one")
    try:
        with path.open("ab"):  # says better than SQLite why it cannot be written
            pass
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    refuse_others(path)
    base = sqlite3.connect(path.absolute(), isolation_level=None, timeout=timeout)
    try:
        if base.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            check(base, path)
        base.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts for a new file alone
        if base.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise UsageError(f"{path}: SQLite cannot keep a write-ahead log there; choose a file on a local disk")
        base.execute("PRAGMA synchronous = NORMAL")
        base.execute("PRAGMA temp_store = MEMORY")
        base.execute("BEGIN IMMEDIATE")
        _complete(base)
        base.execute("COMMIT")
    except sqlite3.Error as error:
        base.close()
        raise UsageError(f"cannot write {path}: {error}") from None
    except UsageError:
        base.close()
        raise
    return base


def refuse_others(path: Path) -> None:
    """Raise UsageError for a file that is no SQLite database, or that cannot be read. An empty one may become one."""
    try:
        with path.open("rb") as file:
            head = file.read(len(sqlite_file.MAGIC))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    if head and head != sqlite_file.MAGIC:
        raise UsageError(f"{path} is no store: it starts with {head[:4].hex(' ')}, not as SQLite; choose another name")


def check(base: sqlite3.Connection, path: Path) -> None:
    """Raise UsageError if the database is not a store, or one of a newer kind."""
    if base.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
        raise UsageError(f"{path} is a SQLite database, but not one of `mtlscope live --db`; choose another name")
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise UsageError(
            f"{path} is a store of version {version}; this mtlscope knows them up to {VERSION}: update mtlscope, or choose "
            "another name"
        )


def _complete(base: sqlite3.Connection) -> None:
    """Add what is not there yet: everything to a new file, what came later to an older one."""
    for table in TABLES:
        known = {name for (_, name, *_) in base.execute(f"PRAGMA table_info({table.name})")}
        if not known:
            base.execute(sqlite_file.create(table))
            continue
        for column in table.columns:
            if column.name not in known:
                base.execute(f"ALTER TABLE {table.name} ADD COLUMN {sqlite_file.define(column)}")
    for columns in (*sqlite_file.INDEXES, *_INDEXES):
        base.execute(sqlite_file.create_index(columns))
    for columns in _UNIQUE:
        base.execute(sqlite_file.create_index(columns, unique=True))
    base.execute(f"PRAGMA application_id = {APPLICATION}")
    base.execute(f"PRAGMA user_version = {VERSION}")
