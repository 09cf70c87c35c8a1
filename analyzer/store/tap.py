"""`mtlscope live --db`: a tap that writes a store, commits at each tick and prunes what is too old.

When the store cannot be written (the disk is full, another process writes), connections wait in memory, as many as
MAX_WAITING rows, and each tick tries again; what finds no room there is counted in the table runs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from analyzer import knowledge
from analyzer.connection import Connection
from analyzer.repeats import Repeats
from analyzer.report.output import Item
from analyzer.store.writer import EARLY, Writer
from analyzer.summary import CaptureSummary, Repeated

MAX_WAITING = 20_000
"""Rows that wait in memory: some tens of MB."""
MAX_FLOODS = 16_384
"""Servers whose unanswered SYNs are summed up."""
SIGN_NS = 10_000_000_000
"""How often a run that has nothing to write says that it is alive."""
PRUNE_NS = 60_000_000_000
"""How often it is looked for what is too old."""
DAY_NS = 86_400_000_000_000


class StoreTap:
    """See analyzer/live/taps.py. Floods are counted, as in the report, but anew each day."""

    def __init__(
        self,
        writer: Writer,
        now_ns: Callable[[], int],
        keep_ns: int | None = None,
        packets: Callable[[], int] = lambda: 0,
        told: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`keep_ns`: how long connections are kept; None is for ever. `packets`: those read so far."""
        self._now_ns = now_ns
        self.name = str(writer.path)
        self._writer, self._keep_ns, self._packets, self._told = writer, keep_ns, packets, told
        self._repeats, self._day = Repeats(knowledge.limit("repeat_after")), 0
        self._failed = self._crashed = False
        self._unwritten_before = 0
        self._signed_ns = self._pruned_ns = 0
        self._lost = 0
        self._floods: dict[tuple[str, int], Repeated] = {}

    def see(self, conn: Connection) -> None:
        """Let it wait for the next tick. Raise as `tick`."""
        if conn.ts_ns // DAY_NS > self._day:  # one that began yesterday may end today
            self._add_counted()
            self._repeats, self._day = Repeats(knowledge.limit("repeat_after")), conn.ts_ns // DAY_NS
        if self._repeats.is_listed(conn):
            self._add(conn)

    def end(self, item: Repeated | CaptureSummary) -> None:
        """What no connection says. The counts of unanswered SYNs come in parts, and are kept as sums."""
        if isinstance(item, Repeated):
            server = (item.server_ip, item.server_port)
            if server not in self._floods and len(self._floods) >= MAX_FLOODS:
                del self._floods[next(iter(self._floods))]  # its row stays; what comes later begins another one
            before = self._floods.get(server)
            if before is not None:
                item = replace(item, count=before.count + item.count, first_ns=before.first_ns)
            self._floods[server] = item
        self._add(item)

    def lost(self, packets: int) -> None:
        """Is noted at the next tick."""
        self._lost += packets

    def tick(self, now_ns: int) -> None:
        """Write. Raise an error that will not go away: the file is damaged, or was taken away."""
        self._writer.packets = self._packets()
        if not self._failed:
            self._note(now_ns)
        if self._writer.waiting or abs(now_ns - self._signed_ns) >= SIGN_NS:  # clocks may be set back
            self._signed_ns = now_ns
            self._commit()
        if self._keep_ns is not None and not self._failed and abs(now_ns - self._pruned_ns) >= PRUNE_NS:
            self._prune(now_ns, self._keep_ns)

    def close(self) -> None:
        """Write what is left, and the end."""
        self._writer.packets = self._packets()
        self._note(self._now_ns())
        try:
            self._writer.close()
        except sqlite3.Error as error:
            self._told(f"{self.name}: {error}; the last connections are not in it")
        else:
            self._went_well()

    def _add(self, item: Item) -> None:
        if self._writer.waiting >= MAX_WAITING:
            self._writer.unwritten += isinstance(item, Connection)
            return
        try:
            self._writer.add(item)
        except Exception as error:  # a bug of ours: this one is missing, and the others are written
            self._writer.unwritten += isinstance(item, Connection)
            if not self._crashed:
                self._crashed = True
                self._told(f"{self.name}: a bug of ours, {type(error).__name__}: what it happened with is left out")
        if self._writer.waiting >= EARLY and not self._failed:
            self._commit()

    def _note(self, now_ns: int) -> None:
        """Losses and counts since the last time."""
        if self._lost:
            self._writer.add_loss(now_ns, self._lost)
            self._lost = 0
        self._add_counted()

    def _add_counted(self) -> None:
        for one in self._repeats.changed():
            self._add(one)

    def _commit(self) -> None:
        """Tell when it begins to fail, and when it goes on."""
        try:
            self._writer.commit()
        except sqlite3.OperationalError as error:
            if not self._failed:
                self._failed, self._unwritten_before = True, self._writer.unwritten
                self._told(f"{self.name}: {error}; what is new waits in memory, and each second it is tried again")
        else:
            self._went_well()

    def _went_well(self) -> None:
        if self._failed:
            self._failed = False
            missing = self._writer.unwritten - self._unwritten_before
            self._told(f"{self.name} is written again; {missing:,} connections found no room meanwhile")

    def _prune(self, now_ns: int, keep_ns: int) -> None:
        try:
            more = self._writer.prune(now_ns - keep_ns)
        except sqlite3.OperationalError:
            return  # another process writes, or the disk is full: the next commit tells, and the next tick tries again
        if not more:
            self._pruned_ns = now_ns
