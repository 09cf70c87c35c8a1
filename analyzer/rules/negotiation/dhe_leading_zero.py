"""A TLS_DHE handshake failed right after the client's Finished: perhaps the leading-zero bug.

## What it does
Fires for TLS 1.2 and older with a TLS_DHE suite when the server ends the handshake at once after the client's Finished,
without an alert or with one about keys (bad_record_mac, decrypt_error), or the client says so of the server's Finished. The
confidence rises when the same two machines completed such handshakes before.
With a pre-shared key (TLS_DHE_PSK) a wrong key is the likelier reason: nothing is said.

## Why it matters
When the shared secret of Diffie-Hellman begins with a zero byte, one side must drop it and the other must too. Windows 2012
R2 and older, and 2016 before February 2020, do not do it as other stacks do, so now and then, about once in 256 times, both
compute different keys. Nothing is wrong with certificates or configuration then, and the next try works.

## What to do
Try again several times: a failure each time is something else. Update Windows (KB 4557473), or put ECDHE suites before
TLS_DHE on either side.

## When it cannot tell
When bytes are missing from the capture. One failure alone cannot be told from a refused client certificate.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import CertificateState, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.alerts import ABOUT_KEYS
from analyzer.judgement.hellos import keyed_by_psk
from analyzer.judgement.phrases import counted
from analyzer.judgement.story import end, first_alert, first_ending
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="dhe-leading-zero",
    title="TLS_DHE failed after the client's Finished: perhaps by chance",
    severity=Severity.NOTE,
    confidence=Confidence.LOW,
    depth=Depth.SYMPTOM,
    needs=(Seen.FAILED, Seen.SERVER_HELLO),
    citations=("KB 4557473", "RFC 5246 section 8.1.2"),
)
FINITE_FIELD = "TLS_DHE_"


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.cipher is None or not conn.cipher.startswith(FINITE_FIELD) or keyed_by_psk(conn):
        return
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
        return
    if not _keys_refused(conn):
        return
    before = context.history.dhe_worked(conn.client_ip, conn.server_ip, conn.server_port)
    worked = f"; {counted(before, 'such handshake')} of these two worked before" if before else ""
    proof = conn.client_certificate_state is CertificateState.SENT
    yield RULE.finding(
        conn,
        f"{conn.cipher}, and {end(conn)}: if it happens only now and then, it may be the leading-zero bug of TLS_DHE, which "
        f"shows about once in 256 handshakes{worked}",
        advice="Try again: if most tries work, update Windows (KB 4557473) or prefer ECDHE suites"
        + ("; if all fail, look at the client's certificate." if proof else "; if all fail, it is something else."),
        frames=(*conn.frames_of("ServerHello", Side.SERVER)[:1], *conn.frames_of("Finished", Side.CLIENT)[-1:]),
        confidence=Confidence.MEDIUM if before else Confidence.LOW,
    )


def _keys_refused(conn: Connection) -> bool:
    """Did a side drop the handshake just when it had the other's Finished, without naming another reason?"""
    finished = conn.step("Finished", Side.CLIENT)
    if finished is None:
        return False
    alert = first_alert(conn)
    if alert is not None:
        return alert.code in ABOUT_KEYS and alert.time_ns >= finished.time_ns
    ending = first_ending(conn)
    if ending is None or ending.side is not Side.SERVER or conn.closed.echo:
        return False
    if conn.step("ChangeCipherSpec", Side.SERVER) is not None:
        return False
    return 0 <= ending.time_ns - finished.time_ns < limit_ns("at_once_s")
