"""SYNs that nobody answers, by the thousand: beyond the first few of a server they are counted, not made into records."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.dataclass import dataclass
from analyzer.flows import Flow
from analyzer.packets.addresses import address_text

MAX_SERVERS = 4_096
"""Servers told apart; what comes after that shares one place."""
OTHERS = b""


@dataclass(slots=True)
class Flood:
    """Unanswered SYNs to one server. `count`: those that were not listed; times of their first packets, ns."""

    server_ip: str
    server_port: int
    seen: int = 0
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0


class Floods:
    """Looks at connections that are given up because there are too many. `listed`: how many of a server become records."""

    def __init__(self, listed: int) -> None:
        self._listed = listed
        self._servers: dict[bytes, Flood] = {}

    def __iter__(self) -> Iterator[Flood]:
        return (flood for flood in self._servers.values() if flood.count)

    def counts(self, flow: Flow, ports: frozenset[int] | None) -> bool:
        """True if this connection is nothing but one more unanswered SYN: it is counted here."""
        opener = flow.opener
        if flow.ended or flow.lanes[1 - opener].packets or flow.lanes[opener].bytes:
            return False
        key = flow.key[:16] + flow.key[32:34] if opener else flow.key[16:32] + flow.key[34:36]
        port = key[16] << 8 | key[17]
        if ports is not None and port not in ports:
            return False
        flood = self._servers.get(key)
        if flood is None:
            flood = self._open(key, port, v4=flow.key[36] == 1)
        flood.seen += 1
        if flood.seen <= self._listed:
            return False
        if not flood.count:
            flood.first_ns = flow.first_ns
        flood.count += 1
        flood.last_ns = max(flood.last_ns, flow.first_ns)
        return True

    def _open(self, key: bytes, port: int, *, v4: bool) -> Flood:
        if len(self._servers) >= MAX_SERVERS:
            return self._servers.setdefault(OTHERS, Flood("(others)", 0))
        ip = address_text(v4, int.from_bytes(key[:8], "big"), int.from_bytes(key[8:16], "big"))
        flood = self._servers[key] = Flood(ip, port)
        return flood
