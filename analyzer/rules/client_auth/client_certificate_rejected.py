"""The server refused the connection right after it got the client's certificate.

## What it does
Fires when the client sent a certificate and the server answered with an alert about certificates, or with a reset or a
close before going on; also when it ended the connection at once after the handshake without having said anything, as
applications do that validate late. Names what can be seen to be wrong with the client's chain, what fits the server's
alert first: dates, the clientAuth use, a missing intermediate, an issuer that is not listed, a self-signed certificate, a
broken signature, the key usage, weak keys and hashes, at last a CRL that cannot be found.

## Why it matters
This is the step at which most mutual-TLS links fail. Many servers do not say why: Lync and Schannel applications reset
without an alert (ms-diagnostics 1047, error 10054 on the client's side); the server's own log knows more.

## What to do
Repair what is named. If nothing is: import the client's root on the server (Trusted Root store), see that the server can
fetch the CRLs, and that it allows this name (federation list, trusted servers, certificate mapping).

## When it cannot tell
TLS 1.3 without keys: whether a certificate was sent and refused is inferred from record sizes, what is wrong with it cannot
be seen: then look at the client's certificate (dates, intermediates, clientAuth) as well as at the server. Where the capture
has a gap, only an alert in clear counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import CertificateState, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.defects import Flaw, client_flaws
from analyzer.judgement.phrases import called, where
from analyzer.judgement.refusal import Defect, Refusal, refusal_of
from analyzer.judgement.validity import clock_of
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription

RULE = Rule(
    id="client-certificate-rejected",
    title="the server refused the client's certificate",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    needs=(Seen.CLIENT_CERTIFICATE_MESSAGE, Seen.TROUBLED_END),
    citations=("RFC 5246 section 7.4.6", "RFC 8446 section 4.4.2.4", "RFC 5280 section 6.1"),
)

SENT = (CertificateState.SENT, CertificateState.INFERRED_SENT)
NOTHING_WRONG = (
    "nothing wrong with it can be seen here: its root is not trusted there, revocation could not be checked, or the name is "
    "not allowed"
)
REMEDY = {
    Defect.EXPIRED: "Renew it on {client}.",
    Defect.NOT_YET_VALID: "Compare the clocks of {client}, {server} and the CA.",
    Defect.USE: "Give {client} a certificate that has the clientAuth use (public CAs stop issuing it; a private CA can).",
    Defect.INCOMPLETE: "Install the missing intermediate on {client} so that it is sent along.",
    Defect.SELF_SIGNED: "Give {client} a certificate of a CA that {server} trusts, or import this one there as a root.",
    Defect.NOT_LISTED: "Trust that CA on {server} for client certificates, or give {client} one of a listed CA.",
    Defect.LINK: "Replace the intermediate on {client} by the generation that signed its certificate.",
    Defect.FORBIDDEN: "Give {client} a certificate from a CA that may issue it.",
    Defect.ORDER: "Put the client's own certificate first in the file on {client}.",
    Defect.WEAK: "Replace the weak certificate on {client}.",
    Defect.UNREADABLE: "Reissue the certificate on {client}, or look at the file there: it cannot be read.",
    Defect.KEY_USAGE: "Reissue the certificate on {client} with the key usage digitalSignature.",
}
BAD_PROOF = (
    "the proof that the client has the private key did not hold: its signature or its keys did not fit, or something on the "
    "path changed the handshake"
)
LOOK_AT_THE_KEY = (
    "On {client} check that the private key belongs to the certificate (`certutil -verifystore My`, `openssl x509 -pubkey`), "
    "and that its provider can sign with the hash that was chosen."
)
LOOK_THERE = (
    "On {server} import the client's root into Trusted Root (or the CA file), let it reach the CRLs of the chain, and check "
    "which names it allows; its own log (Schannel events 36877, 36887, 36888) says more."
)
LOOK_AT_BOTH = (
    "On {client} look at the certificate that it sends: its dates, whether the intermediates are sent along, and the "
    "clientAuth use. " + LOOK_THERE
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.client_certificate_state not in SENT:
        return
    refusal = refusal_of(conn, Side.CLIENT)
    if refusal is None:
        return
    clock = clock_of(conn, context.judged_at(conn), given=context.now_ns is not None)
    stores = context.trust.judging(conn, Side.CLIENT)
    flaws = sorted(client_flaws(conn, context.history, clock, stores), key=lambda flaw: _rank(refusal, flaw))
    plain = any(not flaw.slight for flaw in flaws)
    if refusal.late and not plain and (conn.client.app_records or conn.client.unread_bytes):
        return  # the client had already asked something: then the refusal is about that
    guess = refusal.late and not plain  # then what is seen, the end after the handshake, is named first
    yield RULE.finding(
        conn,
        f"the server refused the client's certificate{_name(conn)} {refusal.manner}; {_reason(conn, refusal, flaws)}",
        advice=_advice(conn, refusal, flaws),
        frames=(*_frames(conn), *refusal.frames),
        confidence=Confidence.LOW if guess else refusal.confidence,
        depth=Depth.SYMPTOM if guess else None,
    )


def _rank(refusal: Refusal, flaw: Flaw) -> tuple[bool, bool]:
    """What is grave first, then what fits the alert."""
    return flaw.slight, not refusal.may_mean(flaw.defect)


def _name(conn: Connection) -> str:
    return f" {called(as_meant(conn.client_chain.chain).leaf)}" if conn.client_chain else ""


def _frames(conn: Connection) -> tuple[int, ...]:
    if conn.client_chain:
        return conn.client_chain.frames
    return conn.client_certificate_frames or (conn.client_auth_13.frames if conn.client_auth_13 else ())


def _reason(conn: Connection, refusal: Refusal, flaws: list[Flaw]) -> str:
    if conn.client_chain is None:
        return "what is wrong with it cannot be seen, TLS 1.3 encrypts it"
    if _bad_proof(refusal, flaws):
        return BAD_PROOF
    plain = [flaw for flaw in flaws if not flaw.slight]
    if not plain:
        return "; besides, ".join((NOTHING_WRONG, *(flaw.clause for flaw in flaws)))
    clauses = "; also ".join(flaw.clause for flaw in flaws)
    if refusal.may_mean(flaws[0].defect):
        return f"the likeliest reason is that {clauses}"
    return f"the alert does not say so, but {clauses}"


def _bad_proof(refusal: Refusal, flaws: list[Flaw]) -> bool:
    """OpenSSL says the same of a bad signature within the chain: that is likelier if there is one."""
    return refusal.code == AlertDescription.decrypt_error and not any(refusal.may_mean(flaw.defect) for flaw in flaws)


def _advice(conn: Connection, refusal: Refusal, flaws: list[Flaw]) -> str:
    machines = {"client": where(conn, Side.CLIENT), "server": where(conn, Side.SERVER)}
    if _bad_proof(refusal, flaws):
        return LOOK_AT_THE_KEY.format(**machines)
    if conn.client_chain is None:
        return LOOK_AT_BOTH.format(**machines)
    fitting = [REMEDY[flaw.defect] for flaw in flaws if refusal.may_mean(flaw.defect) and not flaw.slight]
    return " ".join((*dict.fromkeys(fitting[:2]), *(() if fitting else (LOOK_THERE,)))).format(**machines)
