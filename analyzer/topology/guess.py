"""A topology to start from, guessed from what captures show: ports that are served, names in certificates.

A guess is for a person to correct. Nothing is ever judged by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from ipaddress import ip_address

from analyzer.certificates.chain import Chain
from analyzer.certificates.hostnames import is_address
from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.knowledge import default_tls_ports, mtls_ports
from analyzer.knowledge.deployment import RoleSign, role_signs
from analyzer.topology.model import EXTERNAL, INTERNAL
from analyzer.topology.tables import HOST_NAME

MAX_HOSTS = 4096
MAX_NAMES = 256
"""Names remembered of one host: an honest certificate has fewer."""
LEAST_WEIGHT = 2
"""Of all signs together; less is chance."""
OTHER = "other"
NOWHERE = "invalid"
"""Domain of made-up names: RFC 2606 section 2."""
SIP_PREFIXES = ("sip.", "sipinternal.", "sipexternal.", "lyncdiscover.", "lyncdiscoverinternal.")
URL_PREFIXES = {"meet": "meet.", "dialin": "dialin.", "admin": "admin."}
WEB_CONFERENCING = ("webcon", "wc.", "conf.")


@dataclass(slots=True)
class Sighting:
    """What was seen of one address.

    Attributes:
        served: ports with TLS that it answered on.
        common_names: of its certificates, the oldest first. names: all names in its certificates, in order.
        client: it showed a certificate as a client.
    """

    ip: str
    served: set[int] = field(default_factory=set)
    common_names: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    client: bool = False


@dataclass(frozen=True, slots=True)
class GuessedHost:
    """One server: `why` says from what, in clauses; `made_up`: the capture does not show its name."""

    fqdn: str
    made_up: bool
    role: str
    side: str
    ip: str
    access: str
    web_conferencing: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuessedPool:
    """Hosts that share a role and a certificate's common name. A pool of one has no name of its own."""

    fqdn: str
    role: str
    hosts: tuple[GuessedHost, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """What the captures let us guess. `left_out`: addresses beyond MAX_HOSTS; `plain`: servers of which nothing speaks for a
    role, and that serve no port where servers talk to servers."""

    sip_domains: tuple[str, ...]
    urls: dict[str, tuple[str, ...]]
    pools: tuple[GuessedPool, ...]
    left_out: int
    plain: int


class Guesser:
    """Takes connections one by one."""

    def __init__(self) -> None:
        self._seen: dict[str, Sighting] = {}
        self._left_out: set[str] = set()

    def see(self, conn: Connection) -> None:
        """Remember who served TLS on which port with which names. What comes behind a proxy's CONNECT tells nothing."""
        if not conn.tls or conn.preamble is not None:
            return
        if conn.server_port in default_tls_ports() and (conn.server_hello or conn.server_chain):
            server = self._sighting(conn.server_ip)
            if server is not None:
                server.served.add(conn.server_port)
                if conn.server_chain:
                    _note(conn.server_chain.chain, server)
        if conn.client_chain and conn.server_port in mtls_ports() and _host_names(conn.client_chain.chain):
            client = self._sighting(conn.client_ip)
            if client is not None:
                client.client = True
                _note(conn.client_chain.chain, client)

    def guess(self) -> Guess:
        """What all of it lets us guess; the same for the same connections."""
        seen = sorted(self._seen.values(), key=lambda one: (ip_address(one.ip).version, int(ip_address(one.ip))))
        roles = {one.ip: _role(one) for one in seen}
        everything = [one for one in seen if roles[one.ip][0] != OTHER or one.client or one.served & mtls_ports()]
        shared = Counter(name for one in everything for name in one.names)
        together: dict[tuple[str, str, str], list[Sighting]] = {}
        for one in everything:
            role, side, _why = roles[one.ip]
            common = next(iter(one.common_names), "") or one.ip
            together.setdefault((role, side, common), []).append(one)
        taken: set[str] = set()
        pools = [_pool(key, members, roles, shared, taken) for key, members in together.items()]
        plain = len(seen) - len(everything)
        return Guess(_sip_domains(shared.elements()), _urls(shared), tuple(pools), len(self._left_out), plain)

    def _sighting(self, ip: str) -> Sighting | None:
        if ip not in self._seen:
            if len(self._seen) >= MAX_HOSTS:
                if len(self._left_out) < MAX_HOSTS:
                    self._left_out.add(ip)
                return None
            self._seen[ip] = Sighting(ip)
        return self._seen[ip]


def _note(chain: Chain, into: Sighting) -> None:
    names = _host_names(chain)
    common = (chain.leaf.subject.common_name or "").lower().removesuffix(".")
    if _is_host(common):
        into.common_names[common] = None
        names = [common, *names]
    for name in names:
        if len(into.names) < MAX_NAMES:
            into.names[name] = None


def _host_names(chain: Chain) -> list[str]:
    """Names with a domain, without wildcards."""
    folded = (name.lower().removesuffix(".") for name in chain.leaf.names)
    return [name for name in folded if _is_host(name)]


def _is_host(name: str) -> bool:
    return bool(HOST_NAME.fullmatch(name)) and not is_address(name)


def _role(seen: Sighting) -> tuple[str, str, tuple[str, ...]]:
    """Role, side, and what speaks for them."""
    scores: dict[tuple[str, str], int] = {}
    why: dict[tuple[str, str], list[str]] = {}
    for sign in role_signs():
        told = _told(sign, seen)
        if told:
            key = (sign.role, sign.side)
            scores[key] = scores.get(key, 0) + sign.weight
            why.setdefault(key, []).append(f"{sign.name} ({told})")
    best = max(scores, key=lambda key: scores[key], default=None)
    if best is None or scores[best] < LEAST_WEIGHT:
        return OTHER, "", _plainly(seen)
    return (*best, tuple(why[best]))


def _told(sign: RoleSign, seen: Sighting) -> str:
    """What shows this sign: a port, a name; "" if nothing does."""
    ports = sorted(sign.served & seen.served)
    names = seen.common_names if sign.where == "cn" else seen.names
    name = next((name for name in names if name.startswith(sign.starts)), "") if sign.starts else ""
    if (sign.served and not ports) or (sign.starts and not name):
        return ""
    return name or f"port {', '.join(map(str, ports))}"


def _plainly(seen: Sighting) -> tuple[str, ...]:
    served = f"serves port {', '.join(map(str, sorted(seen.served)))}" if seen.served else ""
    return tuple(filter(None, (served, "shows a certificate as a client" if seen.client else "")))


def _pool(
    key: tuple[str, str, str],
    members: list[Sighting],
    roles: dict[str, tuple[str, str, tuple[str, ...]]],
    shared: Counter[str],
    taken: set[str],
) -> GuessedPool:
    role, side, common = key
    several = len(members) > 1 and side != EXTERNAL
    fqdn = _free(common if several else "", f"pool-{_word(members[0].ip)}", taken)[0] if several else ""
    hosts = tuple(_host(one, role, side, roles[one.ip][2], shared, taken) for one in members)
    return GuessedPool(fqdn, role, hosts)


def _host(
    seen: Sighting, role: str, side: str, why: tuple[str, ...], shared: Counter[str], taken: set[str]
) -> GuessedHost:
    """Its name is one that no other host has in its certificate. Outside of an edge the server's own name is never seen."""
    own = [
        name
        for name in seen.names
        if shared[name] == 1 and not name.startswith((*SIP_PREFIXES, *URL_PREFIXES.values()))
    ]
    common = next(iter(seen.common_names), "")
    access = next((name for name in seen.common_names if name.startswith(SIP_PREFIXES)), common)
    likely = "" if side == EXTERNAL else common if shared[common] == 1 else next(iter(own), "")
    fqdn, made_up = _free(likely, f"host-{_word(seen.ip)}", taken)
    conferencing = next((name for name in seen.names if name.startswith(WEB_CONFERENCING)), "")
    outside = side == EXTERNAL
    return GuessedHost(
        fqdn, made_up, role, side, seen.ip, access if outside else "", conferencing if outside else "", why
    )


def _free(name: str, instead: str, taken: set[str]) -> tuple[str, bool]:
    """The name, if nobody has it yet, else a made-up one; and whether it is made up."""
    made_up = not name or name in taken
    fqdn = f"{instead}.{NOWHERE}" if made_up else name
    while fqdn in taken:
        fqdn = f"x-{fqdn}"
    taken.add(fqdn)
    return fqdn, made_up


def _word(ip: str) -> str:
    return ip_address(ip).exploded.replace(":", "-").replace(".", "-")


def _sip_domains(names: Iterable[str]) -> tuple[str, ...]:
    """The domains behind sip. and its like, the most frequent first."""
    found: Counter[str] = Counter()
    for name in names:
        prefix = next((prefix for prefix in SIP_PREFIXES if name.startswith(prefix)), "")
        if prefix and _is_host(name[len(prefix) :]):
            found[name[len(prefix) :]] += 1
    return tuple(sorted(found, key=lambda domain: (-found[domain], domain)))


def _urls(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    listed = sorted(names)
    return {key: tuple(n for n in listed if n.startswith(prefix)) for key, prefix in URL_PREFIXES.items()}


__all__ = ["EXTERNAL", "INTERNAL", "Guess", "GuessedHost", "GuessedPool", "Guesser"]
