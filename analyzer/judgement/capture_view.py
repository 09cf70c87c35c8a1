"""`CaptureView`: who presented what where, over all connections of a capture: what rules about deployments look at.

Fed with every connection, so it must cost next to nothing where nothing is new: what repeats is one entry that is counted.
Bounded: the entry made longest ago is forgotten, so that absence proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from analyzer.addresses import endpoint
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.judgement.clocks import HostClocks
from analyzer.sightings.watch import Sightings
from analyzer.tls.messages import ClientHello

K = TypeVar("K")
V = TypeVar("V")

MAX_ENTRIES = 16_384
"""Entries of servers, and of clients, that are remembered; their chains stay in memory."""
AS_CLIENT = 0
"""The port of a host that presented something as a client."""


@dataclass(slots=True)
class Presence:
    """Something that one address presented, again and again.

    Attributes:
        ip, port: who; port AS_CLIENT for a client.
        name: the server name asked for, in lower case, or the only name that DNS gave the client for this address; None
            if unknown or of a client. named: the client said it itself.
        chain: None if none was seen (resumed, TLS 1.3).
        version: the version chosen, as its code; None for a client.
        offered: the highest version that a client offered and got this instead; 0 if unknown.
        first_ns, last_ns: when the first and the last such connection began. count: how many there were.
        frames: of the first one's certificate, or hello. stream: its number.
        healthy: one of them was established.
    """

    ip: str
    port: int
    name: str | None
    named: bool
    chain: Chain | None
    version: int | None
    offered: int
    first_ns: int
    last_ns: int
    frames: tuple[int, ...]
    stream: int
    healthy: bool
    count: int = 1

    @property
    def side(self) -> Side:
        """In which TLS role."""
        return Side.SERVER if self.port else Side.CLIENT

    @property
    def place(self) -> str:
        """ "192.0.2.1:5061", or the address alone of a client."""
        if not self.port:
            return f"{self.ip} as client"
        return endpoint(self.ip, self.port)


class CaptureView:
    """All connections of one capture, as far as their peers' identity goes.

    Attributes:
        sightings: what was seen beside TLS. clocks: what hellos say of the time.
        connections: how many with a ServerHello were learned.
        forgot: some entries had to be forgotten.
    """

    def __init__(self, sightings: Sightings | None = None) -> None:
        self.sightings = sightings or Sightings()
        self.clocks = HostClocks()
        self.connections = 0
        self.forgot = False
        self._servers: dict[tuple[int, str, int, str | None, int | None], Presence] = {}
        self._clients: dict[tuple[int, str], Presence] = {}

    def servers(self) -> Iterator[Presence]:
        """What servers presented, the oldest first."""
        return iter(self._servers.values())

    def clients(self) -> Iterator[Presence]:
        """Certificates that clients presented, the oldest first."""
        return iter(self._clients.values())

    def everybody(self) -> Iterator[Presence]:
        """Both."""
        yield from self._servers.values()
        yield from self._clients.values()

    def learn(self, conn: Connection) -> None:
        """One more connection."""
        hello, choice, heard = conn.client_hello, conn.server_hello, self.clocks.heard
        if hello is not None and conn.client_ip not in heard:
            self.clocks.hear(conn.client_ip, hello.random, conn, Side.CLIENT)
        if choice is None:
            return
        self.connections += 1
        ip, sent, presented = conn.server_ip, conn.server_chain, conn.client_chain
        if ip not in heard:
            self.clocks.hear(ip, choice.random, conn, Side.SERVER)
        chain = id(sent.chain) if sent is not None else 0
        key = (chain, ip, conn.server_port, conn.server_name, conn.version_code)
        known = self._servers.get(key)
        if known is None:
            self._put(self._servers, key, self._of_server(conn))
        else:
            known.last_ns = conn.ts_ns
            known.count += 1
        if presented is not None:
            own = (id(presented.chain), conn.client_ip)
            known = self._clients.get(own)
            if known is None:
                self._put(self._clients, own, _of_client(conn, presented))
            else:
                known.last_ns = conn.ts_ns
                known.count += 1

    def _of_server(self, conn: Connection) -> Presence:
        sent, name = conn.server_chain, conn.server_name
        if not name:
            told = self.sightings.names_for(conn.client_ip, conn.server_ip, conn.ts_ns)
            name = told[0] if len(told) == 1 else None
        return Presence(
            ip=conn.server_ip,
            port=conn.server_port,
            name=name.lower().rstrip(".") if name else None,
            named=bool(conn.server_name),
            chain=sent.chain if sent is not None else None,
            version=conn.version_code,
            offered=highest(conn.client_hello),
            first_ns=conn.ts_ns,
            last_ns=conn.ts_ns,
            frames=sent.frames if sent is not None else conn.frames_of("ServerHello"),
            stream=conn.stream,
            healthy=conn.established,
        )

    def _put(self, table: dict[K, V], key: K, value: V) -> None:
        if len(table) >= MAX_ENTRIES:
            del table[next(iter(table))]
            self.forgot = True
        table[key] = value


def highest(hello: ClientHello | None) -> int:
    """The highest version of TLS that a client offers, as its code; 0 if its hello was not seen."""
    if hello is None:
        return 0
    known = [version for version in hello.supported_versions or () if version >> 8 == 3 and version & 0xFF < 0x10]
    return max(known, default=hello.legacy_version)


def _of_client(conn: Connection, sent: SentChain) -> Presence:
    return Presence(
        ip=conn.client_ip,
        port=AS_CLIENT,
        name=None,
        named=False,
        chain=sent.chain,
        version=None,
        offered=0,
        first_ns=conn.ts_ns,
        last_ns=conn.ts_ns,
        frames=sent.frames,
        stream=conn.stream,
        healthy=conn.established,
    )
