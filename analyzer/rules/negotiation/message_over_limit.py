"""A handshake message is larger than some TLS stacks accept.

## What it does
Measures Certificate and CertificateRequest messages: over 16,384 bytes they do not fit into one record, over 32,768 bytes
Windows and Java refuse them, over 102,400 bytes OpenSSL does. While the connection works it is a note up to 32,768 bytes
and a warning beyond, since the size of a list or chain stays for the next peer. When the receiver ended the handshake at
that message it is a warning, beyond 32,768 bytes an error. Of a hello that was never
answered, or dropped without an alert that names another reason, it says so when the hello did not fit into one packet.

## Why it matters
Long lists of CAs and chains with many certificates are the usual reason. Windows before 7 and 2008 R2 cannot read messages
that are spread over records. Windows reports SEC_E_ILLEGAL_MESSAGE (0x80090326), Java "the size of the handshake message
exceeds the maximum". Hellos with a post-quantum key share are larger than one packet, and some servers, firewalls and load
balancers may read only the first.

## What to do
Shorten the list of CAs (see `ca-list-too-long`) or the chain. Or raise the receiver's limit: Windows
SCHANNEL\\Messaging\\MessageLimitClient and MessageLimitServerClientAuth, Java -Djdk.tls.maxHandshakeMessageSize. For a
large hello: update the device, or try without the post-quantum group (`openssl s_client -groups X25519:P-256`).

## When it cannot tell
TLS 1.3 without keys shows no such message. When the capture has holes, nobody is blamed for the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.connection import Connection, Seen, Side, Step
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.hellos import hello_refused, refusing_alert
from analyzer.judgement.phrases import counted, where
from analyzer.judgement.refusal import went_on
from analyzer.judgement.story import end, first_alert
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import AlertDescription

RULE = Rule(
    id="message-over-limit",
    title="a handshake message is larger than some stacks accept",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    needs=(Seen.CLIENT_HELLO | Seen.SERVER_CERTIFICATE | Seen.CERTIFICATE_REQUEST | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "MicrosoftDocs windowsserverdocs: tls-registry-settings.md (SCHANNEL\\Messaging)",
        "JDK-8245417",
        "OpenSSL SSL_CTX_set_max_cert_list(3)",
        "RFC 5246 section 6.2.1",
        "tldr.fail",
    ),
)
ABOUT_SIZE = frozenset(
    {
        AlertDescription.unexpected_message,
        AlertDescription.record_overflow,
        AlertDescription.illegal_parameter,
        AlertDescription.decode_error,
    }
)
"""Alerts that a message brings which its receiver will not read."""
VAGUE = frozenset({AlertDescription.handshake_failure, AlertDescription.internal_error})


@dataclass(frozen=True, slots=True)
class Large:
    """One message and its receiver."""

    side: Side
    name: str
    size: int
    records: int
    frames: tuple[int, ...]
    time_ns: int


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above. No `quiet`: the sizes belong to the messages, and looking at them is all there is to do."""
    most = limit("record_plaintext")
    server, client, request = conn.server_chain, conn.client_chain, conn.certificate_request
    if server is not None and server.size > most:
        message = Large(Side.SERVER, "Certificate", server.size, server.records, server.frames, server.time_ns)
        yield _finding(conn, message)
    if request is not None and request.size > most:
        message = Large(
            Side.SERVER, "CertificateRequest", request.size, request.records, request.frames, request.time_ns
        )
        yield _finding(conn, message)
    if client is not None and client.size > most:
        message = Large(Side.CLIENT, "Certificate", client.size, client.records, client.frames, client.time_ns)
        yield _finding(conn, message)
    if conn.failed and conn.server_hello is None:
        yield from _hello(conn)


def _finding(conn: Connection, large: Large) -> Finding:
    refused, confidence = _refused(conn, large)
    beyond = large.size > limit("message_limit_client")
    if refused:
        severity = Severity.ERROR if beyond else Severity.WARNING
    else:
        severity = Severity.WARNING if beyond and not conn.failed else Severity.NOTE
    return RULE.finding(
        conn,
        f"the {large.side}'s {large.name} has {large.size:,} bytes in {counted(large.records, 'record')}, more than "
        f"{_who(large)} accept" + (f"; {end(conn)}" if refused else ""),
        advice=_advice(conn, large, refused),
        frames=(*large.frames, *((conn.closed.frame,) if refused and conn.closed.frame else ())),
        severity=severity,
        confidence=confidence,
        depth=Depth.ROOT if refused or not conn.failed else Depth.SYMPTOM,
    )


