"""The handshake was complete, and at once one side ended the connection without having sent any data.

## What it does
Fires when, within two seconds of the handshake's end, a side that sent no application data resets the connection, or
closes it without an alert record before. TLS 1.3 session tickets are not application data. An alert record and FIN is an
ordinary close and does not count; nor does an end by a side that never had what the other sent.

## Why it matters
Services that check certificates themselves (Lync and Skype for Business do) accept every certificate in the handshake and
throw the peer out afterwards. On the wire the handshake looks fine; the caller sees "connection reset" (10054).

## What to do
Look at the log of the side that closed: an untrusted root of the other side's certificate, a name that is not among the
trusted servers, a revocation check that fails, or a policy above TLS.

## When it cannot tell
The handshake is not in full view: data of that side may be missing from the capture. Of a long transfer only the beginning is
read record by record; what that side sent later is counted, but it may have been data or session tickets.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import CertificateState, Connection, Ending, Seen, Side, Step
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.injection import forged_reset
from analyzer.judgement.story import first_ending, last_step, lasting, never_arrived, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="reset-after-handshake",
    title="ended at once after the handshake, without data: late rejection",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    depth=Depth.SYMPTOM,
    needs=(Seen.ESTABLISHED, Seen.TROUBLED_END, Seen.RESET | Seen.FIN),
    citations=(
        "learn.microsoft.com: Performing Authentication Using Schannel (manual credential validation)",
        "RFC 8446 section 6.1",
    ),
)
LATE = "rejected after the handshake"
ONE_TICKET = "more than one record that looks like a session ticket, or is a short greeting"
MAYBE = "it wanted no more than a handshake, as monitors, scanners and scripts do, or it rejected the server only now"
PRESENTED = frozenset({CertificateState.SENT, CertificateState.INFERRED_SENT})


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    close = first_ending(conn)
    if close is None or conn.traffic(close.side).app_records or forged_reset(conn):
        return  # of a forged reset another rule speaks
    if never_arrived(conn, close.side.peer):
        return  # it waited for what got lost on the way
    if any(alert.time_ns <= close.time_ns for alert in conn.alerts):
        return  # its own alert: an ordinary close; the peer's: only the echo of one
    done = _completed(conn, close)
    after = close.time_ns - done.time_ns if done else None
    if after is None or after > limit_ns("at_once_s"):
        return
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
    else:
        yield _finding(conn, close, after, done.frames[-1] if done else close.frame)


def _completed(conn: Connection, close: Ending) -> Step | None:
    """The last handshake step before the close; None if a Finished came only after it: then it was no late rejection."""
    if any(step.name == "Finished" and step.frames[-1] > close.frame for step in conn.steps):
        return None
    return last_step(conn, close.time_ns)


def _finding(conn: Connection, close: Ending, after: int, done_frame: int) -> Finding:
    verb = "reset" if close.how == "rst" else "closed"
    peer = close.side.peer
    answer = f" and the {peer.value}'s first data" if _spoke(conn, peer, close.frame) else ""
    perhaps = close.how == "fin" and close.side is Side.CLIENT
    tickets = _inferred_tickets(conn, close)
    sent = (
        "any data" if not tickets else "more than records that look like session tickets" if tickets > 1 else ONE_TICKET
    )
    return RULE.finding(
        conn,
        f"{who(conn, close.side)} {verb} the connection {lasting(after)} after the complete handshake{answer}, without an "
        f"alert and without having sent {sent}: {MAYBE if perhaps else LATE}",
        advice=_advice(conn, close.side),
        frames=(done_frame, close.frame),
        confidence=Confidence.LOW if perhaps or (tickets == 1 and close.how == "fin") else None,
    )


def _inferred_tickets(conn: Connection, close: Ending) -> int:
    """Records of the closing side that were taken for session tickets by their sizes alone (TLS 1.3)."""
    if conn.client_auth_13 is None:
        return 0
    mine = (step for step in conn.steps if step.side is close.side and step.frames[0] < close.frame)
    return sum(step.name == "NewSessionTicket" for step in mine)


def _spoke(conn: Connection, side: Side, before: int) -> bool:
    """This side had sent application data before that frame."""
    return any(step.name == "ApplicationData" and step.side is side and step.frames[0] < before for step in conn.steps)


def _advice(conn: Connection, side: Side) -> str:
    if side is Side.CLIENT:
        return (
            "Look at the client's log: it may have rejected the server's certificate (root, name, revocation) after the "
            "handshake. A monitor that only tests the handshake ends like this too."
        )
    if conn.client_certificate_state in PRESENTED:
        return (
            "Look at the server's log: services such as Lync and Skype for Business judge the client's certificate after "
            "the handshake (root not trusted, host not among the trusted servers or federation partners, revocation); the "
            "other side shows ms-diagnostics 1047 with 10054."
        )
    return (
        "Look at the server's log: no client certificate was seen in this handshake, so think of a policy above TLS (allowed "
        "addresses, required login, wrong protocol behind TLS) or a missing client certificate."
    )
