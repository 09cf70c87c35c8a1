"""What is known of the names on a CA list, and that it is not forgotten to ask again."""

from __future__ import annotations

from analyzer.judgement.intermediates import NOTHING_LISTED, Listed, listed
from analyzer.rules.history import History
from tests.build.connections import DATA, HANDSHAKE, FakeHistory, ca_list, connection
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, certificate, chain, name

MIXED = ca_list(name(OTHER), name(SUB), name(SUB), name(ROOT))


def test_nothing_is_known_without_a_list() -> None:
    assert listed(connection(*HANDSHAKE), FakeHistory()) is NOTHING_LISTED
    assert listed(connection(*HANDSHAKE, request=ca_list()), FakeHistory()) == NOTHING_LISTED


def test_own_chains_and_history_are_looked_at() -> None:
    sub = Listed((certificate(SUB),), root=False)
    assert listed(connection(*HANDSHAKE, request=MIXED), FakeHistory(cas=(certificate(SUB),))) == sub
    assert listed(connection(*HANDSHAKE, request=MIXED, server_chain=chain(SERVER, SUB)), FakeHistory()) == sub
    assert listed(connection(*HANDSHAKE, request=MIXED, client_chain=chain(CLIENT, SUB, ROOT)), FakeHistory()) == (
        Listed((certificate(SUB),), root=True)
    )


def test_the_answer_changes_when_something_new_was_learned() -> None:
    history, conn = History(), connection(*HANDSHAKE, *DATA, request=MIXED)
    assert listed(conn, history) == NOTHING_LISTED
    history.learn(connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB)))
    first = listed(conn, history)
    assert first == Listed((certificate(SUB),), root=False)
    assert listed(conn, history) is first, "asked again, it is remembered"
    history.learn(connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB, ROOT)))
    assert listed(conn, history) == Listed((certificate(SUB),), root=True)
    assert listed(conn, History()) == NOTHING_LISTED, "another run knows nothing of this one"
