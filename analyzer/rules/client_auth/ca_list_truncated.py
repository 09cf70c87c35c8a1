"""The server's list of CAs ends just below a limit at which Windows cuts it.

## What it does
Compares the list's length with Schannel's limits, 16,384 bytes (Server 2003: 12,288). Up to 320 bytes below one of them the
list was probably cut: that is more than the longest CA name in use. It is a note while the connection works. It is an error
when the connection dies and the client sent no certificate, or one whose issuers are all missing from the list. Otherwise
it is a warning.

## Why it matters
The server trusts CAs that it does not name any more. A client looks for a certificate of a CA on the list, finds none, and
sends nothing, or the server does not accept what it sends. Which CAs are cut off depends on the order of the store, so it
breaks one partner and not another, and changes when a root is added. The server logs event 36885 (System, Schannel).

## What to do
On the server: remove roots that nobody needs from Trusted Root (KB 2801679, KB 931125), or set SendTrustedIssuerList = 0
under HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL, or use a Client Authentication Issuers store.
`certutil -store Root` lists what is there.

## When it cannot tell
TLS 1.3 without keys: the request is encrypted. A list that just happens to have this length looks the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.names import Name
from analyzer.connection import CertificateRequest, CertificateState, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.issuers import listing
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import dn
from analyzer.judgement.refusal import Refusal, refusal_of
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="ca-list-truncated",
    title="the server's list of CAs was probably cut off by Windows",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    needs=(Seen.CERTIFICATE_REQUEST,),
    citations=("KB 2801679", "KB 931125", "KB 2464556", "RFC 5246 section 7.4.4"),
)

ADVICE = (
    "On the server remove roots that nobody needs from Trusted Root (KB 2801679, KB 931125), or set SendTrustedIssuerList = "
    "0 (HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL). Event 36885 in its System log confirms the cut; "
    "`certutil -store Root` lists the store."
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    request = conn.certificate_request
    cut_at = _limit_below(request.ca_list.size) if request is not None else None
    if request is None or cut_at is None:
        return
    summary = (
        f"the server's list of CAs, {len(request.ca_list.names):,} names in {request.ca_list.size:,} bytes, ends just "
        f"below the {cut_at:,} bytes at which Windows cuts it, so CAs that the server trusts are probably missing from it"
    )
    refusal = refusal_of(conn, Side.CLIENT)
    missing = _what_is_missing(conn, context) if refusal is not None else ""
    if refusal is not None and missing:
        yield _error(conn, request, f"{summary}; {missing} and {refusal}", refusal)
    else:
        works = Seen.ESTABLISHED & conn.seen and refusal is None
        yield RULE.finding(
            conn,
            summary,
            advice=ADVICE,
            frames=request.frames,
            severity=Severity.NOTE if works else Severity.WARNING,
        )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.ca_list is None or _limit_below(kind.ca_list.size) is None)


def _limit_below(size: int) -> int | None:
    """The limit that the list almost reaches; None if it ends elsewhere."""
    for name in ("schannel_ca_list", "schannel_ca_list_2003"):
        if limit(name) - limit("ca_list_band") < size <= limit(name):
            return limit(name)
    return None


def _what_is_missing(conn: Connection, context: Context) -> str:
    """What the client could not find on the list, as a clause; "" if the list had what it needs, or if that is unknown."""
    if conn.client_certificate_state is CertificateState.EMPTY:
        return "the client found no certificate that fits"
    answer = listing(conn, context.history)
    if answer.listed is not False:
        return ""
    issuer: Name = answer.issuers[-1]
    return f"the client's issuer {dn(issuer)} is not on it"


def _error(conn: Connection, request: CertificateRequest, summary: str, refusal: Refusal) -> Finding:
    return RULE.finding(
        conn,
        summary,
        advice=ADVICE,
        frames=(*request.frames, *conn.client_certificate_frames, *refusal.frames),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
    )
