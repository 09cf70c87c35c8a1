"""A conversation that went as one before is told again: the record is the one that full folding makes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates import chain
from analyzer.certificates.cache import BoundedCache
from analyzer.connection import Connection, Outcome
from analyzer.folding import credentials, familiar, retelling
from tests.build.pcap import Packet
from tests.build.tcp import SERVER
from tests.scenarios import STORIES, Story
from tests.scenarios.following import follow, packets_of


def in_full(packets: Sequence[Packet], size: int | None = None) -> list[Connection]:
    """Every conversation folded as if it were the first."""
    with patch.object(familiar, "likeness", lambda _: None):
        return follow(packets, size)


def warm(packets: Sequence[Packet]) -> None:
    """It went like this a few times before."""
    for _ in range(4):
        follow(packets)


@pytest.mark.parametrize("name", STORIES)
def test_every_story_told_again_is_the_same(name: str) -> None:
    packets = packets_of(name)
    warm(packets)
    assert follow(packets) == in_full(packets)


def retold(name: str) -> bool:
    """The second time it is told again, not folded in full."""
    warm(packets_of(name))
    with patch("analyzer.folding.fold._fold", side_effect=LookupError):
        try:
            return bool(follow(packets_of(name)))
        except LookupError:
            return False


RETOLD = [name for name in STORIES if retold(name)]


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(RETOLD),
    dropped=st.sampled_from([[], [], [], [3], [9]]),
    swapped=st.lists(st.integers(0, 30), max_size=4),
    copied=st.sampled_from([[], [], [5], [12]]),
    waits=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5 * 10**9)), max_size=2),
    size=st.sampled_from([None, None, 5, 20]),
)
def test_whatever_differs_the_record_is_that_of_full_folding(
    name: str,
    dropped: list[int],
    swapped: list[int],
    copied: list[int],
    waits: list[tuple[int, int]],
    size: int | None,
) -> None:
    packets = packets_of(name)
    warm(packets)
    for at in swapped:
        at %= max(1, len(packets) - 1)
        packets[at : at + 2] = reversed(packets[at : at + 2])
    for at in copied:
        packets.insert(at % len(packets), packets[at % len(packets)])
    packets = [packet for at, packet in enumerate(packets) if at not in dropped]
    late, told = 0, []
    for at, packet in enumerate(packets):
        late += sum(wait for place, wait in waits if place == at)
        told.append(Packet(packet.data, packet.time_ns + late, packet.wire_length))
    assert follow(told, size) == in_full(told, size)


def mutual(sport: int, later_ns: int) -> list[Packet]:
    story = Story(sport=sport)
    story.open().hello().answer().certificate().finished().talk().close()
    return [Packet(packet.data, packet.time_ns + later_ns, packet.wire_length) for packet in story.packets]


def test_what_is_its_own_is_looked_up_anew() -> None:
    warm(mutual(50_000, 0))
    (before,) = follow(mutual(50_000, 0))
    with patch("analyzer.folding.fold._fold", side_effect=AssertionError("this one went as one before")):
        (conn,) = follow(mutual(50_001, 3 * 10**9))
    assert conn.outcome is Outcome.ESTABLISHED
    assert (conn.client_port, conn.ts_ns) == (50_001, before.ts_ns + 3 * 10**9)
    assert conn.uid != before.uid and conn.community_id != before.community_id
    assert conn.server_chain is not None and before.server_chain is not None
    assert conn.server_chain.time_ns == before.server_chain.time_ns + 3 * 10**9
    assert conn.server_chain.chain is before.server_chain.chain


@pytest.mark.parametrize("sizes", [(16_384,) * 9, (16_384, 9_000) * 5, (50, 16_384, 3) * 6], ids=str)
def test_a_transfer_that_is_followed_to_the_middle_of_a_record_is_told_again(sizes: tuple[int, ...]) -> None:
    story = Story()
    story.open().hello().answer().certificate().finished().talk().records(SERVER, *sizes).talk().close()
    warm(story.packets)
    with patch("analyzer.folding.fold._fold", side_effect=LookupError):
        again = follow(story.packets)
    assert again == in_full(story.packets)
    assert again[0].server.bytes > sum(sizes)


def biggest(packets: list[Packet]) -> int:
    """Place of a packet with a part of the server's flight."""
    return max(range(len(packets)), key=lambda at: len(packets[at].data))


def without(packets: list[Packet]) -> list[Packet]:
    at = biggest(packets)
    return packets[:at] + packets[at + 1 :]


def cut(packets: list[Packet]) -> list[Packet]:
    at = biggest(packets)
    short = Packet(packets[at].data[:-20], packets[at].time_ns, len(packets[at].data))
    return [*packets[:at], short, *packets[at + 1 :]]


def contradicted(packets: list[Packet]) -> list[Packet]:
    at = biggest(packets)
    other = Packet(packets[at].data[:-1] + b"?", packets[at].time_ns + 1)
    return [*packets[: at + 1], other, *packets[at + 1 :]]


@pytest.mark.parametrize("change", [without, cut, contradicted])
def test_what_is_not_whole_is_folded_in_full(change: Callable[[list[Packet]], list[Packet]]) -> None:
    packets = mutual(50_000, 0)
    warm(packets)
    for _ in range(3):
        follow(change(packets))
    with patch("analyzer.folding.fold._fold", side_effect=LookupError), pytest.raises(LookupError):
        follow(change(packets))


def test_steps_are_worked_out_when_asked_for() -> None:
    packets = mutual(50_000, 0)
    warm(packets)
    (conn,), (full,) = follow(packets), in_full(packets)
    assert conn.frames_of("ClientHello") == full.frames_of("ClientHello")
    assert conn.frames_of("ServerHello") == full.frames_of("ServerHello")
    assert pickle.loads(pickle.dumps(conn.steps)) == full.steps
    assert [step.name for step in conn.steps] == [step.name for step in full.steps]
    assert len(conn.steps) == len(full.steps)


def test_the_memory_is_bounded() -> None:
    retelling._plots.clear()
    familiar._scripts.clear()
    with patch.object(retelling, "MAX_PLOTS", 2), patch.object(familiar, "MAX_SCRIPTS", 2):
        for name in STORIES:
            warm(packets_of(name))
    assert 0 < len(retelling._plots) <= 2
    assert 0 < len(familiar._scripts) <= 2


def test_equal_chains_and_lists_are_one_object_after_they_were_forgotten() -> None:
    warm(mutual(50_000, 0))
    with (
        patch.object(chain, "_assessed", BoundedCache(100, 10**9)),
        patch.object(credentials, "_CA_LISTS", BoundedCache(100, 10**9)),
    ):
        (told,), (full,) = follow(mutual(50_000, 0)), in_full(mutual(50_000, 0))
    assert told.server_chain and full.server_chain and told.certificate_request and full.certificate_request
    assert told.server_chain.chain is full.server_chain.chain
    assert told.certificate_request.ca_list is full.certificate_request.ca_list
