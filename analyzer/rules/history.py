"""What earlier connections of this run showed, for the rules that ask; and what later ones changed about earlier verdicts.

`History` learns each connection after it was judged. Every table is bounded and forgets what was used longest ago, so
that something is not known proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.certificates.stores.public import PUBLIC_ROOTS
from analyzer.connection import CertificateRequest, Connection, SentChain, Side
from analyzer.judgement.chains import as_meant, roots_in
from analyzer.judgement.phrases import dn
from analyzer.rules.bounded import Bounded
from analyzer.rules.successes import Successes
from analyzer.summary import Amendment

if TYPE_CHECKING:
    from analyzer.certificates.stores.store import Store

MAX_OBJECTS = 4096
"""Chains and CA lists that are remembered as learned."""
MAX_NAMES = 65_536
"""Roots, servers and hosts remembered."""
MAX_CERTIFICATES = 8192
"""Certificates of which the sender is remembered; CA certificates that are kept whole."""
MAX_SAME_NAME = 8
"""CA certificates kept of one subject: generations and cross-certificates."""
MAX_SERVED = 32
"""Names remembered of one server."""
MAX_PENDING = 4096
"""Verdicts that later knowledge may withdraw."""

FINITE_FIELD = "TLS_DHE_"
"""How names of suites with Diffie-Hellman over a finite field begin."""

WITHDRAWABLE = {"server-chain-incomplete": Side.SERVER, "client-chain-incomplete": Side.CLIENT}


_STATES = count()


class StoredRoots:
    """Names of roots in trust stores, looked up where they are: a store may have thousands, and few are asked for."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores
        self._answers: Bounded[Name, str | None] = Bounded(MAX_OBJECTS)

    def get(self, name: Name) -> str | None:
        """ "the trust store roots.pem", or the list of public roots; None if no store has a root of this name."""
        try:
            return self._answers[name]
        except KeyError:
            found = self._answers[name] = self._look_up(name)
            return found

    def _look_up(self, name: Name) -> str | None:
        for store in self._stores:
            if any(found.self_issued for found in store.find(name)):
                return store.name if store is PUBLIC_ROOTS else f"the trust store {store.name}"
        return None


