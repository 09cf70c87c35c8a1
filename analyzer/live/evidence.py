"""The flight recorder (`--evidence`): a tap that writes the packets of a connection that failed, with its verdict."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from analyzer.capture.source import Frames
from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass
from analyzer.export.marks import reach
from analyzer.export.one import Packet, annotated, missing
from analyzer.findings import Severity
from analyzer.folding.identity import flow_key
from analyzer.live.aside import AsideMemory
from analyzer.live.folder import Folder
from analyzer.live.remembering import PacketMemory, Taken
from analyzer.packets.columns import Decoded

EACH = 3
"""Files of equal failures (rule, client address, server) within EQUAL_NS (an hour); further ones are counted."""
EACH_SERVER = 60
"""The same of one rule and server, whoever the client is: a bad certificate of a server fails for all of them."""
EQUAL_NS = 3_600_000_000_000
MAX_EQUAL = 10_000
"""Kinds of failures that are remembered; beyond that the oldest is closed early."""
MAX_PER_MINUTE = 120
"""Files, whatever they show: a flood of different failures must not cost the capture its time."""
MINUTE_NS = 60_000_000_000

T = TypeVar("T")
Kind = tuple[str, str, str]
"""Rule, client address, server."""


@dataclass(slots=True)
class Equal:
    """Failures of one kind since `since_ns`: how many, and how many of them were written."""

    since_ns: int
    seen: int = 0
    written: int = 0


class Recorder:
    """The tap. `level`: the least severe finding that is worth a file; a failed connection always is."""

    def __init__(self, folder: Folder, level: Severity, told: Callable[[str], None]) -> None:
        self.name = f"--evidence {folder.path}"
        self._folder, self._level, self._told = folder, level, told
        self._memory, self._aside = PacketMemory(), AsideMemory()
        self._equal: OrderedDict[Kind, Equal] = OrderedDict()
        self._of_server: Counter[tuple[str, str]] = Counter()
        self._now_ns = self._minute_ns = self._hour_ns = 0
        self._in_minute = 0
        self._troubled = False

    @property
    def held(self) -> int:
        """Bytes of memory that packets take."""
        return self._memory.held

    def packets(self, frames: Frames, decoded: Decoded) -> None:
        """A batch, before its connections are decided."""
        self._memory.feed(frames, decoded)
        self._aside.feed(frames, decoded)

    def see(self, conn: Connection) -> None:
        """Write it if it failed; its packets are forgotten in any case."""
        frames = [frame for frame in reach(conn) if frame is not None]
        if not frames:
            return
        key = flow_key(conn.client_ip, conn.client_port, conn.server_ip, conn.server_port)
        beside = [error.frame for error in conn.icmp]
        first, last = min(frames + beside), max(frames + beside)
        taken = self._memory.take(key, first, last)
        if not self._is_wanted(conn):
            return
        kind = (rule_of(conn), conn.client_ip, conn.address(Side.SERVER))
        equal = self._equal_to(kind)
        equal.seen += 1
        if equal.written < EACH and (taken.first or taken.last) and self._may_write(kind):
            written = self._write(conn, taken, [*self._aside.about(conn, first, last)], kind)
            equal.written += written
            self._of_server[kind[0], kind[2]] += written

    def tick(self, now_ns: int) -> None:
        """Say what was only counted, once its hour is over."""
        if not self._now_ns:
            self._try()
        self._now_ns = now_ns
        if abs(now_ns - self._minute_ns) < MINUTE_NS:  # the clock may have been set back
            return
        self._minute_ns, self._in_minute = now_ns, 0
        if abs(now_ns - self._hour_ns) >= EQUAL_NS:
            self._hour_ns = now_ns
            self._of_server.clear()
        for kind, equal in [*self._equal.items()]:
            if abs(now_ns - equal.since_ns) >= EQUAL_NS:
                self._close(kind)

    def lost(self, packets: int) -> None:
        """The records say which connections that touched."""

    def close(self) -> None:
        """Say what was only counted."""
        for kind in [*self._equal]:
            self._close(kind)

    def _is_wanted(self, conn: Connection) -> bool:
        return conn.failed or any(finding.severity.rank <= self._level.rank for finding in conn.findings)

    def _equal_to(self, kind: Kind) -> Equal:
        equal = self._equal.get(kind)
        if equal is None:
            if len(self._equal) >= MAX_EQUAL:
                self._close(next(iter(self._equal)))
            equal = self._equal[kind] = Equal(self._now_ns)
        return equal

    def _may_write(self, kind: Kind) -> bool:
        if self._of_server[kind[0], kind[2]] >= EACH_SERVER:
            return False
        self._in_minute += 1
        return self._in_minute <= MAX_PER_MINUTE

    def _write(self, conn: Connection, taken: Taken, aside: list[Packet], kind: Kind) -> bool:
        data = b"".join(annotated(conn, taken.first, taken.last, aside))
        name = self._safely(lambda: self._folder.write(stem(conn), data))
        if name:
            packets = [*taken.first, *taken.last]
            self._note(
                "file",
                kind,
                file=name,
                time=stamp(conn.ts_ns),
                uid=conn.uid,
                server_name=conn.server_name,
                diagnosis=conn.diagnosis,
                packets=len(packets),
                left_out=missing(conn, packets),
                lost_packets=conn.visibility.lost_packets,
            )
        return name is not None

    def _close(self, kind: Kind) -> None:
        """Forget a kind of failures; what was not written of it is said in the index."""
        equal = self._equal.pop(kind)
        if equal.seen > equal.written:
            since, until = stamp(equal.since_ns), stamp(self._now_ns)
            self._note("counted", kind, since=since, until=until, seen=equal.seen, written=equal.written)

    def _note(self, what: str, kind: Kind, **more: object) -> None:
        rule, client, server = kind
        said = {"type": what, "rule": rule, "client": client, "server": server, **more}
        self._safely(lambda: self._folder.note(json.dumps(said).encode() + b"\n"))

    def _try(self) -> None:
        """Write nothing, once, so that a missing right shows at the beginning and not at the first failure."""
        self._safely(lambda: self._folder.note(b""))

    def _safely(self, act: Callable[[], T]) -> T | None:
        """Do it; None if that failed. A full disk is told once, and again after it had room in between; the capture goes on."""
        try:
            done = act()
        except OSError as error:
            if not self._troubled:
                self._told(
                    f"{self.name}: {error.strerror or error}; tried again at the next failure, the capture goes on"
                )
            self._troubled = True
            return None
        self._troubled = False
        return done


def rule_of(conn: Connection) -> str:
    """What to call its trouble: the first finding's rule, else the outcome."""
    return conn.findings[0].rule if conn.findings else conn.outcome.value


def stem(conn: Connection) -> str:
    """What to call its file: UTC time, client, server and rule. Colons of IPv6 addresses are hyphens: Windows has none."""
    when = datetime.fromtimestamp(conn.ts_ns // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%S")
    ends = f"{conn.client_ip}_{conn.client_port}_{conn.server_ip}_{conn.server_port}".replace(":", "-")
    return f"{when}.{conn.ts_ns // 1_000 % 1_000_000:06}Z_{ends}_{rule_of(conn)}"


def stamp(time_ns: int) -> str:
    """RFC 3339, UTC, to the second."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
