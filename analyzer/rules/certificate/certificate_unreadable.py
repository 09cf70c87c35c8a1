"""A certificate cannot be read.

## What it does
Fires when a certificate of the message is no certificate, is cut short, or has parts that neither our forgiving reader nor
a strict one can decode. Says which parts; what could be read is still shown and judged. A certificate that we read
and a strict reader refuses, because its encoding breaks the rules, is a note. An unknown algorithm is no damage.

## Why it matters
No peer accepts what it cannot read: it answers bad_certificate, decode_error or unsupported_certificate, or just closes. One
peer may forgive what another refuses.

## What to do
Look at the certificate on the machine that sends it, and reissue it; a file that was cut or converted wrongly is the
commonest reason. If the file is good there, something on the path changes the handshake.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A message with a gap in the capture is not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.elements import both_worlds, judgement
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import brief, called, where
from analyzer.judgement.reading import broken_in, lost_parts, odd_in, strangeness
from analyzer.judgement.refusal import Defect, beside, weigh
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="certificate-unreadable",
    title="a certificate cannot be read",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5280 section 4.1", "RFC 5246 section 7.4.2", "ITU-T X.690"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        if broken := broken_in(sent.chain):
            weight = weigh(conn, sent.side, Defect.UNREADABLE, Severity.ERROR)
            yield RULE.judged(
                conn, judgement(conn, sent, _broken(sent, broken), _advice(conn, sent), weight, Defect.UNREADABLE)
            )
        elif odd := odd_in(sent.chain):
            yield RULE.judged(
                conn, judgement(conn, sent, _odd(sent, odd), _advice(conn, sent), beside(conn, Severity.NOTE))
            )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(broken_in(chain) or odd_in(chain) for chain in kind.chains()))


def _broken(sent: SentChain, broken: tuple[Certificate, ...]) -> str:
    first = broken[0]
    what = _place(sent, first)
    if first.readable:
        lost = lost_parts(first)
        text = f"{what} cannot be read whole: {brief(lost[0])}" + (f" and {len(lost) - 1} more" if lost[1:] else "")
    else:
        reason = next((note for note in first.oddities if note.startswith("no certificate")), "no certificate")
        text = f"{what} cannot be read ({len(first.der):,} bytes, {brief(reason)})"
    return text + (f"; nor can {len(broken) - 1} more in that chain" if broken[1:] else "")


def _odd(sent: SentChain, odd: tuple[Certificate, ...]) -> str:
    text = f"{_place(sent, odd[0])} breaks the rules of encoding, so that strict peers may refuse it "
    text += f"({brief(strangeness(odd[0]))})"
    return text + (f"; so do {len(odd) - 1} more in that chain" if odd[1:] else "")


def _place(sent: SentChain, certificate: Certificate) -> str:
    """ "the server's certificate sip.example", "certificate 2 of the server's chain, Sub"."""
    number = next(i for i, c in enumerate(sent.chain.certificates, start=1) if c is certificate)
    name = called(certificate) if certificate.readable else ""
    if number == 1:
        return f"the {sent.side}'s certificate {name}".rstrip()
    return f"certificate {number} of the {sent.side}'s chain" + (f", {name}," if name else "")


def _advice(conn: Connection, sent: SentChain) -> str:
    return f"Look at the file that {where(conn, sent.side)} sends, and reissue the certificate. {both_worlds('read')}"
