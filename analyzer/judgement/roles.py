"""What the certificate that a side showed has to contain by its role: asked by the rules that know the topology."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.hostnames import coverage
from analyzer.connection import Connection, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell
from analyzer.judgement.chains import as_meant
from analyzer.judgement.expected import covers_one
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import where

if TYPE_CHECKING:
    from analyzer.topology.model import Demand, Topology


class RoleSources(Protocol):
    """The part of `rules.rule.Context` that is asked here."""

    @property
    def topology(self) -> Topology | None:
        """What the user says about the deployment; None if nothing."""

    @property
    def mtls_ports(self) -> frozenset[int]:
        """Ports where servers talk to servers."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate that somebody showed at a place of the topology, and what it has to contain there."""

    sent: SentChain
    leaf: Certificate
    demand: Demand

    def where(self, conn: Connection) -> str:
        """ "edge external sip.contoso.example (192.0.2.21:5061)"."""
        return f"{self.demand.label} ({where(conn, self.sent.side)})"


def demand_of(conn: Connection, side: Side, sources: RoleSources) -> Demand | None:
    """What the certificate of this side has to contain; None if the topology or the table of roles does not say.

    A client's certificate is its server's only where servers talk to servers: elsewhere it can be a user's. Behind plain text
    such as CONNECT the address is that of a proxy, and the certificate is not.
    """
    topology = sources.topology
    if topology is None or conn.preamble is not None:
        return None
    if side is Side.SERVER:
        place = topology.place(conn.server_ip, conn.server_port)
        return place.demand(conn.server_port) if place else None
    place = topology.place_of_client(conn.client_ip) if conn.server_port in sources.mtls_ports else None
    return place.demand_as_client() if place else None


def shown(conn: Connection, sources: RoleSources) -> Iterator[Shown | CannotTell]:
    """The certificates of this connection whose content the topology determines, the server's first."""
    if sources.topology is None:
        yield CannotTell("no topology is given (--topology)")
        return
    known = False
    for sent in conn.chains():
        demand = demand_of(conn, sent.side, sources)
        if demand is None or (sent.side is Side.CLIENT and of_a_user(sent.chain)):
            continue
        known = True
        leaf = as_meant(sent.chain).leaf
        if not leaf.readable:
            yield CannotTell(f"the {sent.side}'s certificate cannot be read, so its names are unknown")
        elif sent.side is Side.SERVER and _another_site(conn.server_name, leaf, demand):
            yield CannotTell(
                f"the client asked for {conn.server_name}, which the topology does not know at this address"
            )
        else:
            yield Shown(sent, leaf, demand)
    if not known:
        yield CannotTell("the topology does not say what a certificate at these addresses and ports has to contain")


def _another_site(asked: str | None, leaf: Certificate, demand: Demand) -> bool:
    """Did the client ask for something else that is served at the same address, and get the certificate of that?"""
    return bool(asked and leaf.covers(asked)) and coverage(asked or "", demand.names, (), None) is None


@lru_cache(maxsize=CAPACITY)
def missing(chain: Chain, demand: Demand) -> tuple[tuple[str, ...], ...]:
    """Groups of names of which the leaf covers none. Where the common name decides, it alone counts."""
    leaf = as_meant(chain).leaf
    if demand.row.decisive == "cn":
        common_name = (leaf.subject.common_name or "").lower().removesuffix(".")
        return tuple(group for group in demand.required if common_name not in group)
    return tuple(group for group in demand.required if not any(map(leaf.covers, group)))


@lru_cache(maxsize=CAPACITY)
def missing_sip(chain: Chain, demand: Demand) -> tuple[str, ...]:
    """sip.<SIP domain> names that the leaf does not cover."""
    leaf = as_meant(chain).leaf
    return tuple(name for name in demand.sip if leaf.covers(name) is None)


@lru_cache(maxsize=CAPACITY)
def stranger(chain: Chain, demand: Demand) -> bool:
    """Is this the certificate of somebody else? It covers nothing that somebody can mean who comes to this place."""
    return not covers_one(chain, demand.names)


@lru_cache(maxsize=CAPACITY)
def of_a_user(chain: Chain) -> bool:
    """Is it a user's or a device's? It names no host: the roles of servers do not concern it."""
    leaf = as_meant(chain).leaf
    return not any("." in name and "@" not in name and " " not in name for name in leaf.names)
