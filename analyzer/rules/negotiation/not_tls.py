"""The payload on a port where TLS is expected is no TLS.

## What it does
Fires when the first bytes of either side are no TLS and none follows. Names what they look like (SIP, HTTP ...) and who
sent them.

## Why it matters
One side speaks clear text and the other waits for TLS, or the reverse: a wrong port, a listener configured for TCP instead
of TLS, a proxy or load balancer that answers in the server's place.

## What to do
Make both sides agree: TLS on this port, or the clear-text port for the one that speaks clear text. If TLS is really not
expected here, leave the port out of `--ports`.

## When it cannot tell
The beginning of the connection is not in the capture, or the capture ends right behind a request to a proxy (CONNECT).
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import who
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="not-tls",
    title="payload on a TLS port that is no TLS",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.NOT_TLS,),
    citations=("RFC 8446 section 5.1", "RFC 3261 section 26.3.2.1", "RFC 7231 section 3"),
)
QUOTED = 24
"""Bytes of the payload that the summary quotes."""


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.not_tls is None or not conn.expected:
        return
    if conn.visibility.mid_stream or conn.visibility.gap_bytes:
        yield CannotTell(conn.visibility.limited)
        return
    protocol, side, sample = conn.not_tls
    if conn.visibility.open_end and sample.startswith(b"CONNECT "):
        yield CannotTell("the capture ends before TLS could begin behind the proxy")
        return
    what = "something that is no TLS" if protocol == "unknown" else f"{protocol} in clear text"
    to = " to the client's TLS ClientHello" if side is Side.SERVER and conn.client_hello else ""
    verb = "answers" if to else "speaks"
    yield RULE.finding(
        conn,
        f"{who(conn, side)} {verb} {what}{to} on port {conn.server_port}, where TLS is expected: it starts with "
        f"{quoted(sample)}",
        advice=_advice(conn, side),
        frames=_frames(conn, side),
    )


def quoted(sample: bytes) -> str:
    """The first bytes as text if they are printable ASCII, else in hexadecimal."""
    head = sample.splitlines()[0][:QUOTED] if sample else b""
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
