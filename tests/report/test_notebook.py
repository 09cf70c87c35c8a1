"""HTML for notebooks: says what matters, escapes everything, stays small."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from analyzer import views
from analyzer.certificates.chain import assess
from analyzer.pipeline import Run
from analyzer.report import notebook
from analyzer.report.output import Item
from analyzer.result import Result
from tests.build.connections import connection
from tests.report.records import (
    CLIENT,
    ROOT,
    SERVER,
    SUB,
    everything,
    failed,
    finding,
    full_summary,
    healthy,
    poisoned,
    poisoned_item,
)
from tests.report.test_svg import HOSTILE

TAGS = {"div", "p", "strong", "em", "small", "code", "details", "summary", "ul", "li", "span", "svg", "text", "line"}
TAGS |= {"polygon", "table", "thead", "tbody", "tr", "th", "td"}


class Made(Run):
    """Yields made-up items."""

    items: list[Item]

    def __iter__(self) -> Iterator[Item]:
        yield from self.items


def result(*items: Item) -> Result:
    run = Made(["test.pcap"])
    run.items = list(items)
    return Result(run)


def shown(record: Any) -> str:
    """The fragment, which must be well-formed and of ordinary tags alone."""
    fragment = record._repr_html_()
    assert isinstance(fragment, str)
    tree = ET.fromstring(f"<body>{fragment}</body>")
    elements = [element for child in tree for element in child.iter()]
    assert {element.tag.rpartition("}")[2] for element in elements} <= TAGS
    names = {name for element in elements for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or name in ("id", "href", "src")}
    return fragment


def test_a_connection_shows_diagnosis_ladder_findings_and_chains() -> None:
    fragment = shown(failed())
    for words in (
        "the summary of client-certificate-rejected",
        "<svg",
        "ERROR",
        "WARNING",
        "the advice of ca-list-too-long",
        "client's chain: 1 certificate<",
    ):
        assert words in fragment


def test_a_connection_without_anything() -> None:
    assert "192.0.2.10" in shown(connection("> SYN"))


@pytest.mark.parametrize(
    ("ders", "words"),
    [
        pytest.param((SERVER.der,), "nobody sent the issuer of", id="incomplete"),
        pytest.param((SERVER.der, SUB.der, ROOT.der), "ends in the self-issued", id="with its root"),
        pytest.param((SERVER.der, ROOT.der, SUB.der), "not in the order", id="out of order"),
        pytest.param((SERVER.der, SUB.der, CLIENT.der), "belongs to no link", id="a stranger"),
        pytest.param((SERVER.der, SUB.der, SUB.der), "more than once", id="twice"),
        pytest.param((b"\x30\x03abc",), "", id="no certificate at all"),
    ],
)
def test_a_chain(ders: tuple[bytes, ...], words: str) -> None:
    assert words in shown(assess(ders))


def test_a_finding_says_its_severity_in_words() -> None:
    fragment = shown(finding())
    assert "ERROR" in fragment
    assert "frame.number in {4, 9}" in fragment


def test_a_result_counts_and_lists_what_is_in_trouble() -> None:
    fragment = shown(result(healthy(), failed(stream=1), full_summary()))
    assert "2 connections, 1 in trouble" in fragment
    assert "pool-members-differ" in fragment
    assert fragment.count("the summary of client-certificate-rejected") == 1
    assert "0 connections" in shown(result())


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_stay_texts(text: str) -> None:
    shown(poisoned(everything(), text))
    shown(poisoned(finding(), text))
    shown(poisoned(assess((SERVER.der, SUB.der, CLIENT.der)), text))
    shown(result(*(poisoned_item(item, text) for item in (everything(), full_summary()))))


def test_it_stays_small() -> None:
    findings = [finding(f"rule-{number}", frames=tuple(range(5000))) for number in range(300)]
    long = failed(*findings, server_chain=assess((SUB.der,) * 500))
    assert len(shown(long)) < 300_000
    assert len(shown(result(*[failed(*findings, stream=number) for number in range(300)]))) < 300_000


def test_without_the_upper_floors_a_record_shows_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_draw", [])
    assert finding()._repr_html_() is None


def test_anything_else_is_text() -> None:
    assert notebook.html("<b>") == "<pre>&#x27;&lt;b&gt;&#x27;</pre>"
