"""What happened in a connection and how a sentence says it: who, after what, how long, which alert, how it ended."""

from __future__ import annotations

from analyzer import knowledge
from analyzer.connection import Alert, Connection, Ending, Side, Step
from analyzer.findings import Confidence
from analyzer.judgement.thresholds import SECOND_NS, limit_ns

TCP_STEPS = frozenset({"SYN", "SYN-ACK", "FIN", "RST"})
NOT_HANDSHAKE = TCP_STEPS | {"Alert", "EncryptedAlert", "ApplicationData", "PlainText", "Preamble", "Heartbeat"}
CLIENT_ANSWER = frozenset(
    {"Certificate", "ClientKeyExchange", "CertificateVerify", "ChangeCipherSpec", "Finished", "EncryptedHandshake"}
)
READABLE = {"EncryptedHandshake": "encrypted handshake records"}
PROXY_HEADER = "PROXY protocol"
"""`Connection.preamble`, and the first of `not_tls`, of a client side that announces whom it speaks for (HAProxy's
proxy-protocol.txt): a load balancer writes it and awaits no answer."""
CERTIFICATE_ALERTS = range(41, 50)
"""RFC 5246 section 7.2.2: some stacks send these with level warning and close all the same."""
LOWER = {Confidence.HIGH: Confidence.MEDIUM, Confidence.MEDIUM: Confidence.LOW, Confidence.LOW: Confidence.LOW}


def pseudo_tls(conn: Connection) -> bool:
    """A fixed hello that only looks like TLS: nothing that follows it can be judged as TLS."""
    client, server = conn.client_hello, conn.server_hello
    return (client is not None and client.fixed_pattern is not None) or (
        server is not None and server.fixed_pattern is not None
    )


def who(conn: Connection, side: Side) -> str:
    """ "the server 198.51.100.5:5061"."""
    return f"the {side.value} {conn.address(side)}"


def lasting(nanoseconds: int) -> str:
    """ "140 ms", "3.2 s", "12 min"."""
    seconds = nanoseconds / SECOND_NS
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def named(step: Step, actor: Side | None = None) -> str:
    """ "the client's Certificate"; "its own Certificate" where the sentence is about the side that sent it."""
    whose = "its own" if step.side is actor else f"the {step.side.value}'s"
    return f"{whose} {READABLE.get(step.name, step.name)}"


def place(conn: Connection) -> str:
    """The last handshake step before the end: "the server's ServerHelloDone"; "" if there was none."""
    closed = conn.closed
    if not closed.stage or closed.stage_side is None:
        return ""
    return f"the {closed.stage_side.value}'s {READABLE.get(closed.stage, closed.stage)}"


def last_step(conn: Connection, before_ns: int, side: Side | None = None) -> Step | None:
    """The last handshake step (of this side) that was over by then; None if there is none."""
    for step in reversed(conn.steps):
        if step.time_ns <= before_ns and step.name not in NOT_HANDSHAKE and (side is None or step.side is side):
            return step
    return None


def last_word(conn: Connection, before_ns: int) -> Step | None:
    """The last handshake step that was over by then, else the plain text before TLS; None if nobody had said anything."""
    step = last_step(conn, before_ns)
    if step is not None or conn.preamble is None:
        return step
    return next((s for s in reversed(conn.steps) if s.name == "Preamble" and s.time_ns <= before_ns), None)


def word(conn: Connection, step: Step, actor: Side | None = None) -> str:
    """As `named`, of a step of `last_word`: "the client's PROXY header", "its own plain text (SMTP)"."""
    if step.name != "Preamble":
        return named(step, actor)
    whose = "its own" if step.side is actor else f"the {step.side.value}'s"
    plain = "PROXY header" if conn.preamble == PROXY_HEADER else f"plain text ({conn.preamble})"
    return f"{whose} {plain}"


def proxy_header(conn: Connection) -> Step | None:
    """The PROXY header before the client's hello, if nothing of the server shows that it takes one: an alert or plain text
    does not. None without such a header."""
    if conn.preamble != PROXY_HEADER:
        return None
    took_it = any(s.size and s.side is Side.SERVER and s.name not in ("Alert", "PlainText") for s in conn.steps)
    return None if took_it else conn.step("Preamble", Side.CLIENT)


def alert_name(code: int) -> str:
    """ "unknown_ca (48)"."""
    return f"{knowledge.alert(code)} ({code})"


def ends_it(alert: Alert) -> bool:
    """An alert in clear that ends a handshake: fatal, or about a certificate whatever its level; never close_notify."""
    return bool(alert.code) and (alert.fatal or alert.code in CERTIFICATE_ALERTS)


def first_alert(conn: Connection) -> Alert | None:
    """The first alert in clear that ended the handshake; None if there is none. One that answers a FIN or RST of the
    other side ended nothing: it comes too late."""
    for alert in conn.alerts:
        if ends_it(alert):
            return None if answers_end(conn, alert) else alert
    return None


