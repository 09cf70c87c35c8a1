"""The reset that ended the connection was most likely not sent by the side in whose name it came.

## What it does
Compares the RST with its sender's other packets. Fires when two signs agree that somebody else sent it, one of them a
strong one. Strong: a TTL that differs by more than two hops, or payload of the same sender after its own reset. Weak: an
IP identification that is 0 or far from the others, a sequence number that was not due, an answer in less than half of the
round trip, a reset with a foreign TTL in the other side's name at once. An error when the handshake failed by it or the
connection died right after it, a warning before a byte was said, and a note when it ended a connection that had worked.

## Why it matters
The side that seems to have reset knows nothing of it, and its log shows nothing. A firewall, an intrusion prevention
system, a load balancer or a TLS inspection device did it: by address, by server name, by a certificate that it does not
like, or because its own timer ran out.

## What to do
Look at the devices between the two: the RST's TTL tells how many routers away its sender is. Capture on both sides of a
suspected device and compare: a RST that is seen on one side only was made in between.

## When it cannot tell
With one sign alone, where bytes missing from the capture hide the others. A route that changes, or a device that answered
the TCP handshake in the server's name, can look alike: the confidence is lower when only the opening could be compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Outcome, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.injection import Signs, hops, signs_of
from analyzer.judgement.story import last_step, named, who
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="reset-injected",
    title="a reset that its sender did not send",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    needs=(Seen.RESET,),
    citations=(
        "RFC 9293 section 3.5.3",
        "RFC 5961 section 1.1",
        "Weaver, Sommer, Paxson: Detecting Forged TCP Reset Packets (NDSS 2009)",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    signs = signs_of(conn)
    if signs is None:
        return
    if signs.forged:
        yield _finding(conn, signs)
    elif signs.strong and conn.visibility.limited:
        yield CannotTell(f"{signs.strong[0]}, but {conn.visibility.limited}")


def _finding(conn: Connection, signs: Signs) -> Finding:
    reset = signs.reset
    before = last_step(conn, reset.time_ns)
    place = f" right after {named(before)}" if before and not conn.established else ""
    return RULE.finding(
        conn,
        f"somebody on the path, not {who(conn, reset.side)} in whose name it came, most likely reset the connection{place}: "
        + "; ".join((*signs.strong, *signs.weak)),
        advice="Look at firewalls, intrusion prevention, load balancers and TLS inspection between the two"
        + (f"; {_where(reset.ttl)}" if reset.ttl else "")
        + f". Nothing will be in the {reset.side}'s log. Capture on both sides of a suspected device: a reset that only one "
        "side sees was made there.",
        frames=((before.frames[-1],) if before and place else ()) + (reset.frame,),
        severity=_severity(conn),
        confidence=Confidence.HIGH if signs.sure else Confidence.MEDIUM,
    )


def _where(ttl: int) -> str:
    away = hops(ttl)
    return f"by its TTL the reset has passed {away} router{'' if away == 1 else 's'} to where this capture was taken"


def _severity(conn: Connection) -> Severity:
    """What it did to the connection."""
    if conn.failed or (conn.established and Seen.TROUBLED_END & conn.seen):
        return Severity.ERROR
    return Severity.WARNING if conn.outcome is Outcome.NO_DATA else Severity.NOTE
