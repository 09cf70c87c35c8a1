"""-T html as bytes: what is in the page, and that nothing in it can be more than text. test_browser.py opens it."""

import json
import re
import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

import pytest

from analyzer.errors import UsageError
from analyzer.findings import Severity
from analyzer.report import html_book
from analyzer.report.output import Item
from tests.report.records import (
    everything,
    failed,
    finding,
    full_summary,
    healthy,
    poisoned_item,
    repeated,
    summary,
    written,
    written_until,
)

html = pytest.importorskip("analyzer.report.html", reason="-T html needs jinja2")
pytest.importorskip("jinja2", reason="-T html needs jinja2")

ALL: list[Item] = [everything(), failed(stream=1), healthy(stream=2), repeated(), full_summary()]
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "\"'><b>",
    "{{ 7 * 7 }}{% raw %}",
    "]]>&amp;&lt;",
    "a\r\nb\x00\x1b[31m",
    "\u202egpj\u2066\u200b",
    "\udcff",
]


def page(items: Iterable[Item]) -> str:
    return written(html.OUTPUT, items).decode("utf-8")


class Reader(HTMLParser):
    """Elements with their attributes, the texts of scripts, and everything that is text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        else:
            self.texts.append(data)

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found


def test_every_part_is_there() -> None:
    shown = "".join(Reader(page(ALL)).texts)
    for text in (
        "the summary of client-certificate-rejected",
        "the advice of client-certificate-rejected",
        "pool-members-differ",
        "worked 1.2 s earlier",
        "connection-refused",
        "server-chain-incomplete withdrawn for C1",
        "test.pcap: ends 12 bytes into a packet",
        "issuer, not sent",
        "tcp.stream == 0",
    ):
        assert text in shown


def test_the_rows_hold_what_the_record_says() -> None:
    data = Reader(page(ALL)).data
    strings = data["strings"]
    row = dict(zip(data["heads"], data["rows"][2][3:], strict=False))
    assert (row["stream"], strings[row["capture"]], strings[row["client"]]) == (2, "test.pcap", "192.0.2.10:50000")
    assert [row[0] for row in data["rows"]] == [0, 1, -1], "the third is in no trouble"
    assert len(data["rows"][0]) == 3 + len(data["heads"]) + len(data["details"])
    assert all(len(row) == len(data["certificateHeads"] + data["certificateDetails"]) for row in data["certificates"])


def test_equal_troubles_are_one_block() -> None:
    shown = page([*(failed(stream=i, client_ip=f"192.0.2.{i % 3}") for i in range(20)), summary(connections=20)])
    assert shown.count("<details") == 1
    assert "20 connections" in shown
    assert "192.0.2.0 (7)" in shown


def test_the_worst_comes_first_and_is_open() -> None:
    mild = failed(finding("chain-order", Severity.WARNING), stream=0)
    blocks = [attrs for tag, attrs in Reader(page([mild, failed(stream=1), summary()])).elements if tag == "details"]
    assert [block["id"] for block in blocks] == ["trouble-1", "trouble-0"]
    assert ["open" in block for block in blocks] == [True, False]


def test_the_page_asks_for_nothing_and_may_not() -> None:
    elements = Reader(page(ALL)).elements
    sources = [attrs[name] for _tag, attrs in elements for name in ("src", "href", "action", "data") if name in attrs]
    assert all(source is not None and source.startswith(("#", "data:,")) for source in sources)
    (policy,) = [attrs["content"] for _tag, attrs in elements if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not [tag for tag, attrs in elements if "style" in attrs or any(name.startswith("on") for name in attrs)]


def test_the_policy_lets_our_script_run_and_no_other() -> None:
    shown = page(ALL)
    script = Reader(shown).scripts[1]
    style = re.search(r"<style>(.*?)</style>", shown, re.DOTALL)
    assert style is not None
    assert html.policy(script, style[1]).replace("'", "&#39;") in shown


def shape(read: Reader) -> list[tuple[str, list[str]]]:
    """Every element and the names of its attributes; without the lines of ladders, which wrap where texts are long."""
    return [(tag, sorted(attrs)) for tag, attrs in read.elements if tag not in ("text", "line")]


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_hostile_texts_in_every_field_stay_text(hostile: str) -> None:
    document = page([poisoned_item(item, hostile) for item in ALL])
    tame = Reader(page([poisoned_item(item, "tame") for item in ALL]))
    read = Reader(document)
    assert shape(read) == shape(tame)
    assert len(read.scripts) == 2
    assert read.scripts[1] == tame.scripts[1]
    assert all(char.isprintable() or char == "\n" for char in document)
    assert not re.search("[<>&]", read.scripts[0])
    assert "49" not in "".join(read.texts) or "7 * 7" not in hostile


def test_what_is_beyond_the_limits_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROWS", "GROUPS", "CERTIFICATES", "REPEATS", "INPUTS"):
        monkeypatch.setattr(html_book, name, 1)
    shown = page([failed(stream=0), failed(stream=1, server_port=443), *ALL[2:], repeated(), summary()])
    assert len(Reader(shown).data["rows"]) == 1
    assert "The first 1 of 3" in shown
    assert "1 more connections in other trouble" in shown
    assert "and 1 more such rows" in shown
    assert "and 1 more inputs" in shown


def test_long_texts_are_bounded_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_book, "TEXTS_BYTES", 10)
    data = Reader(page([failed(stream=0), failed(stream=1), summary()])).data
    assert len(data["rows"]) == 1
    assert len(data["certificates"]) == 1


def test_an_interrupted_run_leaves_a_whole_page() -> None:
    said = written_until(html.OUTPUT, failed())
    assert said.decode().rstrip().endswith("</html>")
    assert b"client-certificate-rejected" in said
    assert b"interrupted: the capture was not read to its end" in said


def test_what_was_only_counted_is_told_as_in_the_text() -> None:
    assert "26 reported: 1 failed, 25 only counted" in page([failed(), summary(connections=26)])


def test_an_empty_run_is_a_page_too() -> None:
    assert Reader(page([])).data["rows"] == []


def test_without_jinja2_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match="python -m pip install"):
        html.OUTPUT.ready()


def test_the_same_input_gives_the_same_page() -> None:
    assert page(ALL) == page(ALL)
