"""Signals of a live run: the end, at once or in peace, and files opened anew."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from analyzer.cli.live.stopping import REPORTING, Ending, signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends itself signals of POSIX")


class Heard(list[str]):
    """What was called."""

    def stop(self) -> None:
        self.append("stop")

    def reopen(self) -> None:
        self.append("reopen")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_one_ends_it_in_peace_and_the_second_one_at_once(number: signal.Signals) -> None:
    class AtOnce(Exception):
        pass

    def usual(*_: object) -> None:
        raise AtOnce

    heard = Heard()
    before = signal.signal(number, usual)
    try:
        with pytest.raises(AtOnce), signals(Ending(heard.stop), []):
            os.kill(os.getpid(), number)
            assert heard == ["stop"]
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(
    ("file", "terminal", "gone", "expected"),
    [
        pytest.param(True, False, False, ["reopen", "reopen"], id="a service's file is opened anew each time"),
        pytest.param(True, True, False, ["reopen", "reopen"], id="so is one of a run in a terminal"),
        pytest.param(True, True, True, ["stop"], id="a terminal that is gone ends it"),
        pytest.param(False, False, False, ["stop"], id="no file: it ends"),
    ],
)
def test_sighup(file: bool, terminal: bool, gone: bool, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    there = terminal
    monkeypatch.setattr(os, "isatty", lambda handle: there)
    before = signal.signal(signal.SIGHUP, lambda *_: heard.append("usual"))
    try:
        with signals(Ending(heard.stop), [heard.reopen] if file else []):
            there = terminal and not gone
            for _ in expected:
                os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert heard == expected


def test_nohup_is_respected() -> None:
    heard = Heard()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals(Ending(heard.stop), []):
            os.kill(os.getpid(), signal.SIGHUP)
        assert heard == []
    finally:
        signal.signal(signal.SIGHUP, before)


def test_it_is_late_some_time_after_the_first_asking() -> None:
    heard, now = Heard(), 100.0
    ending = Ending(heard.stop, lambda: now)
    assert not ending.late()
    ending.ask()
    now += REPORTING
    ending.ask()
    assert not ending.late()
    now += 0.1
    assert ending.late()
    assert heard == ["stop"]
