"""`mtlscope live --db`: the store of a real run, read while it goes on, after kill -9, and gone on with."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

import analyzer
from tests.cli.commands import Shell
from tests.cli.live.test_command import CAPTURES, PATIENCE, SAMPLES, Live, Namespace, namespace, needs_veth

__all__ = ["namespace"]  # a fixture


def wait_for(path: Path, connections: int) -> None:
    """Until a reader sees so many."""
    until = time.monotonic() + PATIENCE
    with analyzer.open_db(path) as db:
        while len(list(db)) < connections:
            assert time.monotonic() < until, "they do not come"
            time.sleep(0.1)


@needs_veth
def test_a_store_is_read_while_it_is_written_and_outlives_kill_9(namespace: Namespace, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    live = Live(namespace, tmp_path, "--capture-engine", "af-packet", "--db", str(path))
    for sample in SAMPLES:
        namespace.replay(CAPTURES / sample)
    wait_for(path, len(SAMPLES))
    live.finish(signal.SIGKILL)
    with analyzer.open_db(path) as db:
        assert db.sql("PRAGMA integrity_check") == [("ok",)]
        assert db.sql("SELECT ended, source, packets > 0 FROM runs") == [(None, "in", 1)]
        before = len(list(db))
    live = Live(namespace, tmp_path, "--capture-engine", "af-packet", "--db", str(path))
    namespace.replay(CAPTURES / SAMPLES[0])
    wait_for(path, before + 1)
    told = live.finish()
    with analyzer.open_db(path) as db:
        assert db.sql("SELECT run, ended IS NULL FROM runs") == [(1, 1), (2, 0)]
        written = [(row["uid"], row["outcome"], row["diagnosis"]) for row in db if row["run"] == 2]
        packets = db.sql("SELECT r.packets, c.packets FROM runs r JOIN captures c USING (run)")
    assert written == [(one["uid"], one["outcome"], one["diagnosis"]) for one in told if one["type"] == "connection"]
    assert packets == [(told[-1]["packets"],) * 2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ("--db", "/no/such/folder/x.db"), "cannot write /no/such/folder/x.db: No such file", id="no folder"
        ),
        pytest.param(("--db", str(CAPTURES / SAMPLES[0])), "is no store", id="a capture"),
        pytest.param(("--db", "x", "-w", "x"), "--db needs a file of its own", id="the copy"),
        pytest.param(("--db", "x", "--db-keep", "soon"), "'soon' is no number of days", id="no days"),
        pytest.param(("--db", "x", "--db-keep", "0"), "expected e.g. 30, 0.5 or all", id="nothing is kept"),
        pytest.param(("--db", "x", "--db-keep", "nan"), "is no number of days", id="not a number"),
    ],
)
def test_wrong_arguments(words: tuple[str, ...], said: str, shell: Shell) -> None:
    done = shell("live", "-i", "lo", *words)
    assert (done.code, said in done.err, done.err.count("\n")) == (2, True, 1), done.err
