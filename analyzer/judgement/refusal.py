"""Who would not go on with whose certificate, after which step, and what that can be about.

A connection can fail for many reasons; a defect in a certificate is the cause only if the other side gave up just when
it had that certificate in hand, and did not say that it was something else (RFC 5246 section 7.2.2, RFC 8446 section 6.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from analyzer.connection import Alert, CertificateState, Connection, Seen, Side, Step
from analyzer.dataclass import dataclass
from analyzer.findings import Confidence, Depth, Severity
from analyzer.judgement.injection import forged_reset
from analyzer.judgement.reading import broken, strict_refusal
from analyzer.judgement.story import never_arrived, weaker
from analyzer.knowledge import alert as alert_name
from analyzer.knowledge import limit
from analyzer.tls.names import AlertDescription

SECOND_NS = 1_000_000_000


class Defect(StrEnum):
    """What can be wrong with what one side presented."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    USE = "wrong use"
    INCOMPLETE = "incomplete"
    ORDER = "wrong order"
    NOT_LISTED = "issuer not listed"
    SELF_SIGNED = "self-signed"
    LINK = "broken link"
    NAME = "wrong name"
    WEAK = "weak"
    UNTRUSTED = "untrusted root"
    KEY_USAGE = "wrong key usage"
    SIGNATURE = "unsupported signature"
    REVOCATION = "revocation cannot be checked"
    UNREADABLE = "unreadable"
    SCHEME = "signature scheme not accepted"
    FORBIDDEN = "not allowed by its CA"


_ANYTHING = frozenset(Defect)
_TRUST = frozenset(
    {
        Defect.INCOMPLETE,
        Defect.ORDER,
        Defect.NOT_LISTED,
        Defect.SELF_SIGNED,
        Defect.LINK,
        Defect.UNTRUSTED,
        Defect.FORBIDDEN,
    }
)

_MEANING: dict[int, frozenset[Defect]] = {
    AlertDescription.bad_certificate: _ANYTHING,
    AlertDescription.certificate_unknown: _ANYTHING,
    AlertDescription.unknown_ca: _TRUST,
    AlertDescription.certificate_expired: frozenset({Defect.EXPIRED, Defect.NOT_YET_VALID}),
    AlertDescription.unsupported_certificate: frozenset(
        {
            Defect.USE,
            Defect.KEY_USAGE,
            Defect.WEAK,
            Defect.SIGNATURE,
            Defect.UNREADABLE,
            Defect.SCHEME,
            Defect.FORBIDDEN,
        }
    ),
    AlertDescription.certificate_revoked: frozenset(),
    AlertDescription.no_certificate: frozenset(),
    AlertDescription.certificate_required: frozenset(),
}
"""Alerts about a certificate, and which defects they can mean."""

_VAGUE: dict[int, frozenset[Defect]] = {
    AlertDescription.handshake_failure: _ANYTHING,
    AlertDescription.internal_error: _ANYTHING,
    AlertDescription.access_denied: _ANYTHING,
    AlertDescription.decrypt_error: frozenset({Defect.LINK}),
    AlertDescription.decode_error: frozenset({Defect.UNREADABLE}),
}
"""Alerts that some stacks send about a certificate and others about something else: GnuTLS programs answer with
access_denied whatever they do not like, which RFC 8446 means for a valid certificate that is not allowed in. OpenSSL
answers with decrypt_error when a signature within the chain is bad."""

_PROOF = AlertDescription.decrypt_error
_PARSING = AlertDescription.decode_error

_WENT_ON = {
    Side.CLIENT: frozenset({"Certificate", "ClientKeyExchange", "ChangeCipherSpec", "Finished"}),
    Side.SERVER: frozenset({"ChangeCipherSpec", "NewSessionTicket", "Finished"}),
}
"""Steps of a side that show that it went on with the other's certificate (before TLS 1.3)."""

_FLIGHT_ENDS = {Side.CLIENT: "ChangeCipherSpec", Side.SERVER: "ServerHelloDone"}
"""The step after which it is the other side's turn (before TLS 1.3)."""

