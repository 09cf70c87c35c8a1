"""The client's last flight in TLS 1.3: nothing answers it in clear, so that acknowledgements alone tell whether it came."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.connection import CertificateState, Connection, Outcome
from tests.build.frames import ACK, FIN, PSH, RST
from tests.build.records import change_cipher_spec
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios.following import only
from tests.scenarios.story import Story, sized

E, F = Outcome.ESTABLISHED, Outcome.FAILED
FLIGHT = change_cipher_spec() + sized(1_800, 281, 53)


def lost(story: Story, times: int = 0) -> Story:
    """The flight gets lost, and its first segment is sent again so often."""
    at = len(story.packets)
    story.send(CLIENT, FLIGHT, heard=False)
    for number in range(times):
        story.wait(0.2 * 2**number).again(at)
    return story


def late(story: Story) -> Story:
    """The server has it after all, and says so."""
    story.heard[SERVER] = story.seq[CLIENT]
    story.ack(SERVER)
    return story


def old(story: Story) -> Story:
    """A packet of the server that comes late and acknowledges only the hello."""
    story.put(SERVER, ack=story.seq[CLIENT] - len(FLIGHT))
    return story


def told(script: Callable[[Story], object]) -> Connection:
    story = Story()
    story.open()
    story.hello_13().answer_13()
    script(story)
    return only(story)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param(lambda s: lost(s, 4).wait(2).fin(SERVER), F, id="sent again in vain, and the server closes"),
        pytest.param(lambda s: lost(s, 1).fin(SERVER), F, id="sent again once, and the server closes without it"),
        pytest.param(lambda s: lost(s).ack(SERVER).wait(1).fin(SERVER), F, id="the server closes without it"),
        pytest.param(lambda s: lost(s, 1).rst(SERVER), F, id="sent again once, and the server resets without it"),
        pytest.param(lambda s: lost(s, 3).wait(9).fin(CLIENT), F, id="the client gives up"),
        pytest.param(lambda s: lost(s, 3), F, id="sent again in vain to the end of the capture"),
        pytest.param(lambda s: lost(s, 1), E, id="sent again once, and the capture ends"),
        pytest.param(lambda s: lost(s), E, id="the capture ends before any acknowledgement"),
        pytest.param(lambda s: lost(s).ack(SERVER), E, id="an acknowledgement that was on its way"),
        pytest.param(lambda s: lost(s).rst(SERVER), E, id="a reset with an old number alone: anybody can forge it"),
        pytest.param(lambda s: late(lost(s, 3)).fin(SERVER), E, id="it came after all"),
        pytest.param(lambda s: old(late(lost(s, 3)).fin(SERVER)), E, id="the last packet of the capture is an old one"),
        pytest.param(lambda s: old(late(lost(s, 3)).records(SERVER, 250, 250)), E, id="the server went on"),
        pytest.param(lambda s: s.fin(SERVER) and lost(s), E, id="a close before it, and the capture ends"),
    ],
)  # fmt: skip
def test_arrival(script: Callable[[Story], object], outcome: Outcome) -> None:
    conn = told(script)
    assert (conn.outcome, conn.established) == (outcome, outcome is E)
    assert conn.client_certificate_state is CertificateState.INFERRED_SENT
    assert conn.client_auth_13 is not None and conn.client_auth_13.arrived is (outcome is E)


def test_a_hello_sent_again_says_nothing_about_the_flight() -> None:
    story = Story()
    story.open()
    story.hello_13()
    story.wait(1).again(3).wait(2).again(3)
    story.answer_13().client_13(1_800, 281, 53)
    story.put(SERVER, ack=story.isn[CLIENT] + 1)
    assert only(story).outcome is E


def test_an_alert_of_a_server_that_waited_in_vain_refuses_nothing() -> None:
    def script(story: Story) -> None:
        lost(story, 2)
        story.put(SERVER, sized(19), flags=ACK | PSH)
        story.seq[SERVER] += 24
        story.fin(SERVER)

    auth = told(script).client_auth_13
    assert auth is not None and not auth.refused


def test_a_close_that_answers_nothing_and_resets_what_comes() -> None:
    """The server's FIN comes with its flight: what the client sends then meets a closed port."""
    story = Story()
    story.open()
    story.hello_13().answer_13()
    story.put(SERVER, flags=FIN | ACK)
    lost(story)
    story.put(SERVER, seq=story.seq[SERVER] + 1, flags=RST)
    assert only(story).outcome is F
