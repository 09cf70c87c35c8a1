"""`Trust`: which trust stores judge whose chains. Light, since every run asks it; see trust.py for the verdict."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass

if TYPE_CHECKING:
    from analyzer.certificates.stores.store import Store
    from analyzer.topology.model import Topology


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust stores that the user gave, by the host that judges with them.

    Attributes:
        client: stores of the client's host: it judges the server's chains.
        server: stores of the server's host: it judges the clients' chains.
        topology: names the files of single hosts, which judge with these instead; None if there are no such files.
        of_hosts: what was read from these files.
    """

    client: tuple[Store, ...] = ()
    server: tuple[Store, ...] = ()
    topology: Topology | None = None
    of_hosts: Mapping[tuple[str, ...], tuple[Store, ...]] = field(default_factory=dict)

    def of(self, judge: Side) -> tuple[Store, ...]:
        """The stores with which this side judges the other; () if none was given."""
        return self.client if judge is Side.CLIENT else self.server

    def judging(self, conn: Connection, side: Side) -> tuple[Store, ...]:
        """The stores of the host that judges this side's chain on this connection; () if none was given."""
        judge = side.peer
        if self.topology is not None and self.of_hosts:
            client = judge is Side.CLIENT
            ip, port = (conn.client_ip, conn.client_port) if client else (conn.server_ip, conn.server_port)
            own = self.of_hosts.get(self.topology.trust(ip, port))
            if own:
                return own
        return self.of(judge)

    @property
    def given(self) -> bool:
        """Is there any store?"""
        return bool(self.client or self.server or self.of_hosts)

    @property
    def stores(self) -> tuple[Store, ...]:
        """Every store, whoever judges with it."""
        return (*self.client, *self.server, *itertools.chain(*self.of_hosts.values()))


NO_TRUST = Trust()
"""No store was given."""
