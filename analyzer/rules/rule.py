"""`Rule`: the metadata of one rule, and how to write one.

A rule is a module `rules/<family>/<id_with_underscores>.py` with a docstring of four headings (What it does, Why it
matters, What to do, When it cannot tell), `RULE = Rule(...)`, and

    def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]

It reads the record and yields: findings, or one CannotTell if the capture does not show a fact that the verdict needs,
or nothing. It never parses, never changes the record, and never imports another rule. A rule that looks at every healthy
connection should have a function `quiet` as well: see judgement/kind.py.

A rule with `whole=True` asks about a whole capture. It runs once, at the end, and its function is

    def check(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.connection import Connection, Seen
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.refusal import Judgement
from analyzer.judgement.stores import NO_TRUST, Trust

if TYPE_CHECKING:
    from analyzer.topology.model import Topology
from analyzer.sightings.watch import Sightings


class HistoryView(Protocol):
    """What earlier connections of this run showed; bounded, so absence proves nothing. See rules/history.py."""

    def known_root(self, name: Name) -> str | None:
        """How this name is known to be a root: "a CA list on the wire", "a self-issued certificate in frame 12", a trust
        store's name; None if nothing shows it."""

    def intermediates(self, subject: Name) -> tuple[Certificate, ...]:
        """CA certificates with this subject that somebody sent earlier in the run."""

    def shown_root(self, name: Name) -> str | None:
        """As `known_root`, but a CA list on the wire does not count: a server may list what is no root."""

    def learned(self) -> int:
        """A number that stands for what `intermediates` and `shown_root` know: another one in each run, and after each new
        CA certificate or root."""

    def sender_of(self, sha256: str) -> str | None:
        """Who sent this certificate earlier: "192.0.2.1:5061 in connection 3"; None if nobody did."""

    def served_names(self, server_ip: str, server_port: int) -> tuple[str, ...]:
        """SNI values with which this server completed handshakes earlier in the run."""

    def served_chain(self, server_ip: str, server_port: int) -> Chain | None:
        """A chain that this server sent earlier in the run; None if none was seen, or all were seen elsewhere first."""

    def answers_from(self, ip: str) -> bool:
        """Any packet of this host was seen in the capture before the end of this connection."""

    def both_directions(self) -> bool:
        """Some connection of the capture so far showed packets of both sides: answers would be seen."""

    def dhe_worked(self, client_ip: str, server_ip: str, server_port: int) -> int:
        """Number of established connections of this client to this server with a TLS_DHE suite earlier in the run."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may know besides the connection.

    Attributes:
        history: see HistoryView.
        now_ns: `--at`, or None: then the time of the capture counts.
        today_ns: the time of the run, for "today it is expired as well" only.
        mtls_ports: ports on which both sides are expected to present certificates (knowledge: lync_roles).
        sip_ports: ports on which SIP is spoken (5061 and its neighbours).
        trust: the trust stores that the user gave.
        topology: what the user says about the deployment; None if nothing. Never a guess.
        sightings: what was seen beside TLS so far (DNS, fetches of CRLs, stated clocks); perhaps also later things.
    """

    history: HistoryView
    now_ns: int | None = None
    today_ns: int | None = None
    mtls_ports: frozenset[int] = frozenset()
    sip_ports: frozenset[int] = frozenset()
    trust: Trust = NO_TRUST
    topology: Topology | None = None
    sightings: Sightings = field(default_factory=Sightings)

    def judged_at(self, conn: Connection) -> int:
        """The moment at which validity is judged: `--at`, else the connection's last packet."""
        return self.now_ns if self.now_ns is not None else conn.end_ns


Check = Callable[[Connection, Context], Iterator[Finding | CannotTell]]
Survey = Callable[[CaptureView, Context], Iterator[Finding | CannotTell]]
"""The check of a rule about whole captures."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Metadata of one rule.

    Attributes:
        id: as in the catalogue; equals the file name.
        title: what is wrong, in at most 70 characters, lower case, no full stop.
        severity: the default; a finding may carry another where the page says so.
        confidence: the default.
        depth: see findings.Depth; the default.
        needs: facts that must be seen. One that is not there makes the verdict NOT_APPLICABLE, or CANNOT_TELL if it may
            exist but is hidden. `check` is called only when all are there: keep it tight, it is also what makes us fast.
            Bits joined with `|` are alternatives: one of them is enough.
        citations: RFC sections and vendor pages, at least one.
        since: version that brought the rule.
        whole: it asks about a whole capture, not about a connection; then `needs` is empty.
    """

    id: str
    title: str
    severity: Severity
    confidence: Confidence
    citations: tuple[str, ...]
    needs: tuple[Seen, ...] = ()
    depth: Depth = Depth.STEP
    since: str = "0.1.0"
    whole: bool = False

    def finding(
        self,
        conn: Connection,
        summary: str,
        *,
        advice: str = "",
        frames: tuple[int, ...] = (),
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        depth: Depth | None = None,
        filter: str | None = None,  # noqa: A002  (the record's word)
    ) -> Finding:
        """A finding of this rule; what is not given is the rule's default. `frames` may come unsorted or repeated."""
        seen = tuple(sorted(set(frames))) if len(frames) > 1 else frames
        return Finding(
            self.id,
            severity or self.severity,
            confidence or self.confidence,
            summary,
            advice,
            seen,
            conn.display_filter(seen) if filter is None else filter,
            self.citations,
            self.depth if depth is None else depth,
        )

    def across(
        self,
        summary: str,
        *,
        advice: str = "",
        frames: tuple[int, ...] = (),
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        filter: str = "",  # noqa: A002  (the record's word)
    ) -> Finding:
        """A finding about a whole capture. `filter`: by addresses or names, since streams and frames are many."""
        return Finding(
            self.id,
            severity or self.severity,
            confidence or self.confidence,
            summary,
            advice,
            tuple(sorted(set(frames))),
            filter,
            self.citations,
            self.depth,
        )

    def judged(self, conn: Connection, said: Judgement) -> Finding:
        """A finding of this rule about a defect: `Weight.judgement` adds what it caused, see judgement/refusal.py."""
        return self.finding(
            conn,
            said.summary,
            advice=said.advice,
            frames=said.frames,
            severity=said.weight.severity,
            confidence=said.confidence,
            depth=said.weight.depth,
        )
