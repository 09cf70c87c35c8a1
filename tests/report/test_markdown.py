"""-T md: short, and whatever the wire says stays text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from analyzer.connection import Outcome
from analyzer.findings import Severity
from analyzer.report import safe
from analyzer.report.markdown import FLOODS, GROUPS, LENGTH, code, prose
from analyzer.report.output import Item
from tests.build.connections import connection
from tests.report.logs import HARMLESS, active_markdown, output_of
from tests.report.records import everything, failed, finding, full_summary, healthy, poisoned_item, repeated, summary


def text(items: list[Item]) -> str:
    return output_of("md", items).decode()


def inline(line: str) -> list[Token]:
    """What a reader of Markdown sees in a line."""
    return [
        child
        for token in MarkdownIt("commonmark").enable("strikethrough").parseInline(line)
        for child in token.children or []
    ]


HOSTILE = [
    pytest.param("<img src=x onerror=alert(1)>", id="html"),
    pytest.param("![x](http://192.0.2.1/pixel.png)", id="a picture"),
    pytest.param("[click](javascript:alert(1))", id="a link"),
    pytest.param("*a* **b** _c_ ~~d~~ `e`", id="emphasis"),
    pytest.param("`` ` ``` @name", id="backticks"),
    pytest.param("@everyone #12 !34 $5 ~label &amp; %60", id="mentions and references"),
    pytest.param("http://192.0.2.1/a`b www.example.com", id="addresses that become links"),
    pytest.param("a\n\n# title\n- x\n> y\n\n---", id="lines"),
    pytest.param("| a | b |", id="a table"),
    pytest.param("\\`x\\` \\<b>", id="backslashes"),
    pytest.param("\x1b[2J\u202e\u200b", id="controls"),
    pytest.param("`a``b` `@x`@y`", id="spans side by side"),
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_texts_from_the_wire_do_nothing(hostile: str) -> None:
    said = [poisoned_item(everything(), hostile), repeated(), poisoned_item(full_summary(), hostile)]
    assert active_markdown(said) == set()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_they_can_be_read(hostile: str) -> None:
    seen = "".join(token.content for token in inline(f"x {prose(hostile)} x"))
    assert "".join(seen.replace("`", "").split()) == "".join(f"x{safe.line(hostile)}x".replace("`", "").split())


@given(st.text(st.sampled_from("ab1 `@#!<>[]()*_~\\/:.w&$|\n\u202e")) | st.text())
def test_any_text_is_text(hostile: str) -> None:
    tokens = inline(f"x {prose(hostile)} x")
    assert {token.type for token in tokens} <= HARMLESS - {"strong_open", "strong_close"}
    loose = "".join(token.content for token in tokens if token.type != "code_inline")
    assert "://" not in loose or "a" not in loose.partition("://")[0][-1:]


@given(st.text())
def test_code_is_one_span(hostile: str) -> None:
    tokens = [token for token in inline(f"x {code(hostile)} x") if token.type != "text"]
    assert [token.type for token in tokens] == ["code_inline"]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        pytest.param("the alert unknown_ca (48)", "the alert unknown_ca (48)", id="a name with an underscore"),
        pytest.param("try `ss -ltn`.", "try `ss -ltn`.", id="our own code"),
        pytest.param("see http://a.example/x.cer.", "see `http://a.example/x.cer`.", id="an address at the end"),
        pytest.param("ask @name", "ask `@`name", id="a mention"),
        pytest.param("a*b", "a\\*b", id="a mark"),
        pytest.param("50% & more", "50% &amp; more", id="signs that stand alone"),
    ],
)
def test_prose(said: str, written: str) -> None:
    assert prose(said) == written


def test_long_texts_are_cut() -> None:
    assert len(prose("x" * 100_000)) < LENGTH + 50


def test_what_is_well_is_only_counted() -> None:
    said = text([healthy(), healthy(stream=1), summary()])
    assert "2 connections: 2 established" in said
    assert "###" not in said


def test_equal_troubles_are_told_once() -> None:
    said = text([*(failed(stream=i, client_ip=f"192.0.2.{i}") for i in range(9)), summary()])
    assert said.count("###") == 1
    assert "9 times from" in said
    assert "and 4 more" in said


def test_a_ticket_stays_short() -> None:
    many = [failed(stream=i, server_port=1000 + i) for i in range(600)]
    said = text([*many, *[repeated()] * 50, summary()])
    assert said.count("###") == GROUPS
    assert "And 590 more connections in other trouble" in said
    assert said.count("counted only") == FLOODS


def test_lesser_findings_are_named_and_traces_are_not() -> None:
    told = [finding(f"rule-{i}", Severity.WARNING) for i in range(8)]
    said = text([failed(*told), summary()])
    assert said.count("**Also:**") == 5
    assert "2 more findings" in said


def test_across_connections_and_the_limits_of_the_capture() -> None:
    said = text([everything(), repeated(), full_summary()])
    assert "**Warning:** the summary of pool-members-differ (`pool-members-differ`)" in said
    assert "**Not read to its end:**" in said
    assert "The capture is not whole" in said


def test_interrupted() -> None:
    said = text([failed()])
    assert "1 connection: 1 failed" in said
    assert "interrupted: the capture was not read to its end" in said


def test_a_failure_that_no_rule_explains() -> None:
    said = text([connection("> ClientHello", "< FIN", outcome=Outcome.FAILED), summary()])
    assert "**Diagnosis:** no rule explains it" in said
    assert "in Wireshark `tcp.stream == 0`" in said
