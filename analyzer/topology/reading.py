"""A topology from TOML. Every mistake is a UsageError of one line: where, what was found, what was expected, the nearest word."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from analyzer.errors import UsageError
from analyzer.knowledge.deployment import products, role_certificates, roles, switches
from analyzer.topology.demands import VARIABLE, with_places
from analyzer.topology.model import Address, Host, Pool, Topology
from analyzer.topology.tables import Source, Table

MAX_FILE = 4 * 2**20
"""Bytes; no deployment needs a hundredth of it."""
SERVICES = ("internal_web", "external_web", "access", "web_conferencing", "av", "owa")
Shared = dict[str, dict[str, tuple[Address, ...]]]


def read_topology(file: str) -> Topology:
    """The topology in this file. Raise UsageError if it cannot be read or has a mistake."""
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"cannot read the topology {file}: {error.strerror or error}") from None
    if len(data) > MAX_FILE:
        raise UsageError(f"{file}: more than {MAX_FILE:,} bytes: that is no topology")
    try:
        text = data.decode("utf-8-sig")  # Windows editors write a byte order mark
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: byte {error.start:,} is no UTF-8; save the file as UTF-8") from None
    return parse_topology(text, file)


def parse_topology(text: str, file: str = "topology") -> Topology:
    """The same from a text; `file` is how messages name it."""
    try:
        table = Table(tomllib.loads(text), Source(file, text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: no TOML: {error}") from None
    urls = table.table("simple_urls")
    topology = Topology(
        file=file,
        product=table.choice("product", products()) or products()[-1],
        sip_domains=table.names("sip_domains"),
        mail_domains=table.names("mail_domains"),
        meet=urls.names("meet", url=True),
        dialin=urls.names("dialin", url=True),
        admin=urls.names("admin", url=True),
        trusted_applications=table.names("trusted_applications"),
    )
    urls.end()
    pools, shared = _pools(table.tables("pool"))
    hosts, lone = _hosts(table.tables("host"), pools, Path(file).parent)
    table.end()
    members: dict[str, list[str]] = {}
    for host in hosts:
        members.setdefault(host.pool, []).append(host.fqdn)
    together = tuple(replace(pool, members=tuple(members.get(pool.fqdn, ()))) for pool in [*pools.values(), *lone])
    return with_places(replace(topology, pools=together, hosts=tuple(hosts)), shared)


def _pools(tables: list[Table]) -> tuple[dict[str, Pool], Shared]:
    pools: dict[str, Pool] = {}
    shared: Shared = {}
    for table in tables:
        fqdn = table.name("fqdn", needed=True)
        if fqdn in pools:
            raise table.mistake("fqdn", fqdn, "a name that no other pool has")
        pools[fqdn] = _pool(table, fqdn, _role(table, needed=True))
        shared[fqdn] = _sides(table, pools[fqdn].role)
        table.end()
    return pools, shared


def _hosts(tables: list[Table], pools: Mapping[str, Pool], folder: Path) -> tuple[list[Host], list[Pool]]:
    """The hosts, and a pool of one for each host that is in none. `folder`: where relative paths start."""
    hosts: dict[str, Host] = {}
    lone: list[Pool] = []
    for table in tables:
        fqdn = table.name("fqdn", needed=True)
        if fqdn in hosts:
            raise table.mistake("fqdn", fqdn, "a name that no other host has")
        role = _role(table, needed=False)
        pool = table.choice("pool", tuple(pools), what="the fqdn of a [[pool]]")
        if pool and role:
            raise table.mistake("role", role, f'no role: it is that of the pool "{pool}"')
        if not pool and not role:
            raise table.mistake("role", None, "a role, or the pool that the host is in")
        if role:
            if fqdn in pools:
                raise table.mistake("fqdn", fqdn, f'pool = "{fqdn}" instead of a role: there is such a pool')
            lone.append(_pool(table, fqdn, role))
        names = () if role else table.names("names")
        sides = _sides(table, role or pools[pool].role)
        hosts[fqdn] = Host(
            fqdn=fqdn,
            pool=pool or fqdn,
            names=names,
            addresses=sides[""],
            internal=sides["internal"],
            external=sides["external"],
            trust=tuple(str(folder / path) for path in table.texts("trust")),
        )
        table.end()
    return list(hosts.values()), lone


def _role(table: Table, needed: bool) -> str:
    return table.choice("role", tuple(roles()), needed=needed)


def _pool(table: Table, fqdn: str, role: str) -> Pool:
    """What is said of a pool, or of a host that is in none."""
    services = {key: table.name(key) for key in SERVICES}
    for key, value in services.items():
        if value and key not in _variables(role):
            others = [other for other in roles() if key in _variables(other)]
            raise table.mistake(key, value, f"no such key for the role {role}: it is for {' and '.join(others)}")
    switched = {key: on for key in switches() if (on := table.flag(key)) is not None}
    for key in switched:
        if not any(role in row.roles and needed.when == key for row in role_certificates() for needed in row.names):
            raise table.mistake(key, switched[key], f"no such key: it changes no certificate of the role {role}")
    return Pool(
        fqdn=fqdn,
        role=role,
        names=table.names("names"),
        internal_web=services["internal_web"],
        external_web=services["external_web"],
        access=services["access"],
        web_conferencing=services["web_conferencing"],
        av=services["av"],
        owa=services["owa"],
        switched=switched,
        hardware_load_balancer=table.flag("hardware_load_balancer") or False,
        shared_certificate=table.flag("shared_certificate") or False,
        one_certificate=table.flag("one_certificate") or False,
        wildcards=table.flag("wildcards") or False,
    )


def _variables(role: str) -> set[str]:
    """The variables in the names that this role's certificates need; an edge's A/V name is there for every product."""
    rows = [row for row in role_certificates() if role in row.roles]
    return {name for row in rows for needed in row.names for text in needed.any for name in VARIABLE.findall(text)}


def _sides(table: Table, role: str) -> dict[str, tuple[Address, ...]]:
    sides = {
        "": table.addresses("addresses"),
        "internal": table.addresses("internal"),
        "external": table.addresses("external"),
    }
    if roles()[role].sides and sides[""]:
        raise table.mistake("addresses", None, f"internal and external instead: the role {role} has two sides")
    for side in ("internal", "external"):
        if sides[side] and not roles()[role].sides:
            raise table.mistake(side, None, f"addresses instead: the role {role} has no two sides")
    return sides


__all__ = ["parse_topology", "read_topology"]
