"""-T md: Markdown for a ticket or a mail, short: what is wrong, what to do, where to see it; what is well is only counted.

Texts from the wire stay text: no markup, no HTML, no link, no picture, and nobody is mentioned (`@name`, `#12`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import BinaryIO

from analyzer.connection import Connection, Outcome, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Finding, Severity
from analyzer.report import overview, safe
from analyzer.report.blocks import Group, Groups, worst
from analyzer.report.frames import connection_filter, finding_filter, labels
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.page import number
from analyzer.report.times import rfc3339
from analyzer.summary import INTERRUPTED, CaptureSummary, Repeated

GROUPS = 10
"""Different troubles told of one input; the others are counted. A ticket is about one or two."""
KEPT_GROUPS = 500
LESSER = 5
"""Further findings of one trouble."""
FLOODS = 5
FRAMES = 12
CLIENTS = 5
LENGTH = 700
"""Characters of one text from the wire."""

_ACTIVE = re.compile(
    r"`(?P<quoted>[^`]*[^`\s][^`]*)`"
    r"|(?P<link>[@#!$%&~^]*(?:[A-Za-z][A-Za-z0-9+.-]{0,15}://|[Ww]{3}\.)\S*(?<![.,;:)\]]))"  # trackers make links of it
    r"|(?P<reference>[@#!$%&~^]+(?=\w))"  # @name, #12, !34, ~label: trackers make mentions and references of it
    r"|(?P<mark>[\\`*\[\]<>|~&$^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))"
)
_MARKS = {"`": "&#96;", "<": "&lt;", ">": "&gt;", "&": "&amp;"}
_TICKS = re.compile("`+")


def prose(text: str, unicode: bool = True) -> str:
    """`text` within a line of Markdown, to be read as it is. What a tracker would act on stands in a code span."""
    clean = safe.line(_short(text), unicode)
    parts: list[str] = []
    at, after_code = 0, -1
    for found in _ACTIVE.finditer(clean):
        parts.append(clean[at : found.start()])
        mark = found["mark"]
        if mark:
            parts.append(_MARKS.get(mark, "\\" + mark))
        else:
            # two spans side by side would be read as one with a longer fence
            parts.append((" " if found.start() == after_code else "") + code(found["quoted"] or found[0], unicode))
            after_code = found.end()
        at = found.end()
    return "".join(parts) + clean[at:]


def code(text: str, unicode: bool = True) -> str:
    """`text` as a code span, whatever backticks are in it."""
    inside = safe.line(_short(text), unicode)
    runs = _TICKS.findall(inside)
    fence = "`" * (1 + max(map(len, runs), default=0))
    pad = " " if runs or not inside.strip() else ""
    return f"{fence}{pad}{inside}{pad}{fence}"


def _short(text: str) -> str:
    return text if len(text) <= LENGTH else f"{text[:LENGTH]} ... ({len(text):,} characters)"


@dataclass(slots=True)
class _Section:
    """What is collected of one input until its end."""

    capture: str = ""
    groups: Groups = field(default_factory=lambda: Groups(KEPT_GROUPS))
    floods: list[Repeated] = field(default_factory=list)
    counts: Counter[Outcome] = field(default_factory=Counter)


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """One section an input, written at its end."""
    section, between = _Section(), ""
    try:
        for item in items:
            if isinstance(item, Connection):
                _take(item, section)
            elif isinstance(item, Repeated):
                section.floods.append(item)
            elif isinstance(item, CaptureSummary):  # what was lost in all is in it
                done, section = section, _Section()
                _write(_lines(done, item, options.unicode), between, out)
                between = "\n"
    finally:
        if section.counts or section.floods:  # interrupted: tell what was seen until then
            _write(_lines(section, None, options.unicode), between, out)


def _take(conn: Connection, section: _Section) -> None:
    section.capture = section.capture or conn.capture
    section.counts[conn.outcome] += 1
    if conn.troubled:
        section.groups.add(conn)


def _write(lines: Iterable[str], between: str, out: BinaryIO) -> None:
    out.write((between + "".join(f"{line}\n" for line in lines)).encode("utf-8"))
    out.flush()


def _lines(section: _Section, capture: CaptureSummary | None, unicode: bool) -> Iterator[str]:
    name = capture.capture if capture is not None else section.capture
    yield f"## mtlscope: {code(name, unicode)}"
    yield ""
    yield _overview(section, capture)
    ranked = section.groups.worst_first()
    for place, group in enumerate(ranked[:GROUPS], 1):
        yield ""
        yield from _trouble(place, group, unicode)
    hidden = sum(group.count for group in ranked[GROUPS:]) + section.groups.more
    if hidden:
        yield from ("", f"And {number(hidden, 'more connection')} in other trouble; `-T text` and `-T jsonl` show all.")
    yield from _rest(section, capture, unicode)


def _overview(section: _Section, capture: CaptureSummary | None) -> str:
    told = overview.outcomes(section.counts)
    facts = [f"{number(sum(section.counts.values()), 'connection')}{': ' if told else ''}{', '.join(told)}"]
    if capture is not None:
        facts.insert(0, number(capture.packets, "packet"))
        if capture.first_ns is not None and capture.last_ns is not None:
            facts.insert(0, f"{rfc3339(capture.first_ns, 0)} to {rfc3339(capture.last_ns, 0)}")
    return "; ".join(facts) + "."


def _trouble(place: int, group: Group, unicode: bool) -> Iterator[str]:
    conn = group.first
    severity = worst(conn.findings) or Severity.ERROR
    asked = f" ({code(conn.server_name, unicode)})" if conn.server_name else ""
    yield f"### {place}. {severity.value}: {code(conn.client_ip)} to {code(conn.address(Side.SERVER))}{asked}"
    yield ""
    yield f"**Diagnosis:** {prose(conn.diagnosis or 'no rule explains it', unicode)}"
    yield ""
    advice = next((finding.advice for finding in conn.findings if finding.advice), "")
    if advice:
        yield f"- **What to do:** {prose(advice, unicode)}"
    yield f"- **When:** {_when(group)}"
    first = conn.findings[0] if conn.findings else None
    yield f"- **Where:** {_where(conn, first, unicode)}"
    if first:
        yield f"- **Rule:** {code(first.rule)}, confidence {first.confidence.value}"
    lesser = [one for one in conn.findings[1:] if one.explained_by is None and one.severity is not Severity.NOTE]
    for finding in lesser[:LESSER]:
        yield f"- **Also:** {prose(finding.summary, unicode)} ({code(finding.rule)})"
    if len(lesser) > LESSER:
        yield f"- And {number(len(lesser) - LESSER, 'more finding')}."


def _when(group: Group) -> str:
    conn = group.first
    time = rfc3339(conn.ts_ns, min(conn.time_digits, 3))
    if group.count == 1:
        return time
    clients = [code(client) for client in list(group.clients)[:CLIENTS]]
    more = f" and {len(group.clients) - CLIENTS:,} more" if len(group.clients) > CLIENTS else ""
    return f"{number(group.count, 'time')} from {time} to {rfc3339(group.last_ns, 0)}, by {', '.join(clients)}{more}"


def _where(conn: Connection, finding: Finding | None, unicode: bool) -> str:
    filter_text = (finding_filter(conn, finding) if finding else "") or connection_filter(conn)
    shown = f"in Wireshark {code(filter_text, unicode)}"
    frames = labels(conn, finding.frames[:FRAMES]) if finding else []
    if not frames:
        return shown
    return (
        f"{'frame' if len(frames) == 1 else 'frames'} {', '.join(code(str(one), unicode) for one in frames)}; {shown}"
    )


def _rest(section: _Section, capture: CaptureSummary | None, unicode: bool) -> Iterator[str]:
    """Across connections, floods, and what limits the verdicts."""
    lines = [
        f"- {number(flood.count, 'more connection')} counted only: {code(flood.client_ip)} to "
        f"{code(flood.server_ip)} port {flood.server_port}, {code(flood.rule)}"
        for flood in section.floods[:FLOODS]
    ]
    if capture is None:
        lines.append(f"- **Not read to its end:** {INTERRUPTED}")
    else:
        lines += [
            f"- **{one.severity.value.title()}:** {prose(one.summary, unicode)} ({code(one.rule)})"
            for one in capture.findings
            if one.severity is not Severity.NOTE
        ][:GROUPS]
        if capture.dropped or capture.cut_packets or capture.one_sided:
            lines.append("- The capture is not whole (lost or cut packets, or one direction only): see `-T text`.")
        if capture.error:
            lines.append(f"- **Not read to its end:** {prose(capture.error, unicode)}")
    if lines:
        yield from ("", *lines)


OUTPUT = Output(name="md", help="Markdown for a ticket: only the troubles, short", write=write, whole=True)
