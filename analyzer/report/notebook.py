"""Results, connections, chains and findings as HTML fragments for notebooks (`_repr_html_`).

Every text is escaped and on one line. No script, style sheet, id or remote resource; colours only underline what words say,
and text takes the colour of the page, so a fragment is readable in light and in dark notebooks. The size is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import chain as chain_of

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Side
from analyzer.findings import Finding
from analyzer.report import safe
from analyzer.report.frames import connection_filter, finding_filter, labels
from analyzer.report.svg import ladder_svg
from analyzer.report.times import moment, rfc3339
from analyzer.summary import CaptureSummary

LISTED = 50
"""Rows of a table, and parts of a list; the rest is counted. The data frames have all of them."""
LONGEST = 1000
"""Characters of one text."""
_COLORS = {"error": "#d9463c", "warning": "#b7791f", "note": "#1d83b5"}
"""At least 3:1 against white and against #111."""
_LINE = "1px solid rgba(128,128,128,.45)"
_CELL = f"padding:.2em .6em;text-align:left;vertical-align:top;border-bottom:{_LINE}"


def html(record: object) -> str:
    """The fragment of a connection, chain or finding; of anything else its text."""
    if isinstance(record, Connection):
        return connection(record)
    if isinstance(record, Chain):
        return chain(record)
    return finding(record) if isinstance(record, Finding) else f"<pre>{text(repr(record))}</pre>"


def text(value: object) -> str:
    """Any text as HTML: one line, no control or bidi character, nothing that is markup."""
    return escape(safe.fit(safe.line(str(value)), LONGEST), quote=True)


def finding(one: Finding, conn: Connection | None = None) -> str:
    """Severity, rule, what is wrong, what to do, where to see it."""
    color = _COLORS[one.severity.value]
    head = f"<strong>{one.severity.value.upper()}</strong> <code>{text(one.rule)}</code>"
    trace = f", a trace of {text(one.explained_by)}" if one.explained_by else ""
    said = [
        f"<div>{head} <small>confidence {one.confidence.value}{trace}</small></div>",
        f"<div>{text(one.summary)}</div>",
    ]
    if one.advice:
        said.append(f"<div><em>What to do:</em> {text(one.advice)}</div>")
    frames = labels(conn, one.frames) if conn is not None else list(one.frames)
    where = _list(map(str, frames), ", ")
    shown = finding_filter(conn, one) if conn is not None else one.filter
    if where or shown:
        said.append(f"<div><small>{f'Frames {where}. ' if where else ''}<code>{text(shown)}</code></small></div>")
    if one.references:
        said.append(f"<div><small>{_list(one.references, '; ')}</small></div>")
    return f'<div style="border-left:4px solid {color};padding:.2em .8em;margin:.5em 0">{"".join(said)}</div>'


def chain(one: Chain) -> str:
    """The certificates as sent, the leaf first, and what is wrong with their order."""
    rows = [
        [str(position), text(each.short), text(each.subject.text), text(each.issuer.text), *_validity(each), _key(each)]
        for position, each in enumerate(one.certificates[:LISTED])
    ]
    heads = ("", "name", "subject", "issuer", "valid from", "valid until", "key")
    notes = list(_chain_notes(one))
    more = "".join(f"<li>{note}</li>" for note in notes)
    return _table(heads, rows, len(one.certificates)) + (f"<ul>{more}</ul>" if notes else "")


def _chain_notes(one: Chain) -> Iterator[str]:
    if one.missing_issuer is not None:
        yield f"nobody sent the issuer of <strong>{text(one.top.short)}</strong>: {text(one.missing_issuer.text)}"
    if one.ends_in_root:
        yield f"ends in the self-issued <strong>{text(one.top.short)}</strong>"
    if not one.in_order:
        yield "not in the order of issuers: " + _list((each.short for each in one.path), " → ")
    if one.unlinked:
        yield "belongs to no link: " + _list((each.short for each in one.unlinked), ", ")
    if one.duplicates:
        yield "sent more than once: " + _list((each.short for each in one.duplicates), ", ")


def _validity(one: Certificate) -> tuple[str, str]:
    begin, end = (None if date is None else moment(date) for date in (one.not_before, one.not_after))
    return _unbroken(begin or one.not_before_text), _unbroken(end or one.not_after_text)


def _unbroken(date: str) -> str:
    return f'<span style="white-space:nowrap">{text(date)}</span>'


