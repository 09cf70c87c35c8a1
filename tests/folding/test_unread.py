"""What a side sends after the handshake was followed to its end is only counted: nobody says that it was not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer import rules
from analyzer.connection import Connection, Outcome, Seen
from analyzer.findings import Outcome as Verdict
from analyzer.findings import Severity
from tests.build.connections import context
from tests.build.tcp import CLIENT, SERVER
from tests.folding.test_retelling import in_full, warm
from tests.scenarios import Story
from tests.scenarios.following import follow, only

ALERT_13 = 19
"""Length of an encrypted alert."""
UPLOAD = (16_401,) * 6
"""More than is followed of a connection that is over its handshake."""
REPLY = 319


def begun_12() -> Story:
    """The server has sent nothing but its handshake when the client's upload is over."""
    story = Story()
    story.open()
    return story.hello().answer().certificate().finished().records(CLIENT, *UPLOAD)


def begun_13(*tickets: int, client: tuple[int, ...] = (700, 281, 53)) -> Story:
    """The same with TLS 1.3."""
    story = Story()
    story.open()
    story.hello_13().answer_13().client_13(*client)
    if tickets:
        story.records(SERVER, *tickets)
    return story.records(CLIENT, *UPLOAD)


def errors(conn: Connection) -> list[str]:
    return [found.rule for found in rules.judge(conn, context()) if found.severity is Severity.ERROR]


def verdict(conn: Connection, rule_id: str) -> Verdict:
    entry = rules.find(rule_id)
    assert entry is not None
    return rules.verdict(entry, conn, context()).outcome


def goodbye_13(story: Story, reply: int = REPLY) -> Story:
    """A reply, close_notify and FIN."""
    story.records(SERVER, reply).records(SERVER, ALERT_13).close(SERVER)
    return story


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(goodbye_13(begun_13()), id="TLS 1.3 without tickets"),
        pytest.param(goodbye_13(begun_13(250, 250)), id="TLS 1.3 with tickets"),
        pytest.param(goodbye_13(begun_13(client=(53,))), id="TLS 1.3 without a client certificate"),
        pytest.param(goodbye_13(begun_13(), reply=50_000), id="a long reply"),
        pytest.param(begun_13().records(SERVER, REPLY).close(SERVER), id="TLS 1.3, no close_notify"),
        pytest.param(
            begun_13(250, 250).records(SERVER, ALERT_13).close(SERVER), id="TLS 1.3, tickets, then close_notify"
        ),
        pytest.param(begun_13(250, 250).records(SERVER, REPLY).rst(SERVER), id="TLS 1.3, reset after the reply"),
        pytest.param(begun_12().records(SERVER, REPLY).close(SERVER), id="TLS 1.2, no close_notify"),
        pytest.param(begun_12().records(SERVER, REPLY).rst(SERVER), id="TLS 1.2, reset after the reply"),
        pytest.param(
            begun_12().records(SERVER, REPLY).secret_alert(SERVER).rst(SERVER), id="TLS 1.2 with close_notify"
        ),
        pytest.param(begun_12().secret_alert(CLIENT).rst(SERVER), id="TLS 1.2, the client said goodbye"),
        pytest.param(begun_12().records(SERVER, 19).rst(SERVER), id="TLS 1.2, a reply as short as an alert"),
    ],
)
def test_an_upload_that_went_well_is_no_failure(story: Story) -> None:
    conn = only(story)
    assert conn.outcome is Outcome.ESTABLISHED
    assert not errors(conn)
    assert not conn.seen & Seen.TROUBLED_END or conn.alerts


def silent(story: Story) -> Story:
    return story


def reply(story: Story) -> Story:
    return story.records(SERVER, REPLY)


def goodbye(story: Story) -> Story:
    return story.secret_alert(SERVER)


def reply_lost(story: Story) -> Story:
    story.lose(SERVER, REPLY + 5)
    story.put(CLIENT)
    return story


def sent_again(story: Story) -> Story:
    """The server's Finished comes once more."""
    return story.again(next(at for at, packet in enumerate(story.packets) if len(packet.data) == 54 + 6 + 45))


@pytest.mark.parametrize(
    ("then", "unread", "says"),
    [
        pytest.param(silent, 0, Verdict.HIT, id="nothing: all of it was read"),
        pytest.param(sent_again, 0, Verdict.HIT, id="what was read before, once more"),
        pytest.param(reply, REPLY + 5, Verdict.CANNOT_TELL, id="a reply"),
        pytest.param(reply_lost, REPLY + 5, Verdict.CANNOT_TELL, id="a reply that only its acknowledgement shows"),
        pytest.param(goodbye, 0, Verdict.CLEAR, id="an alert, which is read"),
    ],
)
def test_who_sent_no_data_is_only_said_where_the_numbers_prove_it(
    then: Callable[[Story], Story], unread: int, says: Verdict
) -> None:
    story = then(begun_12())
    conn = only(story.rst(SERVER))
    assert conn.server.unread_bytes == unread
    assert verdict(conn, "reset-after-handshake") is says


def test_a_refusal_of_a_client_that_was_talking_is_still_one() -> None:
    story = begun_13().records(SERVER, ALERT_13)
    conn = only(story.close(SERVER))
    assert conn.outcome is Outcome.FAILED
    assert errors(conn) == ["client-certificate-rejected"]
    assert [(alert.frame, alert.after_handshake) for alert in conn.alerts] == [(len(story.packets) - 4, False)]


def test_what_is_followed_to_its_end_has_nothing_unread() -> None:
    conn = only("mutual")
    assert (conn.client.unread_bytes, conn.server.unread_bytes) == (0, 0)


def test_uploads_that_differ_only_in_what_was_not_read_are_told_apart() -> None:
    answered = begun_12().records(SERVER, REPLY).rst(SERVER).packets
    mute = begun_12().ack(SERVER).rst(SERVER).packets
    warm(mute)
    assert follow(answered) == in_full(answered)
    warm(answered)
    assert follow(mute) == in_full(mute)
