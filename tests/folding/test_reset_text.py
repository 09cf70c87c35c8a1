"""A reset may carry a text that says why (RFC 9293 section 3.5.3). It is no part of the stream, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.connection import Connection
from tests.build.frames import ACK, RST
from tests.build.records import alert, encrypted
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios import Story
from tests.scenarios.following import only

Script = Callable[[Story], object]


def long_life(story: Story) -> None:
    story.open().hello().answer().certificate().finished()
    for _ in range(40):
        story.talk()


TEXT = b"No TCP/5061 listener here, go away"
PLACES = [
    pytest.param(lambda s: s.syn(), SERVER, id="in answer to the SYN"),
    pytest.param(lambda s: s.open(), SERVER, id="before any payload"),
    pytest.param(lambda s: s.open().hello(), SERVER, id="after the ClientHello"),
    pytest.param(lambda s: s.open().hello().answer(), CLIENT, id="after the server's flight"),
    pytest.param(lambda s: s.open().hello().answer().certificate(), SERVER, id="after the client's certificate"),
    pytest.param(long_life, SERVER, id="long after"),
]


def told(script: Script, side: int, payload: bytes, size: int | None) -> Connection:
    story = Story()
    script(story)
    story.put(side, payload, flags=RST | ACK)
    return only(story, size)


@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize("payload", [TEXT, alert(40), encrypted(21, 19)], ids=["text", "an alert", "a secret alert"])
@pytest.mark.parametrize(("script", "side"), PLACES)
def test_what_a_reset_carries_changes_nothing(script: Script, side: int, payload: bytes, size: int | None) -> None:
    assert told(script, side, payload, size) == told(script, side, b"", size)


def test_a_reset_with_text_is_a_reset() -> None:
    conn = told(lambda s: s.open().hello(), SERVER, TEXT, None)
    assert (conn.outcome.value, conn.closed.how, conn.server.bytes) == ("failed", "rst", 0)
    assert [end.seq_fits for end in conn.endings] == [True]
