"""Floods stay bounded: refused, timed-out and probing connections beyond the first few of one kind are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analyzer.connection import Connection
from analyzer.folding.floods import Flood
from analyzer.summary import Repeated

TIMEOUT = "connection-timeout"
COUNTED_RULES = frozenset(("connection-refused", TIMEOUT, "health-probe"))
OTHERS = "(others)"
MAX_KINDS = 65_536
"""Kinds (rule, client, server) told apart; the clients of what comes after that share one per server."""
REGULAR_SHARE = 0.1
"""Intervals that differ by less than this share of their mean are a period."""


@dataclass(slots=True)
class _Kind:
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    shortest: int = 0
    longest: int = 0

    def add(self, ts_ns: int) -> None:
        if self.count:
            step = max(0, ts_ns - self.last_ns)
            self.shortest = step if self.count == 1 else min(self.shortest, step)
            self.longest = max(self.longest, step)
        else:
            self.first_ns = ts_ns
        self.last_ns = ts_ns
        self.count += 1

    def period_ns(self) -> int | None:
        """Their usual distance, if it is regular."""
        if self.count < 3:
            return None
        mean = (self.last_ns - self.first_ns) // (self.count - 1)
        return mean if mean and self.longest - self.shortest <= mean * REGULAR_SHARE else None


class Repeats:
    """Decides which connections are listed, and counts the others."""

    def __init__(self, listed: int) -> None:
        self._listed = listed
        self._seen: dict[tuple[str, str, str, int], int] = {}
        self._kinds: dict[tuple[str, str, str, int], _Kind] = {}
        self._capture = ""

    def is_listed(self, conn: Connection) -> bool:
        """False if this connection is one of a flood and is only counted."""
        rule = next((f.rule for f in conn.findings if f.rule in COUNTED_RULES), None)
        if rule is None:
            return True
        key = (rule, conn.client_ip, conn.server_ip, conn.server_port)
        if key not in self._seen and len(self._seen) >= MAX_KINDS:
            key = (rule, OTHERS, conn.server_ip, conn.server_port)
        self._seen[key] = seen = self._seen.get(key, 0) + 1
        if seen <= self._listed:
            return True
        self._capture = conn.capture
        self._kinds.setdefault(key, _Kind()).add(conn.ts_ns)
        return False

    def floods(self, capture: str, floods: Iterable[Flood]) -> Iterator[Repeated]:
        """One object for each server whose unanswered SYNs were only counted."""
        for flood in floods:
            yield Repeated(
                capture, TIMEOUT, OTHERS, flood.server_ip, flood.server_port, flood.count, flood.first_ns, flood.last_ns
            )

    def counted(self) -> Iterator[Repeated]:
        """One object for each kind of which some were not listed."""
        for (rule, client, server, port), kind in self._kinds.items():
            yield Repeated(
                self._capture, rule, client, server, port, kind.count, kind.first_ns, kind.last_ns, kind.period_ns()
            )
