"""Equal troubles, for who reads along for weeks: the first few are shown one by one, the others counted, exactly.

Equal are troubles with the same first finding, client, server and certificates. How much is shown is bounded three times:
for a kind, for a server (an expired certificate troubles a thousand clients alike), and for all that comes between two
tellings of the counts, since whoever sends packets can make up clients, servers and certificates.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.folding.floods import Flood
from analyzer.repeats import OTHERS, Repeats
from analyzer.summary import Repeated

OF_A_KIND, OF_A_SERVER, AT_ONCE = 3, 10, 30
"""Shown of one kind, of one finding at one server, and in all between two tellings."""
LINES = 20
"""Counts told at once; those beyond the largest are one."""
KINDS = 4_096
"""Kinds told apart; what comes after that shares one a finding."""
FORGOTTEN = 60
"""Tellings after which a kind that has been quiet is forgotten: when it comes again, it is shown again."""
UNEXPLAINED = "failed"
"""Instead of a rule, where a connection failed and no rule says why."""
Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class _Kind:
    """How many were shown, and for how many tellings none has come."""

    shown: int = 0
    quiet: int = 0


def trouble(conn: Connection) -> str:
    """The rule that names it."""
    return conn.findings[0].rule if conn.findings else UNEXPLAINED


class Troubles(Repeats):
    """Decides which troubled connections are shown. `counted` is to be called about once a minute."""

    def __init__(self) -> None:
        super().__init__(0)
        self._known: dict[tuple[str, str, str, int, tuple[str, ...]], _Kind] = {}
        self._servers: dict[tuple[str, str, int], _Kind] = {}
        self._counts: dict[tuple[str, str, str, int], Repeated] = {}
        self._shown = 0

    def is_listed(self, conn: Connection) -> bool:
        """False if it is troubled like others and is only counted."""
        if not conn.troubled:
            return True
        rule, leaves = trouble(conn), tuple(sent.chain.leaf.sha256 for sent in conn.chains())
        at = (conn.server_ip, conn.server_port)
        kind = _kind(self._known, (rule, conn.client_ip, *at, leaves), (rule, OTHERS, OTHERS, 0, ()))
        server = _kind(self._servers, (rule, *at), (rule, OTHERS, 0))
        if kind.shown < OF_A_KIND and server.shown < OF_A_SERVER and self._shown < AT_ONCE:
            kind.shown += 1
            server.shown += 1
            self._shown += 1
            return True
        one = Repeated(conn.capture, rule, conn.client_ip, *at, 1, conn.ts_ns, conn.ts_ns)
        if (rule, one.client_ip, *at) not in self._counts and len(self._counts) >= KINDS:
            one = replace(one, client_ip=OTHERS, server_ip=OTHERS, server_port=0)
        key = (rule, one.client_ip, one.server_ip, one.server_port)
        self._counts[key] = _sum([self._counts[key], one]) if key in self._counts else one
        return False

    def counted(self) -> Iterator[Repeated]:
        """What was only counted since the last call, the most first."""
        counts, self._counts, self._shown = self._counts, {}, 0
        self._known, self._servers = _aged(self._known), _aged(self._servers)
        return _few(counts.values())

    def floods(self, capture: str, floods: Iterable[Flood]) -> Iterator[Repeated]:
        """See Repeats."""
        return _few(super().floods(capture, floods))


def _kind(kinds: dict[Key, _Kind], key: Key, others: Key) -> _Kind:
    """This one, or that of the others where there is no room."""
    kind = kinds.setdefault(key if key in kinds or len(kinds) < KINDS else others, _Kind())
    kind.quiet = 0
    return kind


def _aged(kinds: dict[Key, _Kind]) -> dict[Key, _Kind]:
    """Those that are not forgotten."""
    for kind in kinds.values():
        kind.quiet += 1
    return {key: kind for key, kind in kinds.items() if kind.quiet <= FORGOTTEN}


def _few(items: Iterable[Repeated]) -> Iterator[Repeated]:
    """The largest, and one for all others."""
    ranked = sorted(items, key=lambda item: -item.count)
    keep = len(ranked) if len(ranked) <= LINES else LINES - 1
    yield from ranked[:keep]
    if ranked[keep:]:
        yield _sum(ranked[keep:])


def _sum(items: Sequence[Repeated]) -> Repeated:
    """One for all; what they do not have in common is of others."""
    first = items[0]
    return Repeated(
        first.capture,
        first.rule if all(item.rule == first.rule for item in items) else OTHERS,
        first.client_ip if all(item.client_ip == first.client_ip for item in items) else OTHERS,
        first.server_ip if all(item.server_ip == first.server_ip for item in items) else OTHERS,
        first.server_port if all(item.server_port == first.server_port for item in items) else 0,
        sum(item.count for item in items),
        min(item.first_ns for item in items),
        max(item.last_ns for item in items),
    )
