"""What a live run's store does when it cannot be written, and with what is no store."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.report import tables
from analyzer.store import schema, tap, writer
from analyzer.store.writer import Writer
from tests.build.connections import START_NS
from tests.store.stores import Clock, ask, begin, count, handshake, write


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs root on Linux, to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_is_told_and_survived(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "MAX_WAITING", 200)
    path, told = small_disk / "x.db", list[str]()
    one = begin(path, told=told)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(2**20))
    number = 0
    while not told:
        one.see(handshake(number))
        one.tick(START_NS)
        number += 1
    full = number
    assert count(path, "connections") == full - 1, "all up to the one that did not fit"
    for number in range(full, full + 20):
        one.see(handshake(number))
        one.tick(START_NS)
    assert len(told) == 1, "once"
    assert "full" in told[0]
    filler.unlink()
    one.tick(START_NS)
    one.see(handshake(999))
    one.close()
    ((connections, unwritten),) = ask(path, "SELECT connections, unwritten FROM runs")
    assert (count(path, "connections"), count(path, "certificates")) == (connections, 3)
    assert int(str(connections)) + int(str(unwritten)) == full + 21
    assert told[1:] == [f"{path} is written again; {unwritten} connections found no room meanwhile"]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_disk_that_stays_full_loses_the_last_ones_alone(small_disk: Path) -> None:
    path, told = small_disk / "x.db", list[str]()
    one = begin(path, told=told)
    number = 0
    while not told:
        one.see(handshake(number))
        one.tick(START_NS)
        number += 1
    one.close()
    assert "the last connections are not in it" in told[-1]
    assert count(path, "connections") == number - 1


def test_a_limit_on_the_size_of_files_is_survived_too(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="no such limits on this system")
    path, told, number = tmp_path / "x.db", list[str](), 0
    one = begin(path, told=told)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        while not told:
            one.see(handshake(number))
            one.tick(START_NS)
            number += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    one.close()
    assert count(path, "connections") == number
    assert "is written again" in told[-1]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


def test_another_one_who_writes_for_long_is_waited_for(tmp_path: Path) -> None:
    path, told = tmp_path / "x.db", list[str]()
    one = begin(path, told=told)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        one.see(handshake(0))
        one.tick(START_NS)
        other.execute("ROLLBACK")
    one.tick(START_NS)
    one.close()
    assert [line.replace(str(path), "x.db") for line in told] == [
        "x.db: database is locked; what is new waits in memory, and each second it is tried again",
        "x.db is written again; 0 connections found no room meanwhile",
    ]
    assert count(path, "connections") == 1


@pytest.mark.parametrize("linked", [False, True], ids=["", "the store is a link"])
def test_the_log_stays_short_though_a_reader_holds_on(
    linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_LOG", 2**20)
    path, told, longest = tmp_path / "x.db", list[str](), 0
    if linked:
        path = tmp_path / "link.db"
        path.symlink_to("x.db")
    one = begin(path, told=told)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM connections").fetchone()
        for number in range(60):
            one.see(handshake(number))
            one.tick(START_NS)
            longest = max(longest, (tmp_path / "x.db-wal").stat().st_size)
        assert reader.execute("SELECT count(*) FROM connections").fetchone() == (0,), "it sees what it saw"
    one.tick(START_NS)
    one.close()
    assert longest < 2 * 2**20
    assert "a reader keeps x.db-wal from shrinking" in told[0]
    assert "is written again; 0 connections" in told[1]
    assert count(path, "connections") == 60


def test_the_log_is_begun_anew_where_readers_come_and_go(tmp_path: Path) -> None:
    path, longest = tmp_path / "x.db", 0
    one = begin(path)
    for number in range(1_000):
        one.see(handshake(number))
        one.tick(START_NS)
        if not number % 10:
            assert count(path, "connections") == number + 1
            longest = max(longest, path.with_name("x.db-wal").stat().st_size)
    one.close()
    assert path.stat().st_size > 2**20
    assert longest < 6 * 2**20


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda path: path.unlink(), id="removed"),
        pytest.param(lambda path: path.rename(path.with_name("y.db")), id="renamed"),
        pytest.param(lambda path: path.with_name("new").touch() or path.with_name("new").replace(path), id="replaced"),
    ],
)
def test_a_file_that_is_taken_away_ends_it(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    one = begin(path)
    harm(path)
    one.see(handshake(0))
    with pytest.raises(UsageError, match="removed or replaced"):
        one.tick(START_NS)


def test_a_bug_of_ours_costs_one_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def chance(conn: Connection) -> Iterator[tables.Row]:
        if conn.stream < 2:
            raise ZeroDivisionError
        return before(conn)

    before = tables.message_rows
    monkeypatch.setattr(tables, "message_rows", chance)
    path, told = tmp_path / "x.db", list[str]()
    one = begin(path, told=told)
    for number in range(4):
        one.see(handshake(number))
    one.close()
    assert told == [f"{path}: a bug of ours, ZeroDivisionError: what it happened with is left out"]
    assert ask(path, "SELECT connections, unwritten FROM runs") == [(2, 2)]
    assert [count(path, table) for table in ("connections", "certificates", "chains")] == [2, 3, 8]


# ---- what is no store ------------------------------------------------------------------------------------------------


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE precious (work)")


def newer_store(path: Path) -> None:
    write(path, [])
    with closing(sqlite3.connect(path)) as base:
        base.execute(f"PRAGMA user_version = {schema.VERSION + 1}")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(
            lambda path: path.write_bytes(b"\xd4\xc3\xb2\xa1 capture"), "starts with d4 c3 b2 a1", id="a capture"
        ),
        pytest.param(other_database, "not one of `mtlscope live --db`", id="another database"),
        pytest.param(newer_store, "store of version 2; this mtlscope knows them up to 1: update", id="a newer store"),
        pytest.param(lambda path: path.mkdir(), "Is a directory", id="a folder"),
        pytest.param(
            lambda path: os.mkfifo(path),
            "is no file on a disk",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes"),
            id="a pipe",
        ),
    ],
)
def test_what_is_no_store_is_refused_and_left_alone(make: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(UsageError) as raised:
        begin(path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert before == (path.read_bytes() if path.is_file() else None)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        begin(tmp_path / "no" / "x.db")


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch()
    write(path, [handshake(0)])
    assert count(path, "connections") == 1


def test_an_older_store_gets_the_columns_and_tables_that_came_later(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    write(path, [handshake(0)])
    with closing(sqlite3.connect(path)) as base:
        base.execute("DROP TABLE losses")
        base.execute("ALTER TABLE connections DROP COLUMN ja4")
    write(path, [handshake(1, ja4="t13d")])
    assert ask(path, "SELECT ja4 FROM connections") == [(None,), ("t13d",)]
    assert count(path, "losses") == 0


def test_hostile_texts_are_only_texts(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    hostile = "'; DROP TABLE connections; --\x00\ud800\u202e"
    clock = Clock()
    Writer(path, hostile, clock, hostile).close()
    write(path, [handshake(0, server_name=hostile)])
    assert ask(path, "SELECT server_name FROM connections") == [(hostile.replace("\ud800", "\\ud800"),)]
