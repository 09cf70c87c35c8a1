"""The Python interface: lazy, cached, complete."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.pipeline import Run
from analyzer.report.output import Item
from analyzer.result import Result
from tests.build import pki
from tests.report.records import failed, finding, healthy, repeated, summary

ITEMS: list[Item] = [healthy(), failed(stream=1), repeated(), summary(findings=(finding("pool-members-differ"),))]


class FakeRun(Run):
    """Yields made-up items and remembers how far it was read."""

    read = 0

    def __iter__(self) -> Iterator[Item]:
        for item in ITEMS:
            self.read += 1
            yield item
        self.errors.append("test.pcap: ends 12 bytes into a packet")


@pytest.fixture
def run() -> FakeRun:
    return FakeRun(["test.pcap"])


def test_nothing_is_read_before_somebody_asks(run: FakeRun) -> None:
    result = Result(run)
    assert run.read == 0
    assert "nothing read yet" in repr(result)
    next(iter(result))
    assert run.read == 1
    assert "1 connections read" in repr(result)


def test_iterating_twice_reads_once(run: FakeRun) -> None:
    result = Result(run)
    assert [c.stream for c in result] == [0, 1]
    assert [c.stream for c in result] == [0, 1]
    assert run.read == len(ITEMS)


def test_two_readers_at_once_see_the_same(run: FakeRun) -> None:
    result = Result(run)
    assert [(a.stream, b.stream) for a, b in zip(result, result, strict=True)] == [(0, 0), (1, 1)]


def test_every_attribute(run: FakeRun) -> None:
    result = Result(run)
    assert [f.rule for f in result.findings] == [
        "client-certificate-rejected",
        "ca-list-too-long",
        "pool-members-differ",
    ]
    assert len(result.connections) == 2
    assert result.capture is result.captures[0]
    assert result.repeated == [repeated()]
    assert result.errors == ["test.pcap: ends 12 bytes into a packet"]


def test_frames(run: FakeRun) -> None:
    result = Result(run)
    assert list(result.to_frame()["outcome"]) == ["established", "failed"]
    assert len(result.findings_frame()) == 3, "two of connections, one across them"
    assert len(result.certificates_frame()) == 3


def test_analyze_passes_everything_on(tmp_path: Path) -> None:
    selection = analyzer.Selection(troubled=True)
    result = analyzer.analyze(
        tmp_path / "x.pcap", ports=[443], at="2026-01-01", timezone="+01:00", workers=2, select=selection
    )
    options = result._run.options
    assert options.ports == frozenset({443})
    assert options.at_ns == 1_767_225_600 * 10**9
    assert (options.timezone, options.workers, options.keep) == ("+01:00", 2, selection)
    assert result._run.paths == [str(tmp_path / "x.pcap")]


def test_ports_are_the_usual_ones_or_any() -> None:
    usual = analyzer.analyze(["a", "b"])._run
    assert usual.options.ports is not None
    assert {443, 5061} <= usual.options.ports
    assert usual.paths == ["a", "b"]
    assert analyzer.analyze("a", any_port=True)._run.options.ports is None


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    """Trust stores by name."""
    paths = {name: tmp_path / f"{name}.cer" for name in ("A", "B")}
    for name, path in paths.items():
        path.write_bytes(pki.root(name).der)
    return paths


@pytest.mark.parametrize(
    ("given", "client", "server"),
    [
        pytest.param(lambda of: None, [], [], id="none"),
        pytest.param(lambda of: of["A"], ["A"], ["A"], id="one path for both"),
        pytest.param(lambda of: [of["A"], str(of["B"])], ["A", "B"], ["A", "B"], id="several paths for both"),
        pytest.param(lambda of: {"client": of["A"]}, ["A"], [], id="for the client's host"),
        pytest.param(lambda of: {"server": [of["A"]], "client": of["B"]}, ["B"], ["A"], id="one for each host"),
    ],
)
def test_trust_stores_of_both_sides(given: Any, client: list[str], server: list[str], roots: dict[str, Path]) -> None:
    trust = analyzer.analyze("x", trust=given(roots))._run.options.trust
    found = [[one.name for one in side] for side in (trust.client, trust.server)]
    assert found == [[str(roots[name]) for name in side] for side in (client, server)]


@pytest.mark.parametrize(
    ("trust", "told"),
    [
        pytest.param("nowhere.pem", "nowhere.pem: no such file or folder", id="a missing file"),
        pytest.param(
            {"Client": "a.pem"}, "no side called 'Client' has a trust store; expected client or server", id="a side"
        ),
    ],
)
def test_a_wrong_trust_store_is_said_at_once(trust: Any, told: str) -> None:
    with pytest.raises(analyzer.UsageError, match=told):
        analyzer.analyze("x", trust=trust)


def test_nothing_to_analyse_is_said_when_asked(tmp_path: Path) -> None:
    result = analyzer.analyze(tmp_path / "nosuch.pcap")
    with pytest.raises(analyzer.UsageError):
        _ = result.connections


@pytest.mark.parametrize("name", analyzer.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(importlib.reload(analyzer), name) is not None
    assert name in dir(analyzer)


def test_other_names_do_not() -> None:
    with pytest.raises(AttributeError, match="analyse"):
        _ = analyzer.analyse
