"""Which certificates a topology needs: what Microsoft's planning tool printed."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.dataclass import dataclass
from analyzer.errors import UsageError
from analyzer.knowledge.deployment import RoleCertificate, certificates_of, roles
from analyzer.topology.demands import demand
from analyzer.topology.model import Pool, Topology, role_title

MAX_COMMON_NAME = 64
"""Characters; RFC 5280 appendix A.1, ub-common-name."""


@dataclass(frozen=True, slots=True)
class PlannedCertificate:
    """One certificate to request.

    Attributes:
        role: e.g. "front end". usage: e.g. "default", or several with "+".
        servers: FQDNs of the servers that it is for; of the pool if the topology names no member.
        issuer: "internal", "public", or "internal or public".
        common_name: of the subject; it is the first name of the SAN too.
        names: the SAN: FQDNs first, then wildcards; none twice.
        eku: extended key uses. exportable: its private key has to be on several servers.
        note: what to mind; "" if nothing.
        sources: where that is said.
    """

    role: str
    usage: str
    servers: tuple[str, ...]
    issuer: str
    common_name: str
    names: tuple[str, ...]
    eku: tuple[str, ...]
    exportable: bool
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The certificates in the order of the topology's pools, and what could not be planned, one line each."""

    certificates: tuple[PlannedCertificate, ...]
    remarks: tuple[str, ...]


def plan(topology: Topology) -> Plan:
    """All certificates that this topology needs. Raise UsageError for a name that no certificate can have as common name."""
    certificates: list[PlannedCertificate] = []
    remarks: list[str] = []
    for pool in topology.pools:
        rows = certificates_of(pool.role, topology.product)
        remark = roles()[pool.role].remark
        if remark:
            remarks.append(f"{role_title(pool.role)} {pool.fqdn}: {remark}")
        elif rows and not pool.members:
            remarks.append(
                f"{role_title(pool.role)} {pool.fqdn}: no [[host]] is in this pool, so no server's name is planned"
            )
        for together in _bundles(rows, pool):
            for servers in _bearers(together, pool):
                made = _certificate(topology, together, pool, servers)
                if made.names:
                    certificates.append(made)
                else:
                    remarks.append(f"{made.role} {pool.fqdn}: no name is known for its certificate ({made.usage})")
    for made in certificates:
        if len(made.common_name) > MAX_COMMON_NAME:
            raise UsageError(
                f"{topology.file}: {made.common_name} has {len(made.common_name)} characters; a common name has at most "
                f"{MAX_COMMON_NAME} (RFC 5280)"
            )
    made_up = next((name for made in certificates for name in made.names if name.endswith(".invalid")), "")
    if made_up:
        remarks.append(
            f"{made_up} is a made-up name (RFC 2606), as in a guessed topology: put the right one there first"
        )
    return Plan(tuple(certificates), tuple(remarks))


def _bundles(rows: tuple[RoleCertificate, ...], pool: Pool) -> list[tuple[RoleCertificate, ...]]:
    """Rows that one certificate serves: each alone, or with `one_certificate` all of one side."""
    if not pool.one_certificate:
        return [(row,) for row in rows]
    sides = dict.fromkeys((row.side, row.per) for row in rows)
    return [tuple(row for row in rows if (row.side, row.per) == side) for side in sides]


def _bearers(together: tuple[RoleCertificate, ...], pool: Pool) -> Iterator[tuple[str, ...]]:
    """The servers that share one certificate, for each certificate."""
    if together[0].per == "pool" or pool.shared_certificate or not pool.members:
        yield pool.members
    else:
        yield from ((member,) for member in pool.members)


def _certificate(
    topology: Topology, together: tuple[RoleCertificate, ...], pool: Pool, servers: tuple[str, ...]
) -> PlannedCertificate:
    demands = [demand(topology, row, pool, servers) for row in together]
    names = dict.fromkeys(name for one in demands for name in one.planned)
    ordered = tuple(sorted(names, key=lambda name: name.startswith("*.")))
    return PlannedCertificate(
        role=role_title(pool.role),
        usage=" + ".join(row.title for row in together),
        servers=servers or (pool.fqdn,),
        issuer=together[0].issuer,
        common_name=ordered[0] if ordered else "",
        names=ordered,
        eku=tuple(dict.fromkeys(use for row in together for use in row.eku)),
        exportable=len(servers) > 1,
        note="; ".join(_notes(together, pool)),
        sources=tuple(dict.fromkeys(row.source for row in together)),
    )


def _notes(together: tuple[RoleCertificate, ...], pool: Pool) -> list[str]:
    notes = list(dict.fromkeys(row.note for row in together if row.note))
    if pool.hardware_load_balancer and any(row.usage.startswith("web") for row in together):
        notes.append("if the load balancer ends TLS itself, it needs a certificate with these names too")
    return notes
