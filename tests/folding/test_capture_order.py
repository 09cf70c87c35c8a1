"""The order of the steps is the order in which a side could read them, also when segments come out of order."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.pipeline import Run
from tests.build import handshake as h
from tests.build.frames import ACK, SYN, ethernet, ipv4, tcp
from tests.build.pcap import START_NS, Packet, pcap
from tests.build.records import record

CLIENT, SERVER = ("192.0.2.10", 50000), ("198.51.100.5", 5061)
HELLO = record(h.client_hello())
FLIGHT = (record(h.server_hello()), record(h.certificate(bytes(300))), record(h.server_hello_done()))


def segment(sender: tuple[str, int], seq: int, payload: bytes = b"", flags: int = ACK) -> bytes:
    """One frame of the conversation."""
    receiver = SERVER if sender is CLIENT else CLIENT
    body = tcp(payload, sender[1], receiver[1], seq=seq, ack=1, flags=flags)
    return ethernet(ipv4(body, src=sender[0], dst=receiver[0]))


def steps(folder: Path, order: list[int]) -> list[tuple[str, tuple[int, ...]]]:
    """Names and frames of a handshake's beginning; the server's flight comes as three segments in this order."""
    starts = [1 + sum(map(len, FLIGHT[:index])) for index in range(3)]
    frames = [
        segment(CLIENT, 0, flags=SYN),
        segment(SERVER, 0, flags=SYN | ACK),
        segment(CLIENT, 1, HELLO),
        *(segment(SERVER, starts[index], FLIGHT[index]) for index in order),
        segment(CLIENT, 1 + len(HELLO), record(h.client_key_exchange())),
    ]
    path = folder / "x.pcap"
    path.write_bytes(pcap([Packet(frame, START_NS + number * 1_000_000) for number, frame in enumerate(frames)]))
    (conn,) = [item for item in Run([str(path)]) if isinstance(item, Connection)]
    return [(step.name, step.frames) for step in conn.steps[2:]]


@pytest.mark.parametrize(
    ("order", "frames"),
    [
        pytest.param([0, 1, 2], [4, 5, 6], id="in order"),
        pytest.param([0, 2, 1], [4, 6, 5], id="the last two swapped"),
        pytest.param([2, 1, 0], [6, 5, 4], id="backwards"),
        pytest.param([1, 2, 0], [6, 4, 5], id="the first one late"),
    ],
)
def test_messages_of_a_side_stay_in_the_order_of_its_stream(
    tmp_path: Path, order: list[int], frames: list[int]
) -> None:
    assert steps(tmp_path, order) == [
        ("ClientHello", (3,)),
        ("ServerHello", (frames[0],)),
        ("Certificate", (frames[1],)),
        ("ServerHelloDone", (frames[2],)),
        ("ClientKeyExchange", (7,)),
    ]
