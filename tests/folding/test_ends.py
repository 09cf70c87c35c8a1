"""Alerts, Finished and the packets that end a connection."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.connection import Connection, Side
from tests.build.frames import ACK, FIN, PSH, RST
from tests.build.records import alert, application_data
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios import STORIES, Story
from tests.scenarios.following import only

C, S = Side.CLIENT, Side.SERVER


def told(script: Callable[[Story], object], size: int | None = None) -> Connection:
    story = Story()
    story.open()
    script(story)
    return only(story, size)


def long_13(story: Story) -> None:
    story.hello_13().answer_13().client_13(700, 281, 53).records(SERVER, 250, 250)
    for _ in range(30):
        story.talk()
    story.records(CLIENT, 19).close()


@pytest.mark.parametrize(
    ("script", "alerts"),
    [
        pytest.param(lambda s: s.hello().alert(SERVER, 40), [(S, 2, 40, False, False, False)], id="in clear"),
        pytest.param(
            lambda s: s.hello().alert(SERVER, 112, 1).answer(), [(S, 1, 112, False, False, False)], id="a warning"
        ),
        pytest.param(
            lambda s: s.hello().answer().certificate().secret_alert(SERVER),
            [(S, None, None, True, False, False)],
            id="encrypted, before the handshake was complete",
        ),
        pytest.param(
            lambda s: s.hello().answer().certificate().finished().talk().secret_alert(CLIENT).secret_alert(SERVER),
            [(C, None, None, True, True, False), (S, None, None, True, True, False)],
            id="encrypted, after it",
        ),
        pytest.param(
            lambda s: s.hello_13().answer_13().client_13(53).records(SERVER, 19).close(SERVER),
            [(S, None, None, True, False, True)],
            id="TLS 1.3: inferred, a refusal",
        ),
        pytest.param(
            lambda s: s.hello_13().answer_13().client_13(53).talk().records(CLIENT, 19).close(),
            [(C, None, None, True, True, True)],
            id="TLS 1.3: inferred, close_notify",
        ),
        pytest.param(lambda s: s.hello().answer().certificate().finished().talk(), [], id="none"),
    ],
)
def test_alerts(script: Callable[[Story], object], alerts: list[tuple[object, ...]]) -> None:
    conn = told(script)
    found = [(a.side, a.level, a.code, a.encrypted, a.after_handshake, a.inferred) for a in conn.alerts]
    assert found == alerts


def test_an_alert_after_a_long_life_is_still_seen() -> None:
    story = Story()
    STORIES["long_lived"](story)
    conn = only(story)
    (last,) = conn.alerts
    assert (last.side, last.encrypted, last.after_handshake, last.frame) == (C, True, True, len(story.packets) - 4)


def test_a_long_tls_13_connection_is_established_and_not_refused() -> None:
    conn = told(long_13)
    assert conn.established and conn.client_auth_13 is not None and not conn.client_auth_13.refused


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        pytest.param("mutual", {C, S}, id="both"),
        pytest.param("client_ca_unknown", {C}, id="only the client's"),
        pytest.param("client_leaves", set(), id="none"),
        pytest.param("mutual_13", {C, S}, id="TLS 1.3: the client's shows both"),
        pytest.param("client_refuses_13", set(), id="TLS 1.3: neither"),
        pytest.param("resumed", {C, S}, id="resumed: the server is first"),
    ],
)
def test_finished(name: str, sides: set[Side]) -> None:
    assert only(name).finished == sides


def test_every_end_is_there_in_order() -> None:
    conn = told(lambda s: s.hello().fin(CLIENT).wait(0.5).rst(SERVER).wait(0.5).rst(SERVER))
    found = [(end.side, end.how, end.first_of_side) for end in conn.endings]
    assert found == [(C, "fin", True), (S, "rst", True), (S, "rst", False)]


def test_a_fin_sent_again_is_one() -> None:
    story = Story()
    story.open()
    story.hello().fin(CLIENT)
    story.again(len(story.packets) - 1).again(len(story.packets) - 1)
    assert len(only(story).endings) == 1


@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize("rounds", [1, 40], ids=["while the handshake is followed", "long after it"])
@pytest.mark.parametrize(
    ("end", "fits"),
    [
        pytest.param({"flags": RST | ACK}, True, id="the next number"),
        pytest.param({"flags": FIN | ACK}, True, id="a FIN"),
        pytest.param({"flags": FIN | ACK | PSH, "payload": application_data(19)}, True, id="a FIN with payload"),
        pytest.param({"flags": RST, "seq": 77}, False, id="a stranger's number"),
    ],
)
def test_whether_the_number_of_an_end_fits(end: dict[str, object], fits: bool, rounds: int, size: int | None) -> None:
    def script(story: Story) -> None:
        story.hello().answer().certificate().finished()
        for _ in range(rounds):
            story.talk()
        story.put(CLIENT, **end)  # type: ignore[arg-type]

    assert [ending.seq_fits for ending in told(script, size).endings] == [fits]


@pytest.mark.parametrize("size", [None, 1, 50])
def test_payload_after_a_reset_does_not_make_the_reset_a_forgery(size: int | None) -> None:
    def script(story: Story) -> None:
        story.hello().answer().certificate().finished()
        for _ in range(40):
            story.talk()
        story.rst(SERVER).send(SERVER, bytes(500), heard=False)

    conn = told(script, size)
    assert [end.seq_fits for end in conn.endings] == [True] and conn.closed.how == "rst"


def test_ttl_and_ip_id_of_an_end_are_its_own() -> None:
    conn = told(lambda s: s.hello().put(SERVER, flags=RST | ACK, ttl=57))
    assert (conn.endings[0].ttl, conn.server.ttl, conn.endings[0].ip_id) == (57, 64, 7)


def test_two_alerts_of_one_record_are_two() -> None:
    story = Story()
    story.open()
    story.hello().send(SERVER, alert(0, 1) + alert(40))
    assert [a.code for a in only(story).alerts] == [0, 40]
