"""Fills the table of roles (knowledge/role_names.toml) with the names of one deployment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from analyzer.knowledge.deployment import NeededName, RoleCertificate, certificates_of, is_from, roles, switches
from analyzer.topology.model import EXTERNAL, INTERNAL, Address, Demand, Host, Place, Pool, Topology, role_title

Values = Mapping[str, tuple[str, ...]]
Group = tuple[str, ...]
VARIABLE = re.compile(r"\{(\w+)\}")
SIP_NAME = "sip.{sip_domain}"


def with_places(topology: Topology, shared: Mapping[str, Mapping[str, tuple[Address, ...]]]) -> Topology:
    """The topology with what each address stands for. `shared`: addresses of whole pools, by the pool's FQDN and side."""
    places: dict[Address, Place] = {}
    for pool in topology.pools:
        for side, addresses in shared.get(pool.fqdn, {}).items():
            if addresses:
                place = _place(topology, pool, None, side)
                places |= dict.fromkeys(addresses, place)
    pools = {pool.fqdn: pool for pool in topology.pools}
    for host in topology.hosts:
        for side, addresses in host.sides().items():
            if addresses:
                place = _place(topology, pools[host.pool], host, side)
                places |= dict.fromkeys(addresses, place)
    return replace(topology, places=places)


def demand(topology: Topology, row: RoleCertificate, pool: Pool, servers: tuple[str, ...]) -> Demand:
    """What this certificate has to contain; `servers`: the members that show it, () for the address of a whole pool."""
    values = _values(topology, pool, servers)
    judged = bool(row.judged_since) and is_from(topology.product, row.judged_since)
    required: dict[Group, None] = {}
    sip: dict[str, None] = {}
    planned: dict[str, None] = {}
    for needed in row.names:
        if not is_from(topology.product, needed.since):
            continue
        switched = pool.switched.get(needed.when) if needed.when else True
        for group in _groups(needed, values):
            if judged and switched and SIP_NAME in needed.any:
                sip |= dict.fromkeys(group)
            elif judged and switched:
                required[group] = None
            if switched or (switched is None and switches()[needed.when].planned):
                planned[_as_planned(group[0], needed, pool)] = None
    return Demand(row, pool, "".join(servers[:1]), tuple(required), tuple(sip), _in_order(planned))


def common_name(names: tuple[str, ...]) -> str:
    """The first name; "" if there is none."""
    return names[0] if names else ""


def _place(topology: Topology, pool: Pool, host: Host | None, side: str) -> Place:
    servers = (host.fqdn,) if host else ()
    rows = [row for row in certificates_of(pool.role, topology.product) if row.side == side]
    own = _unique([*([host.fqdn, *host.names] if host else []), pool.fqdn, *pool.names])
    needed = _all_names(topology, rows, pool, servers)
    names = needed if side == EXTERNAL else _unique([*own, *needed])
    name = common_name(names) if side == EXTERNAL else own[0]
    label = " ".join(filter(None, (role_title(pool.role), side, name)))
    others = _others(topology, pool) if side == INTERNAL else frozenset[str]()
    demands = tuple(
        replace(demand(topology, row, pool, servers), label=label, own=own, names=names, others=others) for row in rows
    )
    return Place(pool, host, side, label, own, names, demands)


def _others(topology: Topology, pool: Pool) -> frozenset[str]:
    """Names that front ends trust: of trusted applications, and of other servers and pools."""
    names = set(topology.trusted_applications)
    for other in topology.pools:
        if other is not pool and roles()[other.role].trusted:
            names |= {other.fqdn, *other.names, *other.members}
    return frozenset(names)


def _all_names(topology: Topology, rows: Iterable[RoleCertificate], pool: Pool, servers: tuple[str, ...]) -> Group:
    """Names that somebody can ask for here, whatever the switches say. Nobody asks for a wildcard."""
    values = _values(topology, pool, servers)
    names = (name for row in rows for needed in row.names for group in _groups(needed, values) for name in group)
    return _unique(name for name in names if not name.startswith("*."))


def _values(topology: Topology, pool: Pool, servers: tuple[str, ...]) -> Values:
    """What each variable of the table stands for."""
    default_access = f"sip.{topology.sip_domains[0]}" if topology.sip_domains else ""
    single = {
        "pool": pool.fqdn,
        "internal_web": pool.internal_web,
        "external_web": pool.external_web,
        "access": pool.access or default_access,
        "web_conferencing": pool.web_conferencing,
        "av": pool.av,
        "owa": pool.owa,
        "dns_domain": pool.fqdn.partition(".")[2],
    }
    several = {
        "server": servers,
        "sip_domain": topology.sip_domains,
        "mail_domain": topology.mail_domains,
        "meet": topology.meet,
        "dialin": topology.dialin,
        "admin": topology.admin,
        "alias": pool.names,
        "published_web": tuple(other.external_web for other in topology.pools if other.external_web),
        "published_owa": tuple(other.owa for other in topology.pools if other.owa),
    }
    return several | {name: (value,) if value else () for name, value in single.items()}


def _groups(needed: NeededName, values: Values) -> list[Group]:
    """Alternatives are one group; a template with several values is a group for each."""
    filled = [_filled(template, values) for template in needed.any]
    if len(filled) == 1:
        return [(name,) for name in filled[0]]
    together = tuple(name for names in filled for name in names)
    return [together] if together else []


def _filled(template: str, values: Values) -> list[str]:
    found = VARIABLE.search(template)
    return [template.replace(found[0], value) for value in values[found[1]]] if found else [template]


def _as_planned(name: str, needed: NeededName, pool: Pool) -> str:
    rest = name.partition(".")[2]
    return f"*.{rest}" if needed.wildcard and pool.wildcards and rest else name


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Wildcards last: some phones stop at the first one."""
    return tuple(sorted(names, key=lambda name: name.startswith("*.")))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


__all__ = ["EXTERNAL", "INTERNAL", "common_name", "demand", "with_places"]
