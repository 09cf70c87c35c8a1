"""Client and server have no TLS version in common.

## What it does
Fires when the server refuses the hello with alert protocol_version, when it chooses a version that the client did not
offer, or when the client refuses the server's version. Names what both sides offered.

## Why it matters
Old products speak TLS 1.0 only (Lync 2010 and 2013, unpatched .NET programs), hardened ones TLS 1.2 and later only. They
cannot talk until one of them is changed.

## What to do
Switch on a common version: on Windows SCHANNEL\\Protocols, SchUseStrongCrypto for .NET programs, DefaultSecureProtocols for
WinHTTP; with OpenSSL MinProtocol and MaxProtocol. Products: Skype for Business 2015 from CU9, 2019 from CU1; of Lync 2013
only the Edge role can do without TLS 1.0.

## When it cannot tell
The server's answer is missing from the capture. A PROXY header went before the hello: perhaps the server read that.
A server that closes without an alert gives no reason: see reset-during-handshake.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.hellos import accepts_version, hello_refused, offer_text, refusing_alert
from analyzer.judgement.story import alert_name, proxy_header, view_of, who
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription

RULE = Rule(
    id="version-mismatch",
    title="no common TLS version",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.STEP,
    needs=(Seen.CLIENT_HELLO, Seen.FAILED),
    citations=(
        "RFC 8446 section 4.2.1",
        "RFC 5246 appendix E.1",
        "learn.microsoft.com: Disable TLS 1.0/1.1 in Skype for Business Server",
    ),
)
ADVICE = (
    "Switch on a version that both sides know: Windows SCHANNEL\\Protocols (and SchUseStrongCrypto for .NET programs, "
    "DefaultSecureProtocols for WinHTTP), OpenSSL MinProtocol and MaxProtocol; Lync 2010 and 2013 (all roles but Edge) need "
    "TLS 1.0."
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.server_hello is not None:
        yield from _choice_refused(conn)
        return
    alert = refusing_alert(conn, Side.SERVER)
    if alert is None:
        if conn.closed.by is Side.CLIENT and (hidden := view_of(conn, Side.SERVER)):
            yield CannotTell(hidden)
        return
    hello = conn.client_hello
    if hello is None or alert.code != AlertDescription.protocol_version or not hello_refused(conn):
        return
    if proxy_header(conn) is not None:
        yield CannotTell("a PROXY header went before the hello: the server may have found no version in that")
        return
    yield RULE.finding(
        conn,
        f"no common TLS version: {who(conn, Side.CLIENT)} offers {offer_text(hello)}, {who(conn, Side.SERVER)} accepts none "
        f"of it and answers with the alert {alert_name(alert.code)}",
        advice=ADVICE,
        frames=(*conn.frames_of("ClientHello"), alert.frame),
    )


def _choice_refused(conn: Connection) -> Iterator[Finding]:
    """The server chose, and the client would not have it: both sides' offers are on the table."""
    hello, answer = conn.client_hello, conn.server_hello
    if hello is None or answer is None or answer.fixed_pattern or not conn.refused_by(Side.CLIENT):
        return
    alert = refusing_alert(conn, Side.CLIENT)
    said_so = alert is not None and alert.code == AlertDescription.protocol_version
    allowed = accepts_version(hello, answer.selected_version)
    if not said_so and allowed is not False:
        return
    ended = f" and answers with the alert {alert_name(alert.code)}" if alert and alert.code else ""
    offer = f"offers {offer_text(hello)}"
    if said_so and allowed is not False:
        offer += f" but does not accept {knowledge.version_name(answer.selected_version)}"
    yield RULE.finding(
        conn,
        f"no common TLS version: {who(conn, Side.SERVER)} chose {knowledge.version_name(answer.selected_version)}, "
        f"{who(conn, Side.CLIENT)} {offer}{ended}",
        advice=ADVICE,
        frames=(*conn.frames_of("ClientHello"), *conn.frames_of("ServerHello"), *((alert.frame,) if alert else ())),
        depth=Depth.ROOT,
    )
