"""The payload on a port where TLS is expected is no TLS.

## What it does
Fires when the first bytes of either side are no TLS and none follows. Names what they look like (SIP, HTTP ...) and who
sent them.

A server that never speaks TLS although the client asked for it within the protocol (STARTTLS) and sent its ClientHello is
told on any port.

A request to a proxy (CONNECT) that is refused is no fault of anybody's TLS: the finding shows the proxy's status line, as a
warning if it asks for credentials (407), because a client that has some asks again. A server that ends the connection at a
PROXY header, or answers it in clear text, most likely does not take such a header.

## Why it matters
One side speaks clear text and the other waits for TLS, or the reverse: a wrong port, a listener configured for TCP instead
of TLS, a proxy or load balancer that answers in the server's place.

## What to do
Make both sides agree: TLS on this port, or the clear-text port for the one that speaks clear text. If TLS is really not
expected here, leave the port out of `--ports`.

## When it cannot tell
The beginning of the connection is not in the capture, or the capture ends right behind a request to a proxy (CONNECT), a
PROXY header, or the ClientHello after STARTTLS. Nothing follows such a header, and the server did not end the connection at
once: balancers test so. A proxy opened the tunnel, and no TLS went through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from analyzer.connection import Connection, Ending, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.causes import PROXY_HEADER_REFUSED
from analyzer.judgement.injection import forged_reset
from analyzer.judgement.story import PROXY_HEADER, first_ending, proxy_header, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="not-tls",
    title="payload on a TLS port that is no TLS",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.NOT_TLS,),
    citations=("RFC 8446 section 5.1", "RFC 3261 section 26.3.2.1", "RFC 7231 section 3", "RFC 9110 section 9.3.6"),
)
QUOTED = 24
"""Bytes of the payload that the summary quotes."""
STATUS_LINE = 48
"""The same of a proxy's answer: enough for "HTTP/1.1 407 Proxy Authentication Required"."""
ASKS_A_PROXY = b"CONNECT "
HTTP_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)\b")
GIVE_CREDENTIALS = (
    "The proxy wants credentials: nothing is to be seen wrong here if the client asks again with some. Else give the client "
    "its user and password (or Kerberos) for the proxy, or let the proxy pass this target without them."
)
READ_THE_ANSWER = (
    "Read the server's last answer in clear text. If it refuses (SMTP 454 or 502, PostgreSQL N): switch TLS on there, with a "
    "certificate and its key bound to the service, or look for a firewall in between that takes STARTTLS out of the "
    "conversation. If it agrees (SMTP 220): its log tells what it did not like in the hello."
)
LOOK_AT_THE_PROXY = (
    "Look at the proxy's log: whether it may connect to this target and port, and whether it reaches it (name, route, "
    "firewall). If this is no proxy, correct the proxy settings of the client."
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    starttls = conn.preamble not in (None, PROXY_HEADER) and conn.client_hello is not None
    if conn.not_tls is None or not (conn.expected or starttls):
        return
    if conn.visibility.mid_stream or conn.visibility.gap_bytes:
        yield CannotTell(conn.visibility.limited)
        return
    protocol, side, sample = conn.not_tls
    if starttls and side is Side.SERVER:
        yield _never_spoke_tls(conn)
        return
    asked = sample.startswith(ASKS_A_PROXY)
    header = side is Side.CLIENT and protocol == PROXY_HEADER
    if conn.visibility.open_end and not conn.not_tls_answer and (asked or header):
        yield CannotTell("the capture ends before TLS could begin behind the proxy")
        return
    if asked and (said := HTTP_STATUS.match(conn.not_tls_answer)):
        yield _from_proxy(conn, said[1])
        return
    if header:
        yield _behind_header(conn)
        return
    what = "something that is no TLS" if protocol == "unknown" else f"{protocol} in clear text"
    to = " to the client's TLS ClientHello" if side is Side.SERVER and conn.client_hello else ""
    verb = "answers" if to else "speaks"
    if hidden := to and proxy_header(conn) is not None:
        to += " behind a PROXY header"
    yield RULE.finding(
        conn,
        f"{who(conn, side)} {verb} {what}{to} on port {conn.server_port}, where TLS is expected: it starts with "
        f"{quoted(sample)}",
        advice=PROXY_HEADER_REFUSED if hidden else _advice(conn, side),
        frames=_frames(conn, side),
        confidence=Confidence.MEDIUM if hidden else None,
    )


def _from_proxy(conn: Connection, status: bytes) -> Finding | CannotTell:
    """The answer to CONNECT, RFC 9110 section 9.3.6."""
    if status[:1] == b"2":
        return CannotTell("the proxy opened the tunnel, and no TLS went through it")
    challenge = status == b"407"
    return RULE.finding(
        conn,
        f"{who(conn, Side.SERVER)} refused the client's request to a proxy (CONNECT) with "
        f"{quoted(conn.not_tls_answer, STATUS_LINE)}, so TLS never began",
        advice=GIVE_CREDENTIALS if challenge else LOOK_AT_THE_PROXY,
        frames=(*_frames(conn, Side.CLIENT), *_frames(conn, Side.SERVER)),
        severity=Severity.WARNING if challenge else None,
    )


def _never_spoke_tls(conn: Connection) -> Finding | CannotTell:
    """The client asked for TLS in the clear-text protocol and began it; nothing of the server is TLS."""
    if conn.visibility.open_end:
        return CannotTell("the capture ends before the server could answer the ClientHello")
    answer = [step.frames[-1] for step in conn.steps if step.name == "PlainText" and step.side is Side.SERVER]
    return RULE.finding(
        conn,
        f"{who(conn, Side.CLIENT)} asked for TLS within {conn.preamble} and sent its ClientHello, and "
        f"{who(conn, Side.SERVER)} never spoke TLS: it refused in clear text, or ended the connection at the hello",
        advice=READ_THE_ANSWER,
        frames=(*answer[-1:], *conn.frames_of("ClientHello")),
    )


def _behind_header(conn: Connection) -> Finding | CannotTell:
    """A PROXY header that no hello followed."""
    if conn.not_tls_answer:
        did, shown = f"answered in clear text: {quoted(conn.not_tls_answer)}", _frames(conn, Side.SERVER)
    elif (ending := _thrown_out(conn)) is not None:
        did, shown = f"{'reset' if ending.how == 'rst' else 'closed'} the connection", (ending.frame,)
    else:
        return CannotTell("nothing followed the PROXY header, as in a balancer's health check")
    return RULE.finding(
        conn,
        f"right after the client's PROXY header, before TLS could begin, {who(conn, Side.SERVER)} {did}",
        advice=PROXY_HEADER_REFUSED,
        frames=(*_frames(conn, Side.CLIENT), *shown),
        confidence=Confidence.MEDIUM,
    )


def _thrown_out(conn: Connection) -> Ending | None:
    """The server's end at once behind the client's first words; None if there is none."""
    step, ending = conn.step("PlainText", Side.CLIENT), first_ending(conn)
    if step is None or ending is None or ending.side is not Side.SERVER or forged_reset(conn):
        return None
    return ending if ending.time_ns - step.time_ns < limit_ns("at_once_s") else None


def quoted(sample: bytes, length: int = QUOTED) -> str:
    """The first bytes as text if they are printable ASCII, else in hexadecimal."""
    head = sample.splitlines()[0][:length] if sample else b""
    if head and all(0x20 <= byte < 0x7F for byte in head):
        return f'"{head.decode("ascii")}"'
    return sample[: QUOTED // 2].hex(" ")


def _advice(conn: Connection, side: Side) -> str:
    if side is Side.CLIENT:
        return (
            "Set the client to TLS for this port, or let it use the server's clear-text port. A monitor that sends clear "
            "text to a TLS port should test by a TLS handshake instead."
        )
    if conn.client_hello:
        return (
            "Set the listener on this port to TLS, or send the client to the server's TLS port; a proxy or load balancer in "
            "between may also have answered (its error page says so)."
        )
    return "Check which service listens on this port; if TLS is not expected here, leave the port out of `--ports`."


def _frames(conn: Connection, side: Side) -> tuple[int, ...]:
    for step in conn.steps:
        if step.side is side and step.size:
            return step.frames[:1]
    frame = conn.traffic(side).last_payload_frame
    return () if frame is None else (frame,)
