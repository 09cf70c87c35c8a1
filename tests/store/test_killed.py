"""Another process writes a store: a reader sees it grow, and kill -9 at any moment leaves it whole."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import analyzer
from tests.store.stores import handshake

PROJECT = Path(analyzer.__file__).parent.parent
KILLS = 10
PATIENCE = 60


@contextmanager
def writing(path: Path, first: int) -> Iterator[subprocess.Popen[str]]:
    """A process that writes connections from this number on; it is killed in the end."""
    words = [sys.executable, "-m", "tests.store.writing", str(path), str(first)]
    child = subprocess.Popen(words, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait(PATIENCE)
        assert child.stdout is not None
        child.stdout.close()


def test_a_killed_writer_leaves_every_committed_connection_whole(tmp_path: Path) -> None:
    path, chance, first = tmp_path / "x.db", random.Random(5061), 0
    steps = len(handshake(0).steps)
    for kill in range(KILLS):
        with writing(path, first) as child:
            assert child.stdout is not None
            told = [child.stdout.readline()]
            time.sleep(chance.random() / 4)
            child.kill()
            committed = int([*told, *child.stdout][-1])
        with closing(sqlite3.connect(path)) as base:
            assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            uids = {uid for (uid,) in base.execute("SELECT uid FROM connections")}
            assert {f"C{number:016x}" for number in range(first, committed + 1)} <= uids
            torn = f"SELECT uid FROM messages GROUP BY uid HAVING count(*) != {steps}"
            assert base.execute(torn).fetchall() == []
            assert base.execute("SELECT count(*) FROM runs WHERE ended IS NULL").fetchone() == (kill + 1,)
            first = max(int(uid[1:], 16) for uid in uids) + 1
    assert first > 10 * KILLS


def test_a_reader_sees_whole_connections_while_another_process_writes(tmp_path: Path) -> None:
    path, seen = tmp_path / "x.db", list[int]()
    steps = len(handshake(0).steps)
    with writing(path, 0) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with analyzer.open_db(path) as db:
            until = time.monotonic() + PATIENCE
            while len(set(seen)) < 5 and time.monotonic() < until:
                ((connections, messages),) = db.sql(
                    "SELECT (SELECT count(*) FROM connections), (SELECT count(*) FROM messages)"
                )
                assert messages == connections * steps
                seen.append(connections)
            assert child.poll() is None
    assert seen == sorted(seen)
    assert len(set(seen)) >= 5


def test_what_a_killed_writer_left_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with writing(path, 0) as child:
        assert child.stdout is not None
        committed = [int(child.stdout.readline()) for _ in range(20)][-1]
    assert path.with_name("x.db-wal").exists()
    with analyzer.open_db(path) as db:
        assert sum(1 for _ in db) > committed
        assert path.with_name("x.db-wal").exists()
