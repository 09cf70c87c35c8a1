"""SQLite, DuckDB and Parquet: every table, as it was, streaming, and hostile texts are only texts."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.cli.analyze import run
from analyzer.errors import UsageError
from analyzer.report import batches, duckdb_file, find, parquet, sqlite_file, tables
from analyzer.report.output import Item
from analyzer.report.tables import TABLES, Rows, Table
from tests.build.connections import START_NS
from tests.report.records import (
    everything,
    failed,
    full_summary,
    healthy,
    poisoned_item,
    repeated,
    written,
    written_until,
)

ITEMS: list[Item] = [everything(), healthy(stream=1), failed(stream=2), repeated(), full_summary()]
HOSTILE = "'; DROP TABLE connections; --\x00\ud800\u202e"
PROJECT = Path(analyzer.__file__).parent.parent
CAPTURE = str(PROJECT / "captures" / "ca-list-one-root.pcap")


def expected(table: Table, items: Iterable[Item]) -> list[list[Any]]:
    rows = Rows()
    return [row for item in items for kind, row in rows.of(item) if kind is table]


def in_sqlite(items: Iterable[Item], tmp_path: Path) -> sqlite3.Connection:
    path = tmp_path / "x.sqlite"
    path.write_bytes(written(sqlite_file.OUTPUT, items))
    return sqlite3.connect(path)


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as base:
        return int(base.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def in_duckdb(items: Iterable[Item], tmp_path: Path) -> Any:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    path = tmp_path / "x.duckdb"
    path.write_bytes(written(duckdb_file.OUTPUT, items))
    return duckdb.connect(str(path), read_only=True)


def in_parquet(items: Iterable[Item], folder: Path) -> dict[str, Any]:
    reader = pytest.importorskip("pyarrow.parquet")
    parquet.write_folder(items, folder)
    return {table.name: reader.read_table(folder / f"{table.name}.parquet") for table in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("items", [[], ITEMS, [poisoned_item(everything(), HOSTILE)]], ids=["none", "all", "hostile"])
def test_every_row_of_every_table(table: Table, items: list[Item], tmp_path: Path) -> None:
    rows = expected(table, items)
    base = in_sqlite(items, tmp_path)
    found = base.execute(f"SELECT * FROM {table.name}")
    assert [one[0] for one in found.description] == table.names
    assert len(found.fetchall()) == len(rows)
    base.close()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("items", [[], ITEMS, [poisoned_item(everything(), HOSTILE)]], ids=["none", "all", "hostile"])
def test_duckdb_and_parquet_hold_the_same(table: Table, items: list[Item], tmp_path: Path) -> None:
    rows = expected(table, items)
    base, files = in_duckdb(items, tmp_path), in_parquet(items, tmp_path / "folder")
    texts = [index for index, column in enumerate(table.columns) if column.kind is tables.Kind.TEXT]
    wanted = [[row[index] for row in rows] for index in texts]
    assert files[table.name].column_names == table.names
    assert [files[table.name].column(index).to_pylist() for index in texts] == wanted
    for index, values in zip(texts, wanted, strict=True):
        found = base.execute(f'SELECT "{table.names[index]}" FROM {table.name}').fetchall()
        assert [value for (value,) in found] == values
    assert base.execute(f"SELECT count(*) FROM {table.name}").fetchone() == (len(rows),)
    base.close()


def test_sqlite_values(tmp_path: Path) -> None:
    base = in_sqlite(ITEMS, tmp_path)
    one = "SELECT ts, established, server_not_after FROM connections WHERE stream = 1"
    assert base.execute(one).fetchone() == (
        "2026-09-21T14:13:20.000000000Z",
        1,
        base.execute("SELECT not_after FROM certificates WHERE subject = 'CN=sip.example.com'").fetchone()[0],
    )
    assert base.execute("SELECT strftime('%s', ts) FROM connections").fetchone() == (str(START_NS // 10**9),)
    frames = base.execute("SELECT frames FROM findings WHERE rule = 'client-certificate-rejected'").fetchone()[0]
    assert json.loads(frames) == [9, 14]
    joined = "SELECT count(*) FROM chains JOIN certificates USING (sha256) WHERE side = 'client' AND position = 0"
    assert base.execute(joined).fetchone() == (3,)
    base.close()


def test_a_ca_list_is_there_once_however_often_it_was_sent(tmp_path: Path) -> None:
    base = in_sqlite(ITEMS, tmp_path)
    joined = "SELECT names, count(*) FROM requests JOIN ca_lists USING (ca_list) GROUP BY ca_list HAVING count(*) > 1"
    ((names, sent),) = base.execute(joined).fetchall()
    assert (json.loads(names), sent) == (["CN=Root CA", "CN=Issuing CA"], 3)
    assert base.execute("SELECT count(*), count(DISTINCT ca_list) FROM ca_lists").fetchone() == (1, 1)
    base.close()


def test_duckdb_values_and_comments(tmp_path: Path) -> None:
    base = in_duckdb(ITEMS, tmp_path)
    assert base.execute("SELECT epoch_ns(ts) FROM connections WHERE stream = 1").fetchone() == (START_NS,)
    assert base.execute("SELECT frames FROM findings WHERE stream = 2").fetchone() == (["9", "14"],)
    comment = "SELECT comment FROM duckdb_columns() WHERE table_name = 'chains' AND column_name = 'position'"
    assert base.execute(comment).fetchone() == ("0 is the leaf",)
    base.close()


def test_parquet_values_and_meanings(tmp_path: Path) -> None:
    made = in_parquet(ITEMS, tmp_path)["connections"]
    assert str(made.schema.field("ts").type) == "timestamp[ns, tz=UTC]"
    assert made.column("ts").cast("int64").to_pylist()[1] == START_NS
    assert made.schema.field("ts").metadata[b"description"] == b"first packet, RFC 3339 UTC"
    frame = made.to_pandas()
    assert str(frame["outcome"].dtype) == "category"


def test_parquet_into_one_file_is_the_connections() -> None:
    reader = pytest.importorskip("pyarrow.parquet")
    made = reader.read_table(BytesIO(written(parquet.OUTPUT, ITEMS)))
    assert made.column("stream").to_pylist() == [0, 1, 2]


def test_no_more_than_a_batch_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "ROWS", 10)
    sizes = [len(rows) for _table, rows in batches.batches(healthy(stream=number) for number in range(50))]
    assert len(sizes) > 10
    assert max(sizes) < 10 + len(healthy().steps)


@pytest.mark.parametrize("name", ["sqlite", "duckdb", "parquet"])
def test_interrupted_it_keeps_what_was_decided(name: str, tmp_path: Path) -> None:
    if name != "sqlite":
        pytest.importorskip("duckdb")
        pytest.importorskip("pyarrow")
    output = find(name)
    assert output is not None
    path = tmp_path / "made"
    path.write_bytes(written_until(output, failed()))
    if name == "sqlite":
        assert count(path, "connections") == 1
    elif name == "duckdb":
        base = pytest.importorskip("duckdb").connect(str(path), read_only=True)
        assert base.execute("SELECT count(*) FROM connections").fetchone() == (1,)
        base.close()
    else:
        assert pytest.importorskip("pyarrow.parquet").read_table(path).num_rows == 1


@pytest.mark.parametrize(("name", "library"), [("duckdb", "duckdb"), ("duckdb", "pyarrow"), ("parquet", "pyarrow")])
def test_without_the_library_it_says_what_to_install(name: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "duckdb" and library == "pyarrow":
        pytest.importorskip("duckdb")
    monkeypatch.setitem(sys.modules, library, None)
    output = find(name)
    assert output is not None
    with pytest.raises(UsageError, match=rf"(?i){name} needs {library}: .*pip install .*{library}"):
        written(output, ITEMS)


def test_the_command_line_writes_a_database(tmp_path: Path) -> None:
    target = tmp_path / "x.sqlite"
    assert run(["-T", "sqlite", "-o", str(target), "--fail-on", "never", CAPTURE]) == 0
    assert count(target, "captures") == 1


def test_the_command_line_writes_a_folder(tmp_path: Path) -> None:
    reader = pytest.importorskip("pyarrow.parquet")
    assert run(["-T", "parquet", "-o", f"{tmp_path}/new/", "--fail-on", "never", CAPTURE]) == 0
    assert {path.stem for path in (tmp_path / "new").iterdir()} == {table.name for table in TABLES}
    assert reader.read_table(tmp_path / "new" / "captures.parquet").num_rows == 1


@pytest.mark.parametrize("name", ["duckdb", "parquet"])
def test_without_the_library_no_file_is_emptied(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    target = tmp_path / "precious"
    target.write_text("work of years")
    with pytest.raises(UsageError, match="pip install"):
        run(["-T", name, "-o", str(target), CAPTURE])
    assert target.read_text() == "work of years"


@pytest.mark.parametrize("name", ["sqlite", "duckdb", "parquet"])
def test_a_terminal_gets_no_binary(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(UsageError, match="nothing for a terminal"):
        run(["-T", name, CAPTURE])


def test_a_result_writes_stores_without_keeping_anything(tmp_path: Path) -> None:
    result = analyzer.analyze(CAPTURE)
    result.to_sqlite(tmp_path / "x.sqlite")
    assert "nothing read yet" in repr(result)
    assert count(tmp_path / "x.sqlite", "connections") == len(result.connections)
    result.to_sqlite(tmp_path / "x.sqlite")
    assert [path.name for path in tmp_path.iterdir()] == ["x.sqlite"]


def test_a_result_never_writes_over_something_else(tmp_path: Path) -> None:
    capture = tmp_path / "x.pcap"
    capture.write_bytes(Path(CAPTURE).read_bytes())
    result = analyzer.analyze(capture)
    for write in (result.to_sqlite, result.to_duckdb):
        with pytest.raises(UsageError, match="another kind"):
            write(capture)
    assert capture.read_bytes() == Path(CAPTURE).read_bytes()
    missing = analyzer.analyze(tmp_path / "no-such-file")
    result.to_sqlite(tmp_path / "x.sqlite")
    with pytest.raises(UsageError):
        missing.to_sqlite(tmp_path / "x.sqlite")
    assert (tmp_path / "x.sqlite").stat().st_size, "what was there is still there"


def _precious(path: Path) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE precious (work TEXT)")
        base.commit()


def _half_precious(path: Path) -> None:
    analyzer.analyze(CAPTURE).to_sqlite(path)
    _precious(path)


def _ours_as_duckdb(path: Path) -> None:
    pytest.importorskip("duckdb").connect(str(path)).execute("CREATE TABLE precious (work TEXT)").close()


@pytest.mark.parametrize(
    ("made", "name"),
    [
        pytest.param(_precious, "sqlite", id="another program's database"),
        pytest.param(_half_precious, "sqlite", id="ours, and a table of somebody else"),
        pytest.param(analyzer.analyze(CAPTURE).to_db, "sqlite", id="a store"),
        pytest.param(_ours_as_duckdb, "duckdb", id="another program's database of DuckDB"),
    ],
)
def test_a_result_never_writes_over_another_database(made: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    target = tmp_path / "x.db"
    made(target)
    before = target.read_bytes()
    with pytest.raises(UsageError, match="is a database of another kind and would be lost"):
        getattr(analyzer.analyze(CAPTURE), f"to_{name}")(target)
    assert target.read_bytes() == before


def test_a_database_whose_log_holds_more_is_not_written_over(tmp_path: Path) -> None:
    target = tmp_path / "x.db"
    with closing(sqlite3.connect(target)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE precious (work TEXT)")
        (tmp_path / "link.db").symlink_to(target)  # SQLite puts the log beside what it points to
        for path in (target, tmp_path / "link.db"):
            with pytest.raises(UsageError, match="another kind"):
                analyzer.analyze(CAPTURE).to_sqlite(path)


def test_a_database_of_ours_is_written_anew(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    for name in ("sqlite", "duckdb"):
        target = tmp_path / name
        for _ in range(2):
            getattr(analyzer.analyze(CAPTURE), f"to_{name}")(target)
        assert target.stat().st_size


def _date(date: datetime) -> str:
    time_us = tables.microseconds(date)
    assert time_us is not None
    return sqlite_file._date(time_us)


def test_dates_before_1970_and_in_9999(tmp_path: Path) -> None:
    row = _date(datetime(1950, 1, 1, tzinfo=UTC))
    assert row == "1950-01-01T00:00:00Z"
    assert _date(datetime(9999, 12, 31, tzinfo=UTC))[:4] == "9999"
