"""-T csv: reads back as it was, runs nothing."""

import csv
import io
from collections.abc import Iterable

import pytest

from analyzer.report import csv_table
from analyzer.report.flat import COLUMNS
from analyzer.report.output import Item
from tests.report.records import everything, failed, full_summary, healthy, poisoned_item, repeated, summary, written


def rows(items: Iterable[Item]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(csv_table.OUTPUT, items).decode(), newline="")))


def test_one_row_a_connection_and_nothing_else() -> None:
    found = rows([healthy(), repeated(), failed(stream=1), full_summary()])
    assert [row["stream"] for row in found] == ["0", "1"]
    assert list(found[0]) == [column.name for column in COLUMNS]


def test_what_a_row_says() -> None:
    row = rows([failed()])[0]
    assert row["outcome"] == "failed"
    assert row["severity"] == "error"
    assert row["findings"] == "client-certificate-rejected ca-list-too-long"
    assert row["frames"] == "4 9 14"
    assert row["established"] == "false"
    assert row["server_names"] == "sip.example.com *.example.com"
    assert row["ca_count"] == "2"
    assert row["next_protocol"] == ""


@pytest.mark.parametrize(
    "hostile", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "＝1", 'a"b,c\n=1', "\x1b[2J"], ids=ascii
)
def test_no_cell_runs_and_no_row_breaks(hostile: str) -> None:
    found = rows([poisoned_item(everything(), hostile), summary()])
    assert len(found) == 1
    for value in found[0].values():
        assert not value.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
        assert value.isprintable()


def test_every_column_is_described() -> None:
    assert all(column.meaning for column in COLUMNS)
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
