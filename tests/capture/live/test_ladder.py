"""Which engine is taken, and what is said when none works."""

from __future__ import annotations

import sys

import pytest

from analyzer.capture.live import ladder
from analyzer.capture.live.source import Engine, Rung, Settings, Source
from analyzer.errors import LiveError
from tests.capture.live.sources import Played

SETTINGS = Settings("test0")


def engine(name: str, why_not: str | None = None) -> Engine:
    def start(settings: Settings) -> Source:
        if why_not:
            raise LiveError(why_not)
        return Played([])

    return Engine(name, lambda: Rung(name, why_not is None, why_not or "works"), start)


@pytest.mark.parametrize(
    ("engines", "taken", "skipped"),
    [
        pytest.param([engine("one"), engine("two")], "one", (), id="the first works"),
        pytest.param([engine("one", "no tool"), engine("two")], "two", ("one: no tool",), id="the second works"),
    ],
)
def test_the_first_that_starts_is_taken(
    engines: list[Engine], taken: str, skipped: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "ENGINES", tuple(engines))
    opened = ladder.open_source(SETTINGS)
    assert (opened.engine, opened.skipped) == (taken, skipped)


def test_each_engine_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "ENGINES", (engine("one", "install it"), engine("two", "be root")))
    with pytest.raises(LiveError, match=r"cannot capture on test0\. one: install it\. two: be root"):
        ladder.open_source(SETTINGS)


def test_a_chosen_engine_is_not_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "ENGINES", (engine("one", "install it"), engine("two")))
    with pytest.raises(LiveError, match=r"^install it$"):
        ladder.open_source(SETTINGS, "one")


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("linux", ["dumpcap", "af-packet"]),
        ("win32", ["dumpcap", "scapy"]),
        ("darwin", ["dumpcap", "scapy"]),
    ],
)
def test_what_each_system_has(platform: str, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert [rung.engine for rung in ladder.rungs()] == names
