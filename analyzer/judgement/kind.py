"""`Kind`: what thousands of connections have in common, so that a rule says only once that it has nothing to say of them.

A rule file may have, besides `check`,

    def quiet(kind: Kind) -> Period | None

It answers: when does no connection of this kind get a finding from me, whatever else it shows? None = perhaps at any
time. It only saves time: `check` must come to the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from analyzer.certificates.chain import Chain
from analyzer.connection import CaList, CertificateState, Connection, Seen, Side
from analyzer.dataclass import dataclass
from analyzer.judgement.intermediates import KnownNames, Listed, listed
from analyzer.judgement.roles import RoleSources, demand_of

if TYPE_CHECKING:
    from analyzer.topology.model import Demand

Period = tuple[int, int]
"""From and to, both inclusive, in seconds since 1970, of the moment of judgement (`Context.judged_at`)."""
NOTHING_DEMANDED: tuple[None, None] = (None, None)
FOREVER: Period = (-(2**62), 2**62)


@dataclass(frozen=True, slots=True)
class Kind:
    """Facts that repeat. Connections of pseudo-TLS are of no kind.

    Attributes:
        server, client: the chains sent; None if none was seen.
        ca_list: of the CertificateRequest; None if none was seen.
        client_state: `Connection.client_certificate_state`.
        server_name: `Connection.server_name`.
        named: the ClientHello has a server name.
        sslv2: it is in the SSLv2 format.
        seen, version_code: as in `Connection`.
        listed: what is known of the names on the CA list, as long as nothing new is learned of names.
        server_demand, client_demand: what the topology says their certificates have to contain; None if nothing.
    """

    server: Chain | None
    client: Chain | None
    ca_list: CaList | None
    client_state: CertificateState | None
    server_name: str | None
    named: bool
    sslv2: bool
    seen: Seen
    version_code: int | None
    listed: Listed
    server_demand: Demand | None = None
    client_demand: Demand | None = None

    @property
    def troubled(self) -> bool:
        """It failed, or ended in an odd way (Seen.TROUBLED_END)."""
        return bool(self.seen & Seen.TROUBLED_END)

    def chains(self) -> list[Chain]:
        """The chains seen, the server's first."""
        return [chain for chain in (self.server, self.client) if chain is not None]

    def demands(self) -> Iterator[tuple[Chain, Demand]]:
        """The chains seen of which the topology says what they have to contain."""
        if self.server is not None and self.server_demand is not None:
            yield self.server, self.server_demand
        if self.client is not None and self.client_demand is not None:
            yield self.client, self.client_demand


class Sources(RoleSources, Protocol):
    """The part of `rules.rule.Context` that is asked here."""

    @property
    def history(self) -> KnownNames:
        """What is known of names."""


Quiet = Callable[[Kind], Period | None]


def demanded(conn: Connection, sources: RoleSources) -> tuple[Demand | None, Demand | None]:
    """The last two attributes of its kind."""
    if sources.topology is None:
        return NOTHING_DEMANDED
    return demand_of(conn, Side.SERVER, sources), demand_of(conn, Side.CLIENT, sources)


def kind_of(conn: Connection, sources: Sources) -> Kind:
    """The kind of this connection."""
    server_demand, client_demand = demanded(conn, sources)
    hello, request = conn.client_hello, conn.certificate_request
    return Kind(
        conn.server_chain.chain if conn.server_chain else None,
        conn.client_chain.chain if conn.client_chain else None,
        request.ca_list if request else None,
        conn.client_certificate_state,
        conn.server_name,
        bool(hello and hello.server_name),
        bool(hello and hello.sslv2),
        conn.seen,
        conn.version_code,
        listed(conn, sources.history),
        server_demand=server_demand,
        client_demand=client_demand,
    )


def quiet_if(settled: bool) -> Period | None:
    """The answer of a rule for which the time does not matter."""
    return FOREVER if settled else None


def common(one: Period, other: Period) -> Period:
    """When both are quiet; it may be empty."""
    return max(one[0], other[0]), min(one[1], other[1])