_INFERRED = (CertificateState.INFERRED_SENT, CertificateState.INFERRED_EMPTY)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One side would not go on with what the other had presented.

    Attributes:
        by: who refused.
        how: "alert", "encrypted-alert", "fin" or "rst".
        code: the alert's code; None without an alert in clear.
        frame: the alert's, FIN's or RST's frame; None if unknown.
        late: the handshake was complete, as far as can be seen, and the refusal came at once after it.
        confidence: how sure it is that the certificate (or its absence) was the reason.
    """

    by: Side
    how: str
    code: int | None
    frame: int | None
    late: bool
    confidence: Confidence

    def may_mean(self, defect: Defect) -> bool:
        """Can this refusal be about this defect? Without a readable alert it can be about any."""
        if self.code is None:
            return True
        return defect in (_MEANING.get(self.code) or _VAGUE.get(self.code, frozenset()))

    @property
    def frames(self) -> tuple[int, ...]:
        """The frame as a tuple; () if unknown."""
        return () if self.frame is None else (self.frame,)

    @property
    def manner(self) -> str:
        """How, behind a verb: "with the alert unknown_ca (48)", "with a reset and no alert"."""
        if self.code is not None:
            return f"with the alert {alert_name(self.code)} ({self.code})"
        if self.how == "encrypted-alert":
            return "with a record of the size of an alert, and closed"
        when = " right after the handshake" if self.late else ""
        return f"with a reset{when} and no alert" if self.how == "rst" else f"by closing{when} without an alert"

    def __str__(self) -> str:
        """A clause: "the server refused with the alert unknown_ca (48)"."""
        return f"the {self.by} refused {self.manner}"


def refusal_of(conn: Connection, side: Side) -> Refusal | None:
    """How the peer of `side` refused this side's Certificate message, empty or not.

    None if it did not, if it plainly refused something else, or if the capture does not show that it did.
    """
    if not conn.seen & Seen.TROUBLED_END:
        return None
    since = _presented_ns(conn, side)
    if since is None:
        return None
    if not conn.failed:
        return _late(conn) if side is Side.CLIENT else None
    if side is Side.CLIENT and conn.client_certificate_state in _INFERRED:
        return _inferred(conn)
    peer = side.peer
    if not conn.refused_by(peer):
        return None
    alert = next((alert for alert in conn.alerts if alert.side is peer and _counts(alert)), None)
    if alert is None:
        return _silent(conn, side, since)
    if alert.time_ns < since or (alert.code in (_PROOF, _PARSING) and not _has_reason(conn, side, alert.code)):
        return None
    return _by_alert(conn, alert, since)


def _has_reason(conn: Connection, side: Side, code: int) -> bool:
    """Without a certificate there is no proof of its key that could fail, and one that we can read others can too. But a
    GnuTLS server answers an empty Certificate message, up to TLS 1.2, with decode_error."""
    sent = conn.chain(side)
    if sent is None and code == _PARSING:
        return side is Side.CLIENT and conn.client_certificate_state is CertificateState.EMPTY
    if sent is None or code == _PROOF:
        return sent is not None
    return any(broken(certificate) or strict_refusal(certificate) for certificate in sent.chain.certificates)


def _presented_ns(conn: Connection, side: Side) -> int | None:
    """When the side's Certificate message was seen; None if there was none."""
    sent = conn.chain(side)
    if sent is not None:
        return sent.time_ns
    if side is Side.CLIENT and conn.client_certificate_state in _INFERRED:
        return conn.ts_ns
    step = conn.step("Certificate", side)
    return step.time_ns if step else None


def _counts(alert: Alert) -> bool:
    """Is it an alert that ends a handshake? Some stacks send a certificate alert as a warning and then close."""
    if alert.encrypted:
        return not alert.after_handshake
    return alert.fatal or alert.code in _MEANING


def _by_alert(conn: Connection, alert: Alert, since: int) -> Refusal | None:
    if alert.encrypted:
        if conn.visibility.limited or went_on(conn, alert.side, since):
            return None
        return Refusal(alert.side, "encrypted-alert", None, alert.frame, late=False, confidence=Confidence.MEDIUM)
    if alert.code in _MEANING:
        return Refusal(alert.side, "alert", alert.code, alert.frame, late=False, confidence=Confidence.HIGH)
    if alert.code in _VAGUE and not went_on(conn, alert.side, since):
        return Refusal(alert.side, "alert", alert.code, alert.frame, late=False, confidence=Confidence.MEDIUM)
    return None


