"""Stores for tests, written as a live run writes them, and records to write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from analyzer.connection import Connection
from analyzer.store.tap import StoreTap
from analyzer.store.writer import Writer
from tests.build.connections import START_NS, connection
from tests.report.records import finding, healthy

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


class Clock:
    """A machine's clock that a test sets."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


def begin(
    path: Path, clock: Clock | None = None, keep_days: float | None = None, told: list[str] | None = None
) -> StoreTap:
    """A tap as `mtlscope live -i eth0 --db PATH` has one."""
    clock = clock or Clock()
    keep_ns = None if keep_days is None else int(keep_days * DAY_NS)
    lines = told if told is not None else []
    return StoreTap(Writer(path, "eth0", clock, "tcp"), clock, keep_ns, lambda: 20, lines.append)


def write(path: Path, conns: Iterable[Connection]) -> None:
    """A whole run."""
    tap = begin(path)
    for conn in conns:
        tap.see(conn)
    tap.close()


def handshake(number: int, **facts: Any) -> Connection:
    """A mutual handshake with a uid of its own, as many seconds after the first one as its number says."""
    usual = {"uid": f"C{number:016x}", "stream": number, "ts_ns": START_NS + number * SECOND_NS}
    return healthy(**(usual | facts))


def refused(number: int, **facts: Any) -> Connection:
    """A refused connection, of which only the first 25 are listed."""
    usual: dict[str, Any] = {
        "uid": f"C{number:016x}",
        "stream": number,
        "ts_ns": START_NS + number * SECOND_NS,
        "findings": (finding("connection-refused"),),
    }
    return connection("> SYN", "< RST", **(usual | facts))


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    """What another process would see."""
    with closing(sqlite3.connect(path)) as base:
        return base.execute(query).fetchall()


def count(path: Path, table: str) -> object:
    return ask(path, f"SELECT count(*) FROM {table}")[0][0]
