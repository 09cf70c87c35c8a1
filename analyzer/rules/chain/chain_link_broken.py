"""A certificate bears the issuer's name, but its key did not make the signature.

## What it does
Follows every way up from the leaf by name, key identifier and signature (SHA-1 and MD5 too). Fires when all of them end
at a certificate whose issuer's name was sent, but no certificate of that name has the key that signed. While a
connection works, links whose key identifiers agree are believed and not computed. It is a warning when only the root
that was sent along is of another generation: peers take their own copy.

## Why it matters
It is a new generation of a CA beside certificates of the old one, or a file put together from two chains. Peers that have
the right CA certificate in their cache go on, all others end with unknown_ca, bad_certificate or decrypt_error.

## What to do
Replace the wrong CA certificate on the sending side by the one that issued the certificate. The authority key identifier
of the certificate names the key; its AIA address often has it. On Windows look for two certificates of one name in
Intermediate Certification Authorities and delete the one that does not fit.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A signature of a kind that cannot be computed is not
judged, and neither is a chain that the capture may show wrongly, because packets disagree about the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.links import plainly_linked
from analyzer.judgement.phrases import called, counted, dn, where
from analyzer.judgement.refusal import Defect, weigh
from analyzer.rules.rule import Context, Rule

if TYPE_CHECKING:
    from analyzer.judgement.ways import Broken

RULE = Rule(
    id="chain-link-broken",
    title="a certificate was not signed by the CA certificate sent with it",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5246 section 7.4.2", "RFC 5280 section 6.1.3", "RFC 4158 section 3.5"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    troubled = bool(conn.seen & Seen.TROUBLED_END)
    for sent in conn.chains():
        if troubled or not plainly_linked(sent.chain):
            yield from _look_closer(conn, sent, context)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(all((not kind.troubled and plainly_linked(chain)) or _holds(chain) for chain in kind.chains()))


def _holds(chain: Chain) -> bool:
    from analyzer.judgement.ways import broken_link

    return broken_link(chain) is None


def _look_closer(conn: Connection, sent: SentChain, context: Context) -> Iterator[Finding | CannotTell]:
    from analyzer.judgement.ways import broken_link, doubt

    broken, unsure = broken_link(sent.chain), doubt(sent.chain)
    if unsure:
        yield CannotTell(f"the {sent.side}'s chain: {unsure}")
    elif broken is not None and conn.visibility.conflicts:
        yield CannotTell(f"the {sent.side}'s chain: {conn.visibility.limited}")
    elif broken is not None:
        yield _finding(conn, sent, broken, context)


def _finding(conn: Connection, sent: SentChain, broken: Broken, context: Context) -> Finding:
    weight = weigh(conn, sent.side, Defect.LINK, Severity.WARNING if broken.only_roots else Severity.ERROR)
    proof = Confidence.MEDIUM if broken.only_roots else Confidence.HIGH
    summary = f"the {sent.side}'s chain breaks above {called(broken.child)}: {_what(broken)}"
    return RULE.judged(conn, weight.judgement(summary, _advice(conn, sent, broken, context), sent.frames, proof))


def _what(broken: Broken) -> str:
    issuer, count = dn(broken.child.issuer), len(broken.wrong)
    if count > 1:
        what = f"none of the {counted(count, 'certificate')} named {issuer} that were sent has the key that signed it"
    else:
        what = f"the {issuer} that was sent has the issuer's name and another key than the one that signed it"
    if broken.damaged:
        return f"{what}, although the key identifiers agree: one of the two is damaged or forged"
    return f"{what}, so it is another generation of that CA" if broken.generation else what


def _advice(conn: Connection, sent: SentChain, broken: Broken, context: Context) -> str:
    wrong, child = broken.wrong[0], broken.child
    text = (
        f"On {where(conn, sent.side)} replace the certificate {dn(wrong.subject)} with SHA-1 {wrong.sha1} "
        f"by the one that issued {called(child)}"
    )
    if child.authority_key_id:
        text += f" (subject key identifier {child.authority_key_id[:32].hex()})"
    text += ", and restart the service."
    if child.aia_urls:
        text += f" {called(child)} says it is at {child.aia_urls[0]}."
    right = broken.offered(context.history)
    if right is not None:
        sender = f"{right[1]} sent it" if right[1] else "somebody sent it"
        text += f" In this capture {sender} (SHA-1 {right[0].sha1})."
    return text
