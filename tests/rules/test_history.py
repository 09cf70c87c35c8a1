"""What earlier connections showed, and what later ones change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer import knowledge
from analyzer.certificates.chain import Chain
from analyzer.certificates.stores.public import PUBLIC_ROOTS
from analyzer.certificates.stores.store import TrustStore
from analyzer.connection import CaList, Connection, SideTraffic
from analyzer.rules import history as module
from analyzer.rules import judge
from analyzer.rules.bounded import Bounded
from analyzer.rules.history import History
from analyzer.rules.rule import Context, HistoryView
from tests.build import pki
from tests.build.connections import CLIENT_DONE, DATA, HANDSHAKE, SERVER_FLIGHT, TCP, ca_list, connection
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, certificate, chain, name, raw


def known(*connections: Connection) -> History:
    """A history that has learned these."""
    history = History()
    for conn in connections:
        history.learn(conn)
    return history


def whole(**facts: Any) -> Connection:
    """A handshake with data behind it."""
    return connection(*HANDSHAKE, *DATA, **facts)


def judged(history: History, conn: Connection) -> Connection:
    """The record with its findings, learned: as the pipeline does it."""
    conn = replace(conn, findings=judge(conn, Context(history)))
    history.learn(conn)
    return conn


def test_it_is_what_rules_ask() -> None:
    view: HistoryView = History()
    assert view.known_root(name(ROOT)) is None
    assert view.intermediates(name(SUB)) == ()
    assert view.sender_of("00") is None
    assert view.served_names("198.51.100.5", 5061) == ()
    assert not view.answers_from("198.51.100.5")
    assert not view.both_directions()
    assert view.served_chain("198.51.100.5", 5061) is None


def test_roots_of_trust_stores_are_known() -> None:
    store = TrustStore("roots.pem", (certificate(ROOT), certificate(SUB)))
    view = History((store, PUBLIC_ROOTS))
    assert view.known_root(name(ROOT)) == "the trust store roots.pem"
    assert view.known_root(name(SUB)) is None, "what is not self-issued is no root"
    assert view.known_root(name(OTHER)) is None
    public = PUBLIC_ROOTS.with_sha256(knowledge.public_roots()[0][0])
    assert public is not None
    assert view.known_root(public.subject) == "the public roots of Microsoft and Mozilla"


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        pytest.param({}, None, id="nothing shows it"),
        pytest.param({"server_chain": chain(SERVER, SUB)}, None, id="a chain below it"),
        pytest.param({"server_chain": chain(pki.self_signed("Root"))}, None, id="a self-signed leaf is no root"),
        pytest.param(
            {"server_chain": chain(SERVER, SUB, pki.self_signed("Root"))},
            "a self-issued certificate in frame 6",
            id="a root of version 1 does not say that it is a CA",
        ),
        pytest.param({"server_chain": raw(b"junk")}, None, id="something unreadable"),
        pytest.param({"request": ca_list(name(OTHER))}, None, id="a list of others"),
        pytest.param({"request": ca_list(name(ROOT))}, "a CA list on the wire (frame 7)", id="a CA list"),
        pytest.param(
            {"server_chain": chain(SERVER, SUB, ROOT)}, "a self-issued certificate in frame 6", id="the root was sent"
        ),
        pytest.param(
            {"client_chain": chain(CLIENT, SUB, ROOT)}, "a self-issued certificate in frame 9", id="by a client"
        ),
    ],
)
def test_roots(facts: dict[str, Any], told: str | None) -> None:
    assert known(whole(**facts)).known_root(name(ROOT)) == told


def test_intermediates_and_who_sent_them() -> None:
    history = known(whole(server_chain=chain(SERVER, SUB, ROOT), stream=3))
    sub = certificate(SUB)
    assert history.intermediates(name(SUB)) == (sub,)
    assert history.intermediates(name(ROOT)) == ()
    assert history.intermediates(name(SERVER)) == ()
    assert history.sender_of(sub.sha256) == "198.51.100.5:5061 in connection 3"
    history.learn(whole(client_chain=chain(CLIENT, SUB), stream=4))
    assert history.sender_of(sub.sha256) == "198.51.100.5:5061 in connection 3"
    assert history.sender_of(certificate(CLIENT).sha256) == "192.0.2.10 in connection 4"


def test_generations_of_one_name_are_kept_up_to_a_bound() -> None:
    subs = [ROOT.issue("Sub", ca=True, serial=number) for number in range(1, module.MAX_SAME_NAME + 4)]
    history = known(*(whole(server_chain=chain(SERVER, sub)) for sub in subs))
    assert len(history.intermediates(name(SUB))) == module.MAX_SAME_NAME


def test_names_served_with_success() -> None:
    history = known(
        whole(server_name="a.example"),
        whole(server_name="b.example"),
        whole(server_name="a.example"),
        whole(server_name=None),
        whole(server_name="other.example", server_port=443),
        connection(*SERVER_FLIGHT, "> RST", server_name="failed.example"),
    )
    assert history.served_names("198.51.100.5", 5061) == ("a.example", "b.example")
    assert history.served_names("198.51.100.5", 443) == ("other.example",)


def test_names_served_are_bounded() -> None:
    history = known(*(whole(server_name=f"n{number}.example") for number in range(module.MAX_SERVED + 5)))
    assert len(history.served_names("198.51.100.5", 5061)) == module.MAX_SERVED


def test_hosts_that_spoke() -> None:
    history = known(connection("> SYN"))
    assert history.answers_from("192.0.2.10")
    assert not history.answers_from("198.51.100.5")
    assert not history.both_directions()
    history.learn(connection(*TCP))
    assert history.answers_from("198.51.100.5")
    assert history.both_directions()
    history.learn_host("203.0.113.9")
    assert history.answers_from("203.0.113.9")


def test_one_direction_is_not_both() -> None:
    assert not known(connection(*SERVER_FLIGHT, client=vars_of(SideTraffic()))).both_directions()


def vars_of(traffic: SideTraffic) -> dict[str, Any]:
    """Its attributes as the builder wants them."""
    return {"packets": traffic.packets}


def test_tables_forget_what_was_written_longest_ago() -> None:
    table: Bounded[str, int] = Bounded(2)
    table["a"], table["b"] = 1, 2
    table["a"] = 3
    table["c"] = 4
    assert dict(table) == {"a": 3, "c": 4}


class Counted(CaList):
    """A list that notices being read."""

    def __getattribute__(self, attribute: str) -> Any:
        if attribute == "names":
            reads.append(1)
        return super().__getattribute__(attribute)


reads: list[int] = []


def test_what_was_learned_is_not_looked_at_again() -> None:
    names = Counted(id="x", names=(name(ROOT),), size=100)
    history = History()
    for _ in range(3):
        reads.clear()
        history.learn(whole(request=names))
    assert not reads


# ---------------------------------------------------------------------------------------------------------- amendments


@pytest.mark.parametrize(
    ("first", "later", "withdrawn"),
    [
        pytest.param(chain(SERVER), {}, 0, id="nothing new"),
        pytest.param(
            chain(SERVER), {"server_chain": chain(SERVER, SUB)}, 0, id="it is an intermediate, somebody sends it"
        ),
        pytest.param(chain(SERVER), {"request": ca_list(name(OTHER))}, 0, id="another root is shown"),
        pytest.param(
            chain(SERVER, SUB), {"request": ca_list(name(SUB))}, 0, id="nothing was said, nothing is withdrawn"
        ),
        pytest.param(chain(SERVER), {"request": ca_list(name(SUB))}, 1, id="a later CA list names the issuer"),
        pytest.param(chain(SERVER), {"client_chain": chain(pki.root("Sub"))}, 1, id="a later chain is that root"),
    ],
)
def test_later_knowledge_withdraws(first: Chain, later: dict[str, Any], withdrawn: int) -> None:
    history = History()
    judged(history, whole(server_chain=first, uid="Cfirst"))
    judged(history, whole(**later, uid="Clater"))
    amendments = history.amendments()
    assert [(a.uid, a.change, a.rule) for a in amendments] == [
        ("Cfirst", "withdrawn", "server-chain-incomplete")
    ] * withdrawn
    assert all("CN=Sub is a root" in a.reason for a in amendments)


def test_each_verdict_is_withdrawn_once_and_for_its_own_side() -> None:
    history = History()
    judged(history, whole(server_chain=chain(SERVER), client_chain=chain(CLIENT), uid="Cboth"))
    for _ in range(2):
        judged(history, whole(request=ca_list(name(SUB)), uid="Clater"))
    rules = sorted(amendment.rule for amendment in history.amendments())
    assert rules == ["client-chain-incomplete", "server-chain-incomplete"]


def test_other_findings_stay() -> None:
    history = History()
    judged(history, connection(*CLIENT_DONE, "< RST", client_chain=chain(CLIENT, SUB), uid="Crejected"))
    judged(history, whole(request=ca_list(name(ROOT), name(SUB))))
    assert history.amendments() == ()


def test_a_verdict_that_was_over_when_learned_is_withdrawn_at_once() -> None:
    """The list came between judging and learning, as it can when several connections are judged side by side."""
    history = known(whole(request=ca_list(name(SUB))))
    conn = whole(server_chain=chain(SERVER), uid="Cearly")
    history.learn(replace(conn, findings=judge(conn, Context(History()))))
    assert [amendment.uid for amendment in history.amendments()] == ["Cearly"]


def test_pending_verdicts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PENDING", 3)
    history = History()
    for number in range(5):
        judged(history, whole(server_chain=chain(SERVER), uid=f"C{number}"))
    judged(history, whole(request=ca_list(name(SUB))))
    assert [amendment.uid for amendment in history.amendments()] == ["C2", "C3", "C4"]


def test_a_list_does_not_show_that_a_name_is_a_root() -> None:
    listed = known(whole(request=ca_list(name(SUB), name(ROOT))), whole(server_chain=chain(SERVER, SUB, ROOT)))
    assert listed.known_root(name(SUB)) is not None
    assert listed.shown_root(name(SUB)) is None
    assert listed.known_root(name(ROOT)) == "a CA list on the wire (frame 7)"
    assert listed.shown_root(name(ROOT)) == "a self-issued certificate in frame 6"
    given = History([TrustStore("lab.pem", (certificate(ROOT),))])
    assert given.shown_root(name(ROOT)) == "the trust store lab.pem"


def test_what_is_new_about_names_is_counted() -> None:
    history, states = History(), []
    start = history.learned()
    for sent in ((SERVER,), (SERVER, SUB), (CLIENT, SUB), (CLIENT, SUB, ROOT), (SERVER, SUB, ROOT)):
        history.learn(whole(server_chain=chain(*sent)))
        states.append(history.learned())
    one, two = states[1], states[3]
    assert states == [start, one, one, two, two]
    assert len({start, one, two, History().learned()}) == 4, "no two states have the same number, not even in two runs"


def test_successes_with_a_finite_field() -> None:
    dhe: dict[str, Any] = {"cipher": "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"}
    other = whole(**dhe, client_ip="192.0.2.11")
    history = known(whole(**dhe), whole(**dhe), other, whole(), connection(*SERVER_FLIGHT, "> RST", **dhe))
    assert history.dhe_worked("192.0.2.10", "198.51.100.5", 5061) == 2
    assert history.dhe_worked("192.0.2.11", "198.51.100.5", 5061) == 1
    assert history.dhe_worked("192.0.2.10", "198.51.100.5", 443) == 0


def test_the_chain_of_a_server() -> None:
    first, second = chain(SERVER, SUB), chain(SERVER)
    history = known(whole(server_chain=first), whole(server_chain=second, client_chain=chain(CLIENT)))
    assert history.served_chain("198.51.100.5", 5061) is second
    assert history.served_chain("198.51.100.5", 443) is None
