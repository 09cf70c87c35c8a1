"""What syslog is told, as RFC 5424 messages: severity, time, the finding's rule, its facts as structured data, one sentence."""

from __future__ import annotations

from collections.abc import Mapping

from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Severity
from analyzer.live.troubles import UNEXPLAINED, trouble
from analyzer.repeats import OTHERS
from analyzer.report import safe
from analyzer.report.times import clock, rfc3339
from analyzer.summary import Repeated

ERROR, WARNING, NOTICE = 3, 4, 5
_LEVELS = {Severity.ERROR: ERROR, Severity.WARNING: WARNING, Severity.NOTE: NOTICE}
SD_ID = "mtlscope@32473"
"""32473 is the enterprise number for examples (RFC 5612): we have none of our own."""
LONGEST = 2_048
"""Bytes of a message that every receiver should take (RFC 5424 section 6.1); a longer one is cut."""
LONGEST_VALUE = 255
CONNECTION, LOSS, OWN = "connection", "packets-lost", "syslog"
"""MSGID of what no rule names: a connection that failed, a loss, and what is said about these messages themselves."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, before it is written for a receiver. `level`: RFC 5424's severity. `name`: its MSGID."""

    level: int
    time_ns: int
    name: str
    facts: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who says it. `facility`: its number."""

    facility: int
    host: str
    program: str
    pid: int

    def rfc5424(self, message: Message) -> bytes:
        """For receivers over the network."""
        level = self.facility * 8 + message.level
        head = f"<{level}>1 {rfc3339(message.time_ns, 6)} {self.host} {self.program} {self.pid} {message.name} "
        text = message.text if message.text.isascii() else "\ufeff" + message.text
        return cut(f"{head}{structured(message.facts)} {text}".encode(), LONGEST)

    def local(self, message: Message, time: str) -> bytes:
        """For the socket of this machine: journald and rsyslog expect there what the C library writes. `time`: of now, as it
        writes it."""
        level = self.facility * 8 + message.level
        said = f"<{level}>{time} {self.program}[{self.pid}]: {message.name}: {message.text} {structured(message.facts)}"
        return cut(said.encode(), LONGEST)


def of_connection(conn: Connection) -> Message:
    """A connection in trouble."""
    first = conn.findings[0] if conn.findings else None
    rule = trouble(conn)
    said = conn.diagnosis or (first.summary if first else "the handshake failed")
    facts = {
        "rule": rule,
        "severity": first.severity.value if first else Severity.ERROR.value,
        "confidence": first.confidence.value if first else "",
        "outcome": conn.outcome.value,
        "client": conn.client_ip,
        "client_port": str(conn.client_port),
        "server": conn.server_ip,
        "server_port": str(conn.server_port),
        "server_name": conn.server_name or "",
        "version": conn.version or "",
        "uid": conn.uid,
        "community_id": conn.community_id,
    }
    return Message(
        level=level_of(conn),
        time_ns=conn.end_ns,
        name=CONNECTION if rule == UNEXPLAINED else rule,
        facts=facts,
        text=f"{conn.address(Side.CLIENT)} -> {conn.address(Side.SERVER)}: {safe.line(said)}",
    )


def level_of(conn: Connection) -> int:
    """Its severity, in syslog's numbers."""
    return _LEVELS[conn.findings[0].severity] if conn.findings else ERROR


def of_repeated(item: Repeated, level: int, now_ns: int, seconds: int) -> Message:
    """Connections that were not sent one by one."""
    period = f"{clock(item.first_ns, 0)} to {clock(item.last_ns, 0)}"
    return Message(
        level=level,
        time_ns=now_ns,
        name=CONNECTION if item.rule in (UNEXPLAINED, OTHERS) else item.rule,
        facts={
            "rule": item.rule,
            "client": item.client_ip,
            "server": item.server_ip,
            "server_port": str(item.server_port),
            "count": str(item.count),
            "seconds": str(seconds),
        },
        text=f"... and {item.count:,} more like it in {seconds:,} s: {item.client_ip} -> {item.server}, {period}",
    )


def of_loss(packets: int, now_ns: int, seconds: int) -> Message:
    """Packets that the capture lost."""
    facts = {"packets": str(packets), "seconds": str(seconds)}
    return Message(WARNING, now_ns, LOSS, facts, f"the capture lost {packets:,} packets in {seconds:,} s")


def of_own(text: str, now_ns: int, **facts: str) -> Message:
    """What is to be said about these messages themselves."""
    return Message(WARNING, now_ns, OWN, facts, text)


def structured(facts: Mapping[str, str]) -> str:
    """The SD-ELEMENT, RFC 5424 section 6.3. Facts that are absent are left out, long ones are cut."""
    told = (f' {name}="{_value(value)}"' for name, value in facts.items() if value)
    return f"[{SD_ID}{''.join(told)}]"


def _value(text: str) -> str:
    shown = safe.fit(safe.line(text), LONGEST_VALUE)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def cut(data: bytes, limit: int) -> bytes:
    """At most so many bytes of UTF-8, never half a character."""
    if len(data) <= limit:
        return data
    return data[: limit - 3].decode(errors="ignore").encode() + b"..."
