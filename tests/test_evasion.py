"""The right value, or a named doubt, whatever somebody on the path injects and however badly the capture was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from analyzer.connection import Connection
from tests.build import handshake as tls
from tests.build import records
from tests.build.frames import ACK, FIN, RST
from tests.build.reports import facts, report, rules
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios import Story
from tests.scenarios.following import track

HELLO = records.record(tls.client_hello(extensions=[tls.server_name_extension(b"sip.example.com")]), version=0x0301)
DECOY = records.record(tls.client_hello(extensions=[tls.server_name_extension(b"bad.example.com")]), version=0x0301)
Odd = Callable[[Story], object]


def told(odd: Odd = lambda story: None, *, after: str = "hello") -> Story:
    """A whole healthy mutual connection; `odd` happens after a flight: open, hello, answer, certificate, finished, talk."""
    story = Story()
    for flight in ("open", "hello", "answer", "certificate", "finished", "talk"):
        getattr(story, flight)()
        if flight == after:
            odd(story)
    story.secret_alert(CLIENT).close()
    return story


CLEAN = facts(report(told().packets).connection)


def test_the_plain_story_is_healthy() -> None:
    assert CLEAN["outcome"] == "established"
    assert CLEAN["server_name"] == "sip.example.com"
    assert CLEAN["closed"][:2] == ("client", "fin")


# ---- ends that nobody heeded -------------------------------------------------------------------------------------------

FLIGHTS = ("open", "hello", "answer", "certificate", "finished", "talk")
FALSE_ENDS: dict[str, dict[str, Any]] = {
    "a reset with a bad checksum": {"flags": RST | ACK, "good": False},
    "a reset that dies on the way": {"flags": RST, "ttl": 2},
    "a reset far out of the window": {"flags": RST, "seq": 0x5EADBEEF},
    "a close that dies on the way": {"flags": FIN | ACK, "ttl": 2},
}
FALSE_END_CASES = [
    pytest.param(odd, side, after, id=f"{what}, from side {side} after {after}")
    for what, odd in FALSE_ENDS.items()
    for side in (CLIENT, SERVER)
    for after in FLIGHTS
    if not (odd["flags"] & FIN and (side, after) == (SERVER, "talk"))  # that is the very FIN it sends a moment later
]


@pytest.mark.parametrize(("odd", "side", "after"), FALSE_END_CASES)
def test_an_end_after_which_its_sender_goes_on_is_none(odd: dict[str, Any], side: int, after: str) -> None:
    conn = report(told(lambda story: story.put(side, **odd), after=after).packets).connection

    assert facts(conn) == CLEAN
    assert not rules(conn)
    assert any("nobody heeded" in line for line in conn.malformed)


@pytest.mark.parametrize("after", FLIGHTS[:-1])
def test_a_reset_out_of_the_window_ends_nothing_even_before_a_long_silence(after: str) -> None:
    """Packets come one by one, so that nobody can look ahead."""

    def resets_and_pauses(story: Story) -> None:
        story.put(CLIENT, flags=RST, seq=0x5EADBEEF)
        story.wait(20)

    _, (conn,) = track(told(resets_and_pauses, after=after), size=1)

    assert facts(conn) == CLEAN


@pytest.mark.parametrize("side", [CLIENT, SERVER])
@pytest.mark.parametrize("after", FLIGHTS[:-2])
def test_a_real_reset_still_ends_a_connection(side: int, after: str) -> None:
    story = Story()
    for flight in FLIGHTS[: FLIGHTS.index(after) + 1]:
        getattr(story, flight)()
    story.rst(side)
    conn: Connection = report(story.packets).connection

    assert (conn.closed.how, conn.closed.by) == ("rst", "server" if side else "client")
    assert not conn.malformed
