"""One side sent a whole flight of the handshake and the other never answered it.

## What it does
Fires when a handshake stops after a whole flight: three seconds of silence before anybody gives up, or the flight was
sent again and again and never arrived. Says who was waiting for whom, and whether TCP acknowledged the flight. A warning
of low confidence while nobody has given up when the capture ends.

## Why it matters
If TCP acknowledged the flight, the machine received it and its program is stuck: overloaded, waiting for a revocation
check, or for a person who should choose a certificate. If not, the flight was lost on the path.

## What to do
Acknowledged: look at the silent side's load, its log, and whether it can fetch CRLs. Not acknowledged: capture on the
silent side too and look at the devices in between; see path-mtu-black-hole.

## When it cannot tell
The handshake is not in full view: the answer may be missing from the capture. Or the flight was neither acknowledged nor
sent again: then the capture stops showing the connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Outcome, Seen, Side, Step
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import first_alert, first_ending, last_step, lasting, named, never_arrived, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="handshake-timeout",
    title="a flight of the handshake was never answered",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.CLIENT_HELLO, Seen.FAILED | Seen.UNKNOWN),
    citations=("RFC 5246 section 7.3", "RFC 8446 section 2", "RFC 6298 section 5"),
)
SENT_AGAIN = 2
"""A flight sent again this often is lost or ignored: once happens on any lossy path."""
SERVER_FLIGHT_ENDS = frozenset({"ServerHelloDone", "HelloRetryRequest", "Finished"})
CLIENT_FLIGHT_ENDS = frozenset({"ClientHello", "Finished"})
ENCRYPTED = frozenset({"EncryptedHandshake", "Finished", "ApplicationData"})


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if first_alert(conn) or any(alert.encrypted for alert in conn.alerts):
        return
    flight = last_step(conn, conn.end_ns)
    if flight is None or not _is_whole(conn, flight):
        return
    silence = _silence(conn, flight)
    if silence is None:
        return
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
    elif _vanished(conn, flight):
        yield CannotTell(
            "the flight was neither acknowledged nor sent again: the capture stops showing this connection"
        )
    elif conn.outcome is not Outcome.ESTABLISHED:
        yield _finding(conn, flight, silence)


def _is_whole(conn: Connection, flight: Step) -> bool:
    """The step ends a flight, so that it is the other side's turn. Of encrypted records that is only known while the other
    side has sent none: later ones may be anything."""
    if flight.name != "EncryptedHandshake":
        return flight.name in (CLIENT_FLIGHT_ENDS if flight.side is Side.CLIENT else SERVER_FLIGHT_ENDS)
    peer_spoke = any(step.side is flight.side.peer and step.name in ENCRYPTED for step in conn.steps)
    return flight.side is Side.SERVER and not peer_spoke


def _silence(conn: Connection, flight: Step) -> int | None:
    """How long the other side stayed silent after the flight, in ns; None if it answered or had no time to."""
    answered = conn.traffic(flight.side.peer).last_payload_frame
    if answered is not None and answered > flight.frames[-1]:
        return None
    ending = first_ending(conn)
    if ending is None:
        latest = max((side.last_frame or 0, side.last_ns or 0) for side in (conn.client, conn.server))
        silence = latest[1] - flight.time_ns  # by the latest packet, not the latest time: clocks jump
        never = conn.closed.how == "timeout" or silence >= limit_ns("never_answers_s")
        return silence if never else None
    again = conn.traffic(flight.side).retransmitted >= SENT_AGAIN
    silence = ending.time_ns - flight.time_ns
    given_up = again and (ending.side is flight.side or never_arrived(conn, flight.side))
    return silence if given_up or silence >= limit_ns("never_answers_s") else None


def _vanished(conn: Connection, flight: Step) -> bool:
    """Nobody ended the connection, and TCP would have sent again what nobody acknowledged (RFC 6298 section 5)."""
    sender = conn.traffic(flight.side)
    lost = sender.acked_bytes is not None and sender.acked_bytes < sender.sent_bytes
    return not conn.endings and lost and not sender.retransmitted


def _finding(conn: Connection, flight: Step, silence: int) -> Finding:
    waiting, silent = conn.traffic(flight.side), flight.side.peer
    got_it = waiting.acked_bytes is not None and waiting.acked_bytes >= waiting.sent_bytes
    lost = waiting.acked_bytes is not None and not got_it
    again = f", sent {waiting.retransmitted + 1} times" if waiting.retransmitted >= SENT_AGAIN else ""
    heard = "; TCP acknowledged it" if got_it else "; TCP did not acknowledge all of it" if lost else ""
    long = f"silence for {lasting(silence)}" if silence >= limit_ns("never_answers_s") else "silence to the end"
    return RULE.finding(
        conn,
        f"{who(conn, silent)} never answered {named(flight)}{again}: {long}{heard}",
        advice=_advice(silent, lost),
        frames=_frames(conn, flight),
        severity=None if conn.failed else Severity.WARNING,
        confidence=Confidence.LOW
        if not conn.failed
        else Confidence.MEDIUM
        if flight.name == "EncryptedHandshake"
        else None,
    )


def _advice(silent: Side, lost: bool) -> str:
    if lost:
        return (
            f"The flight got lost: capture on the {silent.value}'s side too, and look at MTU, firewalls and inspection "
            "devices in between."
        )
    return (
        f"The {silent.value}'s machine has the flight, its program is stuck: look at its load and log, at revocation checks "
        "(CRL, OCSP and AIA addresses it cannot reach), and at inspection devices in between."
    )


def _frames(conn: Connection, flight: Step) -> tuple[int, ...]:
    ending = first_ending(conn)
    again = conn.traffic(flight.side).retransmitted_frames
    return (*flight.frames[-1:], *again[:3], *((ending.frame,) if ending else ()))
