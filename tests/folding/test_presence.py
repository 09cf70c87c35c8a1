"""Which facts a record has, and which may exist out of sight."""

from __future__ import annotations

import pytest

from analyzer.connection import NOTHING, Outcome, Seen
from tests.scenarios import STORIES, Story
from tests.scenarios.following import follow, only

TALKED = Seen.FIN | Seen.APPLICATION_DATA
OUTCOMES = Seen.ESTABLISHED | Seen.FAILED | Seen.NOT_TLS | Seen.NO_DATA | Seen.UNKNOWN
TCP = Seen.SYN | Seen.SYN_ACK | Seen.PAYLOAD
HELLOS = Seen.CLIENT_HELLO | Seen.SERVER_HELLO
FLIGHTS = HELLOS | Seen.SERVER_CERTIFICATE | Seen.SERVER_KEY_EXCHANGE
ASKED = Seen.CERTIFICATE_REQUEST | Seen.CLIENT_CERTIFICATE | Seen.CLIENT_CERTIFICATE_MESSAGE
MUTUAL = TCP | FLIGHTS | ASKED


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        pytest.param("mutual", MUTUAL | Seen.ENCRYPTED_ALERT | TALKED, id="mutual"),
        pytest.param("server_only", TCP | FLIGHTS | TALKED, id="not mutual"),
        pytest.param("resumed", TCP | HELLOS | Seen.RESUMED | TALKED, id="resumed"),
        pytest.param("client_ca_unknown", MUTUAL | Seen.ALERT | Seen.FIN | Seen.TROUBLED_END, id="refused by alert"),
        pytest.param("refused", Seen.SYN | Seen.RESET, id="refused by TCP"),
        pytest.param("nobody_answers", Seen.SYN, id="nobody answers"),
        pytest.param("behind_a_proxy", MUTUAL | Seen.PREAMBLE | TALKED, id="plain text first"),
        pytest.param("hello_retry_13", TCP | HELLOS | Seen.HELLO_RETRY | TALKED, id="a second hello"),
        pytest.param("window_closed", MUTUAL | Seen.ZERO_WINDOW | TALKED, id="a closed window"),
        pytest.param("starts_inside", Seen.PAYLOAD | TALKED | Seen.LIMITED_VIEW, id="starts inside"),
    ],
)  # fmt: skip
def test_seen(name: str, seen: Seen) -> None:
    assert only(name).seen & ~OUTCOMES == seen


@pytest.mark.parametrize("name", STORIES)
def test_exactly_one_outcome_is_seen_and_nothing_is_seen_and_hidden(name: str) -> None:
    for conn in follow(name):
        assert conn.seen & OUTCOMES == Seen[conn.outcome.name]
        assert conn.seen & conn.hidden == NOTHING
        assert bool(conn.seen & Seen.LIMITED_VIEW) == bool(conn.visibility.limited or conn.visibility.truncated_packets)
        assert bool(conn.seen & Seen.TROUBLED_END) or conn.outcome is not Outcome.FAILED


@pytest.mark.parametrize(
    ("name", "hidden", "open_to_see"),
    [
        pytest.param("mutual", NOTHING, Seen.ALERT, id="nothing in a whole TLS 1.2 connection"),
        pytest.param("mutual_13", Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE, Seen.ALERT, id="TLS 1.3 encrypts"),
        pytest.param("only_the_client", Seen.SERVER_HELLO | Seen.SERVER_CERTIFICATE | Seen.ALERT, Seen.RESET, id="one side"),
        pytest.param("starts_inside", Seen.CLIENT_HELLO | Seen.SYN, Seen.RESET, id="starts inside"),
        pytest.param("hole_in_the_server_flight", Seen.SERVER_CERTIFICATE, Seen.FIN, id="a gap"),
    ],
)  # fmt: skip
def test_hidden(name: str, hidden: Seen, open_to_see: Seen) -> None:
    found = only(name).hidden
    assert found & hidden == hidden and not found & open_to_see


def test_an_end_right_after_the_handshake_is_troubled_unless_its_side_had_talked() -> None:
    def ends(seconds: float, data: bool) -> bool:
        story = Story()
        story.open()
        story.hello().answer().certificate().finished()
        if data:
            story.talk()
        return bool(only(story.wait(seconds).rst(1)).seen & Seen.TROUBLED_END)

    assert ends(0.1, data=False)
    assert not ends(60, data=False) and not ends(0.1, data=True)
