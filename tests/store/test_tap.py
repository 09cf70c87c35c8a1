"""What a live run writes into a store, and what it takes out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.store import pruning
from analyzer.summary import Repeated
from tests.build.connections import START_NS
from tests.report.records import full_summary
from tests.store.stores import DAY_NS, SECOND_NS, Clock, ask, begin, count, handshake, refused, write


def test_a_run_and_what_it_saw(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.db", Clock()
    one = begin(path, clock)
    one.see(handshake(0))
    one.lost(3)
    clock.now_ns += SECOND_NS
    one.tick(clock.now_ns)
    run = ask(path, "SELECT run, seen > begun, ended, source, filter, packets, lost, connections, unwritten FROM runs")
    assert run == [(1, 1, None, "eth0", "tcp", 20, 3, 1, 0)]
    assert ask(path, "SELECT run, ts, packets FROM losses") == [(1, "2026-09-21T14:13:21.000000000Z", 3)]
    one.end(full_summary())
    one.close()
    assert ask(path, "SELECT ended FROM runs") == [("2026-09-21T14:13:21.000000000Z",)]
    assert ask(path, "SELECT run, packets FROM captures") == [(1, 20)]
    assert ask(path, "SELECT rule FROM findings WHERE uid IS NULL") == [("pool-members-differ",)]
    assert [file.name for file in tmp_path.iterdir()] == ["x.db"], "the log goes with the last one who has it open"


def test_a_store_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    write(path, [handshake(0), handshake(1)])
    write(path, [handshake(2)])
    assert ask(path, "SELECT run, connections FROM runs") == [(1, 2), (2, 1)]
    assert ask(path, "SELECT run, count(*) FROM connections GROUP BY run") == [(1, 2), (2, 1)]


def test_certificates_and_ca_lists_are_there_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    for number in range(3):
        write(path, [handshake(number), handshake(number + 10)])
    assert (count(path, "certificates"), count(path, "chains")) == (3, 6 * 4)
    assert (count(path, "ca_lists"), count(path, "requests")) == (1, 6)


def test_two_runs_write_one_store_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    one, other = begin(path), begin(path)
    for number in range(4):
        (one, other)[number % 2].see(handshake(number))
        one.tick(START_NS)
        other.tick(START_NS)
    one.close()
    other.close()
    assert ask(path, "SELECT run, count(*) FROM connections GROUP BY run") == [(1, 2), (2, 2)]


def test_floods_are_counted_anew_each_day(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    one = begin(path)
    for number in range(60):
        one.see(refused(number, ts_ns=START_NS + number // 30 * DAY_NS + number))
        one.see(handshake(number + 1_000, ts_ns=START_NS - DAY_NS))  # it lasted for long
        one.tick(START_NS + number * SECOND_NS)
    assert ask(path, "SELECT rule, count FROM repeated") == [("connection-refused", 5), ("connection-refused", 5)]
    for part in (4, 3):  # as the run tells them
        one.end(Repeated("eth0", "connection-timeout", "(others)", "192.0.2.9", 5061, part, 0, 1))
        one.tick(START_NS + DAY_NS)
    one.close()
    assert ask(path, "SELECT count(*) FROM connections WHERE outcome = 'no-data'") == [(50,)]
    assert ask(path, "SELECT count FROM repeated ORDER BY 1") == [(5,), (5,), (7,)]


def test_time_that_goes_backwards_stops_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.db", Clock()
    one = begin(path, clock, keep_days=30)
    for number, jump in enumerate((0, -3 * DAY_NS, 10, -400 * DAY_NS, 5)):
        clock.now_ns += jump
        one.see(handshake(number, ts_ns=clock.now_ns))
        one.tick(clock.now_ns)
        assert count(path, "connections") == number + 1
    one.close()


def test_a_run_that_has_nothing_to_write_says_that_it_is_alive(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.db", Clock()
    one = begin(path, clock)
    written: list[object] = []
    for _ in range(21):
        clock.now_ns += SECOND_NS
        one.tick(clock.now_ns)
        written += ask(path, "SELECT seen FROM runs")
    one.close()
    assert len(set(written)) == 3


# ---- what is too old -------------------------------------------------------------------------------------------------


def test_what_is_too_old_goes_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.db", Clock()
    write(path, [handshake(0), refused(1)])
    one = begin(path, clock, keep_days=1)
    one.lost(1)
    one.see(handshake(2, ts_ns=START_NS + DAY_NS))
    clock.now_ns += DAY_NS + 2 * SECOND_NS
    one.tick(clock.now_ns)
    assert ask(path, "SELECT uid FROM connections") == [("C0000000000000002",)]
    assert ask(path, "SELECT DISTINCT uid FROM messages UNION SELECT uid FROM chains") == [("C0000000000000002",)]
    assert (count(path, "certificates"), count(path, "ca_lists")) == (3, 1), "still needed"
    assert ask(path, "SELECT run FROM runs") == [(2,)]
    for _ in range(2):
        clock.now_ns += DAY_NS
        one.tick(clock.now_ns)
    empty = ("connections", "findings", "messages", "chains", "requests", "certificates", "ca_lists", "losses")
    assert [count(path, table) for table in empty] == [0] * len(empty)
    assert ask(path, "SELECT run FROM runs") == [(2,)], "a run never loses itself"
    one.see(handshake(3, ts_ns=clock.now_ns))
    one.close()
    assert (count(path, "certificates"), count(path, "ca_lists")) == (3, 1), "written again when they are seen again"


def test_pruning_goes_in_small_steps_and_gives_room_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "STEP", 50)
    monkeypatch.setattr(pruning, "FREE", 20)
    path, clock = tmp_path / "x.db", Clock()
    one = begin(path, clock, keep_days=1)
    for number in range(200):
        one.see(handshake(number))
    one.tick(clock.now_ns)
    ask(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    full = path.stat().st_size
    left = []
    clock.now_ns += 2 * DAY_NS
    for _ in range(6):
        one.tick(clock.now_ns)
        left.append(count(path, "connections"))
    one.close()
    assert left == [150, 100, 50, 0, 0, 0]
    assert path.stat().st_size < full / 2
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
