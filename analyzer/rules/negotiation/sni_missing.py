"""The ClientHello names no server (no server_name extension).

## What it does
Notes a hello without a server name; an error when the server then refuses the hello for a reason that this can be, or when
it sends a certificate for none of the names that it serves to others and the client refuses it.

## Why it matters
A server with several certificates chooses by this name. Without it, it takes its default certificate or, if there is none
(IIS with SNI bindings only, nginx `ssl_reject_handshake`, HAProxy `strict-sni`), refuses. Clients that connect to an IP
address, and old ones (Windows XP and 2003, Java 6), never send it.

## What to do
Let the client connect by name with a TLS library that sends it, or give the server a default certificate (IIS: a binding
without SNI; on a reverse proxy a default listener).

## When it cannot tell
The server's answer is missing from the capture: then only the note.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.hellos import hello_refused, is_narrow, refusing_alert
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.story import alert_name, who
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription

RULE = Rule(
    id="sni-missing",
    title="no server name in the ClientHello",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    depth=Depth.STEP,
    needs=(Seen.CLIENT_HELLO,),
    citations=("RFC 6066 section 3", "RFC 8446 section 9.2", "learn.microsoft.com: IIS 8.0 Server Name Indication"),
)
ADVICE = (
    "Let the client connect by name (not by IP address) with a TLS library that sends server_name, or give the server a "
    "default certificate: IIS a binding without SNI, a reverse proxy a default listener."
)
MAY_BE_THE_NAME = frozenset(
    {
        AlertDescription.handshake_failure,
        AlertDescription.internal_error,
        AlertDescription.access_denied,
        AlertDescription.missing_extension,
        AlertDescription.unrecognized_name,
    }
)
SAYS_SO = frozenset({AlertDescription.missing_extension, AlertDescription.unrecognized_name})
WRONG_NAME = frozenset({AlertDescription.bad_certificate, AlertDescription.certificate_unknown})


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    hello = conn.client_hello
    if hello is None or hello.server_name or hello.sslv2 or hello.fixed_pattern or hello.ech:
        return
    if conn.failed:
        refusal = _refused(conn, context) or _other_certificate(conn, context)
        if refusal is not None:
            yield refusal
            return
    yield RULE.finding(
        conn,
        f"{who(conn, Side.CLIENT)} names no server in its hello (no SNI): it gets the default certificate",
        frames=conn.frames_of("ClientHello"),
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.named or kind.sslv2)


def _refused(conn: Connection, context: Context) -> Finding | None:
    """The hello was refused, and the missing name can be why."""
    alert = refusing_alert(conn, Side.SERVER)
    if not hello_refused(conn) or (alert is not None and alert.code not in MAY_BE_THE_NAME):
        return None
    served = context.history.served_names(conn.server_ip, conn.server_port)
    said_so = alert is not None and alert.code in SAYS_SO
    likely = served or (alert and not (conn.client_hello and is_narrow(conn.client_hello)))
    sure = Confidence.HIGH if said_so else Confidence.MEDIUM if likely else Confidence.LOW
    how = f"answers with the alert {alert_name(alert.code)}" if alert and alert.code else "ends the connection"
    others = f"; it serves others by name ({', '.join(served[:3])})" if served else ""
    frames = (alert.frame,) if alert else () if conn.closed.frame is None else (conn.closed.frame,)
    return RULE.finding(
        conn,
        f"{who(conn, Side.CLIENT)} names no server in its hello (no SNI) and {who(conn, Side.SERVER)} {how}{others}"
        + ("" if said_so else "; a server that chooses its certificate by name does that"),
        advice=ADVICE,
        frames=(*conn.frames_of("ClientHello"), *frames),
        severity=Severity.ERROR,
        confidence=sure,
    )


def _other_certificate(conn: Connection, context: Context) -> Finding | None:
    """The client refused a certificate that is good for none of the names which this server serves to others."""
    chain, alert = conn.server_chain, refusing_alert(conn, Side.CLIENT)
    if chain is None or not conn.refused_by(Side.CLIENT) or (alert is not None and alert.code not in WRONG_NAME):
        return None
    served, leaf = context.history.served_names(conn.server_ip, conn.server_port), chain.chain.leaf
    if not served or any(leaf.covers(name) for name in served):
        return None
    return RULE.finding(
        conn,
        f"{who(conn, Side.CLIENT)} names no server in its hello (no SNI), gets the certificate of {leaf.short}, which covers "
        f"none of the names that the server serves to others ({', '.join(served[:3])}), and refuses it",
        advice=ADVICE,
        frames=(*conn.frames_of("ClientHello"), *chain.frames),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
    )
