"""Data frames of results: dtypes, missing values, hostile texts. CI runs this file with pandas 2.2 and 3 (.ci/run)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pandas
import pytest

from analyzer.certificates.chain import assess
from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.report import dataframe, tables
from analyzer.report.flat import COLUMNS
from analyzer.report.tables import Kind, Table
from tests.build.connections import START_NS, connection
from tests.build.pki import root
from tests.report.records import everything, failed, full_summary, healthy, poisoned

Frame = Callable[[Iterable[Connection]], Any]
FRAMES: list[tuple[Frame, Table]] = [
    (dataframe.connections, tables.CONNECTIONS),
    (dataframe.findings, tables.FINDINGS),
    (dataframe.certificates, dataframe.CERTIFICATES),
    (dataframe.messages, tables.MESSAGES),
]
DTYPES = {
    Kind.TEXT: "string",
    Kind.CATEGORY: "category",
    Kind.INTEGER: "Int64",
    Kind.REAL: "float64",
    Kind.FLAG: "boolean",
    Kind.TIME: "datetime64[ns, UTC]",
    Kind.DATE: "datetime64[us, UTC]",
    Kind.TEXTS: "object",
}
each_frame = pytest.mark.parametrize(("frame", "table"), FRAMES, ids=[table.name for _frame, table in FRAMES])
RECORDS = {
    "nothing": [],
    "one without TLS": [connection("> SYN", "< RST")],
    "everything": [everything(), healthy(stream=1), failed(stream=2)],
    "hostile": [poisoned(everything(), '=1\x00\ud800\u202e</td>"')],
}


@each_frame
@pytest.mark.parametrize("records", RECORDS.values(), ids=list(RECORDS))
def test_dtypes_are_the_same_whatever_is_in_it(frame: Frame, table: Table, records: list[Connection]) -> None:
    made = frame(records)
    assert [(name, str(dtype)) for name, dtype in made.dtypes.items()] == [
        (column.name, DTYPES[column.kind]) for column in table.columns
    ]


def test_connections() -> None:
    frame = dataframe.connections([healthy(), failed(stream=1)])
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert list(frame["outcome"]) == ["established", "failed"]
    assert list(frame["ts"]) == [pandas.Timestamp(START_NS, unit="ns", tz="UTC")] * 2
    assert list(frame["closed_frame"].isna()) == [False, False]


def test_missing_numbers_stay_missing_and_integers_stay_integers() -> None:
    frame = dataframe.connections([healthy(), connection("> SYN", "< RST")])
    assert frame["ca_count"].tolist() == [2, pandas.NA]
    assert frame["server_not_after"].isna().tolist() == [False, True]


def test_the_year_9999_is_a_date() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    conn = connection("> SYN", server_chain=assess((root("Root CA", not_after=last).der,)))
    for frame, column in (
        (dataframe.connections([conn]), "server_not_after"),
        (dataframe.certificates([conn]), "not_after"),
    ):
        assert frame[column].iloc[0] == last


def test_findings_know_their_connection_and_their_rank() -> None:
    frame = dataframe.findings([healthy(), failed(stream=1)], [full_summary()])
    assert list(frame["rule"]) == ["client-certificate-rejected", "ca-list-too-long", "pool-members-differ"]
    assert frame["stream"].tolist() == [1, 1, pandas.NA]
    assert list(frame["rank"]) == [0, 1, 0]
    assert frame["frames"].iloc[0] == [9, 14]


def test_severities_have_an_order() -> None:
    frame = dataframe.findings([failed()])
    assert list(frame[frame["severity"] >= "error"]["rule"]) == ["client-certificate-rejected"]
    assert frame["severity"].max() == "error"


def test_certificates_are_listed_once_with_who_sent_them() -> None:
    frame = dataframe.certificates([healthy(), failed(stream=1)]).set_index("subject")
    assert len(frame) == 3
    assert frame.loc["CN=sip.example.com", "connections"] == 2
    assert frame.loc["CN=sip.example.com", "servers"] == ["198.51.100.5"]
    assert frame.loc["CN=edge.partner.example", "clients"] == ["192.0.2.10"]
    assert bool(frame.loc["CN=edge.partner.example", "leaf"])
    assert not frame.loc["CN=Issuing CA", "leaf"]
    assert frame.loc["CN=Issuing CA", "connections"] == 2, "both sides sent it: still one connection"


def test_messages() -> None:
    frame = dataframe.messages([healthy(), failed(stream=1)])
    mine = frame[frame["stream"] == 1]
    assert list(mine["number"]) == list(range(len(mine)))
    assert list(mine["message"])[-1] == "RST"
    assert mine["ts"].is_monotonic_increasing
    assert list(mine[mine["message"] == "CertificateRequest"]["detail"]) == ["2 CA names, 47 bytes"]


def test_frames_of_a_ring_are_numbered_in_their_file() -> None:
    frame = dataframe.messages([replace(healthy(), files=((1, "a.pcap"), (4, "b.pcap")))])
    assert frame["frame"].tolist()[:4] == [1, 2, 1, 2]
    assert frame["file"].tolist()[:4] == [pandas.NA, pandas.NA, "b.pcap", "b.pcap"]


def test_integers_beyond_64_bits_are_missing() -> None:
    chain = healthy().server_chain
    assert chain is not None
    odd = replace(chain.chain.leaf, version=2**80, path_length=-(2**80))
    row = dict(zip(tables.CERTIFICATES.names, tables.certificate_row(odd), strict=True))
    assert (row["version"], row["path_length"]) == (None, None)


@each_frame
def test_many_captures_go_into_one_frame(frame: Frame, table: Table) -> None:
    made = frame([failed(), replace(failed(), capture="other.pcap")])
    if "capture" in made:
        assert set(made["capture"]) == {"test.pcap", "other.pcap"}


def test_every_column_is_described() -> None:
    for table in tables.TABLES:
        assert all(column.meaning for column in table.columns)
        assert len(set(table.names)) == len(table.columns)


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for frame, _table in FRAMES:
        with pytest.raises(UsageError, match="pip install pandas"):
            cast(Any, frame)([])
