"""The server does not serve the name that the client asked for.

## What it does
Fires when a server name was sent and the server answers with alert unrecognized_name and the handshake fails, or when it
refuses this name while it serves others in the same capture.

## Why it matters
The name in the hello is not among the server's bindings: a DNS alias nobody configured, an old name, a typing error, or
the wrong server behind the address.

## What to do
Add the name to the server's bindings (and to its certificate), or let the client use a name that the server knows. Java 7
clients stop even at the warning form of this alert: `-Djsse.enableSNIExtension=false`.

## When it cannot tell
The hello is refused without a reason and the capture shows no other name served by this server.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Alert, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.hellos import hello_refused, refusing_alert
from analyzer.judgement.story import alert_name, who
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription

RULE = Rule(
    id="sni-unrecognized",
    title="the server does not serve the name asked for",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.CLIENT_HELLO, Seen.FAILED),
    citations=("RFC 6066 section 3", "RFC 8446 section 6.2"),
)
ADVICE = (
    "Add the name to the server's bindings and certificate, or let the client use a name that the server knows; check that "
    "DNS points the name to the right server."
)
MAY_BE_THE_NAME = frozenset(
    {AlertDescription.handshake_failure, AlertDescription.internal_error, AlertDescription.access_denied}
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if not conn.server_name:
        return
    told = next(
        (a for a in conn.alerts if a.side is Side.SERVER and a.code == AlertDescription.unrecognized_name), None
    )
    if told is not None:
        sure = _because_of(conn, told)
        if sure is not None:
            yield _finding(conn, f"answers with the alert {alert_name(told.code or 0)}", told.frame, sure)
        return
    alert = refusing_alert(conn, Side.SERVER)
    if not hello_refused(conn) or (alert is not None and alert.code not in MAY_BE_THE_NAME):
        return
    served = context.history.served_names(conn.server_ip, conn.server_port)
    if not served:
        yield CannotTell("the capture shows no other name that this server serves")
    elif conn.server_name.lower() not in {name.lower() for name in served}:
        how = "refuses this hello" if alert is None else f"answers with the alert {alert_name(alert.code or 0)}"
        how += f", while it serves {', '.join(served[:3])}"
        yield _finding(conn, how, alert.frame if alert else conn.closed.frame, Confidence.MEDIUM)


def _because_of(conn: Connection, told: Alert) -> Confidence | None:
    """How sure it is that the alert ended the handshake; None if it did not."""
    if told.fatal or conn.server_hello is None:
        return Confidence.HIGH
    went_on = conn.step("ClientKeyExchange", Side.CLIENT) or conn.step("Certificate", Side.CLIENT)
    if conn.refused_by(Side.CLIENT) and not went_on:
        return Confidence.MEDIUM  # the warning form: Java 7 stops at it
    return None


def _finding(conn: Connection, how: str, frame: int | None, confidence: Confidence) -> Finding:
    return RULE.finding(
        conn,
        f'{who(conn, Side.CLIENT)} asks for "{conn.server_name}", and {who(conn, Side.SERVER)} {how}: it does not serve that '
        "name",
        advice=ADVICE,
        frames=(*conn.frames_of("ClientHello"), *(() if frame is None else (frame,))),
        confidence=confidence,
        depth=Depth.ROOT if confidence is Confidence.HIGH else Depth.STEP,
    )
