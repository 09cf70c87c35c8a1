"""One block of the text report: a connection in trouble, or many equal ones told by the first of them."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import field

from analyzer.connection import Connection, Outcome, Seen, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Depth, Finding, Severity
from analyzer.report import beside
from analyzer.report.frames import connection_filter, culprits, in_first_file, place
from analyzer.report.idn import explained
from analyzer.report.ladder import ladder
from analyzer.report.page import Page, number
from analyzer.report.times import clock, span, stamp

STREAMS_NAMED = 8
"""Streams and clients of a group that are named; the rest is counted."""
RUNS_NAMED = 8
CLIENTS_KEPT = 1000
INDENT = 2


@dataclass(slots=True)
class Group:
    """Connections with the same outcome, findings, server endpoint and certificates. The first one is shown.

    Attributes:
        number: its place among the groups, from 0, in order of their first connections.
        clients: how many connections each client address has; at most CLIENTS_KEPT addresses.
    """

    first: Connection
    number: int = 0
    count: int = 0
    streams: list[int] = field(default_factory=list)
    clients: dict[str, int] = field(default_factory=dict)
    last_ns: int = 0

    def add(self, conn: Connection) -> None:
        """Count one more."""
        self.count += 1
        self.last_ns = max(self.last_ns, conn.ts_ns)
        if len(self.streams) < STREAMS_NAMED:
            self.streams.append(conn.stream)
        if conn.client_ip in self.clients or len(self.clients) < CLIENTS_KEPT:
            self.clients[conn.client_ip] = self.clients.get(conn.client_ip, 0) + 1


class Groups:
    """Troubled connections, equal ones together, in at most `most` groups. `more`: connections that would need another.

    With `by_capture`, those of two files are never equal.
    """

    def __init__(self, most: int, by_capture: bool = False) -> None:
        self.more = 0
        self._most = most
        self._by_capture = by_capture
        self._groups: dict[tuple[object, ...], Group] = {}

    def add(self, conn: Connection) -> Group | None:
        """The group that it is in now; None if there are too many."""
        key = (conn.capture if self._by_capture else None, *_key(conn))
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self._most:
                self.more += 1
                return None
            group = self._groups[key] = Group(conn, len(self._groups))
        group.add(conn)
        return group

    def __len__(self) -> int:
        return len(self._groups)

    def worst_first(self) -> list[Group]:
        """Equals in order of their first connections."""
        return sorted(self._groups.values(), key=lambda group: (worst(group.first.findings) or Severity.ERROR).rank)


def _key(conn: Connection) -> tuple[object, ...]:
    """What makes two troubled connections equal: rules, server endpoint, certificates."""
    chains = tuple(sent.chain.leaf.sha256 if sent else None for sent in (conn.server_chain, conn.client_chain))
    rules = tuple((finding.rule, finding.severity) for finding in conn.findings)
    return (conn.outcome, conn.server_ip, conn.server_port, conn.server_name, conn.version, chains, rules)


def worst(findings: Sequence[Finding]) -> Severity | None:
    """The worst severity; None if there is no finding."""
    return min((finding.severity for finding in findings), key=lambda severity: severity.rank, default=None)


def block(group: Group, page: Page) -> None:
    """Diagnosis first, then the ladder, the findings with evidence and advice, and how to see it in Wireshark."""
    conn = group.first
    _headline(conn, page)
    if group.count > 1:
        _others(group, page)
    if conn.diagnosis:
        page.write()
        page.paragraph(conn.diagnosis, INDENT, "strong")
    if conn.steps and (conn.outcome is not Outcome.ESTABLISHED or Seen.TROUBLED_END in conn.seen):
        page.write()
        page.lines(ladder(conn, page, "client " + conn.client_ip, "server " + conn.server_ip))
    page.write()
    for finding in conn.findings:
        if finding.explained_by is None:
            _finding(finding, conn, page)
            _explained(finding, conn, page)
    if conn.worked_beside is not None:
        beside.paragraph(conn.worked_beside, page, INDENT)
    _wireshark(conn, page)
    page.write()


def _headline(conn: Connection, page: Page) -> None:
    severity = worst(conn.findings) or (Severity.ERROR if conn.failed else Severity.NOTE)
    signs = page.symbols
    facts = [page.safe(fact) for fact in (called(conn), conn.version, conn.outcome.value) if fact]
    page.write(
        (f"{getattr(signs, severity.value)} {severity.value.upper()}", severity.value),
        (f"  {conn.address(Side.CLIENT)} {signs.arrow} {conn.address(Side.SERVER)}", "strong"),
        (f"  {f' {signs.dot} '.join(facts)}", ""),
    )
    page.write((f"  stream {conn.stream} {signs.dot} {when(conn)} {signs.dot} {lasted(conn)}", "dim"))
    known = roles(conn, page)
    if known:
        page.write((f"  {known}", "dim"))


def called(conn: Connection) -> str:
    """What the server is called: as the client asked for it, else as its certificate says; "" if neither does."""
    sent = conn.server_chain
    return explained(conn.server_name or (next(iter(sent.chain.leaf.names), "") if sent else ""))


def when(conn: Connection) -> str:
    """ "2026-11-21 09:30:00.123456 UTC": the first packet."""
    return f"{stamp(conn.ts_ns, conn.time_digits)} UTC"


def lasted(conn: Connection) -> str:
    """ "3.2 s"."""
    return span(conn.end_ns - conn.ts_ns) if conn.end_ns > conn.ts_ns else "0 s"


def roles(conn: Connection, page: Page) -> str:
    """ "edge internal edge01.lab.example -> front end fe01.lab.example" as far as the topology knows; "" if it knows nobody."""
    if page.topology is None:
        return ""
    client = page.topology.label(conn.client_ip, conn.client_port)
    server = page.topology.label(conn.server_ip, conn.server_port)
    return f"{client or conn.client_ip} {page.symbols.arrow} {server or conn.server_ip}" if client or server else ""


def _others(group: Group, page: Page) -> None:
    """The same happened to others."""
    conn, more = group.first, group.count - 1
    streams = ", ".join(map(str, group.streams[1:]))
    rest = f" and {group.count - len(group.streams):,} more" if group.count > len(group.streams) else ""
    until = clock(group.last_ns, min(3, conn.time_digits))
    page.paragraph(
        f"the same for {number(more, 'more connection')} until {until}: stream{'s' if more > 1 else ''} {streams}{rest}",
        INDENT,
    )
    if len(group.clients) > 1:
        page.paragraph(clients(group), INDENT)


def clients(group: Group) -> str:
    """ "from 2 clients: 10.0.0.1 (3), 10.0.0.2 (1)"."""
    told = [f"{ip} ({count:,})" for ip, count in list(group.clients.items())[:STREAMS_NAMED]]
    more = len(group.clients) - len(told)
    return f"from {number(len(group.clients), 'client')}: {', '.join(told)}{f' and {more:,} more' if more else ''}"


def _finding(finding: Finding, conn: Connection, page: Page) -> None:
    signs, word = page.symbols, finding.severity.value
    facts = [f"{finding.confidence.value} confidence", *where(finding, page, conn)]
    page.write(
        (f"  {getattr(signs, word)} {word}", word),
        (f"  {finding.rule}", "strong"),
        (f"  {f' {signs.dot} '.join(facts)}", "dim"),
    )
    if finding.summary != conn.diagnosis:
        page.paragraph(finding.summary, INDENT + 2)
    if finding.advice and advises(finding, conn.findings[0]):
        page.paragraph(finding.advice, INDENT + 2, "", f"{signs.arrow} ")


def _explained(cause: Finding, conn: Connection, page: Page) -> None:
    """What is only a trace of this finding, in one line: its own summary and advice would lead away from the cause."""
    traces = [finding for finding in conn.findings if finding.explained_by == cause.rule]
    if not traces:
        return
    named = [", ".join([trace.rule, *where(trace, page, conn)]) for trace in traces]
    page.paragraph(f"explains {f' {page.symbols.dot} '.join(named)}", INDENT + 2, "dim")


def advises(finding: Finding, first: Finding) -> bool:
    """Not beside an error whose cause is known, for how it merely ended (that would lead away); not for notes."""
    error = Severity.ERROR
    symptom = finding.severity is first.severity is error and finding.depth is Depth.SYMPTOM < first.depth
    return not symptom and (finding is first or finding.severity is not Severity.NOTE)


def where(finding: Finding, page: Page, conn: Connection | None = None) -> list[str]:
    """ "frames 7-10, 16"; runs are folded; frames of later files of a ring have the file's name in front."""
    if not finding.frames:
        return []
    runs: list[tuple[str, int, int]] = []
    for frame in finding.frames:
        file, number = ("", frame) if conn is None else place(conn, frame)
        if runs and (file, number) == (runs[-1][0], runs[-1][2] + 1):
            runs[-1] = (file, runs[-1][1], number)
        else:
            runs.append((file, number, number))
    dash, before, named = page.symbols.dash, "", []
    for file, first, last in runs[:RUNS_NAMED]:
        place_in = f"{file if file != before else ''}#" if file else ""
        named.append(place_in + (f"{first}" if first == last else f"{first}{dash}{last}"))
        before = file
    more = f" {page.symbols.ellipsis}" if len(runs) > RUNS_NAMED else ""
    return [f"frame{'s' if len(finding.frames) > 1 else ''} {', '.join(named)}{more}"]