def _who(large: Large) -> str:
    """The stacks whose limit that is over."""
    stacks = []
    if large.size > limit("message_limit_openssl"):
        stacks.append(f"OpenSSL ({limit('message_limit_openssl'):,} bytes by default)")
    if large.size > limit("message_limit_go") and large.name != "Certificate":
        stacks.append(f"Go ({limit('message_limit_go'):,})")
    if large.size > limit("message_limit_client"):
        stacks.append(f"Windows and Java ({limit('message_limit_client'):,} bytes by default)")
    if not stacks:
        return f"Windows versions before 7 and 2008 R2 ({limit('record_plaintext'):,} bytes, one record)"
    return " and ".join(stacks)


def _refused(conn: Connection, large: Large) -> tuple[bool, Confidence]:
    """Did the receiver end the handshake at this message, and how sure is it that its size was the reason?"""
    receiver = large.side.peer
    if not conn.refused_by(receiver) or conn.visibility.limited or went_on(conn, receiver, large.time_ns):
        return False, Confidence.HIGH
    alert = first_alert(conn)
    if alert is None:
        over = (conn.closed.time_ns or 0) >= large.time_ns
        return over, Confidence.MEDIUM if over and large.size > limit("message_limit_client") else Confidence.LOW
    if alert.time_ns < large.time_ns or alert.code not in ABOUT_SIZE | VAGUE:
        return False, Confidence.HIGH
    return True, Confidence.HIGH if alert.code in ABOUT_SIZE else Confidence.MEDIUM


def _advice(conn: Connection, large: Large, refused: bool) -> str:
    what = "the list of CAs" if large.name == "CertificateRequest" else "the chain"
    peer = large.side.peer
    name = "MessageLimitClient" if peer is Side.CLIENT else "MessageLimitServerClientAuth"
    there = where(conn, peer) if refused else f"the {peer}"
    begin = "Shorten" if refused else f"If another {peer} does not come through: shorten"
    return (
        f"{begin} {what} on {where(conn, large.side)}, or raise the limit of {there} (Windows: SCHANNEL\\Messaging, {name}; "
        "Java: jdk.tls.maxHandshakeMessageSize)."
    )


def _hello(conn: Connection) -> Iterator[Finding | CannotTell]:
    """A hello of several packets that the server did not answer with a hello."""
    hello = next((step for step in reversed(conn.steps) if step.name == "ClientHello"), None)
    if hello is None or hello.size <= limit("hello_one_packet") or len(hello.frames) < 2:
        return
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
    elif _dropped(conn):
        yield _of_hello(conn, hello)


def _dropped(conn: Connection) -> bool:
    """The server had the hello and closed, complained of its form, or stayed silent."""
    sent = conn.client
    if sent.unacked_full_size or (sent.acked_bytes is not None and sent.acked_bytes < sent.sent_bytes):
        return False  # it never arrived: path-mtu-black-hole
    alert = refusing_alert(conn, Side.SERVER)
    if alert is not None:
        return alert.code in ABOUT_SIZE
    return hello_refused(conn) or (conn.closed.how == "timeout" and conn.closed.stage_side is Side.CLIENT)


def _of_hello(conn: Connection, hello: Step) -> Finding:
    shares = conn.client_hello.key_share_groups if conn.client_hello else None
    large = [name for name in map(knowledge.group, shares or ()) if "KEM" in name or "Kyber" in name]
    why = f" (with a post-quantum key share, {', '.join(large)})" if large else ""
    return RULE.finding(
        conn,
        f"the ClientHello has {hello.size:,} bytes{why} and came in {len(hello.frames)} packets, of which some servers and "
        f"devices read only the first; {end(conn) or 'it was not answered'}",
        advice="Try with a small hello (`openssl s_client -groups X25519:P-256`): if that is answered, update the server "
        f"{where(conn, Side.SERVER)}, or the firewall or load balancer before it.",
        frames=hello.frames,
        confidence=Confidence.MEDIUM if large else Confidence.LOW,
        depth=Depth.SYMPTOM,
    )
