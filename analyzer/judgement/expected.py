"""Which names the certificate of a server may be for, when the client did not say which one it wants.

A client that sends no server_name still had a name in mind. Who else knows it (the topology, DNS in the same capture) names all
that it can have been: a certificate for one of them is right, and only one for none of them is wrong.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.findings import Confidence, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import some
from analyzer.sightings.watch import Sightings

if TYPE_CHECKING:
    from analyzer.topology.model import Topology


class Sources(Protocol):
    """Who knows names: the part of `rules.rule.Context` that is asked here."""

    @property
    def topology(self) -> Topology | None:
        """What the user says; None if nothing."""

    @property
    def sightings(self) -> Sightings:
        """What was seen beside TLS."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Names that the client can have meant.

    Attributes:
        names: at least one; the likeliest first.
        source: who says so, as the start of a sentence: "the topology calls 10.0.0.11 front end fe1.corp.example",
            "192.0.2.10 had asked DNS for sip.example.com".
        severity: of a certificate for none of them, while the client goes on.
        confidence: how sure it is, at most, that the client meant one of them.
    """

    names: tuple[str, ...]
    source: str
    severity: Severity = Severity.WARNING
    confidence: Confidence = Confidence.MEDIUM


def expected_names(conn: Connection, sources: Sources) -> Expected | None:
    """What this server's certificate is expected to be for; None if the client named the server, or if nobody knows.

    Behind plain text such as CONNECT the address is that of a proxy, and the certificate is not.
    """
    if conn.server_name or conn.client_hello is None or conn.preamble is not None:
        return None
    return from_topology(conn, sources) or from_dns(conn, sources)


def from_topology(conn: Connection, sources: Sources) -> Expected | None:
    """What the topology says of the server's address; None if it does not know it."""
    place = sources.topology.place(conn.server_ip, conn.server_port) if sources.topology else None
    if place is None or not place.names:
        return None
    return Expected(place.names, f"the topology calls {conn.server_ip} {place.label}")


def from_dns(conn: Connection, sources: Sources) -> Expected | None:
    """What the client had asked DNS for before it came to this address; None if the capture does not show that."""
    names = sources.sightings.names_for(conn.client_ip, conn.server_ip, conn.ts_ns)
    if not names:
        return None
    source = f"{conn.client_ip} had asked DNS for {some(names)}, which led it to {conn.server_ip}"
    return Expected(names, source, Severity.NOTE)  # a client that goes on may have come for another reason


@lru_cache(maxsize=CAPACITY)
def covers_one(chain: Chain, names: tuple[str, ...]) -> bool:
    """Does the leaf cover one of these names?"""
    leaf = as_meant(chain).leaf
    return any(leaf.covers(name) is not None for name in names)