def _wireshark(conn: Connection, page: Page) -> None:
    """A filter to paste, and a command that opens the capture at the frame that matters."""
    display = connection_filter(conn)
    page.write((f"  {'filter':<8}", "dim"), (display, ""))
    command = opening(conn, display)
    if command and page.on_disk:
        page.write((f"  {'open':<8}", "dim"), (page.safe(command), ""))


def opening(conn: Connection, display: str) -> str:
    """The command that opens the capture in Wireshark at the frame that matters; "" for what came by a pipe."""
    if conn.capture == "-":
        return ""
    frame = next(iter(in_first_file(conn, culprits(conn))), None)
    return quoted(["wireshark", "-r", conn.capture, *(["-g", str(frame)] if frame else []), "-Y", display])


def quoted(command: list[str]) -> str:
    """A command line to paste into this system's shell."""
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def general(findings: Sequence[Finding], page: Page) -> None:
    """Findings across connections."""
    for finding in sorted(findings, key=lambda found: found.order):
        signs, word = page.symbols, finding.severity.value
        page.write(
            (f"{getattr(signs, word)} {word.upper()}", word),
            (f"  {finding.rule}", "strong"),
            (
                f"  {f' {signs.dot} '.join([f'{finding.confidence.value} confidence', *where(finding, page)])}",
                "dim",
            ),
        )
        page.paragraph(finding.summary, INDENT)
        if finding.advice:
            page.paragraph(finding.advice, INDENT, "", f"{signs.arrow} ")
        if finding.filter:
            page.write((f"  {'filter':<8}", "dim"), (page.safe(finding.filter), ""))
        page.write()
