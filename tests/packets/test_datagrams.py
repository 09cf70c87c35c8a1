"""Datagrams of port 53 are kept, however the frame looks; other UDP is only counted."""

from __future__ import annotations

import pytest

from analyzer.packets.columns import Datagram
from analyzer.packets.decode import Decoder
from tests.build.frames import (
    ALICE,
    ALICE_6,
    BOB,
    BOB_6,
    UDP,
    batch,
    cooked,
    ethernet,
    fragments_v4,
    gre,
    ipv4,
    ipv6,
    udp,
)

PAYLOAD = b"a question to DNS, long enough to be cut"
ASKED, ANSWERED = udp(PAYLOAD, 40_000, 53), udp(PAYLOAD, 53, 40_000)
GRE = 47


def kept(*frames: bytes, link_type: int = 1, snap: int | None = None) -> list[Datagram]:
    return Decoder().feed(batch(frames, link_type, snap)).dns


@pytest.mark.parametrize(
    ("frames", "link_type"),
    [
        pytest.param([ethernet(ipv4(ASKED, UDP))], 1, id="plain"),
        pytest.param([ethernet(ipv4(ASKED, UDP), pad=True)], 1, id="padded"),
        pytest.param([ethernet(ipv4(ASKED, UDP, options=bytes(4)))], 1, id="IP options"),
        pytest.param([ethernet(ipv4(ASKED, UDP), tags=(0x8100,))], 1, id="a VLAN"),
        pytest.param([cooked(ipv4(ASKED, UDP))], 113, id="Linux cooked"),
        pytest.param([ethernet(ipv4(gre(ipv4(ASKED, UDP)), GRE, "10.0.0.1", "10.0.0.2"))], 1, id="in a tunnel"),
        pytest.param([ethernet(part) for part in fragments_v4(ipv4(ASKED, UDP), 24)], 1, id="in fragments"),
    ],
)
def test_a_question_is_kept(frames: list[bytes], link_type: int) -> None:
    (found,) = kept(*frames, link_type=link_type)
    assert (found.source, found.target, found.payload) == ((ALICE, 40_000), (BOB, 53), PAYLOAD)
    assert found.frame == len(frames)


def test_ipv6_and_answers() -> None:
    (found,) = kept(ethernet(ipv6(ANSWERED, UDP)))
    assert (found.source, found.target, found.payload) == ((ALICE_6, 53), (BOB_6, 40_000), PAYLOAD)


def test_extension_headers_take_the_slow_path_and_give_the_same() -> None:
    (found,) = kept(ethernet(ipv6(ANSWERED, UDP, extensions=[(0, bytes(7))])))
    assert (found.source, found.target, found.payload) == ((ALICE_6, 53), (BOB_6, 40_000), PAYLOAD)


def test_what_the_snapshot_length_left_is_kept() -> None:
    (found,) = kept(ethernet(ipv4(ASKED, UDP)), snap=50)
    assert found.payload == PAYLOAD[:8]


def test_other_datagrams_are_not() -> None:
    frames = [ethernet(ipv4(udp(PAYLOAD, 40_000, 5353), UDP)), ethernet(ipv4(udp(b"x" * 20, 53, 4789), UDP))]
    assert kept(*frames) == []
