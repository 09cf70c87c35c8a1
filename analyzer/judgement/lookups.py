"""Which server a client meant when it did not say so in its hello: the names that it had asked DNS for."""

from __future__ import annotations

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection
from analyzer.judgement.chains import as_meant
from analyzer.sightings.watch import Sightings


def looked_up(conn: Connection, sightings: Sightings) -> tuple[str, ...]:
    """Names for which DNS had given this client this server's address before it connected; () if none is known."""
    return sightings.names_for(conn.client_ip, conn.server_ip, conn.ts_ns)


def covers_one(chain: Chain, names: tuple[str, ...]) -> bool:
    """Does the leaf cover any of these names?"""
    leaf = as_meant(chain).leaf
    return any(leaf.covers(name) is not None for name in names)
