"""A tap that tells syslog of troubled connections and losses: the first few of equal ones, then counts."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.live.outbox import Outbox, Target
from analyzer.live.syslog_messages import (
    WARNING,
    Message,
    Sender,
    level_of,
    of_connection,
    of_loss,
    of_own,
    of_repeated,
)
from analyzer.live.troubles import Troubles, trouble

COUNTS_NS = 60_000_000_000
"""How often counts of equal troubles are sent."""
LOSSES_NS = 10_000_000_000
"""Losses within that are one message."""
SECOND_NS = 1_000_000_000
PROGRAM = "mtlscope"


class Syslog:
    """See Tap."""

    def __init__(self, target: Target, facility: int, told: Callable[[str], None]) -> None:
        self.name = f"syslog {target.name}"
        self._target = target
        self._sender = Sender(facility, _host(), PROGRAM, os.getpid())
        self._outbox = Outbox(target, lambda line: told(f"syslog {line}"))
        self._troubles, self._levels = Troubles(), dict[str, int]()
        self._lost = 0
        self._now_ns = self._counted_ns = self._lost_ns = time.time_ns()
        self._outbox.push()

    def see(self, conn: Connection) -> None:
        """Send it if it is troubled, unless it is only counted."""
        if not conn.troubled:
            return
        self._levels[trouble(conn)] = level_of(conn)
        if self._troubles.is_listed(conn):
            self._send(of_connection(conn))

    def lost(self, packets: int) -> None:
        """Add it to what is told next."""
        self._lost += packets

    def tick(self, now_ns: int) -> None:
        """Send what has waited, and what is due."""
        self._now_ns = now_ns
        if abs(now_ns - self._lost_ns) >= LOSSES_NS:  # the clock may have been set back
            self._tell_losses()
        if abs(now_ns - self._counted_ns) >= COUNTS_NS:
            self._tell_counts()
        self._outbox.push()
        if self._outbox.dropped and not len(self._outbox):
            count, self._outbox.dropped = self._outbox.dropped, 0
            text = f"{count:,} messages were dropped while the receiver did not take them"
            self._send(of_own(text, now_ns, dropped=str(count)))

    def close(self) -> None:
        """Send what is left."""
        self._tell_losses()
        self._tell_counts()
        self._outbox.close()

    def _tell_losses(self) -> None:
        seconds, self._lost_ns = self._since(self._lost_ns), self._now_ns
        if self._lost:
            self._send(of_loss(self._lost, self._now_ns, seconds))
            self._lost = 0

    def _tell_counts(self) -> None:
        seconds, self._counted_ns = self._since(self._counted_ns), self._now_ns
        for item in self._troubles.counted():
            self._send(of_repeated(item, self._levels.get(item.rule, WARNING), self._now_ns, seconds))

    def _since(self, then_ns: int) -> int:
        """Whole seconds; at least one."""
        return max(1, round((self._now_ns - then_ns) / SECOND_NS))

    def _send(self, message: Message) -> None:
        if self._target.local:
            now = time.localtime()
            stamp = f"{time.strftime('%b', now)} {now.tm_mday:2d} {time.strftime('%H:%M:%S', now)}"
            self._outbox.put(self._sender.local(message, stamp))
        else:
            self._outbox.put(self._sender.rfc5424(message))


def local(path: str) -> Target:
    """A socket of this machine. Raise UsageError if there is none."""
    family = getattr(socket, "AF_UNIX", None)
    try:
        there = family is not None and stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        there = False
    if family is None or not there:
        raise UsageError(f"no syslog socket at {path}; name a receiver: --syslog HOST:PORT, or tcp:HOST:PORT")
    return Target(path, family, path)


def _host() -> str:
    """This machine's name as RFC 5424 wants it: visible ASCII, "-" if there is none."""
    return "".join(char for char in socket.gethostname() if "!" <= char <= "~")[:255] or "-"
