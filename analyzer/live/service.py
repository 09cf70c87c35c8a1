"""Taps for who supervises a live run: systemd's notifications, and a file whose time says that it goes on."""

from __future__ import annotations

import socket
from pathlib import Path

from analyzer.connection import Connection
from analyzer.errors import UsageError


class Notify:
    """Tells systemd that the capture has begun, that it goes on (WatchdogSec=) and that it ends. See sd_notify(3).

    `address`: the value of NOTIFY_SOCKET, a path or, with @ before it, an abstract name.
    """

    name = "systemd"

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._begun = False

    def _tell(self, state: bytes) -> None:
        try:
            self._socket.sendto(state, self._address)
        except BlockingIOError:
            return  # it is busy; a later tick will do

    def see(self, conn: Connection) -> None:
        """See Tap."""

    def lost(self, packets: int) -> None:
        """See Tap."""

    def tick(self, now_ns: int) -> None:
        """The first one comes with the first look at the capture: it has begun."""
        self._tell(b"WATCHDOG=1" if self._begun else b"READY=1\nSTATUS=capturing")
        self._begun = True

    def close(self) -> None:
        """It ends."""
        with self._socket:
            self._tell(b"STOPPING=1")


class Heartbeat:
    """Touches a file at every tick. Raise UsageError if that is not possible from the start."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._path = Path(path)
        try:
            self._path.touch()
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from None

    def see(self, conn: Connection) -> None:
        """See Tap."""

    def lost(self, packets: int) -> None:
        """See Tap."""

    def tick(self, now_ns: int) -> None:
        """It goes on."""
        self._path.touch()

    def close(self) -> None:
        """It goes on no more."""
        self._path.unlink(missing_ok=True)
