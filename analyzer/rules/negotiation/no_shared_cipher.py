"""Client and server have no cipher suite, group or signature scheme in common.

## What it does
Fires when the server refuses the hello with alert handshake_failure or insufficient_security, when the server chooses a
suite or group that the client did not offer and the client then ends the handshake, or when a hello is refused that offers
nothing but suites which current stacks have dropped (RC4, single DES, export, anonymous, NULL).

## Why it matters
A hardened side has switched off what an old side needs. A server whose certificate does not fit any suite of the offer (an
ECDSA certificate and a client that knows RSA only, a signature the client does not list) refuses in the same way.

## What to do
Compare the suites, groups and signature schemes of the ClientHello with the server's configuration and with the key of its
certificate. Windows logs Schannel 36874 and 36888 (code 40, state 1205) on the server.

## When it cannot tell
The server's answer is missing from the capture. Alert 40 names no reason: without a server name in the hello, that may be
the reason as well (sni-missing).
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.hellos import hello_refused, is_narrow, offered_suites, refusing_alert
from analyzer.judgement.story import alert_name, first_alert, first_ending, view_of, who
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription, is_grease

RULE = Rule(
    id="no-shared-cipher",
    title="no common cipher suite, group or signature scheme",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    depth=Depth.STEP,
    needs=(Seen.CLIENT_HELLO, Seen.FAILED),
    citations=(
        "RFC 8446 section 4.1.1",
        "RFC 5246 section 7.4.1.3",
        "learn.microsoft.com: Schannel events 36874 and 36888",
    ),
)
ADVICE = (
    "Compare the ClientHello's suites, groups and signature schemes with what the server has switched on and with the key "
    "type of its certificate (Schannel 36874 and 36888 with code 40 on the server; `openssl ciphers -v`)."
)
SAYS_SO = frozenset({AlertDescription.handshake_failure, AlertDescription.insufficient_security})
DROPPED = ("_RC4_", "_NULL_", "_EXPORT_", "_anon_", "_DES_", "_RC2_", "_DES40_")
"""Parts of suite names that current stacks no longer offer or accept."""
NAMED = 6
"""Suites that the summary names."""


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.server_hello is not None or conn.hello_retry_request is not None:
        yield from _foreign_choice(conn)
        if conn.server_hello is not None:
            return
    if not hello_refused(conn):
        if conn.closed.by is Side.CLIENT and not first_alert(conn) and (hidden := view_of(conn, Side.SERVER)):
            yield CannotTell(hidden)
        return
    alert = refusing_alert(conn, Side.SERVER)
    if alert is not None and alert.code in SAYS_SO:
        yield _refused(
            conn, f"and answers with the alert {alert_name(alert.code or 0)}", alert.frame, _sure(conn, alert.code)
        )
    elif _only_dropped(conn) and (alert is None or alert.code == AlertDescription.internal_error):
        ending = first_ending(conn)
        frame = alert.frame if alert else ending.frame if ending else 0
        yield _refused(
            conn, "all of which current servers have dropped, and ends the connection", frame, Confidence.MEDIUM
        )


def _sure(conn: Connection, code: int | None) -> Confidence:
    """insufficient_security is about ciphers and nothing else; 40 to a hello without a name may be about the name, unless
    the client hardly offers a suite."""
    if code == AlertDescription.insufficient_security:
        return Confidence.HIGH
    narrow = conn.client_hello is not None and is_narrow(conn.client_hello)
    return Confidence.MEDIUM if conn.server_name or narrow else Confidence.LOW


def _refused(conn: Connection, how: str, frame: int, confidence: Confidence) -> Finding:
    return RULE.finding(
        conn,
        f"{who(conn, Side.SERVER)} accepts nothing that {who(conn, Side.CLIENT)} offers ({_offer(conn)}) {how}: "
        "no common cipher suite, group or signature scheme, or no certificate that fits them",
        advice=ADVICE,
        frames=(*conn.frames_of("ClientHello"), frame),
        confidence=confidence,
    )


def _offer(conn: Connection) -> str:
    """The first suites, and the groups if the client named any."""
    hello = conn.client_hello
    suites = offered_suites(hello) if hello else ()
    text = ", ".join(map(knowledge.cipher_suite, suites[:NAMED])) or "no suite at all"
    text += f" and {len(suites) - NAMED} more" if len(suites) > NAMED else ""
    groups = [code for code in (hello and hello.supported_groups) or () if not is_grease(code)]
    return f"{text}; groups {', '.join(map(knowledge.group, groups[:NAMED]))}" if groups else text


def _only_dropped(conn: Connection) -> bool:
    suites = offered_suites(conn.client_hello) if conn.client_hello else ()
    names = [f"{knowledge.cipher_suite(code)}_" for code in suites]
    return bool(names) and all(any(part in name for part in DROPPED) for name in names)


def _foreign_choice(conn: Connection) -> Iterator[Finding]:
    """The server chose what the client had not offered, and the client ended it: proven by both hellos."""
    hello, answer = conn.client_hello, conn.server_hello or conn.hello_retry_request
    if hello is None or answer is None or answer.fixed_pattern or answer.sslv2 or not conn.refused_by(Side.CLIENT):
        return
    group = answer.key_share_group
    if answer.cipher_suite not in hello.cipher_suites:
        chosen = knowledge.cipher_suite(answer.cipher_suite)
    elif group is not None and hello.supported_groups is not None and group not in hello.supported_groups:
        chosen = knowledge.group(group)
    else:
        return
    yield RULE.finding(
        conn,
        f"{who(conn, Side.SERVER)} chose {chosen}, which {who(conn, Side.CLIENT)} had not offered, and the client ended the "
        "handshake",
        advice="A server never does this by itself: look for a device that changes the hellos on the path.",
        frames=(*conn.frames_of("ClientHello"), *conn.frames_of("ServerHello")),
        confidence=Confidence.HIGH,
        depth=Depth.ROOT,
    )