class History:
    """Implements `rules.rule.HistoryView`, which says what each answer means.

    `stores` are trust stores whose roots are known from the start.

    Attributes:
        beside: connections that worked, to be compared with those that fail.
    """

    def __init__(self, stores: Sequence[Store] = ()) -> None:
        self.beside = Successes()
        self._given = StoredRoots(stores)
        self._roots: Bounded[Name, str] = Bounded(MAX_NAMES)
        self._authorities: Bounded[Name, tuple[Certificate, ...]] = Bounded(MAX_CERTIFICATES)
        self._senders: Bounded[str, str] = Bounded(MAX_CERTIFICATES)
        self._learned: Bounded[int, object] = Bounded(MAX_OBJECTS)
        self._state = next(_STATES)
        self._self_issued: Bounded[Name, str] = Bounded(MAX_NAMES)
        self._dhe: Bounded[tuple[str, str, int], int] = Bounded(MAX_NAMES)
        self._chains: Bounded[tuple[str, int], Chain] = Bounded(MAX_OBJECTS)
        self._served: Bounded[tuple[str, int], dict[str, None]] = Bounded(MAX_NAMES)
        self._hosts: Bounded[str, None] = Bounded(MAX_NAMES)
        self._both_directions = False
        self._pending: Bounded[tuple[str, str], Name] = Bounded(MAX_PENDING)
        self._waiting_for: set[Name] = set()
        self._amendments: list[Amendment] = []

    # ------------------------------------------------------------------------------------------------------- answers

    def known_root(self, name: Name) -> str | None:
        """How this name is known to be a root; None if nothing showed it."""
        return self._roots.get(name) or self._given.get(name)

    def intermediates(self, subject: Name) -> tuple[Certificate, ...]:
        """CA certificates with this subject that somebody sent and that are not self-issued."""
        return self._authorities.get(subject, ())

    def shown_root(self, name: Name) -> str | None:
        """How this name is known to be a root, whatever CA lists say; None if nothing showed it."""
        return self._given.get(name) or self._self_issued.get(name)

    def learned(self) -> int:
        """A number that no other state of names, of this run or another, has had."""
        return self._state

    def sender_of(self, sha256: str) -> str | None:
        """Who sent this certificate first."""
        return self._senders.get(sha256)

    def served_names(self, server_ip: str, server_port: int) -> tuple[str, ...]:
        """SNI values with which this server completed handshakes."""
        return tuple(self._served.get((server_ip, server_port), ()))

    def served_chain(self, server_ip: str, server_port: int) -> Chain | None:
        """The last chain that was new when this server sent it."""
        return self._chains.get((server_ip, server_port))

    def answers_from(self, ip: str) -> bool:
        """Any packet of this host was seen."""
        return ip in self._hosts

    def both_directions(self) -> bool:
        """Some connection showed packets of both sides."""
        return self._both_directions

    def dhe_worked(self, client_ip: str, server_ip: str, server_port: int) -> int:
        """Number of established connections of this pair with a TLS_DHE suite."""
        return self._dhe.get((client_ip, server_ip, server_port), 0)

    def amendments(self) -> tuple[Amendment, ...]:
        """What later connections changed about earlier verdicts, in the order in which it turned out."""
        return tuple(self._amendments)

    # ------------------------------------------------------------------------------------------------------ learning

    def learn_host(self, ip: str) -> None:
        """A packet of this host was seen, on whatever connection or outside of any."""
        if ip not in self._hosts:
            self._hosts[ip] = None

    def learn(self, conn: Connection) -> None:
        """Remember what this connection shows. It was judged before: no connection is evidence about itself."""
        client, server = conn.client.packets > 0, conn.server.packets > 0
        if client:
            self.learn_host(conn.client_ip)
        if server:
            self.learn_host(conn.server_ip)
            self._both_directions = self._both_directions or client
        if conn.established:
            self._learn_success(conn)
        learned = self._learned
        request = conn.certificate_request
        if request is not None and id(request.ca_list) not in learned:
            self._learn_list(conn, request)
        for sent in (conn.server_chain, conn.client_chain):
            if sent is not None and id(sent.chain) not in learned:
                self._learn_chain(conn, sent)
        self.beside.learn(conn)
        if conn.findings:
            self._remember_verdicts(conn)

    def _learn_success(self, conn: Connection) -> None:
        server = (conn.server_ip, conn.server_port)
        if conn.cipher is not None and conn.cipher.startswith(FINITE_FIELD):
            pair = (conn.client_ip, *server)
            self._dhe[pair] = self._dhe.get(pair, 0) + 1
        name = conn.server_name
        if name:
            served = self._served.get(server)
            if served is None:
                self._served[server] = {name: None}
            elif name not in served and len(served) < MAX_SERVED:
                served[name] = None

    def _learn_list(self, conn: Connection, request: CertificateRequest) -> None:
        ca_list = request.ca_list
        self._learned[id(ca_list)] = ca_list
        for name in ca_list.names:
            if name.readable:
                self._learn_root(name, f"a CA list on the wire (frame {conn.frame_label(request.frames[0])})")

    def _learn_chain(self, conn: Connection, sent: SentChain) -> None:
        chain: Chain = sent.chain
        self._learned[id(chain)] = chain
        if sent.side is Side.SERVER:
            self._chains[conn.server_ip, conn.server_port] = chain
        sender = (
            f"{conn.address(sent.side) if sent.side is Side.SERVER else conn.client_ip} in connection {conn.stream}"
        )
        for certificate in chain.certificates:
            if certificate.sha256 not in self._senders:
                self._senders[certificate.sha256] = sender
            if certificate.is_ca and not certificate.self_issued:
                self._learn_authority(certificate)
        for root in roots_in(chain):
            how = f"a self-issued certificate in frame {conn.frame_label(sent.frames[0])}"
            if root.subject not in self._self_issued:
                self._self_issued[root.subject] = how
                self._state = next(_STATES)
            self._learn_root(root.subject, how)

    def _learn_authority(self, certificate: Certificate) -> None:
        known = self._authorities.get(certificate.subject, ())
        if len(known) < MAX_SAME_NAME and all(other.sha256 != certificate.sha256 for other in known):
            self._authorities[certificate.subject] = (*known, certificate)
            self._state = next(_STATES)

    def _learn_root(self, name: Name, how: str) -> None:
        if name not in self._roots:
            self._roots[name] = how
            if name in self._waiting_for:
                self._withdraw(name, how)

    # ---------------------------------------------------------------------------------------------------- amendments

    def _remember_verdicts(self, conn: Connection) -> None:
        """Keep the verdicts that fall if their missing issuer turns out to be a root."""
        for finding in conn.findings:
            side = WITHDRAWABLE.get(finding.rule)
            sent = conn.chain(side) if side else None
            issuer = as_meant(sent.chain).missing_issuer if sent else None
            if issuer is None:
                continue
            if issuer in self._roots:
                reason = f"its issuer {dn(issuer)} is a root: {self._roots[issuer]}"
                self._amend(conn.uid, finding.rule, reason)
            else:
                self._pending[conn.uid, finding.rule] = issuer
                self._waiting_for.add(issuer)

    def _withdraw(self, name: Name, how: str) -> None:
        """This name is a root after all: nothing was missing above the certificates that it issued."""
        self._waiting_for.discard(name)
        for uid, rule in [key for key, issuer in self._pending.items() if issuer == name]:
            del self._pending[uid, rule]
            self._amend(uid, rule, f"its issuer {dn(name)} is a root: {how}")

    def _amend(self, uid: str, rule: str, reason: str) -> None:
        if len(self._amendments) < MAX_PENDING:
            self._amendments.append(Amendment(uid, "withdrawn", rule, reason))


__all__ = ["Bounded", "History"]
