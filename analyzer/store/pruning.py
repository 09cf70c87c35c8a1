"""Takes old connections out of a store, a few at a time, and gives room back to the disk.

Old is what the packets' time says. A certificate or a CA list goes with the last connection that it was sent in. A clock
that is wrong for a while costs at most STEP connections a call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from analyzer.report.times import rfc3339
from analyzer.store import schema

STEP = 500
"""Connections, and rows of other tables, that one call takes away."""
FREE = 2_048
"""Free pages (of 4 KiB) that are kept for what comes next."""
GIVEN_BACK = 1_024
"""Pages that one call gives back."""
_OF_A_CONNECTION = ("findings", "chains", "requests", "messages")
_LINKED = [(table, link, schema.ONCE[table]) for table, link in schema.LINKED.items()]
"""Table, the one that joins it with connections, and by what."""


def prune(base: sqlite3.Connection, before_ns: int, run: int) -> bool:
    """One step; is there more to do? `run` stays. Raise sqlite3.Error if it cannot be written."""
    before = rfc3339(before_ns, 9)
    base.execute("BEGIN IMMEDIATE")
    try:
        removed = _connections(base, before)
        for table, column in (("repeated", "last"), ("losses", "ts")):
            old = f"SELECT rowid FROM {table} WHERE {column} < ? LIMIT {STEP}"  # noqa: S608
            base.execute(f"DELETE FROM {table} WHERE rowid IN ({old})", (before,))  # noqa: S608
        _runs(base, before, run)
        base.execute("COMMIT")
    except BaseException:
        if base.in_transaction:
            base.execute("ROLLBACK")
        raise
    _give_back(base)
    return removed == STEP


def _connections(base: sqlite3.Connection, before: str) -> int:
    old = base.execute(f"SELECT uid FROM connections WHERE ts < ? ORDER BY ts LIMIT {STEP}", (before,)).fetchall()  # noqa: S608
    linked = {table: _of(base, link, key, old) for table, link, key in _LINKED}
    for table in (*_OF_A_CONNECTION, "connections"):
        base.executemany(f"DELETE FROM {table} WHERE uid = ?", old)  # noqa: S608
    for table, link, key in _LINKED:
        unused = f"NOT EXISTS (SELECT 1 FROM {link} WHERE {link}.{key} = {table}.{key})"  # noqa: S608
        base.executemany(f"DELETE FROM {table} WHERE {key} = ? AND {unused}", linked[table])  # noqa: S608
    return len(old)


def _of(base: sqlite3.Connection, link: str, key: str, uids: Iterable[tuple[str]]) -> set[tuple[str]]:
    query = f"SELECT DISTINCT {key} FROM {link} WHERE uid = ?"  # noqa: S608
    return {found for uid in uids for found in base.execute(query, uid)}


def _runs(base: sqlite3.Connection, before: str, run: int) -> None:
    """Runs that ended before, with what was said of them as a whole."""
    ended = base.execute("SELECT run FROM runs WHERE seen < ? AND run != ?", (before, run)).fetchall()
    base.executemany("DELETE FROM findings WHERE uid IS NULL AND run = ?", ended)
    base.executemany("DELETE FROM captures WHERE run = ?", ended)
    base.executemany("DELETE FROM runs WHERE run = ?", ended)


def _give_back(base: sqlite3.Connection) -> None:
    """Free pages beyond what is soon used again: SQLite moves the last ones of the file there and cuts it."""
    (free,) = base.execute("PRAGMA freelist_count").fetchone()
    if free > FREE:
        base.executescript(
            f"PRAGMA incremental_vacuum({min(GIVEN_BACK, free - FREE)})"
        )  # `execute` takes one step: one page
