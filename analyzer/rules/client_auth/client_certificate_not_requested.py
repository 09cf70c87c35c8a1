"""On a port of mutual TLS the server did not ask for a client certificate.

## What it does
Fires when a full handshake completes on a port where Lync and Skype for Business use mutual TLS and the server sent no
CertificateRequest. Resumed sessions never carry one and are left alone.

## Why it matters
A server there knows its peer by the peer's certificate. Without a request it takes the other side for a user's client, or
the listener is not the one that was meant: another service on this port, or a device in between that ends TLS itself and
cannot ask for certificates that it does not have (TLS inspection breaks mutual TLS this way).

## What to do
Nothing, if only users' clients connect here. Else look at which service listens, whether its binding asks for client
certificates, and whether a firewall or load balancer with its own certificate is in between: compare the server's
certificate with the one that is installed.

## When it cannot tell
When the server's flight is not whole in the capture; when the handshake is repeated in encrypted form, as IIS does to ask
later; and in TLS 1.3 when the records do not tell, or the client allows to be asked later.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.connection import CertificateState, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import where
from analyzer.judgement.renegotiation import second_handshake
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import ExtensionType

RULE = Rule(
    id="client-certificate-not-requested",
    title="no client certificate asked for on a port of mutual TLS",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    depth=Depth.SYMPTOM,
    needs=(Seen.ESTABLISHED, Seen.SERVER_HELLO),
    citations=("MicrosoftDocs OfficeDocs-SkypeForBusiness: ports-and-protocols.md", "RFC 5246 section 7.4.4"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.server_port not in context.mtls_ports:
        return
    if conn.client_certificate_state is not CertificateState.NOT_REQUESTED:
        if conn.client_certificate_state in (CertificateState.LOST, CertificateState.HIDDEN):
            yield CannotTell("the capture does not show whether the server asked for a certificate")
        return
    hidden = _asked_later(conn)
    if hidden:
        yield CannotTell(hidden)
        return
    role, told = knowledge.role(conn.server_port), conn.client_auth_13
    yield RULE.finding(
        conn,
        f"the server did not ask for a client certificate on port {conn.server_port}, where mutual TLS is usual"
        + (f" ({role.name})" if role else ""),
        advice=f"Nothing, if only users' clients connect here; else look at which service listens on "
        f"{where(conn, Side.SERVER)} and whether a device in between ends TLS.",
        frames=conn.frames_of("ServerHello", Side.SERVER)[:1],
        confidence=Confidence(told.confidence) if told else Confidence.HIGH,
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.client_state is not CertificateState.NOT_REQUESTED)


def _asked_later(conn: Connection) -> str:
    """Why the server may have asked after all, as a clause; "" if nothing hints at it."""
    hello = conn.client_hello
    if second_handshake(conn) is not None:
        return "a second, encrypted handshake follows, in which the server may have asked"
    if hello is not None and ExtensionType.post_handshake_auth in (hello.extensions or ()) and conn.client_auth_13:
        return "the client allows to be asked after the handshake, where it cannot be seen"
    return ""
