"""`Board`: what the live table shows, from what a live run tells its taps. One model for all views; no terminal here.

Equal connections (client, server, server name, cause) are one row with an exact count. The rows that were busy last are kept,
troubled and healthy ones apart; the connections of rows that had to go are counted together. All texts are safe to show.
The run and the view may be different threads.
"""

from __future__ import annotations

import io
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock

from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Severity
from analyzer.report import safe
from analyzer.report.blocks import Group, block
from analyzer.report.frames import connection_filter
from analyzer.report.idn import explained
from analyzer.report.output import OutputOptions
from analyzer.report.page import Page

MAX_TROUBLED, MAX_HEALTHY, MAX_LATEST, MAX_NOTES = 500, 200, 100, 3
"""Rows, connections and messages that are kept."""
NOTE_SECONDS = 60.0
"""So long a message stands in the table."""
MAX_TEXT = 400
"""Characters of one text: a server name may have 65,535, and no terminal is that wide."""
OK = "ok"
"""What stands for a severity where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How the run goes. `lost`: packets that the capture lost. `followed`: connections that are not decided yet."""

    packets: int = 0
    lost: int = 0
    followed: int = 0
    decided: int = 0
    failed: int = 0
    troubled: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """Equal connections.

    Attributes:
        number: of this row, never given again.
        client: address. server: address and port. name: the server name that was asked for; "" for none.
        severity: "error", "warning" or "ok". cause: the rule of the first finding, else the outcome.
        said: the diagnosis or the finding's summary of the latest of them; "" where all is well.
        count: exact, since the row came. first_ns, last_ns: when the first and the latest of them began.
    """

    number: int
    client: str
    server: str
    name: str
    severity: str
    cause: str
    said: str
    count: int
    first_ns: int
    last_ns: int

    @property
    def troubled(self) -> bool:
        """Is it in trouble?"""
        return self.severity != OK

    def has(self, text: str) -> bool:
        """Does any of its texts contain this, in whatever case?"""
        wanted = text.casefold()
        return any(wanted in part.casefold() for part in (self.client, self.server, self.name, self.cause, self.said))


