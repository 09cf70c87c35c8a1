"""Data frames of results."""

import sys

import pytest

from analyzer.errors import UsageError
from analyzer.report import dataframe
from analyzer.report.flat import COLUMNS
from tests.report.records import failed, healthy


def test_connections() -> None:
    frame = dataframe.connections([healthy(), failed(stream=1)])
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert list(frame["outcome"]) == ["established", "failed"]
    assert str(frame["ts"].dt.tz) == "UTC"


def test_findings_know_their_connection_and_their_rank() -> None:
    frame = dataframe.findings([healthy(), failed(stream=1)])
    assert list(frame["rule"]) == ["client-certificate-rejected", "ca-list-too-long"]
    assert list(frame["stream"]) == [1, 1]
    assert list(frame["rank"]) == [0, 1]


def test_certificates_are_listed_once_with_who_sent_them() -> None:
    frame = dataframe.certificates([healthy(), failed(stream=1)]).set_index("subject")
    assert len(frame) == 3
    assert frame.loc["CN=sip.example.com", "connections"] == 2
    assert frame.loc["CN=sip.example.com", "servers"] == ["198.51.100.5"]
    assert frame.loc["CN=edge.partner.example", "clients"] == ["192.0.2.10"]
    assert bool(frame.loc["CN=edge.partner.example", "leaf"])
    assert not frame.loc["CN=Issuing CA", "leaf"]


def test_nothing_gives_empty_frames() -> None:
    assert dataframe.connections([]).empty
    assert dataframe.findings([]).empty
    assert dataframe.certificates([]).empty


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        dataframe.connections([])
