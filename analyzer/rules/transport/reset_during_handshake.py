"""One side threw the connection away with a reset before the handshake was complete.

## What it does
Fires on the first RST of a handshake that did not complete. A reset that only follows its own sender's FIN, or the peer's
alert or FIN, is the echo of that close and does not count. Says who reset, after which message, and whether the sender
explained itself by an alert.

## Why it matters
Windows services often reject a certificate by closing the socket: no alert is sent, and what the sender had just received
is the best clue. A server that resets right after the client's Certificate does not accept that certificate. A reset that
does not fit its sender's other packets is `reset-injected`, and this rule then blames nobody.

## What to do
Look at the log of the side that reset. The advice is ranked by the message that this side had received last.
A server that ends it behind a PROXY header most likely does not take such a header.

## When it cannot tell
Packets of the other side are missing from the capture: an alert among them may have been the real end. Or the capture does
not show whether the handshake was complete.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Ending, Outcome, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.causes import causes
from analyzer.judgement.injection import forged_reset
from analyzer.judgement.story import alert_name, closing_alerts, first_ending, lowered, moment, view_of, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="reset-during-handshake",
    title="reset before the handshake was complete",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.RESET, Seen.FAILED | Seen.UNKNOWN | Seen.NO_DATA),
    citations=(
        "RFC 9293 section 3.5.2",
        "RFC 8446 section 6.2",
        "learn.microsoft.com: Performing Authentication Using Schannel",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    reset = first_ending(conn)
    if reset is None or reset.how != "rst":
        return
    if conn.outcome is Outcome.NO_DATA:
        yield from _before_a_word(conn, reset)
        return
    if conn.outcome is Outcome.UNKNOWN:
        if conn.visibility.limited:
            yield CannotTell(conn.visibility.limited)
        return
    if any(alert.side is reset.side.peer for alert in closing_alerts(conn, reset.time_ns)):
        return
    if hidden := view_of(conn, reset.side.peer):
        yield CannotTell(hidden)
        return
    yield _finding(conn, reset)


def _finding(conn: Connection, reset: Ending) -> Finding:
    own = next((a for a in closing_alerts(conn, reset.time_ns) if a.side is reset.side), None)
    if own is None:
        said = "without an alert"
    else:
        said = "after an encrypted alert" if own.code is None else f"after its alert {alert_name(own.code)}"
    forged = forged_reset(conn) is not None
    when, frames, sure = moment(conn, reset, None if forged else reset.side)
    actor = f"a packet in the name of {who(conn, reset.side)}" if forged else who(conn, reset.side)
    return RULE.finding(
        conn,
        f"{actor} reset the connection {when}, {said}",
        advice="" if forged else causes(conn, reset.side, reset.time_ns),
        frames=frames,
        confidence=lowered(conn, sure),
    )


def _before_a_word(conn: Connection, reset: Ending) -> Iterator[Finding]:
    """The server took the connection and reset it at once, before the client could send its hello."""
    accepted = Seen.SYN_ACK & conn.seen and reset.side is Side.SERVER and not forged_reset(conn)
    if not accepted or conn.visibility.limited or reset.time_ns - conn.ts_ns >= limit_ns("at_once_s"):
        return
    yield RULE.finding(
        conn,
        f"{who(conn, Side.SERVER)} accepted the connection and reset it before the client sent anything",
        advice=causes(conn, Side.SERVER, reset.time_ns),
        frames=(reset.frame,) if conn.server.syn_frame is None else (conn.server.syn_frame, reset.frame),
        confidence=Confidence.MEDIUM,
    )