@dataclass(frozen=True, slots=True)
class Latest:
    """One connection: when it began, and how it went."""

    ts_ns: int
    client: str
    server: str
    name: str
    severity: str
    outcome: str
    cause: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What there is to see at one moment.

    Attributes:
        seconds: how long the run lasts.
        rows: troubled ones before healthy ones, those that were busy last first.
        other_troubled, other_healthy: connections whose rows had to go.
        latest: connections, the latest first. notes: the last messages.
    """

    seconds: float
    counts: Counts
    rows: tuple[Row, ...]
    other_troubled: int
    other_healthy: int
    latest: tuple[Latest, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Shelf:
    """Rows of one kind, the one that was busy last at the end; `others` counts the connections of those that had to go."""

    room: int
    rows: OrderedDict[tuple[object, ...], tuple[Row, Group]]
    others: int = 0

    def put(self, key: tuple[object, ...], row: Row, same: Group) -> None:
        self.rows[key] = row, same
        self.rows.move_to_end(key)
        if len(self.rows) > self.room:
            _, (gone, _) = self.rows.popitem(last=False)
            self.others += gone.count

    def newest_first(self) -> list[Row]:
        return [row for row, _ in reversed(self.rows.values())]


class Board:
    """A tap of a live run; views ask `picture` and `detail`.

    Attributes:
        version: another number after anything has changed.
    """

    name = "table"

    def __init__(
        self,
        clock: Callable[[], float],
        gauges: Callable[[], tuple[int, int]] = lambda: (0, 0),
        troubled_room: int = MAX_TROUBLED,
        healthy_room: int = MAX_HEALTHY,
    ) -> None:
        """`clock`: seconds that never go back. `gauges`: packets so far and connections followed, asked at each tick."""
        self.version = 0
        self._clock, self._gauges, self._began = clock, gauges, clock()
        self._lock = Lock()
        self._counts = Counts()
        self._troubled = _Shelf(troubled_room, OrderedDict())
        self._healthy = _Shelf(healthy_room, OrderedDict())
        self._latest: deque[Latest] = deque(maxlen=MAX_LATEST)
        self._notes: deque[tuple[float, str]] = deque(maxlen=MAX_NOTES)
        self._number = 0

    def see(self, conn: Connection) -> None:
        """See Tap."""
        severity, cause, said = _verdict(conn)
        with self._lock:
            counts = self._counts
            self._counts = replace(
                counts,
                decided=counts.decided + 1,
                failed=counts.failed + conn.failed,
                troubled=counts.troubled + (severity != OK),
            )
            self._put(conn, severity, cause, said)
            self._latest.append(
                Latest(
                    ts_ns=conn.ts_ns,
                    client=conn.address(Side.CLIENT),
                    server=conn.address(Side.SERVER),
                    name=_shown(explained(conn.server_name or "")),
                    severity=severity,
                    outcome=conn.outcome.value,
                    cause=cause,
                )
            )
            self.version += 1

    def tick(self, now_ns: int) -> None:
        """See Tap."""
        packets, followed = self._gauges()
        with self._lock:
            self._counts = replace(self._counts, packets=packets, followed=followed)
            self.version += 1

    def lost(self, packets: int) -> None:
        """See Tap."""
        with self._lock:
            self._counts = replace(self._counts, lost=self._counts.lost + packets)
            self.version += 1

    def close(self) -> None:
        """See Tap."""

    def note(self, line: str) -> None:
        """A message for the user."""
        with self._lock:
            self._notes.append((self._clock(), _shown(line)))
            self.version += 1

    def picture(self) -> Picture:
        """As it is now."""
        with self._lock:
            now = self._clock()
            return Picture(
                seconds=now - self._began,
                counts=self._counts,
                rows=(*self._troubled.newest_first(), *self._healthy.newest_first()),
                other_troubled=self._troubled.others,
                other_healthy=self._healthy.others,
                latest=tuple(reversed(self._latest)),
                notes=tuple(text for said, text in self._notes if now - said < NOTE_SECONDS),
            )

    def detail(self, number: int, options: OutputOptions) -> str | None:
        """The block that the text report has for the first connection of this row; None if the row had to go."""
        same = self._same(number)
        if same is None:
            return None
        out = io.BytesIO()
        block(same, Page(out, options))
        return out.getvalue().decode()

    def filter(self, number: int) -> str | None:
        """The display filter of that connection."""
        same = self._same(number)
        return None if same is None else connection_filter(same.first)

    def _same(self, number: int) -> Group | None:
        """A copy, for the run goes on."""
        with self._lock:
            for shelf in (self._troubled, self._healthy):
                for row, same in shelf.rows.values():
                    if row.number == number:
                        return replace(same, streams=list(same.streams), clients=dict(same.clients))
        return None

    def _put(self, conn: Connection, severity: str, cause: str, said: str) -> None:
        shelf = self._healthy if severity == OK else self._troubled
        key = (conn.client_ip, conn.server_ip, conn.server_port, conn.server_name, severity, cause)
        known = shelf.rows.get(key)
        if known is None:
            len(conn.steps)  # worked out here: two threads must not do that at once
            self._number += 1
            same = Group(conn)
            same.add(conn)
            row = Row(
                number=self._number,
                client=conn.client_ip,
                server=conn.address(Side.SERVER),
                name=_shown(explained(conn.server_name or "")),
                severity=severity,
                cause=cause,
                said=_shown(said),
                count=1,
                first_ns=conn.ts_ns,
                last_ns=conn.ts_ns,
            )
        else:
            old, same = known
            same.add(conn)
            row = replace(old, said=_shown(said), count=old.count + 1, last_ns=max(old.last_ns, conn.ts_ns))
        shelf.put(key, row, same)


def chosen(rows: Iterable[Row], text: str = "", troubled: bool = False) -> list[Row]:
    """The rows that have this text; with `troubled` only those in trouble."""
    return [row for row in rows if (row.troubled or not troubled) and (not text or row.has(text))]


def _verdict(conn: Connection) -> tuple[str, str, str]:
    """Severity, cause, and what is said about it."""
    if not conn.troubled:
        return OK, conn.outcome.value, ""
    if not conn.findings:
        return Severity.ERROR.value, conn.outcome.value, conn.diagnosis or ""
    first = conn.findings[0]
    severity = Severity.ERROR if conn.failed else first.severity
    return severity.value, first.rule, conn.diagnosis or first.summary


def _shown(text: str) -> str:
    return safe.fit(safe.line(text[: MAX_TEXT + 1]), MAX_TEXT)
