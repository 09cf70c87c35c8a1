"""Following a ring that somebody writes: to each file's end and on in the next, whatever happens to names and files."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.capture.live import follow as module
from analyzer.capture.live.follow import follow
from analyzer.capture.live.relay import Relay
from analyzer.errors import UsageError
from tests.build.pcap import SECOND, START_NS, Packet, pcap
from tests.build.pcapng import pcapng
from tests.capture.reading import read

PATIENCE = 20
WRITERS = (("tcpdump", pcap), ("dumpcap", pcapng))


def packets(first: int, count: int = 3) -> list[Packet]:
    """Packets that tell which they are by their bytes; a file of them is longer than the bytes that it is known by."""
    return [Packet(b"%04d" % (first + n) * 150, START_NS + (first + n) * SECOND) for n in range(count)]


class Following:
    """A relay and the packets that it gave so far."""

    def __init__(self, relay: Relay) -> None:
        self.relay, self._out = relay, b""

    def seen(self) -> list[int]:
        """Numbers of the packets."""
        return [int(data[:4]) for data in read(self._out).data]

    def until(self, *numbers: int) -> None:
        """Read until these packets, and no others, have come."""
        until = time.monotonic() + PATIENCE
        while self.seen() != list(numbers):
            assert time.monotonic() < until, f"seen {self.seen()}, wanted {list(numbers)}; {self.relay.notes}"
            self._out += self.relay.read(0.02) or b""


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL", 0.002)


@pytest.fixture
def started() -> Iterator[list[Relay]]:
    relays: list[Relay] = []
    yield relays
    for relay in relays:
        relay.stop()
        relay.close()


def start(path: object, started: list[Relay]) -> Following:
    relay, _newest = follow(str(path))
    started.append(relay)
    return Following(relay)


def later(path: Path, seconds: int) -> None:
    """As if it had been written then, so that files are in order on coarse clocks too."""
    os.utime(path, ns=(START_NS + seconds * SECOND,) * 2)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(write([Packet(b"%04d" % n * 9, START_NS + n) for n in range(8)]), id=name)
        for name, write in WRITERS
    ],
)
def test_a_file_that_grows_byte_by_byte(raw: bytes, tmp_path: Path, started: list[Relay]) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(raw[:4])
    following = start(path, started)
    with path.open("ab", buffering=0) as file:
        for at in range(4, len(raw)):
            file.write(raw[at : at + 1])
            following.until(*range(len(read(raw[: at + 1]).data)))
    assert following.relay.notes == []


def test_it_begins_with_the_newest_and_goes_on_in_the_next(tmp_path: Path, started: list[Relay]) -> None:
    names = [f"x_{n:05}_20261121093000.pcapng" for n in range(5)]
    for n in (0, 1, 2):
        (tmp_path / names[n]).write_bytes(pcapng(packets(10 * n)))
        later(tmp_path / names[n], n)
    following = start(tmp_path, started)
    following.until(20, 21, 22)
    (tmp_path / names[0]).unlink()
    (tmp_path / names[2]).unlink()
    for n in (3, 4):
        (tmp_path / names[n]).write_bytes(pcapng(packets(10 * n)))
        later(tmp_path / names[n], n)
    following.until(20, 21, 22, 30, 31, 32, 40, 41, 42)


def test_a_deleted_file_is_read_to_its_end(tmp_path: Path, started: list[Relay]) -> None:
    path = tmp_path / "x.pcap"
    with path.open("wb", buffering=0) as file:
        file.write(pcap(packets(0)))
        following = start(tmp_path, started)
        following.until(0, 1, 2)
        path.unlink()
        file.write(pcap(packets(3))[24:])
        following.until(0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("how", ["truncated", "replaced"])
def test_a_name_that_is_used_again(how: str, tmp_path: Path, started: list[Relay]) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(packets(0, 6)))
    following = start(path, started)
    following.until(*range(6))
    if how == "replaced":
        path.rename(tmp_path / "away")
    path.write_bytes(pcap(packets(10, 2)))
    following.until(*range(6), 10, 11)


def test_a_ring_of_fixed_names_goes_round(tmp_path: Path, started: list[Relay]) -> None:
    wanted: list[int] = []
    paths = [tmp_path / f"x.pcap{n}" for n in range(3)]
    paths[0].write_bytes(pcap(packets(0)))
    following = start(tmp_path, started)
    for turn in range(8):
        paths[turn % 3].write_bytes(pcap(packets(turn * 10)))
        wanted += [turn * 10 + n for n in range(3)]
        following.until(*wanted)


def test_a_file_that_ends_in_half_a_packet_is_told_when_another_begins(tmp_path: Path, started: list[Relay]) -> None:
    (tmp_path / "x.pcap0").write_bytes(pcap(packets(0))[:-5])
    following = start(tmp_path, started)
    following.until(0, 1)
    (tmp_path / "x.pcap1").write_bytes(pcap(packets(10)))
    following.until(0, 1, 10, 11, 12)
    (note,) = following.relay.notes
    assert "x.pcap0: record at byte" in note
    assert "but 611 bytes remain" in note


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("notes.txt", b"not a capture", id="no capture"),
        pytest.param("other_00001_20261121093000.pcap", pcap(packets(90)), id="another ring"),
        pytest.param("x_00002_20261121093100.pcap", b"", id="nothing in it yet"),
    ],
)
def test_what_is_left_alone(name: str, content: bytes, tmp_path: Path, started: list[Relay]) -> None:
    (tmp_path / "x_00001_20261121093000.pcap").write_bytes(pcap(packets(0)))
    following = start(tmp_path, started)
    following.until(0, 1, 2)
    (tmp_path / name).write_bytes(content)
    third = tmp_path / "x_00003_20261121093200.pcap"
    third.write_bytes(pcap(packets(10)))
    following.until(0, 1, 2, 10, 11, 12)


def test_a_folder_in_which_the_capture_begins_later(tmp_path: Path, started: list[Relay]) -> None:
    following = start(tmp_path, started)
    following.until()
    (tmp_path / "x.pcap").write_bytes(pcap(packets(0)))
    following.until(0, 1, 2)


def test_a_glob_says_which_ring(tmp_path: Path, started: list[Relay]) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap(packets(0)))
    (tmp_path / "b.pcap").write_bytes(pcap(packets(10)))
    start(tmp_path / "a*", started).until(0, 1, 2)
    start(tmp_path / "b*", started).until(10, 11, 12)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "ring").mkdir()
    with pytest.raises(UsageError, match="did you mean"):
        follow(str(tmp_path / "rnig"))


def test_a_folder_that_may_not_be_read_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be waited for as one in which no capture has begun."""

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match=": cannot be read: Permission denied"):
        follow(str(tmp_path))
