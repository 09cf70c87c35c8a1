"""What a supervisor hears: systemd's socket, and a file that is touched."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.live.service import Heartbeat, Notify

posix = pytest.mark.skipif(sys.platform == "win32", reason="systemd is Linux's")


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A socket as systemd has one, and its address as NOTIFY_SOCKET says it."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@mtlscope-{os.getpid()}"
    if request.param == "abstract" and sys.platform != "linux":
        pytest.skip("Linux alone has abstract names")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address.replace("@", "\0"))
        listening.settimeout(5)
        yield address, listening


@posix
def test_systemd_hears_that_it_begins_goes_on_and_ends(systemd: tuple[str, socket.socket]) -> None:
    address, listening = systemd
    tap = Notify(address)
    for _ in range(3):
        tap.tick(0)
    tap.close()
    heard = [listening.recv(100).splitlines()[0] for _ in range(4)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]


@posix
def test_a_systemd_that_does_not_listen_stops_nobody(systemd: tuple[str, socket.socket]) -> None:
    tap = Notify(systemd[0])
    for _ in range(1000):
        tap.tick(0)
    tap.close()


def test_a_heart_beats_while_it_goes_on(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    tap = Heartbeat(str(alive))
    os.utime(alive, (0, 0))
    tap.tick(0)
    assert alive.stat().st_mtime > 0
    tap.close()
    assert not alive.exists()


def test_a_heart_that_cannot_beat_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        Heartbeat(str(tmp_path / "no" / "alive"))
