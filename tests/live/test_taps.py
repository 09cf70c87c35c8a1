"""Taps look on; one that fails takes nobody with it."""

from __future__ import annotations

from typing import cast

import pytest

from analyzer.capture.source import Frames
from analyzer.connection import Connection
from analyzer.live.taps import Taps
from analyzer.packets.columns import Decoded

CONNECTION = cast(Connection, object())


class Noting:
    """A tap that keeps what it is told, and fails at one call."""

    def __init__(self, name: str, error: Exception | None = None, at: str = "") -> None:
        self.name, self.heard, self._error, self._at = name, list[str](), error, at

    def _hear(self, what: str) -> None:
        self.heard.append(what)
        if self._error is not None and what == self._at:
            raise self._error

    def see(self, conn: Connection) -> None:
        self._hear("see")

    def tick(self, now_ns: int) -> None:
        self._hear("tick")

    def lost(self, packets: int) -> None:
        self._hear(f"lost {packets}")

    def close(self) -> None:
        self._hear("close")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            OSError(28, "No space left on device"),
            "one: No space left on device; it is ended, the capture goes on",
            id="a full disk is told in the system's words",
        ),
        pytest.param(ValueError("odd"), "one: odd; it is ended, the capture goes on", id="a bug of ours is contained"),
    ],
)
@pytest.mark.parametrize("at", ["see", "tick", "lost 3", "close"])
def test_one_that_fails_is_told_once_and_taken_off(error: Exception, said: str, at: str) -> None:
    told: list[str] = []
    one, other = Noting("one", error, at), Noting("other")
    taps = Taps((one, other), told.append)
    for _ in range(2):
        taps.see(CONNECTION)
        taps.tick(0)
        taps.lost(3)
    taps.close()
    assert other.heard == ["see", "tick", "lost 3"] * 2 + ["close"]
    assert one.heard[-1] == at
    assert told == [said]


class Looking(Noting):
    """One that looks at packets, too."""

    def packets(self, frames: Frames, decoded: Decoded) -> None:
        self._hear("packets")


def test_packets_are_for_who_wants_them() -> None:
    one, other = Looking("one"), Noting("other")
    Taps((one, other)).packets(cast(Frames, None), cast(Decoded, None))
    assert (one.heard, other.heard) == (["packets"], [])


def test_after_the_end_nobody_is_told_anything() -> None:
    one = Noting("one")
    taps = Taps((one,))
    taps.close()
    taps.see(CONNECTION)
    taps.close()
    assert one.heard == ["close"]
