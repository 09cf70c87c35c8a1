"""What is said about a whole input besides its connections: `CaptureSummary`, `Repeated`, `LostPackets`, `Amendment`."""

from __future__ import annotations

from dataclasses import field

from analyzer.addresses import endpoint
from analyzer.dataclass import dataclass
from analyzer.findings import Comparison, Finding

INTERRUPTED = "interrupted: the capture was not read to its end"
"""What is said of an input whose reading was stopped."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What later traffic changed about an earlier connection. `change`: "withdrawn", "added" or "raised"."""

    uid: str
    change: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """Equal findings of one client and server beyond the first 25, counted instead of listed.

    Attributes:
        capture: the input file.
        rule: the finding's rule.
        client_ip, server_ip, server_port: who.
        count: connections not listed one by one.
        first_ns, last_ns: first packets of the first and the last of them.
        period_ns: their usual distance; None if there is no regularity.
    """

    capture: str
    rule: str
    client_ip: str
    server_ip: str
    server_port: int
    count: int
    first_ns: int
    last_ns: int
    period_ns: int | None = None

    @property
    def server(self) -> str:
        """ "192.0.2.1:5061"; the address alone if `server_port` is 0, for several ports."""
        return endpoint(self.server_ip, self.server_port) if self.server_port else self.server_ip


@dataclass(frozen=True, slots=True)
class LostPackets:
    """Packets that the capturing side says it lost, one statement or those of about a minute; all of an input together are
    its `dropped`.

    Attributes:
        capture: the input file.
        begin_ns, end_ns: they were lost between these; None if that was not said.
        packets: how many.
        time_digits: decimal digits of a second that the capture has.
    """

    capture: str
    begin_ns: int | None
    end_ns: int | None
    packets: int
    time_digits: int = 6


@dataclass(slots=True)
class CaptureSummary:
    """One input, after its last connection.

    Attributes:
        capture: the input file as the user named it; the first file of a ring. files: all files of a ring.
        format: "pcap", "pcapng", "Network Monitor 2.3", ...
        packets, bytes: frames read and their captured bytes.
        decoded: frames of which a TCP or ICMP header was read. reasons: every other frame, reason -> count, so that
            packets = decoded + sum(reasons).
        connections: connections reported. tcp_streams: TCP connections seen in all. tls_connections: with TLS in them.
        first_ns, last_ns: None for an empty capture. time_digits: digits of a second that it has.
        ports: (protocol, port) -> packets, the busiest first, for telling what is there when no TLS is.
        snap_length, dropped: see capture.source.Facts. cut_packets: packets that the snapshot length cut.
        one_sided: connections of which only one direction is there.
        evicted: connections given up early because the table was full.
        findings: across connections. amendments: see Amendment. notes: oddities of the file, one line each.
        comparisons: connections that failed before the like of them worked: how the two differ.
        error: why the input could not be read to its end; None if it could.
    """

    capture: str
    files: tuple[str, ...] = ()
    format: str = ""
    packets: int = 0
    bytes: int = 0
    decoded: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    tcp_streams: int = 0
    tls_connections: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    time_digits: int = 6
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    snap_length: int | None = None
    dropped: int | None = None
    cut_packets: int = 0
    one_sided: int = 0
    evicted: int = 0
    findings: tuple[Finding, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None
