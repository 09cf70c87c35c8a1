"""Which connection of a capture is meant, where the user did not say: the most troubled one, and the like of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from analyzer.connection import Connection, Outcome
from analyzer.dataclass import dataclass
from analyzer.findings import Severity


@dataclass(frozen=True, slots=True)
class Choice:
    """A connection, and in a few words why it was taken."""

    conn: Connection
    why: str


def most_troubled(connections: Iterable[Connection]) -> Choice | None:
    """What failed before what only has an error, that before a warning; the first of equals. None if there is no TLS."""
    best, least = None, 5
    for conn in connections:
        rank = _trouble(conn)
        if rank < least:
            best, least = conn, rank
    if best is None:
        return None
    return Choice(best, "the most troubled one" if least < 4 else "the first one, none is in trouble")


def _trouble(conn: Connection) -> int:
    if conn.failed:
        return 0
    worst = min((finding.severity.rank for finding in conn.findings), default=2)
    if worst == Severity.ERROR.rank:
        return 2 if conn.established else 1
    if not conn.tls:
        return 5
    return 3 if worst == Severity.WARNING.rank else 4


def like_of(wanted: Connection, connections: Iterable[Connection], same_capture: bool) -> Choice | None:
    """The connection that is most like `wanted`, but another one: the same client and server before the same server, the
    same name, the same client, the same port; one that worked before one that did not; then the nearest in time.

    None if none shares even the port.
    """
    best: tuple[tuple[int, bool, int], Choice] | None = None
    for conn in connections:
        if (same_capture and conn.stream == wanted.stream) or conn.client_hello is None:
            continue
        tier, why = _likeness(wanted, conn)
        if tier == len(_LIKE):
            continue
        worked = conn.outcome is Outcome.ESTABLISHED and _trouble(conn) > 2
        distance = abs(conn.ts_ns - wanted.ts_ns) if same_capture else conn.stream
        rank = (tier, not worked, distance)
        if best is None or rank < best[0]:
            best = rank, Choice(conn, f"{why}{', and it worked' if worked else ''}")
    return best[1] if best else None


Alike = Callable[[Connection, Connection], bool]


def _same_server(a: Connection, b: Connection) -> bool:
    return a.server_ip == b.server_ip and a.server_port == b.server_port


def _same_client(a: Connection, b: Connection) -> bool:
    return a.client_ip == b.client_ip and a.server_port == b.server_port


def _same_name(a: Connection, b: Connection) -> bool:
    return bool(a.server_name) and (a.server_name or "").lower() == (b.server_name or "").lower()


def _same_port(a: Connection, b: Connection) -> bool:
    return a.server_port == b.server_port


def _same_pair(a: Connection, b: Connection) -> bool:
    return _same_server(a, b) and a.client_ip == b.client_ip


_LIKE: tuple[tuple[Alike, str], ...] = (
    (_same_pair, "the same client and server"),
    (_same_server, "the same server"),
    (_same_name, "the same server name"),
    (_same_client, "the same client and port"),
    (_same_port, "the same port"),
)


def _likeness(a: Connection, b: Connection) -> tuple[int, str]:
    return next(((tier, why) for tier, (alike, why) in enumerate(_LIKE) if alike(a, b)), (len(_LIKE), ""))
