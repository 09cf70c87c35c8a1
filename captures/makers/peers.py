"""Scripted peers, for what no stack here does by itself: a relay that ends a connection its own way, and plain sockets.

Schannel applications often close or reset where OpenSSL would send an alert, or stay silent. The relay stands before a
real stack, passes its records on, and plays such an ending when a given record comes.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from captures.makers.hosts import Host

Record = tuple[str, int, int]
"""Who sent it ("inner" = the stack behind the relay, "outer" = the peer on the wire), its type, its length."""

Until = Callable[[list[Record]], str]
"""Sees all records so far; says "" (go on), "before" or "after" (end before or after passing on the last one)."""

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
ALERT_SIZE_13 = 19


def abort(connection: socket.socket) -> None:
    """Close with RST."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def inner_alert(seen: list[Record]) -> str:
    """The stack wants to send an alert (TLS 1.2, or in clear)."""
    return "before" if seen[-1][:2] == ("inner", ALERT) else ""


def passed_alert_13(seen: list[Record]) -> str:
    """The stack's first record of alert size (TLS 1.3); it is passed on."""
    return "after" if seen[-1] == ("inner", DATA, ALERT_SIZE_13) else ""


def outer_finished(seen: list[Record]) -> str:
    """The peer's flight has come whole, to its TLS 1.2 Finished."""
    return "before" if seen[-1][:2] == ("outer", HANDSHAKE) and ("outer", CHANGE_CIPHER_SPEC, 1) in seen else ""


def outer_data(seen: list[Record]) -> str:
    """The peer's first application data."""
    return "before" if seen[-1][:2] == ("outer", DATA) else ""


def inner_finished(seen: list[Record]) -> str:
    """The stack's TLS 1.2 Finished is on the wire: the handshake is complete if it answered the peer's."""
    return "after" if seen[-1][:2] == ("inner", HANDSHAKE) and ("inner", CHANGE_CIPHER_SPEC, 1) in seen else ""


def unchanged(seen: list[Record], record: bytes) -> bytes:
    """Passed on as it is."""
    return record


def never(seen: list[Record]) -> str:
    """Pass everything on."""
    return ""


def nth(side: str, number: int, when: str = "after") -> Until:
    """The n-th record of a side."""
    return lambda seen: when if seen[-1][0] == side and sum(1 for item in seen if item[0] == side) == number else ""


@dataclass(slots=True)
class Relay:
    """Passes one connection on between the wire and a real stack, record by record, until `until` says so.

    The last record waits for `delay` seconds, if it is passed on. `end` is then "rst", "fin", or "silence" (nothing is
    sent or passed on any more for `hold` seconds, then RST).
    `pause` seconds pass before the end; `last` is sent then. `damage` sees all records so far and the last one's bytes:
    what it returns is passed on instead. `pack`: the stack's handshake messages in clear share records, as Schannel's do.
    """

    outer: socket.socket
    inner: socket.socket
    until: Until
    end: str
    pause: float = 0.0
    hold: float = 6.0
    delay: float = 0.0
    last: bytes = b""
    damage: Callable[[list[Record], bytes], bytes] = unchanged
    pack: bool = False
    seen: list[Record] = field(default_factory=list)
    _rest: dict[str, bytes] = field(default_factory=lambda: {"inner": b"", "outer": b""})

    def run(self) -> None:
        """Until the end."""
        try:
            while not self._step():
                pass
        except OSError:
            self.end = "rst"
        self._finish()

    def _step(self) -> bool:
        ready, _, _ = select.select([self.outer, self.inner], [], [], 20)
        if not ready:
            return True
        side, source, target = "outer", self.outer, self.inner
        if ready[0] is self.inner:
            side, source, target = "inner", self.inner, self.outer
        data = source.recv(65536)
        if not data:
            return True
        self._rest[side] += data
        return self._pass_on(side, target)

    def _pass_on(self, side: str, target: socket.socket) -> bool:
        ready = b""
        while len(self._rest[side]) >= 5 and len(self._rest[side]) >= (
            end := 5 + int.from_bytes(self._rest[side][3:5], "big")
        ):
            record, self._rest[side] = self._rest[side][:end], self._rest[side][end:]
            self.seen.append((side, record[0], end - 5))
            verdict = self.until(self.seen)
            record = self.damage(self.seen, record)
            if verdict != "before":
                ready += record
            if verdict:
                time.sleep(self.delay)
                target.sendall(self._packed(ready))
                return True
        target.sendall(self._packed(ready))
        return False

    def _packed(self, ready: bytes) -> bytes:
        """Records that came together, as one, if all of them are handshake messages in clear."""
        records = [ready[at:end] for at, end in _records(ready)]
        clear = self.pack and self.seen[-1][0] == "inner" and ("inner", CHANGE_CIPHER_SPEC, 1) not in self.seen
        if not clear or len(records) < 2 or any(record[0] != HANDSHAKE for record in records):
            return ready
        messages = b"".join(record[5:] for record in records)
        return records[0][:3] + len(messages).to_bytes(2, "big") + messages

    def _finish(self) -> None:
        time.sleep(self.pause)
        if self.last:
            self.outer.sendall(self.last)
        if self.end == "silence":
            time.sleep(self.hold)
        if self.end == "fin":
            self._drain()
            self.outer.close()
        else:
            abort(self.outer)
        self.inner.close()

    def _drain(self) -> None:
        """Read what has come, or close() would send RST."""
        self.outer.setblocking(False)
        with contextlib.suppress(OSError):
            while self.outer.recv(65536):
                pass


def _records(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each record."""
    at = 0
    while at < len(data):
        end = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        yield at, end
        at = end


def serve(listener: socket.socket, talk: Callable[[socket.socket], None], times: int = 1) -> threading.Thread:
    """Accept `times` connections one after another in a thread and hand each to `talk`, which closes it."""

    def loop() -> None:
        with listener:
            for _ in range(times):
                connection, _ = listener.accept()
                with contextlib.suppress(OSError):
                    talk(connection)
                connection.close()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def relay_before_server(
    host: Host,
    backend: int,
    port: int,
    until: Until,
    end: str,
    *,
    pause: float = 0,
    hold: float = 6,
    delay: float = 0,
    last: bytes = b"",
    pack: bool = False,
) -> threading.Thread:
    """On the server: `port` on the wire, the real stack on `backend` (loopback of the same host)."""

    def talk(outer: socket.socket) -> None:
        Relay(outer, host.connect("127.0.0.1", backend), until, end, pause, hold, delay, last, pack=pack).run()

    return serve(host.listen("0.0.0.0", port), talk)


def relay_before_client(
    host: Host, local: int, server: tuple[str, int], until: Until, end: str, *, pause: float = 0.0, hold: float = 6.0
) -> threading.Thread:
    """On the client: its stack connects to `local` on loopback, the relay to the server on the wire."""

    def talk(inner: socket.socket) -> None:
        Relay(host.connect(*server), inner, until, end, pause, hold).run()

    return serve(host.listen("127.0.0.1", local), talk)
