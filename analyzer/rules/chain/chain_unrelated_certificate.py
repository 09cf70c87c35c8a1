"""The chain carries a certificate that belongs to no link, or one of them twice.

## What it does
Looks at all ways up from the leaf, cross-signed ones too. Fires when a certificate that was sent is on none of them: a
stranger, a second leaf, or another generation of a CA whose key signed nothing here. A certificate sent twice is a note.
A certificate of the issuer's name in place of the right one is chain-link-broken instead.

## Why it matters
Each certificate is to certify the one before it. Most peers leave the rest aside; some old, embedded and telephony
stacks refuse the chain, and OpenSSL may take the wrong one of two CAs of one name if no key identifiers help it. Every
certificate too many makes the flight longer, and some stacks limit its size.

## What to do
Remove it from the certificate file, or from the PFX before it is imported again. On Windows delete the old generation of
an intermediate from Intermediate Certification Authorities.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. While a certificate is missing from the chain, a CA
certificate that seems unrelated may stand above it.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.links import plainly_related
from analyzer.judgement.phrases import called, counted, some, where
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="chain-unrelated-certificate",
    title="a certificate in the chain belongs to no link",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5246 section 7.4.2", "RFC 8446 section 4.4.2", "RFC 4158 section 2.3"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        if not plainly_related(sent.chain):
            yield from _look_closer(conn, sent, context)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(all(plainly_related(chain) or _is_all_on_paths(chain) for chain in kind.chains()))


def _is_all_on_paths(chain: Chain) -> bool:
    from analyzer.judgement.ways import strangers

    found = strangers(chain)
    return not (found.sure or found.unsure or chain.duplicates)


def _look_closer(conn: Connection, sent: SentChain, context: Context) -> Iterator[Finding | CannotTell]:
    from analyzer.judgement.ways import strangers_among, unclear_leaf

    if not as_meant(sent.chain).leaf.readable:
        yield CannotTell(f"the {sent.side}'s certificate cannot be read, so its issuer is unknown")
        return
    found = strangers_among(conn, sent.chain, context.history)
    if unclear_leaf(sent.chain, found.sure):
        yield CannotTell(f"it is unclear which certificate is the {sent.side}'s own: a CA's stands first")
    elif found.sure:
        yield _finding(conn, sent, found.sure)
    elif found.unsure:
        yield CannotTell(
            f"a link of the {sent.side}'s chain is missing, and {called(found.unsure[0])} may stand above it"
        )
    if sent.chain.duplicates:
        yield _duplicates(conn, sent)


def _finding(conn: Connection, sent: SentChain, unrelated: tuple[Certificate, ...]) -> Finding:
    names = some(tuple(map(called, unrelated)))
    on_path = {certificate.subject for certificate in as_meant(sent.chain).path}
    if all(certificate.subject in on_path for certificate in unrelated):
        summary = f"the {sent.side} sent {names} in another generation as well, whose key signed nothing in its chain"
    elif len(unrelated) == 1:
        summary = f"the {sent.side} sent {names}, which is no part of its chain: nothing in it was issued by that CA"
        if unrelated[0].is_ca is not True and not unrelated[0].self_issued:
            summary = f"the {sent.side} sent {names}, which is no CA and not its own certificate either"
    else:
        summary = (
            f"the {sent.side} sent {counted(len(unrelated), 'certificate')} that are no part of its chain: {names}"
        )
    hashes = some(tuple(certificate.sha1 for certificate in unrelated))
    return RULE.finding(
        conn,
        summary,
        advice=f"Remove it from the chain on {where(conn, sent.side)} (SHA-1 {hashes}): take it out of the certificate file, "
        "or (Windows) out of the PFX or the store Intermediate Certification Authorities.",
        frames=sent.frames,
    )


def _duplicates(conn: Connection, sent: SentChain) -> Finding:
    names = some(tuple(map(called, sent.chain.duplicates)))
    times = len(sent.chain.certificates) - len(set(sent.chain.certificates))
    return RULE.finding(
        conn,
        f"the {sent.side} sent {counted(times, 'certificate')} more than once: {names}",
        advice=f"Each certificate belongs once into the certificate file on {where(conn, sent.side)}.",
        frames=sent.frames,
        severity=Severity.NOTE,
    )