def _key(one: Certificate) -> str:
    return text(f"{one.key.algorithm} {one.key.curve or one.key.bits}") if one.key else ""


def connection(conn: Connection) -> str:
    """Who, the diagnosis, the ladder, the findings, the chains."""
    facts = [f"stream {conn.stream}", conn.server_name, conn.version, conn.cipher, conn.outcome.value]
    ends = f"{conn.address(Side.CLIENT)} → {conn.address(Side.SERVER)}"
    where = (
        f"{text(conn.capture)}, {rfc3339(conn.ts_ns, conn.time_digits)}, <code>{text(connection_filter(conn))}</code>"
    )
    parts = [
        f"<div><strong>{text(ends)}</strong> {_list(filter(None, facts), ' · ')}</div>",
        f"<div><small>{where}</small></div>",
    ]
    if conn.diagnosis:
        parts.append(f'<p style="margin:.5em 0"><strong>{text(conn.diagnosis)}</strong></p>')
    parts.append(f'<div style="overflow-x:auto">{ladder_svg(conn)}</div>')
    parts += [finding(one, conn) for one in conn.findings[:LISTED]]
    for sent in conn.chains():
        many = len(sent.chain.certificates)
        told = f"{sent.side.value}'s chain: {many:,} certificate{'s' if many > 1 else ''}"
        parts.append(f"<details><summary>{told}</summary>{chain(sent.chain)}</details>")
    return f"<div>{''.join(parts)}</div>"


def result(connections: Sequence[Connection], captures: Sequence[CaptureSummary], errors: Sequence[str]) -> str:
    """What was read, how it went, what is wrong how often, and the connections in trouble."""
    outcomes = Counter(conn.outcome.value for conn in connections)
    troubled = [conn for conn in connections if conn.troubled]
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
    total = f"{len(connections):,} connections, {len(troubled):,} in trouble"
    parts = [
        f"<div><strong>{total}</strong>{f' ({counts})' if counts else ''}</div>",
        _table(
            ("capture", "format", "packets", "TCP connections", "with TLS"),
            [
                [
                    text(one.capture),
                    text(one.format),
                    f"{one.packets:,}",
                    f"{one.tcp_streams:,}",
                    f"{one.tls_connections:,}",
                ]
                for one in captures[:LISTED]
            ],
            len(captures),
        ),
        "".join(f"<div><strong>Not read:</strong> {text(error)}</div>" for error in errors[:LISTED]),
        _rules(connections, captures),
    ]
    if troubled:
        parts.append(_troubled(troubled))
    return f"<div>{''.join(parts)}</div>"


def _rules(connections: Sequence[Connection], captures: Sequence[CaptureSummary]) -> str:
    own = (one for conn in connections for one in conn.findings)
    across = (one for capture in captures for one in capture.findings)
    found = Counter((one.severity, one.rule) for one in chain_of(own, across))
    if not found:
        return ""
    worst = sorted(found.items(), key=lambda item: (item[0][0].rank, -item[1], item[0][1]))
    rows = [[_word(severity.value), f"<code>{text(rule)}</code>", f"{count:,}"] for (severity, rule), count in worst]
    return _table(("severity", "rule", "findings"), rows[:LISTED], len(rows))


def _word(severity: str) -> str:
    return f'<span style="border-left:4px solid {_COLORS[severity]};padding-left:.5em">{severity}</span>'


def _troubled(troubled: Sequence[Connection]) -> str:
    rows = [
        [
            text(conn.capture),
            text(conn.stream),
            text(conn.address(Side.CLIENT)),
            text(conn.address(Side.SERVER)),
            text(conn.server_name or ""),
            text(conn.outcome.value),
            text(conn.diagnosis or next((one.summary for one in conn.findings), "")),
        ]
        for conn in troubled[:LISTED]
    ]
    return _table(("capture", "stream", "client", "server", "name", "outcome", "what is wrong"), rows, len(troubled))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], total: int) -> str:
    """Cells are HTML already."""
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in heads)
    cells = ("".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    more = f"<div><small>{total - len(rows):,} more</small></div>" if total > len(rows) else ""
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse;margin:.5em 0;color:inherit;font:inherit">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def _list(values: Iterable[str], between: str) -> str:
    every = list(values)
    more = f"{between}{len(every) - LISTED:,} more" if len(every) > LISTED else ""
    return between.join(text(value) for value in every[:LISTED]) + more