def _silent(conn: Connection, side: Side, since: int) -> Refusal | None:
    """A FIN or RST without an alert: it speaks of the certificate only if its sender had the whole flight and the turn."""
    closed = conn.closed
    if conn.visibility.limited or closed.time_ns < since or went_on(conn, side.peer, since) or forged_reset(conn):
        return None
    if never_arrived(conn, side):
        return None
    gave_up_waiting = (closed.after_ns or 0) >= limit("at_once_s") * SECOND_NS
    if gave_up_waiting and not any(s.name == _FLIGHT_ENDS[side] for s in _steps_since(conn, side, since)):
        return None
    sure = Confidence.HIGH if side is Side.CLIENT else Confidence.MEDIUM
    return Refusal(side.peer, closed.how, None, closed.frame, late=False, confidence=sure)


def _inferred(conn: Connection) -> Refusal | None:
    """TLS 1.3 without keys (record sizes, RFC 8446 section 5.2)."""
    told = conn.client_auth_13
    if told is None or not told.refused or conn.visibility.limited:
        return None
    alert = next((alert for alert in reversed(conn.alerts) if alert.side is Side.SERVER), None)
    frame = alert.frame if alert else conn.closed.frame
    return Refusal(Side.SERVER, "encrypted-alert", None, frame, late=False, confidence=Confidence(told.confidence))


def _late(conn: Connection) -> Refusal | None:
    """The server validated the client's certificate only after the handshake, as Schannel applications do."""
    closed = conn.closed
    if conn.visibility.limited or closed.by is not Side.SERVER or closed.how not in ("fin", "rst"):
        return None
    said = conn.server.app_records or conn.server.unread_bytes
    if closed.echo or said or forged_reset(conn) or never_arrived(conn, Side.CLIENT):
        return None
    if any(alert.side is Side.SERVER for alert in conn.alerts):
        return None  # an alert record and FIN after both Finished reads as close_notify
    return Refusal(Side.SERVER, closed.how, None, closed.frame, late=True, confidence=Confidence.MEDIUM)


def went_on(conn: Connection, side: Side, since: int) -> bool:
    """Did this side send, after this time, what shows that it accepted the other's certificate for the moment?"""
    return any(step.name in _WENT_ON[side] for step in _steps_since(conn, side, since))


def _steps_since(conn: Connection, side: Side, since: int) -> Iterator[Step]:
    return (step for step in conn.steps if step.side is side and step.time_ns >= since)


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a defect matters for this connection; `refusal` is what it caused, None if it caused nothing here."""

    severity: Severity
    confidence: Confidence
    depth: Depth
    refusal: Refusal | None

    @property
    def frames(self) -> tuple[int, ...]:
        """Where the refusal is seen."""
        return self.refusal.frames if self.refusal else ()

    @property
    def clause(self) -> str:
        """ "; the server reset the connection, without an alert", or "" if nothing was refused."""
        return f"; {self.refusal}" if self.refusal else ""

    def judgement(
        self, summary: str, advice: str, frames: tuple[int, ...], proof: Confidence = Confidence.HIGH
    ) -> Judgement:
        """A finding about this defect, with what it caused; `proof` is how sure the defect itself is."""
        confidence = weaker(self.confidence, proof)
        return Judgement(summary + self.clause, advice, (*frames, *self.frames), self, confidence)


def weigh(conn: Connection, side: Side, defect: Defect, standing: Severity) -> Weight:
    """An error if the peer refused because of it, else its `standing` severity.

    A defect beside a failure that is about something else never stands before that failure's own cause.
    """
    refusal = refusal_of(conn, side)
    if refusal is not None and refusal.may_mean(defect):
        return Weight(Severity.ERROR, refusal.confidence, Depth.ROOT, refusal)
    return beside(conn, standing)


def beside(conn: Connection, standing: Severity) -> Weight:
    """The weight of a defect that did not make anybody refuse here."""
    return _STANDING[standing, conn.failed]


_STANDING = {
    (severity, failed): Weight(
        severity, *((Confidence.MEDIUM, Depth.SYMPTOM) if failed else (Confidence.HIGH, Depth.ROOT)), None
    )
    for severity in Severity
    for failed in (False, True)
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The parts of a finding about a defect that may be what was refused; the rule adds its name."""

    summary: str
    advice: str
    frames: tuple[int, ...]
    weight: Weight
    confidence: Confidence
