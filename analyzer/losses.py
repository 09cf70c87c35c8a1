"""Packets that the capture lost, and the connections that were going on then: silence is not held against them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from analyzer.capture.source import MAX_LOSSES, Loss
from analyzer.connection import Connection
from analyzer.folding.presence import hidden_facts, seen_facts

SILENCE_NS = 60_000_000_000
"""A handshake in which nothing has happened for so long has hung, whatever is lost afterwards. A live run reports it then and
not at the end of the capture."""
TOGETHER_NS = 60_000_000_000
"""Losses that follow on one that was told are told so much later, in one sum: overload may last for hours."""


class LossLog(deque[Loss]):
    """The latest MAX_LOSSES stretches of loss, and sums of all of them for telling: the first one at once, what is stated in
    the minute after it as one, and so on. What is in a sum depends on the statements alone, never on when it is asked for."""

    def __init__(self) -> None:
        super().__init__(maxlen=MAX_LOSSES)
        self._ready: list[Loss] = []
        self._sum: Loss | None = None
        self._since_ns: int | None = None

    def append(self, loss: Loss) -> None:
        """One more."""
        super().append(loss)
        if self._is_over(loss.end_ns):
            self._close()
        if self._is_over(loss.end_ns):
            self._ready.append(loss)
            self._since_ns = loss.end_ns
        elif self._sum is None:
            self._sum = loss
        else:
            begin_ns, end_ns = min(self._sum.begin_ns, loss.begin_ns), max(self._sum.end_ns, loss.end_ns)
            self._sum = Loss(begin_ns, end_ns, self._sum.packets + loss.packets)

    def take(self, now_ns: int | None = None) -> list[Loss]:
        """Sums that were not taken yet; with the time (a live source) also one whose minute is over by then."""
        if now_ns is not None and self._is_over(now_ns):
            self._close()
        ready, self._ready = self._ready, []
        return ready

    def rest(self) -> list[Loss]:
        """Everything that was not taken yet: the capture is over."""
        self._close()
        return self.take()

    def _is_over(self, now_ns: int) -> bool:
        """The minute. A clock that was set back ends it as well."""
        return self._since_ns is None or abs(now_ns - self._since_ns) >= TOGETHER_NS

    def _close(self) -> None:
        if self._sum is not None and self._since_ns is not None:
            self._ready.append(self._sum)
            self._sum = None
            self._since_ns += TOGETHER_NS


def note_losses(conn: Connection, losses: Iterable[Loss]) -> None:
    """Note in a fresh record how many packets were lost while the connection went on."""
    if lost := sum(loss.packets for loss in losses if _touches(loss, conn)):
        object.__setattr__(conn, "visibility", replace(conn.visibility, lost_packets=lost))
        seen = seen_facts(conn)
        object.__setattr__(conn, "seen", seen)
        object.__setattr__(conn, "hidden", hidden_facts(conn, seen))


def _touches(loss: Loss, conn: Connection) -> bool:
    """Was the connection going on then? One without an end may have gone on unseen."""
    if conn.ts_ns > loss.end_ns:
        return False
    if conn.closed.how == "open":
        return True
    return loss.begin_ns <= conn.end_ns + (SILENCE_NS if conn.closed.how == "timeout" else 0)