def answers_end(conn: Connection, alert: Alert) -> bool:
    """Did the other side end the connection before this alert? Then the alert ended nothing."""
    return any(end.side is not alert.side and end.frame < alert.frame for end in conn.endings)


def hidden_alert(conn: Connection) -> Alert | None:
    """The first encrypted alert, if it is of the handshake and ended it; None if there is none."""
    alert = next((a for a in conn.alerts if a.encrypted and not a.after_handshake), None)
    return None if alert is None or answers_end(conn, alert) else alert


def closing_alerts(conn: Connection, before_ns: int) -> list[Alert]:
    """Alerts that announce an end, seen by then: in clear fatal or close_notify, or encrypted."""
    return [a for a in conn.alerts if a.time_ns <= before_ns and (a.encrypted or a.code == 0 or ends_it(a))]


def first_ending(conn: Connection) -> Ending | None:
    """The first FIN or RST; None if there is none."""
    return conn.endings[0] if conn.endings else None


def never_arrived(conn: Connection, side: Side) -> bool:
    """The other side never had all that this one sent: then it has not judged what it did not have."""
    told, sender = conn.client_auth_13, conn.traffic(side)
    if sender.unacked_full_size or (side is Side.CLIENT and told is not None and not told.arrived):
        return True
    if conn.established and sender.app_records:
        return False  # what was not acknowledged is no part of the handshake
    return bool(sender.retransmitted) and sender.acked_bytes is not None and sender.acked_bytes < sender.sent_bytes


def waited(conn: Connection, ending: Ending) -> int:
    """How long the side that ended it had waited in vain for the peer, in ns; 0 if the peer had the word or answered.

    A side that closes after its own last message, with long silence in between, gave up: the peer is the one to look at.
    """
    last = last_word(conn, ending.time_ns)
    if last is None or last.side is not ending.side:
        return 0
    silence = ending.time_ns - last.time_ns
    return silence if silence >= limit_ns("never_answers_s") else 0


def moment(conn: Connection, ending: Ending, actor: Side | None) -> tuple[str, tuple[int, ...], Confidence]:
    """When `actor` ended the handshake ("right after the client's Certificate"; None: nobody knows who did), the frames to
    see it in, and how far that alone tells who is to be looked at: a side that gave up waiting is not, long silence before
    the end is a matter of its own, and so is a PROXY header that a server most likely does not take."""
    last = last_word(conn, ending.time_ns)
    silence = ending.time_ns - last.time_ns if last else 0
    if gave_up := waited(conn, ending):
        when, sure = f"after waiting {lasting(gave_up)} for an answer to", Confidence.LOW
    elif silence >= limit_ns("never_answers_s"):
        when, sure = f"{lasting(silence)} after", Confidence.MEDIUM
    else:
        when, sure = "right after", Confidence.HIGH
    what = word(conn, last, actor) if last else "the TCP handshake"
    header = proxy_header(conn) if actor is Side.SERVER else None
    if header is not None:
        sure = weaker(sure, Confidence.MEDIUM)
        what += " behind a PROXY header" if last and last.name != "Preamble" else ""
    steps = (step.frames[-1] for step in (header, last) if step is not None and step.frames)
    return f"{when} {what}", (*steps, ending.frame), sure


def end(conn: Connection) -> str:
    """How the connection ended, as a clause: "the server reset the connection after the client's Certificate"."""
    after = f" after {place(conn)}" if place(conn) else ""
    alert = first_alert(conn)
    if alert is not None and alert.code is not None:
        return f"the {alert.side.value} ended the handshake with the alert {alert_name(alert.code)}{after}"
    hidden = hidden_alert(conn)
    if hidden is not None:
        return f"the {hidden.side.value} ended the handshake with an encrypted alert"
    closed = conn.closed
    if closed.by is not None and closed.how == "rst":
        return f"the {closed.by.value} reset the connection{after}"
    if closed.by is not None and closed.how == "fin":
        return f"the {closed.by.value} closed the connection without an alert{after}"
    if closed.how == "timeout" and closed.stage_side is not None:
        return f"the {closed.stage_side.peer.value} never answered {place(conn)}"
    return ""


def view_of(conn: Connection, side: Side) -> str:
    """Why packets of this side may be missing, as a clause; "" if all of them are there."""
    view = conn.visibility
    if view.one_sided is side.peer or (view.gap_bytes and view.gap_side in (None, side)):
        return view.limited
    return ""


def lowered(conn: Connection, confidence: Confidence) -> Confidence:
    """One level lower if the capture does not show the whole handshake."""
    return LOWER[confidence] if conn.visibility.limited else confidence


def weaker(one: Confidence, other: Confidence) -> Confidence:
    """The lower of two confidences: a conclusion is as sure as its weaker part."""
    return one if one.rank >= other.rank else other
