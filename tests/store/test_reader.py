"""`open_db`: frames as results have them, rows one by one, SQL; and nothing is ever changed."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import UsageError
from analyzer.report.tables import Table
from analyzer.store import reader, schema
from analyzer.store.reader import Store
from tests.build.connections import START_NS
from tests.report.records import everything, full_summary, repeated
from tests.store.stores import begin, handshake, refused, write

CAPTURES = Path(analyzer.__file__).parent.parent / "captures"
SAMPLES = [CAPTURES / f"{name}.pcap" for name in ("mtls12-openssl", "ca-list-one-root", "connection-refused")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with ten connections, a second apart, and one refused one."""
    write(tmp_path / "x.db", [*map(handshake, range(10)), refused(10)])
    return tmp_path / "x.db"


@pytest.mark.parametrize("frame", ["to_frame", "findings_frame", "certificates_frame", "messages_frame"])
def test_frames_are_those_of_the_result_that_was_written(frame: str, tmp_path: Path) -> None:
    testing = pytest.importorskip("pandas.testing")
    result = analyzer.analyze(SAMPLES)
    result.to_db(tmp_path / "x.db")
    with analyzer.open_db(tmp_path / "x.db") as db:
        made = getattr(db, frame)()
    if frame != "certificates_frame":
        assert set(made.pop("run")) == {1}
    testing.assert_frame_equal(made, getattr(result, frame)())


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda table: table.name)
def test_every_table_as_a_frame_and_as_rows(table: Table, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    tap = begin(tmp_path / "x.db")
    tap.see(everything())
    tap.lost(1)
    tap.end(repeated().__class__("eth0", "connection-timeout", "(others)", "192.0.2.9", 5061, 7, 0, 1))
    tap.end(full_summary())
    tap.close()
    with analyzer.open_db(tmp_path / "x.db") as db:
        frame, rows = db.frame(table.name), list(db.rows(table.name))
    assert list(frame.columns) == table.names
    assert [list(row) for row in rows] == [table.names] * len(frame)
    assert rows
    lists = [column.name for column in table.columns if column.kind.name == "TEXTS"]
    assert all(row[name] is None or isinstance(row[name], list) for row in rows for name in lists)


def test_iterating_gives_connections_page_by_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PAGE", 3)
    with analyzer.open_db(path) as db:
        rows = list(db)
    assert [row["stream"] for row in rows] == list(range(11))
    assert (rows[0]["ts"], rows[0]["established"]) == ("2026-09-21T14:13:20.000000000Z", True)


def test_iterating_goes_on_with_what_is_written_meanwhile_and_keeps_no_snapshot(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PAGE", 3)
    with analyzer.open_db(path) as db:
        rows = iter(db)
        assert next(rows)["stream"] == 0
        write(path, [handshake(20)])
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "nobody is in the way"
        assert [row["stream"] for row in rows][-1] == 20


@pytest.mark.parametrize(
    ("since", "until", "left"),
    [
        pytest.param(None, None, 11, id="all"),
        pytest.param("2026-09-21T14:13:25Z", None, 6, id="from a time on, with it"),
        pytest.param(None, "2026-09-21T14:13:25Z", 5, id="up to a time, without it"),
        pytest.param("2026-09-21T14:13:22Z", "2026-09-21T16:13:25+02:00", 3, id="between, in another zone"),
        pytest.param(datetime.fromtimestamp(START_NS / 1e9 + 9, UTC), None, 2, id="a datetime"),
        pytest.param("2027-01-01", None, 0, id="nothing is so late"),
    ],
)
def test_only_some_time(since: str | datetime | None, until: str | None, left: int, path: Path) -> None:
    pytest.importorskip("pandas")
    with analyzer.open_db(path) as db:
        assert len(db.to_frame(since, until)) == left
        assert len(list(db.rows("connections", since, until))) == left
        uids = {row["uid"] for row in db.rows("messages", since, until)}
        assert len(uids) == left
        wanted = 3 if any(uid < f"C{10:016x}" for uid in uids) else 0
        assert len(db.certificates_frame(since, until)) == len(db.frame("certificates", since, until)) == wanted


def test_sql(path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    query = "SELECT outcome, count(*) AS n FROM connections WHERE stream > ? GROUP BY outcome ORDER BY n DESC"
    with analyzer.open_db(path) as db:
        assert db.sql(query, [4]) == [("established", 5), ("no-data", 1)]
        frame = db.sql_frame(query, [4])
    assert isinstance(frame, pandas.DataFrame)
    assert frame.to_dict("list") == {"outcome": ["established", "no-data"], "n": [5, 1]}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(lambda db: db.sql("SELECT * FROM conections"), "no such table: conections", id="a misspelt table"),
        pytest.param(lambda db: db.sql("DELETE FROM connections"), "readonly", id="a change"),
        pytest.param(lambda db: db.sql("DROP TABLE connections"), "readonly", id="a larger change"),
        pytest.param(lambda db: db.frame("conections"), "there are runs, connections", id="a misspelt name"),
        pytest.param(lambda db: list(db.rows("sqlite_master")), "no table called", id="a table of SQLite's"),
        pytest.param(lambda db: db.to_frame(since="soon"), "'soon' is no time", id="no time"),
    ],
)
def test_mistakes_are_one_line_and_change_nothing(wrong: Callable[[Store], object], said: str, path: Path) -> None:
    before = path.read_bytes()
    with analyzer.open_db(path) as db, pytest.raises(UsageError) as raised:
        wrong(db)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "there is no such file", id="no file"),
        pytest.param(b"\xd4\xc3\xb2\xa1", "starts with d4 c3 b2 a1", id="a capture"),
        pytest.param(b"", "not one of `mtlscope live --db`", id="an empty file"),
        pytest.param(b"SQLite format 3\0" + bytes(200), "cannot read", id="a damaged one"),
    ],
)
def test_what_is_no_store(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        analyzer.open_db(path)


def test_a_store_of_an_older_mtlscope_has_holes(path: Path) -> None:
    pytest.importorskip("pandas")
    with closing(sqlite3.connect(path)) as base:
        base.execute("ALTER TABLE connections DROP COLUMN ja4")
        base.execute("DROP TABLE losses")
    with analyzer.open_db(path) as db:
        assert db.to_frame()["ja4"].isna().all()
        with pytest.raises(UsageError, match="has no table losses: an older mtlscope wrote it"):
            db.frame("losses")


def test_a_store_of_a_newer_mtlscope_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA user_version = 9")
    with pytest.raises(UsageError, match="store of version 9; this mtlscope knows them up to 1: update"):
        analyzer.open_db(path)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root, to be somebody else")
@pytest.mark.parametrize("written", [False, True], ids=["nobody writes it", "while it is written"])
def test_somebody_who_may_only_read(written: bool, path: Path) -> None:
    tap = begin(path) if written else None
    for folder in (path.parent, *path.parent.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
        if folder.name.startswith("pytest-of"):
            break
    code = """if True:
        import os, sys
        from analyzer import open_db
        os.setgid(65534)
        os.setuid(65534)
        db = open_db(sys.argv[1])
        print(len(list(db)), flush=True)
        sys.stdin.readline()
        print(len(list(db)), flush=True)
    """
    words = [sys.executable, "-c", code, str(path)]
    project = Path(analyzer.__file__).parent.parent
    with subprocess.Popen(words, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "11\n"
        tap = tap or begin(path)
        tap.see(handshake(20))
        tap.tick(START_NS)
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "12\n", "it sees what came since"
    tap.close()


def test_reading_needs_no_pandas(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with analyzer.open_db(path) as db:
        assert db.sql("SELECT count(*) FROM connections") == [(11,)]
        with pytest.raises(UsageError, match="pip install pandas"):
            db.to_frame()
        with pytest.raises(UsageError, match="pip install pandas"):
            db.sql_frame("SELECT 1")


def test_a_result_is_added_as_a_run_and_refuses_other_files(tmp_path: Path) -> None:
    result = analyzer.analyze(SAMPLES[0])
    for _ in range(2):
        result.to_db(tmp_path / "x.db")
    with analyzer.open_db(tmp_path / "x.db") as db:
        assert db.sql("SELECT run, source, packets > 0, connections FROM runs") == [
            (run, str(SAMPLES[0]), 1, len(result.connections)) for run in (1, 2)
        ]
    capture = tmp_path / "x.pcap"
    capture.write_bytes(SAMPLES[0].read_bytes())
    with pytest.raises(UsageError, match="is no store"):
        result.to_db(capture)
    assert capture.read_bytes() == SAMPLES[0].read_bytes()
