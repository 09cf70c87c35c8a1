"""The server's list of CAs names an intermediate: on Windows it lies in the store of trusted roots.

## What it does
Fires when the list names the subject of a CA certificate that somebody sent, that another CA issued, and of which no
self-issued one was seen. A short list of nothing but such names is `ca-list-polluted`. It is a warning where the list looks
like that of Windows: it names Microsoft's own roots, or nothing but intermediates, and the server does not send one record
for each message. Otherwise it is a note.

## Why it matters
Windows takes the list from its Trusted Root store. A certificate there that is not self-signed breaks the check of client
certificates from Windows 8 and Server 2012 on (CERT_E_UNTRUSTEDROOT, 0x800b0109; IIS 403.16; Lync front ends that do not
start), also for clients of quite another CA. Elsewhere the names of intermediates are allowed and often meant.

## What to do
On a Windows server move every certificate whose issuer is not its subject from Trusted Root to Intermediate Certification
Authorities: `Get-ChildItem Cert:\\LocalMachine\\Root -Recurse | Where-Object { $_.Issuer -ne $_.Subject }` lists them. Look
for a group policy that puts them there.

## When it cannot tell
TLS 1.3 without keys: the request is encrypted. A CA with both a root and a cross-certificate looks like an intermediate if
only the cross-certificate was seen. An intermediate that nobody sent is not noticed.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.intermediates import listed, names_windows_roots, packs_messages
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.names import depth_beside
from analyzer.judgement.phrases import dn, where
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="ca-list-names-intermediate",
    title="the server's list of CAs names an intermediate",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    needs=(Seen.CERTIFICATE_REQUEST,),
    citations=("KB 2795828", "KB 2802568", "RFC 5246 section 7.4.4"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    request = conn.certificate_request
    known = listed(conn, context.history).intermediates
    if request is None or not known:
        return
    ca_list = request.ca_list
    all_of_them = ca_list.complete and len(known) == len(set(ca_list.names))
    if all_of_them and len(known) <= limit("ca_names_few"):
        return  # ca-list-polluted
    windows = packs_messages(conn) is not False and (all_of_them or names_windows_roots(ca_list))
    first = known[0]
    sender = context.history.sender_of(first.sha256)
    more = f", and {len(known) - 1} more intermediates" if len(known) > 1 else ""
    yield RULE.finding(
        conn,
        f"the server's list of CAs names {dn(first.subject)}, which is no root: {dn(first.issuer)} issued it{more}",
        advice=f"If {where(conn, Side.SERVER)} is Windows, move {dn(first.subject)} from Trusted Root to Intermediate "
        "Certification Authorities: it can break the check of all client certificates there (KB 2795828, KB 2802568)."
        + (f" {sender} sent that certificate." if sender else ""),
        frames=request.frames,
        severity=Severity.WARNING if windows else Severity.NOTE,
        depth=depth_beside(conn),
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not kind.listed.intermediates)
