"""What a deployment of Lync or Skype for Business is made of: products, roles, and the names that each role's certificates
need. The data is in products.toml, pool_switches.toml, deployment_roles.toml, role_names.toml and role_signs.toml.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from analyzer.dataclass import dataclass

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DeploymentRole:
    """A role of a server.

    Attributes:
        name: as in a topology, e.g. "front-end". title: as in a sentence, e.g. "front end".
        sides: it has an internal and an external network side.
        trusted: front ends trust servers of this role as callers.
        remark: what a plan says instead of a certificate; "" if nothing.
        source: where that is said.
    """

    name: str
    title: str
    sides: bool
    trusted: bool
    remark: str
    source: str


@dataclass(frozen=True, slots=True)
class Switch:
    """What a pool can say about itself, with the reason why names depend on it.

    Attributes:
        planned: the names are planned for a pool that does not say.
    """

    name: str
    planned: bool
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class NeededName:
    """One name of a certificate.

    Attributes:
        any: templates such as "sip.{sip_domain}"; a name of one of them will do, the first that has a value is planned.
        when: the switch that it depends on; "" = always needed.
        wildcard: *.<domain> may stand in its place.
        since: the first product that needs it; "" = all.
    """

    any: tuple[str, ...]
    when: str = ""
    wildcard: bool = False
    since: str = ""


@dataclass(frozen=True, slots=True)
class RoleCertificate:
    """One certificate that a role needs; the attributes are described at the top of role_names.toml."""

    name: str
    roles: tuple[str, ...]
    usage: str
    title: str
    issuer: str
    per: str
    side: str
    shown_on: frozenset[int]
    as_client: bool
    decisive: str
    judged_since: str
    eku: tuple[str, ...]
    names: tuple[NeededName, ...]
    note: str
    source: str
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class RoleSign:
    """What lets us guess a role; the attributes are described at the top of role_signs.toml."""

    name: str
    role: str
    side: str
    served: frozenset[int]
    starts: tuple[str, ...]
    where: str
    weight: int
    source: str


@cache
def products() -> tuple[str, ...]:
    """Ids of the products, oldest first."""
    return tuple(row["name"] for row in _rows("products", "product"))


def is_from(product: str, since: str) -> bool:
    """Is the product `since` or a later one? Everything is, if `since` is ""."""
    return not since or products().index(product) >= products().index(since)


@cache
def roles() -> dict[str, DeploymentRole]:
    """Every role by its name."""
    return {row["name"]: DeploymentRole(**row) for row in _rows("deployment_roles", "role")}


@cache
def switches() -> dict[str, Switch]:
    """Every switch by its name."""
    return {row["name"]: Switch(**row) for row in _rows("pool_switches", "switch")}


@cache
def role_certificates() -> tuple[RoleCertificate, ...]:
    """Every row of the table, in its order."""
    return tuple(map(_certificate, _rows("role_names", "certificate")))


def certificates_of(role: str, product: str) -> tuple[RoleCertificate, ...]:
    """The certificates that this role needs in this product; () for a role of which no table says any."""
    return tuple(
        row
        for row in role_certificates()
        if role in row.roles
        and is_from(product, row.since)
        and (not row.until or products().index(product) <= products().index(row.until))
    )


@cache
def role_signs() -> tuple[RoleSign, ...]:
    """Every sign, in the order of the file."""
    return tuple(map(_sign, _rows("role_signs", "sign")))


def _certificate(row: dict[str, Any]) -> RoleCertificate:
    names = tuple(NeededName(**(name | {"any": tuple(name["any"])})) for name in row.pop("names"))
    ports = _ports(row.pop("shown_on"))
    return RoleCertificate(
        **(row | {"roles": tuple(row["roles"]), "eku": tuple(row["eku"])}), names=names, shown_on=ports
    )


def _sign(row: dict[str, Any]) -> RoleSign:
    served, where, starts = _ports(row.pop("served")), row.pop("in"), tuple(row.pop("starts"))
    return RoleSign(**row, served=served, where=where, starts=starts)


def _ports(ranges: list[list[int]]) -> frozenset[int]:
    return frozenset(port for first, last in ranges for port in range(first, last + 1))


def _rows(table: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((_HERE / f"{table}.toml").read_text(encoding="ascii"))[key]
    return rows
