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
from analyzer.judgement.chains import names_of, roots_in
from analyzer.judgement.memory import per_object
from analyzer.tls.messages import Handshake


class Seen(Protocol):
    """What the rest of the run showed: the part of the history that is asked here."""

    def shown_root(self, name: Name) -> str | None:
        """How this name is known to be a root, CA lists apart; None if nothing shows it."""

    def intermediates_named(self, ca_list: CaList) -> tuple[Certificate, ...]:
        """CA certificates that somebody sent, not self-issued, whose subject is on the list."""


def listed_intermediates(conn: Connection, seen: Seen) -> tuple[Certificate, ...]:
    """CA certificates, one for each name of the server's list that is not a root's as far as the capture shows."""
    request = conn.certificate_request
    if request is None or not request.ca_list.names:
        return ()
    found = seen.intermediates_named(request.ca_list)
    for sent in conn.chains():
        found += _sent_and_named(sent.chain, request.ca_list)
    if not found:
        return ()  # nearly every connection
    each = {certificate.subject: certificate for certificate in reversed(found)}
    own_roots = {root.subject for sent in conn.chains() for root in roots_in(sent.chain)}
    return tuple(
        each[name]
        for name in dict.fromkeys(request.ca_list.names)
        if name in each and name not in own_roots and seen.shown_root(name) is None
    )


def names_a_root(conn: Connection, seen: Seen) -> bool:
    """Does the capture show of any name on the server's list that it is a root's?"""
    request = conn.certificate_request
    if request is None:
        return False
    own_roots = {root.subject for sent in conn.chains() for root in roots_in(sent.chain)}
    return any(name in own_roots or seen.shown_root(name) is not None for name in request.ca_list.names)


@per_object
def _sent_and_named(chain: Chain, ca_list: CaList) -> tuple[Certificate, ...]:
    """Intermediates of this chain whose subject the list names."""
    names = names_of(ca_list)
    return tuple(c for c in chain.certificates if c.is_ca and not c.self_issued and c.subject in names)


WINDOWS_ROOTS = "Microsoft Root "
"""How the names of Microsoft's own roots begin ("Microsoft Root Certificate Authority 2011", "Microsoft Root Authority"):
every Windows has them among its trusted roots (KB 293781), so a list made from that store names them."""


@per_object
def names_windows_roots(ca_list: CaList) -> bool:
    """Does the list look like the whole store of trusted roots of a Windows machine?"""
    return any((name.common_name or "").startswith(WINDOWS_ROOTS) for name in ca_list.names)


def packs_messages(conn: Connection) -> bool | None:
    """Does the server put several handshake messages into one record, as Windows does and OpenSSL does not? None if it
    cannot be seen. A hint, no proof: others do so too."""
    ends = list(_spans(conn))
    if len(ends) < 2:
        return None
    return any(end == start for (_, end), (start, _) in pairwise(ends))


def _spans(conn: Connection) -> Iterator[tuple[int, int]]:
    for step in conn.steps:
        if step.side is Side.SERVER and isinstance(step.event, Handshake):
            yield step.event.span.start, step.event.span.end
