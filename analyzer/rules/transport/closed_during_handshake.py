"""One side closed the connection in an orderly way before the handshake was complete, and said no word about why.

## What it does
Fires on the first FIN of a handshake that did not complete, if neither side sent an alert before. Says who closed and
after which message.

## Why it matters
An application that dislikes a certificate often just closes the socket: on Windows an alert is only sent if the
application asks Schannel for it. The absence of an alert says nothing about the cause; the last message received does.

## What to do
Look at the log of the side that closed. The advice is ranked by the message that this side had received last.
A server that ends it behind a PROXY header most likely does not take such a header.

## When it cannot tell
Packets of the handshake are missing from the capture: there may have been an alert, or the handshake may have completed.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Ending, Outcome, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.causes import causes
from analyzer.judgement.story import alert_name, first_alert, first_ending, moment, who
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription

RULE = Rule(
    id="closed-during-handshake",
    title="closed without an alert before the handshake was complete",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.FIN, Seen.FAILED | Seen.UNKNOWN),
    citations=(
        "RFC 8446 section 6.1",
        "RFC 5246 section 7.2.1",
        "learn.microsoft.com: Performing Authentication Using Schannel",
    ),
)
STOPPED = (
    "Somebody stopped it on the {0}: a user, or a program that gave up. Look there; nothing points at a certificate."
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    close = first_ending(conn)
    if close is None or close.how != "fin" or _alerted(conn, close):
        return
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
    elif conn.outcome is Outcome.FAILED:
        yield _finding(conn, close)


def _alerted(conn: Connection, close: Ending) -> bool:
    """An alert ended the handshake. A close_notify in clear is no explanation."""
    alert = first_alert(conn)
    hidden = any(a.encrypted and a.time_ns <= close.time_ns for a in conn.alerts)
    return hidden or (alert is not None and alert.time_ns <= close.time_ns)


def _finding(conn: Connection, close: Ending) -> Finding:
    when, frames, sure = moment(conn, close, close.side)
    codes = [a.code for a in conn.alerts if a.code is not None and a.time_ns <= close.time_ns]
    cancelled = AlertDescription.user_canceled in codes
    if cancelled:
        said = f"saying {alert_name(AlertDescription.user_canceled)}"
    else:
        said = "saying only close_notify" if AlertDescription.close_notify in codes else "without an alert"
    return RULE.finding(
        conn,
        f"{who(conn, close.side)} closed the connection {when}, {said}",
        advice=STOPPED.format(close.side.value) if cancelled else causes(conn, close.side, close.time_ns),
        frames=frames,
        confidence=sure,
    )
