"""The packet socket: what the kernel tells beside the data. The real one is tested in tests/cli/live/test_command.py."""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Callable
from itertools import count
from typing import cast

import pytest

from analyzer.capture.live import blocks, packet_socket
from analyzer.capture.live.source import Settings
from analyzer.errors import LiveError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
FRAME = bytes(range(12)) + b"\x08\x00" + b"payload"
STAMP = (socket.SOL_SOCKET, 35, struct.pack("@ll", 1_700_000_000, 42))
NOW = 1_700_000_000_000_000_042
Beside = tuple[int, int, bytes]


def beside(status: int = 0, size: int = len(FRAME), tci: int = 0, tpid: int = 0) -> Beside:
    return (263, 8, struct.pack("=IIIHHHH", status, size, size, 0, 14, tci, tpid))


class Handle:
    """A socket that plays frames, each with what is told beside it, or raises."""

    def __init__(self, *frames: tuple[bytes, list[Beside], int] | OSError, hardware: int = 1, drops: int = 0) -> None:
        self._frames, self._hardware, self._drops = list(frames), hardware, drops
        self._pair = socket.socketpair()
        self._pair[1].send(b"x")  # always readable

    def fileno(self) -> int:
        return self._pair[0].fileno()

    def getsockname(self) -> tuple[str, int, int, int, bytes]:
        return ("test0", 3, 0, self._hardware, b"")

    def recvmsg_into(self, buffers: list[bytearray], size: int) -> tuple[int, list[Beside], int, tuple[str, int, int]]:
        if not self._frames:
            raise BlockingIOError
        given = self._frames.pop(0)
        if isinstance(given, OSError):
            raise given
        frame, told, kind = given
        buffers[0][: len(frame)] = frame
        return len(frame), told, 0, ("test0", 8, kind)

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        told, self._drops = self._drops, 0
        return struct.pack("=II", told + 1, told)

    def setsockopt(self, *_ignored: object) -> None:
        """The filter that lets nothing pass."""

    def close(self) -> None:
        for end in self._pair:
            end.close()


def clock() -> Callable[[], int]:
    """A second later at each look."""
    looks = count(1)
    return lambda: next(looks) * 1_000_000_000


def source(handle: Handle) -> packet_socket.PacketSocket:
    opened = packet_socket.PacketSocket(
        cast(socket.socket, handle), Settings("test0", snap_length=2048, now_ns=clock()), []
    )
    assert opened.read(0) == blocks.header("test0", 1, 2048)
    return opened


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        pytest.param(beside(), b"", id="no tag"),
        pytest.param(beside(0x10 | 0x40, tci=7, tpid=0x88A8), bytes.fromhex("88a80007"), id="a tag of its own type"),
        pytest.param(
            beside(0x10, tci=5), bytes.fromhex("81000005"), id="a tag of a kernel that does not tell the type"
        ),
        pytest.param(beside(0x10 | 0x40, tci=0, tpid=0x8100), bytes.fromhex("81000000"), id="a tag for priority only"),
    ],
)
def test_a_vlan_tag_is_put_back(told: Beside, tag: bytes) -> None:
    opened = source(Handle((FRAME, [told, STAMP], 0)))
    whole = FRAME[:12] + tag + FRAME[12:]
    assert opened.read(0) == blocks.packet(NOW, whole, len(whole))
    opened.close()


def test_a_cut_packet_keeps_its_length() -> None:
    opened = source(Handle((FRAME, [STAMP, beside(size=1500)], 0)))
    assert opened.read(0) == blocks.packet(NOW, FRAME, 1500)
    opened.close()


@pytest.mark.parametrize(("hardware", "copies"), [(772, 0), (1, 1)])
def test_only_on_loopback_the_outgoing_copy_is_left_out(hardware: int, copies: int) -> None:
    opened = source(Handle((FRAME, [STAMP, beside()], 4), hardware=hardware))
    assert opened.read(0) == blocks.packet(NOW, FRAME, len(FRAME)) * copies
    opened.close()


def test_drops_are_stated_behind_the_packets() -> None:
    opened = source(Handle((FRAME, [STAMP, beside()], 0), drops=3))
    assert opened.read(0) == blocks.packet(NOW, FRAME, len(FRAME)) + blocks.loss(
        1_000_000_000, 2_000_000_000, (0, 0), (1, 3)
    )
    assert (opened.seen, opened.dropped) == (1, 3)
    opened.close()


def test_a_new_section_counts_from_its_beginning() -> None:
    opened = source(Handle((FRAME, [STAMP, beside()], 0), drops=3))
    opened.read(0)
    assert opened.renew() == (blocks.statistics(3_000_000_000, 2, 3), blocks.header("test0", 1, 2048))
    assert (opened.seen, opened.dropped) == (0, 0)
    opened.close()


def test_after_a_stop_come_the_rest_a_statement_and_the_end() -> None:
    opened = source(Handle((FRAME, [STAMP, beside()], 0)))
    opened.stop()
    assert opened.read(0) == blocks.packet(NOW, FRAME, len(FRAME))
    assert opened.read(0) == blocks.statistics(3_000_000_000, 2, 0)
    assert opened.read(0) is None
    opened.close()


def test_an_interface_that_is_down_is_noted_and_one_that_is_gone_ends_it() -> None:
    opened = source(Handle(OSError(errno.ENETDOWN, "down"), OSError(errno.ENODEV, "gone")))
    assert opened.read(0) == b""
    assert opened.notes == ["test0 was down for a while"]
    with pytest.raises(LiveError, match="test0 is gone"):
        opened.read(0)
    opened.close()


def test_an_interface_that_does_not_exist() -> None:
    with pytest.raises(LiveError, match="no interface 'no-such-if' here; mtlscope live -D lists them"):
        packet_socket.open_socket(Settings("no-such-if"))
