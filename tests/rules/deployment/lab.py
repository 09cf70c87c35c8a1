"""Connections within the lab of tests/topology/lab.py, for the rules that know a topology."""

from __future__ import annotations

from typing import Any

from analyzer.connection import Connection
from analyzer.rules.rule import Context
from tests.build.connections import DATA, HANDSHAKE, connection, context
from tests.rules.cast import SUB, chain
from tests.topology.lab import lab

FRONT_END, POOL, EDGE_IN, EDGE_OUT, PROXY, UM, PARTNER, STRANGER = (
    "10.0.0.11",
    "10.0.0.10",
    "10.0.1.21",
    "192.0.2.21",
    "192.0.2.30",
    "10.0.0.40",
    "198.51.100.5",
    "203.0.113.99",
)
GOOD = {
    FRONT_END: ("pool.corp.example", "fe1.corp.example", "sip.lab.example", "sip.two.example"),
    POOL: ("pool.corp.example", "sip.lab.example", "sip.two.example"),
    EDGE_IN: ("edge.corp.example",),
    EDGE_OUT: ("sip.lab.example", "webcon.lab.example", "sip.two.example"),
    UM: ("um.corp.example",),
}
"""What the certificate on port 5061 of each address has to contain."""


def names(*san: str, cn: str = "") -> Any:
    """A chain for these names; the first is the common name if none is given."""
    return chain(SUB.issue(cn or (san[0] if san else "nobody"), san=list(san) or None), SUB)


def known(*changes: tuple[str, str]) -> Context:
    """A context with the lab's topology."""
    return context(topology=lab(*changes))


def served(ip: str, sent: Any, *ladder: str, port: int = 5061, **facts: Any) -> Connection:
    """A client from outside gets this chain at this address."""
    where: dict[str, Any] = {"server_ip": ip, "server_port": port, "client_ip": STRANGER}
    usual = where | {"server_name": None}
    return connection(*(ladder or (*HANDSHAKE, *DATA)), **(usual | facts), server_chain=sent)


def called(ip: str, sent: Any, *ladder: str, port: int = 5061, **facts: Any) -> Connection:
    """This address shows the chain as a client, to a server outside."""
    where: dict[str, Any] = {"client_ip": ip, "server_ip": STRANGER, "server_port": port}
    return connection(*(ladder or (*HANDSHAKE, *DATA)), **(where | facts), client_chain=sent)
