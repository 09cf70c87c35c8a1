"""What a rule says: `Finding` and its parts. Opinions, as data; no rule and no output is known here."""

from __future__ import annotations

from dataclasses import field
from enum import IntEnum, StrEnum

from analyzer import views
from analyzer.dataclass import dataclass


class Severity(StrEnum):
    """How bad: `error` = the connection failed because of it or a MUST is broken; `warning` = works here, fails elsewhere
    or soon; `note` = worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for error, 1 for warning, 2 for note."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


class Confidence(StrEnum):
    """How sure we are that the finding is true and, for an error, that it is the cause."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for high, 1 for medium, 2 for low."""
        return _CONFIDENCE_RANK[self]


_CONFIDENCE_RANK = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.LOW: 2}


class Depth(IntEnum):
    """How near a finding is to the root of a failure. Of two errors the deeper one is named first.

    SYMPTOM: how it ended (reset, close, timeout). ANNOUNCED: what a peer said (an alert). STEP: which step failed
    (client certificate rejected, no common version). ROOT: the defect itself (an intermediate is missing, expired).
    """

    SYMPTOM = 0
    ANNOUNCED = 1
    STEP = 2
    ROOT = 3


@dataclass(slots=True, unsafe_hash=True)
class Finding:
    """One statement about one connection (or one capture), ready for every output. Not frozen, only never changed: a frozen
    one takes three times as long to make.

    Attributes:
        rule: id of the rule, e.g. "client-issuer-not-in-ca-list".
        severity: see Severity.
        confidence: see Confidence.
        summary: one sentence, what is wrong, with names and numbers; could stand alone as the diagnosis.
        advice: what to do, concretely; one or two sentences; "" if nothing needs doing.
        frames: where to see it, ascending; () if no single frame shows it.
        filter: a Wireshark display filter that shows it.
        references: RFC sections and vendor pages.
        depth: see Depth; orders findings, not printed.
        explained_by: rule of the finding on the same connection of which this one is only a trace (its symptom, or the step
            at which it showed); None if nothing explains it. Set when findings are ranked; no part of what is said.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    summary: str
    advice: str = ""
    frames: tuple[int, ...] = ()
    filter: str = ""
    references: tuple[str, ...] = ()
    depth: Depth = Depth.SYMPTOM
    explained_by: str | None = field(default=None, compare=False)

    @property
    def order(self) -> tuple[int, int, int, str]:
        """Sort key: likeliest cause first."""
        return (self.severity.rank, -self.depth, self.confidence.rank, self.rule)

    def _repr_html_(self) -> str | None:
        """For notebooks: severity, summary, advice and where to see it."""
        return views.html(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which two handshakes differ; see `analyzer.compare`.

    Attributes:
        what: a word that does not change, e.g. "client-certificates": the key of comparison.WHATS, which says what it means.
        subject: the beginning of a sentence, e.g. "the client sent".
        first, second: how it goes on for either handshake, e.g. "3 certificates" and "1 certificate".
    """

    what: str
    subject: str
    first: str
    second: str

    def text(self, first: str = "the working handshake", second: str = "this one") -> str:
        """The sentence, with a name for either handshake."""
        return f"{self.subject} {self.first} in {first}, {self.second} in {second}"


class Relation(StrEnum):
    """What a connection that failed and one that worked have in common."""

    SAME_CLIENT = "same-client"
    SAME_SERVER = "same-server"
    SAME_NAME = "same-name"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A connection that failed, beside the nearest one that worked.

    Attributes:
        failed_stream, failed_uid: the one that failed. stream, uid: the one that worked.
        relation: what they have in common: client and server; the server; or the server name alone, on another server.
        after_ns: when the one that worked began, counted from the beginning of the one that failed; negative if earlier.
        differences: likeliest relevant first; () if nothing that can be seen differs.
    """

    failed_stream: int
    failed_uid: str
    stream: int
    uid: str
    relation: Relation
    after_ns: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class CannotTell:
    """A rule's answer when the capture does not show a fact that the verdict needs. `reason` says which and why."""

    reason: str


class Outcome(StrEnum):
    """A rule's verdict on one connection, shown by `--verdicts`."""

    HIT = "hit"
    CLEAR = "clear"
    NOT_APPLICABLE = "not-applicable"
    CANNOT_TELL = "cannot-tell"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule said about one connection. `reason` is set for CANNOT_TELL and CRASHED."""

    rule: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
