"""Names of a CA list that are known not to be roots: somebody sent a certificate with this subject and another issuer.

Windows takes the list from its store of trusted roots, where an intermediate has no business. Other servers list what
they were told to, and RFC 5246 section 7.4.4 allows the names of intermediates.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.connection import CaList, Connection, Side
from analyzer.dataclass import dataclass
from analyzer.judgement.chains import roots_in
from analyzer.judgement.memory import CAPACITY, per_object
from analyzer.tls.messages import Handshake


class KnownNames(Protocol):
    """What the rest of the run showed: the part of the history that is asked here."""

    def learned(self) -> int:
        """A number that stands for what is known: another one in each run, and after each new CA certificate or root."""

    def shown_root(self, name: Name) -> str | None:
        """How this name is known to be a root, CA lists apart; None if nothing shows it."""

    def intermediates(self, subject: Name) -> tuple[Certificate, ...]:
        """CA certificates with this subject that somebody sent and that are not self-issued."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What is known of the names of a CA list.

    Attributes:
        intermediates: CA certificates, one for each name that is not a root's as far as the capture shows, in its order.
        root: a name on it is known to be a root's.
    """

    intermediates: tuple[Certificate, ...] = ()
    root: bool = False


NOTHING_LISTED = Listed()
_answers: dict[tuple[int, int, int, int], tuple[tuple[object, ...], Listed]] = {}
"""By what is known and the identity of list and chains, which are kept as well; thousands of connections share them."""


def listed(conn: Connection, known: KnownNames) -> Listed:
    """What this connection and the rest of the run show of the names on the server's list."""
    request = conn.certificate_request
    if request is None:
        return NOTHING_LISTED
    ca_list, server, client = request.ca_list, conn.server_chain, conn.client_chain
    chains = (server.chain if server is not None else None, client.chain if client is not None else None)
    key = (known.learned(), id(ca_list), id(chains[0]), id(chains[1]))
    remembered = _answers.get(key)
    if remembered is not None:
        return remembered[1]
    answer = _look_up(ca_list, [chain for chain in chains if chain is not None], known)
    if len(_answers) >= CAPACITY:
        del _answers[next(iter(_answers))]
    _answers[key] = ((ca_list, *chains), answer)
    return answer


def _look_up(ca_list: CaList, chains: list[Chain], known: KnownNames) -> Listed:
    roots = {root.subject for chain in chains for root in roots_in(chain)}
    sent = {c.subject: c for chain in chains for c in chain.certificates if c.is_ca and not c.self_issued}
    found, root = [], False
    for name in dict.fromkeys(ca_list.names):
        if name in roots or known.shown_root(name) is not None:
            root = True
        elif name in sent:
            found.append(sent[name])
        else:
            found += known.intermediates(name)[:1]
    return Listed(tuple(found), root)


WINDOWS_ROOTS = "Microsoft Root "
"""How the names of Microsoft's own roots begin ("Microsoft Root Certificate Authority 2011", "Microsoft Root Authority"):
every Windows has them among its trusted roots (KB 293781), so a list made from that store names them."""


@per_object
def names_windows_roots(ca_list: CaList) -> bool:
    """Does the list look like the whole store of trusted roots of a Windows machine?"""
    return any((name.common_name or "").startswith(WINDOWS_ROOTS) for name in ca_list.names)


def packs_messages(conn: Connection) -> bool | None:
    """Does the server put several handshake messages into one record, as Windows does and OpenSSL does not? None if it
    cannot be known. A hint, no proof: others do so too."""
    ends = list(_spans(conn))
    if len(ends) < 2:
        return None
    return any(end == start for (_, end), (start, _) in pairwise(ends))


def _spans(conn: Connection) -> Iterator[tuple[int, int]]:
    for step in conn.steps:
        if step.side is Side.SERVER and isinstance(step.event, Handshake):
            yield step.event.span.start, step.event.span.end
