"""A deployment as the user described it, and what an address in a capture stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from analyzer.dataclass import dataclass
from analyzer.knowledge.deployment import RoleCertificate, roles

INTERNAL, EXTERNAL = "internal", "external"
ANY_PORT = 0
Address = tuple[str, int]
"""An IP address as `ipaddress` writes it, and a port; ANY_PORT if the place is there on every port."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Servers of one role that answer to one name. A server alone is a pool of one.

    Attributes:
        fqdn: its name. role: a name of knowledge/deployment_roles.toml.
        members: FQDNs of its servers, in the order of the file.
        names: further names that it answers to (aliases, older names).
        internal_web, external_web: FQDNs of its web services; access, web_conferencing, av: of an edge's external services;
            owa: of Exchange's web access; "" if there is none.
        switched: switches (knowledge/pool_switches.toml) that the file sets.
        hardware_load_balancer: one stands in front of it.
        shared_certificate: plan one certificate for all members instead of one for each.
        one_certificate: plan one certificate for all usages.
        wildcards: plan *.<domain> where the role allows it.
    """

    fqdn: str
    role: str
    members: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    internal_web: str = ""
    external_web: str = ""
    access: str = ""
    web_conferencing: str = ""
    av: str = ""
    owa: str = ""
    switched: Mapping[str, bool] = field(default_factory=dict)
    hardware_load_balancer: bool = False
    shared_certificate: bool = False
    one_certificate: bool = False
    wildcards: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """One server.

    Attributes:
        fqdn: its name. pool: the FQDN of its pool. names: further names.
        addresses: where it is seen. internal, external: the same for a role with two sides. Behind NAT both the own and
            the public address stand there. On each side in the order of the file.
        trust: files or folders with the roots that it trusts; what the file says, from where the topology file lies.
    """

    fqdn: str
    pool: str
    names: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    internal: tuple[Address, ...] = ()
    external: tuple[Address, ...] = ()
    trust: tuple[str, ...] = ()

    def sides(self) -> dict[str, tuple[Address, ...]]:
        """Addresses by side; "" for those that have none."""
        return {"": self.addresses, INTERNAL: self.internal, EXTERNAL: self.external}


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What one certificate of a place has to contain. Compared by identity: rules remember answers by it.

    Attributes:
        row: what the table of roles says.
        pool: whose. server: the server's FQDN; "" for the address of a whole pool.
        required: of each of these groups one name must be there: its absence is blamed.
        sip: sip.<SIP domain> names whose absence is blamed.
        planned: every name that a new certificate should have, the common name first, wildcards last.
        label, own, names: as of the place.
        others: names that front ends trust (other servers, trusted applications), where the certificate must not have them.
    """

    row: RoleCertificate
    pool: Pool
    server: str
    required: tuple[tuple[str, ...], ...]
    sip: tuple[str, ...]
    planned: tuple[str, ...]
    label: str = ""
    own: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()

    @property
    def inside(self) -> bool:
        """Is it for the internal one of two network sides?"""
        return self.row.side == INTERNAL


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """What an address stands for.

    Attributes:
        pool: whose. host: which member; None for the address of the whole pool (a load balancer's).
        side: "internal", "external", or "" for roles without sides.
        label: "edge external sip.contoso.example", for people.
        own: the names of this server and its pool, whatever certificates need.
        names: everything that somebody who connects here can have meant; the likeliest first.
        demands: the certificates that it shows.
    """

    pool: Pool
    host: Host | None
    side: str
    label: str
    own: tuple[str, ...]
    names: tuple[str, ...]
    demands: tuple[Demand, ...] = ()

    @property
    def role(self) -> str:
        """The name of its role, e.g. "edge"."""
        return self.pool.role

    @property
    def position(self) -> str:
        """ "edge external", "front end": two places with different ones must not share a certificate."""
        return f"{role_title(self.role)} {self.side}".strip()

    def demand(self, port: int) -> Demand | None:
        """What the certificate shown on this port has to contain; None if the table says nothing of this port."""
        return next((demand for demand in self.demands if port in demand.row.shown_on), None)

    def demand_as_client(self) -> Demand | None:
        """The same for the certificate shown as a client."""
        return next((demand for demand in self.demands if demand.row.as_client), None)


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole deployment.

    Attributes:
        file: where it was read from; "" if it was not.
        product: a name of knowledge/products.toml.
        sip_domains: the default one first. mail_domains: of Exchange.
        meet, dialin, admin: hosts of the simple URLs.
        trusted_applications: FQDNs of trusted application pools.
        pools, hosts: in the order of the file.
        places: what each address stands for.
    """

    file: str
    product: str
    sip_domains: tuple[str, ...] = ()
    mail_domains: tuple[str, ...] = ()
    meet: tuple[str, ...] = ()
    dialin: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    trusted_applications: tuple[str, ...] = ()
    pools: tuple[Pool, ...] = ()
    hosts: tuple[Host, ...] = ()
    places: Mapping[Address, Place] = field(default_factory=dict)

    def place(self, ip: str, port: int) -> Place | None:
        """What this end of a connection stands for; None if the topology does not know it."""
        return self.places.get((ip, port)) or self.places.get((ip, ANY_PORT))

    def place_of_client(self, ip: str) -> Place | None:
        """The same for a client, whose port says nothing."""
        return self.places.get((ip, ANY_PORT))

    def label(self, ip: str, port: int) -> str:
        """For people: "edge external sip.contoso.example"; "" if the topology does not know it."""
        place = self.place(ip, port)
        return place.label if place else ""

    def trust(self, ip: str, port: int) -> tuple[str, ...]:
        """Files and folders with the roots that this end trusts; () if the topology does not say.

        Meant for trust stores: the host at this end judges its peer's chain with these instead of with --trust.
        """
        place = self.place(ip, port)
        return place.host.trust if place and place.host else ()

    def pool(self, fqdn: str) -> Pool:
        """The pool of this name. Raise KeyError if there is none: a bug of ours."""
        found = next((pool for pool in self.pools if pool.fqdn == fqdn), None)
        if found is None:
            raise KeyError(fqdn)
        return found


def role_title(role: str) -> str:
    """ "front end" for "front-end"."""
    return roles()[role].title
