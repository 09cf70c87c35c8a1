"""A signature is of a scheme that the other side did not say it accepts, and the other side refused.

## What it does
Looks at TLS 1.2 handshakes that were refused. Compares the scheme of ServerKeyExchange and CertificateVerify, and the
signatures of all certificates below the root, with what the other side announced: ClientHello signature_algorithms(_cert),
or the list in the CertificateRequest. Silent when the other side goes on: many stacks accept more in a chain than they
announce. When the server refuses the hello itself, the chain is taken that the same server sent on another connection.

## Why it matters
A chain signed with SHA-512 fails with unpatched Windows 2008 R2 to 2012 R2 on TLS 1.2, whose Schannel does not offer it
(events 36874, 36888 with state 1205); Lync and Skype for Business support no RSASSA-PSS; current clients dropped SHA-1 and
MD5. Servers see the same in the hello and may refuse before they send a certificate.

## What to do
Reissue the certificate that is named with a signature that the other side accepts (SHA-256 with RSA PKCS #1 v1.5 is taken
everywhere), or update the other side: Windows may need KB 2973337 for SHA-512; OpenSSL may need a lower security level.

## When it cannot tell
TLS 1.3 hides the certificates, and a server that refuses every hello shows none. Before TLS 1.2 nobody announces schemes.
When bytes are missing nobody is blamed.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.hellos import hello_refused, refusing_alert
from analyzer.judgement.phrases import called, where
from analyzer.judgement.refusal import Defect, refusal_of
from analyzer.judgement.schemes import Schemes, accepted, own_scheme, unaccepted
from analyzer.judgement.story import alert_name, end, weaker
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription, is_grease

RULE = Rule(
    id="signature-scheme-mismatch",
    title="a signature of a scheme that the other side does not accept",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    needs=(Seen.TROUBLED_END, Seen.CLIENT_HELLO),
    citations=("RFC 5246 section 7.4.1.4.1", "RFC 5246 section 7.4.4", "RFC 8446 section 4.2.3", "KB 2973337"),
)
ABOUT_SIGNATURES = frozenset({AlertDescription.illegal_parameter, AlertDescription.decrypt_error})
"""Alerts that a wrong proof of the key brings, and that say nothing of a certificate."""
NO_MATCH = frozenset({AlertDescription.handshake_failure, AlertDescription.insufficient_security})
"""Alerts of a server that finds nothing in a hello that fits it."""
NAMED = 6
"""Accepted schemes that the summary names."""


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.server_hello is None:
        yield from _of_hello(conn, context)
    elif conn.hidden & Seen.SERVER_CERTIFICATE and conn.server_chain is None:
        yield CannotTell("the certificates cannot be seen")
    for side in (Side.SERVER, Side.CLIENT):
        sent, announced = conn.chain(side), accepted(conn, side.peer)
        if sent is None or announced is None:
            continue
        for_proofs, for_chains = announced
        scheme = own_scheme(conn, side)
        if scheme is not None and scheme not in for_proofs:
            yield from _of_proof(conn, side, scheme, for_proofs)
        elif bad := unaccepted(sent.chain, for_chains):
            yield from _of_chain(conn, side, bad, for_chains)


def _of_proof(conn: Connection, side: Side, scheme: int, announced: Schemes) -> Iterator[Finding | CannotTell]:
    """The ServerKeyExchange or CertificateVerify itself breaks the announcement, which RFC 5246 forbids."""
    message = "ServerKeyExchange" if side is Side.SERVER else "CertificateVerify"
    refused = _refused(conn, side, proof=True)
    if refused is None:
        return
    how, frames, confidence = refused
    yield RULE.finding(
        conn,
        f"the {side} signed its {message} with {knowledge.signature_scheme(scheme)}, which the {side.peer} does not accept "
        f"({_list(announced)}); {how}",
        advice=f"Update {where(conn, side)}: a TLS stack must not use a scheme that its peer did not announce. Look for a "
        "device on the path that changes the announcement.",
        frames=(*conn.frames_of(message, side), *frames),
        confidence=confidence,
    )


def _of_chain(
    conn: Connection, side: Side, bad: tuple[Certificate, ...], announced: Schemes
) -> Iterator[Finding | CannotTell]:
    refused = _refused(conn, side, proof=False)
    if refused is None:
        if conn.visibility.limited and conn.failed:
            yield CannotTell(conn.visibility.limited)
        return
    how, frames, confidence = refused
    sent, first = conn.chain(side), bad[0]
    also = f" (and {len(bad) - 1} more of its chain)" if len(bad) > 1 else ""
    algorithm = _algorithm(first)
    yield RULE.finding(
        conn,
        f"the {side}'s certificate {called(first)}{also} is signed with {algorithm}, which the {side.peer} does not say it "
        f"accepts ({_list(announced)}); {how}",
        advice=f"Reissue {called(first)} for {where(conn, side)} with a signature that the {side.peer} accepts (SHA-256 with RSA "
        f"is taken everywhere), or update {where(conn, side.peer)} so that it accepts {algorithm}{_on_windows(first)}.",
        frames=(*(sent.frames if sent else ()), *frames),
        confidence=weaker(confidence, Confidence.MEDIUM),
    )


def _of_hello(conn: Connection, context: Context) -> Iterator[Finding]:
    """The server refused the hello, and would have had to answer it with a chain that the client does not accept."""
    hello = conn.client_hello
    if hello is None or hello.signature_schemes is None or not hello_refused(conn):
        return
    chain = context.history.served_chain(conn.server_ip, conn.server_port)
    alert = refusing_alert(conn, Side.SERVER)
    if chain is None or (alert is not None and alert.code not in NO_MATCH):
        return
    if conn.server_name and as_meant(chain).leaf.covers(conn.server_name) is None:
        return  # for this name it may have another certificate
    announced = hello.signature_schemes_cert or hello.signature_schemes
    bad = unaccepted(chain, announced)
    if not bad:
        return
    first, algorithm = bad[0], _algorithm(bad[0])
    yield RULE.finding(
        conn,
        f"the server's certificate {called(first)}, as it sent it on another connection, is signed with {algorithm}, which "
        f"this client does not say it accepts ({_list(announced)}); {end(conn)}",
        advice=f"Reissue {called(first)} for {where(conn, Side.SERVER)} with a signature that all clients accept (SHA-256 with "
        f"RSA), or update {where(conn, Side.CLIENT)} so that it accepts {algorithm}{_on_windows(first)}.",
        frames=(*conn.frames_of("ClientHello", Side.CLIENT), *((alert.frame,) if alert is not None else ())),
        confidence=Confidence.MEDIUM if alert is not None else Confidence.LOW,
    )


def _refused(conn: Connection, side: Side, proof: bool) -> tuple[str, tuple[int, ...], Confidence] | None:
    """How the peer refused, as a clause, where, and how sure that it was about this; None if it did not."""
    refusal = refusal_of(conn, side)
    if refusal is not None and refusal.may_mean(Defect.SCHEME):
        return str(refusal), refusal.frames, refusal.confidence
    alert = refusing_alert(conn, side.peer)
    if alert is None or alert.code not in ABOUT_SIGNATURES or not conn.failed:
        return None
    if not proof and alert.code != AlertDescription.illegal_parameter:
        return None
    sure = Confidence.HIGH if proof else Confidence.MEDIUM
    return f"the {side.peer} refused with the alert {alert_name(alert.code)}", (alert.frame,), sure


def _on_windows(certificate: Certificate) -> str:
    """What makes Windows accept it, as a clause; "" if nothing is known to."""
    return " (Windows 2012 R2 and older may need KB 2973337)" if certificate.signature_hash == "sha512" else ""


def _algorithm(certificate: Certificate) -> str:
    """ "RSASSA-PSS with SHA-256", "sha512WithRSAEncryption"."""
    name, digest = certificate.signature_algorithm, certificate.signature_hash
    return f"{name} with {digest}" if digest and digest not in name.lower() else name


def _list(schemes: Schemes) -> str:
    names = [knowledge.signature_scheme(code) for code in schemes if not is_grease(code)]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
