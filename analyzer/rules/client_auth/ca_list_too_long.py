"""The server names more CAs than is good for its clients, and for itself.

## What it does
Fires when the CertificateRequest names more than 100 CAs, or its list is longer than 12,288 bytes.

## Why it matters
Windows cuts the list at 16,384 bytes (12,288 on Server 2003), and which CAs are cut off depends on the order of the store:
a link can break from one day to the next because somebody added a root. From Windows 8 and Server 2012 on the same limit
can break the check of client certificates even when no list is sent (KB 2880390). Windows peers refuse handshake messages
over 32,768 bytes, older ones everything that does not fit into one record.

## What to do
Take roots that nobody needs out of the Trusted Root store (KB 2801679, KB 931125), or do not send the list
(SendTrustedIssuerList = 0), or send a chosen one (Client Authentication Issuers store). Elsewhere: give the listener only
the CAs that issue its clients' certificates.

## When it cannot tell
TLS 1.3 without keys: the request is encrypted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.connection import CaList, Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="ca-list-too-long",
    title="the server's list of CAs is very long",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.CERTIFICATE_REQUEST,),
    citations=("RFC 5246 section 7.4.4", "KB 2801679", "KB 931125", "KB 2880390"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    request = conn.certificate_request
    if request is None or not _too_long(request.ca_list):
        return
    yield RULE.finding(
        conn,
        _summary(len(request.ca_list.names), request.ca_list.size),
        advice="Remove roots that nobody needs from the server's Trusted Root store (KB 2801679, KB 931125; `certutil -store "
        "Root` lists them), or set SendTrustedIssuerList = 0, or send a chosen list (Client Authentication Issuers store).",
        frames=request.frames,
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.ca_list is None or not _too_long(kind.ca_list))


def _too_long(ca_list: CaList) -> bool:
    return len(ca_list.names) > limit("ca_names_many") or ca_list.size > limit("schannel_ca_list_2003")


@lru_cache(maxsize=CAPACITY)
def _summary(names: int, size: int) -> str:
    return f"the server's list of CAs has {names:,} names in {size:,} bytes{_limits(size)}"


def _limits(size: int) -> str:
    """Which limits of other stacks that is over, as a clause."""
    if size > limit("message_limit_client"):
        return f", more than a Windows client accepts ({limit('message_limit_client'):,} bytes)"
    if size > limit("schannel_ca_list"):
        return f"; the server is not Windows, which would have cut it at {limit('schannel_ca_list'):,} bytes"
    return f"; Windows cuts such a list at {limit('schannel_ca_list'):,} bytes (Server 2003: 12,288)"
