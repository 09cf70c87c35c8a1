"""Floods stay bounded: refused, timed-out and probing connections beyond the first few of one kind are counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.folding.floods import Flood
from analyzer.summary import Repeated

TIMEOUT = "connection-timeout"
COUNTED_RULES = frozenset(("connection-refused", TIMEOUT, "health-probe"))
OTHERS = "(others)"
MAX_KINDS = 65_536
"""Kinds (rule, client, server) told apart; the clients of what comes after that share one per server."""
REGULAR_SHARE = 0.05
"""Intervals that differ by no more than this share from their median are regular."""
REGULAR_MOST = 0.9
"""So many of them must be: a monitor misses a beat, and a capture a packet."""
MAX_INTERVALS = 20
"""Intervals of one kind that are looked at, the latest ones."""

_Key = tuple[str, str, str, int]


@dataclass(slots=True)
class _Kind:
    """Connections of one kind: all of them for the rhythm, those not listed and not told yet for the count. `quiet`: none
    came since the counts were told."""

    listed: int = 0
    count: int = 0
    quiet: bool = False
    first_ns: int = 0
    last_ns: int = 0
    before_ns: int | None = None
    intervals: deque[int] | None = None

    def show(self, ts_ns: int) -> None:
        """One that is listed."""
        self.listed += 1
        self._beat(ts_ns)

    def add(self, ts_ns: int) -> None:
        """One that is only counted."""
        if not self.count:
            self.first_ns = ts_ns
        self.last_ns = ts_ns
        self.count += 1
        self._beat(ts_ns)

    def _beat(self, ts_ns: int) -> None:
        self.quiet = False
        if self.before_ns is not None:
            if self.intervals is None:
                self.intervals = deque(maxlen=MAX_INTERVALS)
            self.intervals.append(max(0, ts_ns - self.before_ns))
        self.before_ns = ts_ns

    def period_ns(self) -> int | None:
        """Their usual distance, if it is regular."""
        if self.intervals is None or len(self.intervals) < 3:
            return None
        usual = sorted(self.intervals)[(len(self.intervals) - 1) // 2]
        regular = sum(abs(step - usual) <= usual * REGULAR_SHARE for step in self.intervals)
        return usual if usual and regular >= len(self.intervals) * REGULAR_MOST else None


class Repeats:
    """Decides which connections are listed, and counts the others."""

    def __init__(self, listed: int) -> None:
        self._listed = listed
        self._kinds: dict[_Key, _Kind] = {}
        self._changed: set[_Key] = set()
        self._capture = ""

    def is_listed(self, conn: Connection) -> bool:
        """False if this connection is one of a flood and is only counted."""
        rule = next((f.rule for f in conn.findings if f.rule in COUNTED_RULES), None)
        if rule is None:
            return True
        key = (rule, conn.client_ip, conn.server_ip, conn.server_port)
        if key not in self._kinds and len(self._kinds) >= MAX_KINDS:
            key = (rule, OTHERS, conn.server_ip, conn.server_port)
        kind = self._kinds.setdefault(key, _Kind())
        if kind.listed < self._listed:
            kind.show(conn.ts_ns)
            return True
        self._capture = conn.capture
        kind.add(conn.ts_ns)
        self._changed.add(key)
        return False

    def floods(self, capture: str, floods: Iterable[Flood]) -> Iterator[Repeated]:
        """One object for each server whose unanswered SYNs were only counted since the last call, which begin anew."""
        for flood in floods:
            yield Repeated(
                capture, TIMEOUT, OTHERS, flood.server_ip, flood.server_port, flood.count, flood.first_ns, flood.last_ns
            )
            flood.count = 0

    def counted(self) -> Iterator[Repeated]:
        """One object for each kind of which some were not listed since the last call."""
        for key, kind in self._kinds.items():
            if kind.count:
                yield self._repeated(key, kind)
                kind.count = 0
        self._forget()

    def changed(self) -> list[Repeated]:
        """For who keeps sums: the kinds of which some were counted since the last call, each with its whole count."""
        changed = [self._repeated(key, self._kinds[key]) for key in self._changed if key in self._kinds]
        self._changed.clear()
        return changed

    def _forget(self) -> None:
        """Make room in a run of weeks: where kinds are many, those that have been quiet since the last call are dropped."""
        if len(self._kinds) > MAX_KINDS // 2:
            self._kinds = {key: kind for key, kind in self._kinds.items() if not kind.quiet}
        for kind in self._kinds.values():
            kind.quiet = True

    def _repeated(self, key: _Key, kind: _Kind) -> Repeated:
        return Repeated(self._capture, *key, kind.count, kind.first_ns, kind.last_ns, kind.period_ns())
