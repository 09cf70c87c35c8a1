"""Certificates and the request for them: every state there is, and never a chain that was not whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.connection import CertificateState, Connection, Side
from tests.build import handshake as tls
from tests.build.records import change_cipher_spec, encrypted, record, records
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios import STORIES, Story
from tests.scenarios.following import follow, only
from tests.scenarios.story import ALICE, ROOT, SIP, client_flight, server_flight, sized

State = CertificateState


@pytest.mark.parametrize(
    ("name", "server", "client"),
    [
        pytest.param("mutual", State.SENT, State.SENT, id="both sent"),
        pytest.param("server_only", State.SENT, State.NOT_REQUESTED, id="not asked for"),
        pytest.param("empty_certificate", State.SENT, State.EMPTY, id="an empty message"),
        pytest.param("resumed", State.NOT_SENT, State.NOT_SENT, id="a resumed session sends none"),
        pytest.param("no_certificate_of_the_server", State.NOT_SENT, State.NOT_REQUESTED, id="an anonymous suite"),
        pytest.param("hole_in_the_server_flight", State.LOST, State.SENT, id="the server's is lost"),
        pytest.param("hole_in_the_client_flight", State.SENT, State.LOST, id="the client's is lost"),
        pytest.param("cut_by_the_snapshot_length", State.LOST, State.SENT, id="the server's is cut"),
        pytest.param("mutual_13", State.HIDDEN, State.INFERRED_SENT, id="TLS 1.3, sent"),
        pytest.param("server_only_13", State.HIDDEN, State.NOT_REQUESTED, id="TLS 1.3, not asked for"),
        pytest.param("client_refuses_13", State.HIDDEN, State.HIDDEN, id="TLS 1.3, nothing to tell from"),
        pytest.param("version_refused", None, None, id="the handshake never got that far"),
        pytest.param("plain_http", None, None, id="no TLS"),
        pytest.param("refused", None, None, id="no connection"),
    ],
)
def test_states(name: str, server: State | None, client: State | None) -> None:
    conn = only(name)
    assert (conn.server_certificate_state, conn.client_certificate_state) == (server, client)
    assert (conn.server_chain is not None) is (server is State.SENT)
    assert (conn.client_chain is not None) is (client is State.SENT)


def told(script: Callable[[Story], object]) -> Connection:
    story = Story()
    story.open()
    script(story)
    return only(story)


@pytest.mark.parametrize(
    ("script", "state"),
    [
        pytest.param(lambda s: s.hello().answer().certificate(None), State.NOT_SENT, id="asked for, and passed over"),
        pytest.param(lambda s: s.hello().answer(), None, id="asked for, and no answer yet"),
        pytest.param(lambda s: s.hello().answer(asks=None), State.NOT_REQUESTED, id="not asked for"),
        pytest.param(
            lambda s: s.hello().send(SERVER, record(tls.server_hello())), None, id="nothing but a ServerHello"
        ),
        pytest.param(lambda s: s.hello_13().answer_13().client_13(25, 53), State.INFERRED_EMPTY, id="TLS 1.3, empty"),
        pytest.param(lambda s: s.hello_13().answer_13().client_13(40, 400), State.HIDDEN, id="TLS 1.3, odd sizes"),
        pytest.param(lambda s: s.hello_13().answer_13(), State.HIDDEN, id="TLS 1.3, no answer yet"),
        pytest.param(
            lambda s: s.hello_13(early_data=True).answer_13().client_13(900, 281, 53),
            State.HIDDEN,
            id="TLS 1.3, early data that was under way, or a chain",
        ),
        pytest.param(
            lambda s: s.hello_13(early_data=True).answer_13().client_13(900, 21, 53),
            State.NOT_REQUESTED,
            id="TLS 1.3, early data and its end",
        ),
    ],
)
def test_states_of_the_client(script: Callable[[Story], object], state: State | None) -> None:
    assert told(script).client_certificate_state is state


def test_every_state_occurs_in_these_tests() -> None:
    found = {conn.server_certificate_state for name in STORIES for conn in follow(name)}
    found |= {conn.client_certificate_state for name in STORIES for conn in follow(name)}
    assert found | {State.INFERRED_EMPTY} >= set(State)


# ---- chains and requests ---------------------------------------------------------------------------------------------


def test_a_chain_says_where_it_was_seen() -> None:
    sub = ROOT.issue("CN=Sub", ca=True)
    leaf = sub.issue("CN=sip.example.com", san=["sip.example.com"])
    story = Story()
    story.open()
    flight = server_flight(leaf.chain, None)
    story.hello().send(SERVER, flight, cut=(100, 700, 1_100))
    chain = only(story).server_chain
    assert chain is not None
    assert [cert.der for cert in chain.chain.certificates] == list(leaf.chain)
    assert chain.frames == (6, 7, 8) and chain.time_ns == story.packets[7].time_ns
    assert (chain.size, chain.records) == (4 + 3 + sum(3 + len(der) for der in leaf.chain), 1)


def test_a_chain_over_several_records_says_how_many() -> None:
    story = Story()
    story.open()
    flight = record(tls.server_hello()) + records(tls.certificate(*SIP.chain), 200)
    story.hello().send(SERVER, flight + record(tls.server_hello_done()))
    chain = only(story).server_chain
    assert chain is not None and chain.records == -(-chain.size // 200)


def test_a_request_has_every_name() -> None:
    names = [ROOT.issue(f"CN=CA {number},O=Example", ca=True).subject for number in range(60)]
    story = Story()
    story.open()
    request = only(story.hello().answer(asks=names)).certificate_request
    assert request is not None
    assert [name.der for name in request.ca_list.names] == names
    assert request.ca_list.size == sum(2 + len(der) for der in names) and request.ca_list.complete
    assert (request.certificate_types, request.signature_schemes) == ((1, 64), (0x0401, 0x0403))
    assert request.records == 1 and set(request.frames) <= {6, 7, 8, 9}


def test_equal_lists_are_one_object() -> None:
    first, second = only("mutual").certificate_request, only("client_ca_unknown").certificate_request
    assert first is not None and second is not None and first.ca_list is second.ca_list
    story = Story()
    story.open()
    other = only(story.hello().answer(asks=())).certificate_request
    assert other is not None and other.ca_list.names == () and other.ca_list.id != first.ca_list.id


@pytest.mark.parametrize(
    ("name", "step"),
    [
        pytest.param("mutual", "Certificate", id="the Certificate message"),
        pytest.param("empty_certificate", "Certificate", id="also when it is empty"),
        pytest.param("mutual_13", "Finished", id="TLS 1.3: the records it was inferred from"),
        pytest.param("server_only", "nothing", id="none was asked for"),
        pytest.param("server_only_13", "nothing", id="TLS 1.3, none was asked for"),
    ],
)
def test_frames_of_the_clients_answer(name: str, step: str) -> None:
    conn = only(name)
    assert conn.client_certificate_frames == conn.frames_of(step, Side.CLIENT)


# ---- resumption ------------------------------------------------------------------------------------------------------


def resumed_13(story: Story) -> None:
    hello = tls.server_hello(
        suite=0x1301,
        extensions=[tls.selected_version_extension(0x0304), (51, b"\0\x1d\0\x20" + bytes(32)), (41, b"\0\0")],
    )
    story.hello_13().send(SERVER, record(hello) + change_cipher_spec() + sized(23, 53))
    story.client_13(53).talk()


@pytest.mark.parametrize(
    ("script", "resumed"),
    [
        pytest.param(STORIES["resumed"], True, id="ChangeCipherSpec right after the ServerHello"),
        pytest.param(STORIES["mutual"], False, id="a key exchange"),
        pytest.param(STORIES["mutual_13"], False, id="TLS 1.3 without a pre-shared key"),
    ],
)
def test_resumed(script: Callable[[Story], object], resumed: bool) -> None:
    story = Story()
    script(story)
    assert only(story).resumed is resumed


def test_resumed_13() -> None:
    conn = told(resumed_13)
    assert conn.resumed and conn.established and conn.client_auth_13 is None
    assert (conn.server_certificate_state, conn.client_certificate_state) == (State.NOT_SENT, State.NOT_SENT)


def test_a_hole_behind_the_server_hello_is_no_resumption() -> None:
    done = change_cipher_spec() + encrypted(22, 40)
    conn = told(lambda s: s.hello().send(SERVER, record(tls.server_hello())).lose(SERVER, 900).send(SERVER, done))
    assert not conn.resumed and conn.server_certificate_state is State.LOST


# ---- a gap never gives a chain that was not whole --------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 1_200), size=st.integers(1, 900), side=st.sampled_from((CLIENT, SERVER)), heard=st.booleans())
def test_a_gap_never_gives_a_chain_that_was_not_whole(at: int, size: int, side: int, heard: bool) -> None:
    flights = (client_flight(ALICE.chain), server_flight(SIP.chain, (ROOT.subject,)))

    def send(story: Story, who: int) -> None:
        flight = flights[who]
        if who == side:
            start, end = min(at, len(flight)), min(at + size, len(flight))
            story.send(who, flight[:start]).lose(who, end - start, heard=heard).send(who, flight[end:], heard=heard)
        else:
            story.send(who, flight)

    story = Story()
    story.open()
    story.hello()
    send(story, SERVER)
    send(story, CLIENT)
    conn = only(story.finished().talk())
    for chain, whole in ((conn.server_chain, SIP.chain), (conn.client_chain, ALICE.chain)):
        assert chain is None or tuple(cert.der for cert in chain.chain.certificates) == whole
    states = (conn.client_certificate_state, conn.server_certificate_state)
    assert states[side] in (State.SENT, State.LOST, State.NOT_SENT, None)
    assert State.EMPTY not in states
