"""Messages on their way to one receiver, which is never waited for: what cannot be sent now is kept, and what there is no
room for is counted. A receiver that went away is tried again, ever more rarely."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from analyzer.dataclass import dataclass
from analyzer.errors import UsageError

WAITING = 1_000
"""Messages that wait for a receiver at most."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds between two tries."""
CONNECTING = 10.0
"""Seconds that a receiver may take to accept."""
SETTLED = 5.0
"""Seconds after which a receiver that took a message and did not go away again is believed to be back."""
LAST_CHANCE = 1.0
"""Seconds for what still waits at the end."""
_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))


@dataclass(frozen=True, slots=True)
class Target:
    """Where to. `name`: for people. `stream`: over TCP, each message behind its length (RFC 6587 section 3.4.1)."""

    name: str
    family: socket.AddressFamily
    address: Any
    stream: bool = False

    @property
    def local(self) -> bool:
        """A socket of this machine."""
        return not isinstance(self.address, tuple)


def network(host: str, port: int, stream: bool) -> Target:
    """A host and port. The name is looked up now and never again. Raise UsageError if it is not known."""
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    where = f"{'tcp' if stream else 'udp'}:{f'[{host}]' if ':' in host else host}:{port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    except OSError as error:
        raise UsageError(f"{where}: {error.strerror or error}") from None
    return Target(where, family, address, stream)


class Outbox:
    """`dropped`: messages for which there was no room since it was set to 0."""

    def __init__(
        self, target: Target, told: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._target, self._told, self._clock = target, told, clock
        self._waiting: deque[bytes] = deque()
        self._sent = 0  # bytes of the first one
        self._socket: socket.socket | None = None
        self._connected = self._took = False
        self._since = self._again_at = 0.0
        self._wait = FIRST_WAIT
        self._problem = ""
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: bytes) -> None:
        """Send it, now or later."""
        if len(self._waiting) >= WAITING:
            self.dropped += 1
        else:
            self._waiting.append(b"%d %s" % (len(message), message) if self._target.stream else message)
        self.push()

    def push(self) -> None:
        """Send what the receiver takes without being waited for."""
        try:
            if not self._ready():
                return
            while self._waiting:
                self._send()
        except BlockingIOError:
            return
        except OSError as error:
            self._away(error.strerror or str(error))

    def close(self) -> None:
        """Send the rest, if it is taken soon."""
        until = self._clock() + LAST_CHANCE
        self._again_at = 0.0
        self.push()
        while self._waiting and self._clock() < until and self._socket is not None:
            time.sleep(0.05)
            self.push()
        if left := len(self._waiting) + self.dropped:
            self._told(f"{self._target.name}: {left:,} messages were not taken")
        self._hang_up()

    def _ready(self) -> bool:
        """Connected; else try to be."""
        if self._socket is None:
            if self._clock() < self._again_at:
                return False
            self._call()
        handle = self._socket
        assert handle is not None
        if not self._connected:
            _, writable, failed = select.select([], [handle], [handle], 0)
            if not writable and not failed:
                if self._clock() - self._since > CONNECTING:
                    raise TimeoutError(errno.ETIMEDOUT, "does not answer")
                return False
        if code := handle.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # of a datagram: it was refused
            raise OSError(code, os.strerror(code))
        self._connected = True
        if self._target.stream:
            self._listen(handle)
        if self._took and self._clock() - self._since > SETTLED:
            self._well()
        return True

    def _call(self) -> None:
        kind = socket.SOCK_STREAM if self._target.stream else socket.SOCK_DGRAM
        self._socket = socket.socket(self._target.family, kind)
        self._socket.setblocking(False)
        self._since, self._connected, self._took = self._clock(), False, False
        code = self._socket.connect_ex(self._target.address)
        if code and code not in _UNDER_WAY:
            raise OSError(code, os.strerror(code))

    @staticmethod
    def _listen(handle: socket.socket) -> None:
        """A receiver has nothing to say; but when it hangs up, what is sent afterwards is lost untold."""
        try:
            if not handle.recv(4096):
                raise ConnectionResetError(errno.ECONNRESET, "hung up")
        except BlockingIOError:
            return

    def _send(self) -> None:
        assert self._socket is not None
        first = self._waiting[0]
        self._sent += self._socket.send(memoryview(first)[self._sent :])
        if self._sent < len(first) and self._target.stream:
            return
        self._waiting.popleft()
        self._sent, self._took = 0, True

    def _well(self) -> None:
        """It is worth trying soon when it goes away next, and worth telling."""
        self._wait = FIRST_WAIT
        if self._problem:
            self._problem = ""
            self._told(f"{self._target.name}: is there again")

    def _away(self, problem: str) -> None:
        """Try again later; what was sent in part is sent anew."""
        self._hang_up()
        self._sent = 0
        self._again_at, self._wait = self._clock() + self._wait, min(2 * self._wait, LONGEST_WAIT)
        if not self._problem:
            self._told(f"{self._target.name}: {problem}; messages wait, {WAITING:,} at most, and it is tried again")
        self._problem = problem

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
