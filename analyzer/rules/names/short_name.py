"""A certificate, or the name that the client asks for, is a host name without a domain.

## What it does
Fires when a certificate has a dNSName without a dot, when its only name is a common name without a dot, or when the client
asks for such a name. Clients' certificates are looked at on ports of mutual TLS only, and never by their common name, which
may be a user's. It is a warning for a certificate on a SIP port and a note otherwise. "localhost" does not count.

## Why it matters
Lync and Skype for Business allow no short names: peers know each other by whole names, and a machine that is in no domain
(an edge) has a whole name only if somebody set its primary DNS suffix. Public CAs do not issue such names, and the same
short name means another machine elsewhere.

## What to do
Set the primary DNS suffix of the machine (System Properties, Computer Name, Change, More), request a certificate with the
whole name, and let clients use that name.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A leaf that cannot be read shows no names.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, SentChain, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.names import depth_beside, is_short, short_common_name, short_names, unreadable_leaf
from analyzer.judgement.phrases import some, where
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="short-name",
    title="a host name without a domain",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.CLIENT_HELLO | Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: environmental-requirements.md",
        "CA/Browser Forum Baseline Requirements section 7.1.4.2",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        if unreadable_leaf(sent.chain) is not None:
            yield CannotTell(f"the {sent.side}'s certificate cannot be read, so its names are unknown")
        elif names := _names(conn, sent, context):
            yield _of_certificate(conn, sent, names, context)
            return
    if conn.server_name and is_short(conn.server_name):
        yield RULE.finding(
            conn,
            f"the client asks for {conn.server_name}, a name without a domain",
            advice=f"Let the client use the whole name of {where(conn, Side.SERVER)}, as it is in its certificate.",
            frames=conn.frames_of("ClientHello", Side.CLIENT)[:1],
            severity=Severity.NOTE,
            depth=depth_beside(conn),
        )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    if kind.server_name and is_short(kind.server_name):
        return None
    return quiet_if(not any(short_names(chain) or short_common_name(chain) for chain in kind.chains()))


def _names(conn: Connection, sent: SentChain, context: Context) -> tuple[str, ...]:
    """The leaf's short names that somebody may look at."""
    if sent.side is Side.CLIENT:
        return short_names(sent.chain) if conn.server_port in context.mtls_ports else ()
    common_name = short_common_name(sent.chain)
    return short_names(sent.chain) or ((common_name,) if common_name else ())


def _of_certificate(conn: Connection, sent: SentChain, names: tuple[str, ...], context: Context) -> Finding:
    on_sip = conn.server_port in context.sip_ports
    asked = sent.side is Side.SERVER and conn.server_name in names
    return RULE.finding(
        conn,
        f"the {sent.side}'s certificate is for {some(names)}, a name without a domain"
        + (", and the client asks for it" if asked else ""),
        advice=f"Request a certificate for {where(conn, sent.side)} with its whole name; a machine in no domain needs a "
        "primary DNS suffix for that.",
        frames=sent.frames,
        severity=Severity.WARNING if on_sip else Severity.NOTE,
        depth=depth_beside(conn),
    )
