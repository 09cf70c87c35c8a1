"""The server's short list of CAs names intermediates only: a sign of a polluted root store on Windows.

## What it does
Fires when a list of at most five names has none that can be a root: of each name a certificate was seen that another CA
issued, and of none a self-issued one. It is a note when the server sends one record for each message, which Windows does
not. It is an error when the server then refuses a client that sent no certificate, or one that no name on the list fits.

## Why it matters
When the Trusted Root store of Windows holds a certificate that is not self-signed, the server names only such
certificates: one misplaced intermediate hides all real roots from the clients. Client authentication then fails as well
(CERT_E_UNTRUSTEDROOT, 0x800b0109; IIS 403.16 or 403.7; Lync services that do not start).

## What to do
On the server move every certificate whose issuer is not its subject from Trusted Root to Intermediate Certification
Authorities, and find out what put it there (a group policy will do it again):
`Get-ChildItem Cert:\\LocalMachine\\Root -Recurse | Where-Object { $_.Issuer -ne $_.Subject }`.
A server that is meant to name intermediates (a Client Authentication Issuers store, a CA file of nginx) is fine.

## When it cannot tell
A name of which the capture shows no certificate may be a root or not. TLS 1.3 without keys: the request is encrypted. A CA
with both a root and a cross-certificate looks like an intermediate if only the cross-certificate was seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.connection import CaList, CertificateRequest, CertificateState, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.intermediates import listed, packs_messages
from analyzer.judgement.issuers import listing
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import dn, some, where
from analyzer.judgement.refusal import Refusal, refusal_of
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="ca-list-polluted",
    title="the server's short list of CAs has no root on it",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    needs=(Seen.CERTIFICATE_REQUEST,),
    citations=(
        "MicrosoftDocs windowsserverdocs: what-s-new-in-tls-ssl-schannel-ssp-overview.md",
        "KB 2802568",
        "KB 2795828",
        "RFC 5246 section 7.4.4",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    request = conn.certificate_request
    if request is None or not _short(request.ca_list):
        return
    known = listed(conn, context.history)
    if known.root:
        return
    if known.intermediates and len(known.intermediates) == len(set(request.ca_list.names)):
        yield _finding(conn, request, known.intermediates, context)
    else:
        yield UNKNOWN


UNKNOWN = CannotTell("the capture does not show whether the names on the list are those of roots")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.ca_list is None or not kind.listed.intermediates or not _short(kind.ca_list))


def _short(ca_list: CaList) -> bool:
    return ca_list.complete and 0 < len(ca_list.names) <= limit("ca_names_few")


def _finding(
    conn: Connection, request: CertificateRequest, known: tuple[Certificate, ...], context: Context
) -> Finding:
    refusal = refusal_of(conn, Side.CLIENT)
    victim = _victim(conn, context) if refusal is not None else ""
    first = known[0]
    also = f", issued by {dn(first.issuer)}" if len(known) == 1 else ", each issued by another CA"
    names = some(tuple(certificate.subject.text for certificate in known))
    summary = f"the server's list of CAs names no root, only {names}{also}"
    weight = _weight(conn, refusal if victim else None)
    return RULE.finding(
        conn,
        f"{summary}: on Windows a sign of intermediates in the Trusted Root store"
        + (f"; {victim} and {refusal}" if victim else ""),
        advice=f"If {where(conn, Side.SERVER)} is Windows and was not given this list on purpose (Client Authentication Issuers "
        "store): move every certificate whose issuer is not its subject from Trusted Root to Intermediate Certification "
        "Authorities (KB 2802568, KB 2795828).",
        frames=(*request.frames, *(refusal.frames if refusal and victim else ())),
        severity=weight,
        confidence=Confidence.LOW if _may_have_none(conn, victim) else Confidence.MEDIUM,
        depth=_depth(conn, victim),
    )


def _may_have_none(conn: Connection, victim: str) -> bool:
    """A refused client that sent no certificate may have none for anybody: that comes first then."""
    return bool(victim) and conn.client_certificate_state is CertificateState.EMPTY


def _depth(conn: Connection, victim: str) -> Depth:
    if _may_have_none(conn, victim):
        return Depth.STEP
    return Depth.ROOT if victim or not conn.failed else Depth.SYMPTOM


def _weight(conn: Connection, refusal: Refusal | None) -> Severity:
    if packs_messages(conn) is False:
        return Severity.NOTE
    return Severity.WARNING if refusal is None else Severity.ERROR


def _victim(conn: Connection, context: Context) -> str:
    """What the client could not do with this list, as a clause; "" if the list had what it needs, or if that is unknown."""
    if conn.client_certificate_state is CertificateState.EMPTY:
        return "the client found no certificate that fits"
    answer = listing(conn, context.history)
    return f"the client's issuer {dn(answer.issuers[-1])} is not on it" if answer.listed is False else ""
