"""One connection in two captures, taken at two places: `correlate(a, b)`.

Connections are joined by ClientHello.random, which no address translation changes; what is left by addresses and ports, or
by server name and time: there a device in between has said a hello of its own. The clocks are aligned by the messages that
both captures have, in both directions. What that tells of each pair is in between.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from statistics import median_low

from analyzer.between import Joined, Pair, Sight, View, sight_of, statements
from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass

MAX_SIGHTS = 50_000
"""Connections of one capture that are held for joining; more are counted."""
MAX_TIMES = 20_000
"""Messages whose times align the clocks."""
NEAR_NS = 2_000_000_000
"""Two hellos of one handshake are this close when the clocks are aligned."""
ANY_CLOCK_NS = 5_000_000_000
"""The same where nothing aligns them: clocks kept by NTP."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Two captures, joined.

    Attributes:
        pairs: connections that both have, in A's order.
        only_a, only_b: those from the time when both captures ran that the other one does not have.
        clock_ns: what B's clock shows when A's shows 0; None if nothing tells.
        way_ns: how long a packet takes from one place to the other; None if nothing tells.
        nearer_client: "A" or "B": the capture that was taken on the client's side; "" if nothing tells.
        left_out: connections beyond MAX_SIGHTS.
    """

    pairs: tuple[Pair, ...]
    only_a: tuple[Sight, ...]
    only_b: tuple[Sight, ...]
    clock_ns: int | None
    way_ns: int | None
    nearer_client: str
    left_out: int = 0


def correlate(a: Iterable[Connection], b: Iterable[Connection]) -> Correlation:
    """Join the connections of two captures, and say what became of each in between."""
    first, more_a = _sights(a)
    second, more_b = _sights(b)
    joined = _join(first, second, Joined.RANDOM, _random)
    joined += _join(_rest(first, joined, 0), _rest(second, joined, 1), Joined.ADDRESSES, _addresses)
    view = _view(first, second, joined)
    joined = [pair for pair in joined if _one_handshake(pair) or _together(pair[0], pair[1], view)]
    joined += _by_name(_rest(first, joined, 0), _rest(second, joined, 1), view)
    joined.sort(key=lambda pair: (pair[0].stream, pair[1].stream))
    return Correlation(
        pairs=tuple(Pair(one, other, how, statements(one, other, how, view)) for one, other, how in joined),
        only_a=_while_both_ran(_rest(first, joined, 0), second, view.clock_ns),
        only_b=_while_both_ran(_rest(second, joined, 1), first, None if view.clock_ns is None else -view.clock_ns),
        clock_ns=view.clock_ns,
        way_ns=view.way_ns,
        nearer_client=view.nearer_client,
        left_out=more_a + more_b,
    )


Found = tuple[Sight, Sight, Joined]


def _sights(connections: Iterable[Connection]) -> tuple[list[Sight], int]:
    sights: list[Sight] = []
    more = 0
    for conn in connections:
        if len(sights) < MAX_SIGHTS:
            sights.append(sight_of(conn))
        else:
            more += 1
    return sights, more


def _rest(sights: list[Sight], joined: list[Found], place: int) -> list[Sight]:
    taken = {id(pair[place]) for pair in joined}
    return [sight for sight in sights if id(sight) not in taken]


def _random(sight: Sight) -> Hashable:
    return sight.random or None


def _begin(sight: Sight) -> tuple[int, int]:
    return sight.sample.ts_ns, sight.stream


def _addresses(sight: Sight) -> Hashable:
    return sight.ends


def _join(a: list[Sight], b: list[Sight], how: Joined, key: Callable[[Sight], Hashable]) -> list[Found]:
    """Equal keys belong together, in order: a capture may have one connection twice, and ports are used again."""
    waiting: dict[Hashable, list[Sight]] = {}
    for sight in sorted(b, key=_begin, reverse=True):
        if (found := key(sight)) is not None:
            waiting.setdefault(found, []).append(sight)
    pairs: list[Found] = []
    for sight in sorted(a, key=_begin):
        found = key(sight)
        if found is not None and waiting.get(found):
            pairs.append((sight, waiting[found].pop(), how))
    return pairs


def _by_name(a: list[Sight], b: list[Sight], view: View) -> list[Found]:
    """A device that opens TLS speaks to the server with a hello and a port of its own. Only where there is no choice."""
    pairs: list[Found] = []
    known = _named(b)
    for sight in a:
        if not sight.sample.server_name or not sight.random:
            continue
        there = known.get((sight.sample.server_name.lower(), sight.sample.server_port), [])
        fitting = [one for one in there if _together(sight, one, view) and _of_a_device(sight, one)]
        if len(fitting) == 1:
            pairs.append((sight, fitting[0], Joined.NAME_AND_TIME))
    chosen = Counter(id(other) for _, other, _ in pairs)
    return [pair for pair in pairs if chosen[id(pair[1])] == 1]


def _one_handshake(pair: Found) -> bool:
    """The hello is the same, or one of them is missing."""
    one, other, _ = pair
    return one.random == other.random or not (one.random and other.random)


def _together(a: Sight, b: Sight, view: View) -> bool:
    """They began at nearly the same time, and one was not over when the other began."""
    clock, reach = view.clock_ns or 0, NEAR_NS if view.clock_ns is not None else ANY_CLOCK_NS
    begins = b.sample.ts_ns - clock
    return abs(begins - a.sample.ts_ns) <= reach and begins <= a.end_ns and a.sample.ts_ns <= b.end_ns - clock


def _of_a_device(a: Sight, b: Sight) -> bool:
    """Another address with another kind of hello, or another certificate for the same name. Two tries of one client, or two
    clients alike, are no sign of a device."""
    first, second = a.sample.hello, b.sample.hello
    other_stack = first is not None and second is not None and first.ja3 != second.ja3
    other_chain = a.sample.server is not None and b.sample.server is not None and a.sample.server is not b.sample.server
    return a.ends[0] != b.ends[0] and (other_stack or other_chain)


def _named(sights: list[Sight]) -> dict[tuple[str, int], list[Sight]]:
    known: dict[tuple[str, int], list[Sight]] = {}
    for sight in sights:
        if sight.sample.server_name and sight.random:
            known.setdefault((sight.sample.server_name.lower(), sight.sample.server_port), []).append(sight)
    return known


# ---- clocks ----------------------------------------------------------------------------------------------------------


def _view(a: list[Sight], b: list[Sight], joined: list[Found]) -> View:
    """Where the two captures stand to each other. A message of the client that is seen in A before B travels from A to B:
    half of what both directions differ is the way, the rest is the clocks."""
    apart: dict[Side, list[int]] = {side: [] for side in Side}
    passed = [(pair[0], pair[1]) for pair in joined if _one_handshake(pair)]
    for one, other in passed:
        for key, time_ns in one.times.items():
            if key in other.times and len(apart[key[0]]) < MAX_TIMES:
                apart[key[0]].append(other.times[key] - time_ns)
    until = max((s.end_ns for s in a), default=0), max((s.end_ns for s in b), default=0)
    if not all(apart.values()):
        return View(None, None, _by_distance(passed), *until)
    client, server = median_low(apart[Side.CLIENT]), median_low(apart[Side.SERVER])
    clock, way = (client + server) // 2, (client - server) // 2
    nearer = _by_distance(passed) or ("" if not way else "A" if way > 0 else "B")
    return View(clock, abs(way), nearer, *until)


def _by_distance(passed: list[tuple[Sight, Sight]]) -> str:
    """A packet of the client has passed fewer routers where its TTL is higher; the server's the other way round."""
    votes = 0
    for one, other in passed:
        votes += _sign(one.client.ttl, other.client.ttl) - _sign(one.server.ttl, other.server.ttl)
    return "" if not votes else "A" if votes > 0 else "B"


def _sign(one: int, other: int) -> int:
    return (one > other) - (one < other) if one and other else 0


def _while_both_ran(sights: list[Sight], others: list[Sight], clock_ns: int | None) -> tuple[Sight, ...]:
    """Those that the other capture should have had: it ran at that time. Nothing is said without a common clock."""
    if clock_ns is None or not others:
        return ()
    begins, ends = min(s.sample.ts_ns for s in others), max(s.end_ns for s in others)
    return tuple(s for s in sights if begins <= s.sample.ts_ns + clock_ns <= ends)


__all__ = ["Correlation", "Joined", "Pair", "Sight", "correlate"]
