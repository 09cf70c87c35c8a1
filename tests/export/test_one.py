"""One connection as a file: comments where they belong, numbers that fit, what was left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.export.marks import culprit
from analyzer.export.one import Packet, _renumbered, annotated
from analyzer.export.original import Block, read_blocks
from tests.build.reports import report
from tests.build.tcp import SERVER
from tests.scenarios import Story

OFFSET = 1_000
"""Frames of the live capture before the connection's own."""


def story() -> tuple[Connection, list[Packet]]:
    """A reset after the server's flight, far behind in a live capture."""
    talk = Story()
    talk.open().hello().answer().rst(SERVER)
    capture = [Story(sport=40_000).syn().packets[0]] * OFFSET
    conn = next(one for one in report([*capture, *talk.packets]).connections if one.client_port != 40_000)
    packets = [
        (number, packet.time_ns, 1, len(packet.data), packet.data)
        for number, packet in enumerate(talk.packets, OFFSET + 1)
    ]
    return conn, packets


def written(path: Path, pieces: list[bytes]) -> list[Block]:
    path.write_bytes(b"".join(pieces))
    return list(read_blocks(str(path)))


def test_the_bytes_of_packets_are_those_captured(tmp_path: Path) -> None:
    conn, packets = story()
    blocks = written(tmp_path / "one.pcapng", list(annotated(conn, packets, [])))
    assert [packet[4] in block.raw for packet, block in zip(packets, blocks[2:], strict=True)] == [True] * len(packets)
    place = culprit(conn)
    assert place is not None
    assert [b"VERDICT: " in block.raw for block in blocks[2:]].index(True) == place - OFFSET - 1


@pytest.mark.parametrize(
    ("kept", "at"),
    [
        pytest.param(slice(0, 4), -1, id="the culprit was left out: at the packet before"),
        pytest.param(slice(-1, None), -1, id="nothing else was kept"),
        pytest.param(slice(3, 4), -1, id="one packet from the middle"),
    ],
)
def test_the_verdict_is_there_whatever_was_kept(kept: slice, at: int, tmp_path: Path) -> None:
    conn, packets = story()
    blocks = written(tmp_path / "one.pcapng", list(annotated(conn, packets[kept], [])))
    left_out = len(packets) - len(packets[kept])
    assert b"VERDICT: " in blocks[at].raw
    assert f"{left_out:,} packets of the connection were not kept".encode() in blocks[-1].raw


def test_what_was_left_out_in_the_middle_is_said_behind_it(tmp_path: Path) -> None:
    conn, packets = story()
    blocks = written(tmp_path / "one.pcapng", list(annotated(conn, packets[:2], packets[-1:])))
    assert f"{len(packets) - 3} packets before this one were not kept".encode() in blocks[-1].raw


def test_what_a_peer_wrote_is_one_line_of_ascii(tmp_path: Path) -> None:
    conn, packets = story()
    odd = replace(conn, diagnosis="said \u202e\n\x1b[2J so")
    blocks = written(tmp_path / "one.pcapng", list(annotated(odd, packets, [])))
    assert all(b"\x1b" not in block.raw and b"\n\x1b" not in block.raw for block in (blocks[0], blocks[-1]))
    assert rb"said \u202e\x0a\x1b[2J so" in blocks[0].raw


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("it went on (frame 12)", "it went on (frame 3)", id="a frame that is in the file"),
        pytest.param("a list (frame 7)", "a list (frame 7 of the live capture)", id="one of another connection"),
        pytest.param("15 frames, framework 12", "15 frames, framework 12", id="other numbers"),
    ],
)
def test_sentences_name_frames_of_the_file(text: str, said: str) -> None:
    assert _renumbered(text, {12: 3}) == said


def test_other_conversations_stand_where_they_happened(tmp_path: Path) -> None:
    conn, packets = story()
    aside = (packets[2][0], packets[2][1], 1, 60, b"a lookup" + bytes(52))
    rest = [*packets[:2], *packets[3:]]
    blocks = written(tmp_path / "one.pcapng", list(annotated(conn, rest, [], [aside])))
    assert b"a lookup" in blocks[4].raw
