"""The parts of the HTML page as plain texts, ready for its template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Outcome, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Finding, Severity
from analyzer.report import beside, overview
from analyzer.report.blocks import Group, advises, called, clients, lasted, opening, roles, when, where, worst
from analyzer.report.frames import connection_filter, finding_filter
from analyzer.report.page import Page, number
from analyzer.report.svg import ladder_svg
from analyzer.report.times import clock, moment
from analyzer.summary import INTERRUPTED, CaptureSummary, Repeated

NAMES_SHOWN = 20
"""Host names of a certificate shown in a tree; the table of certificates has all."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding. `severity` is the word; `facts` are confidence and frames."""

    rule: str
    severity: str
    facts: tuple[str, ...]
    summary: str
    advice: str
    filter: str
    references: tuple[str, ...]
    explains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate of a tree; or, with `sent` False, one that is missing, of which only the name is known."""

    name: str
    role: str
    facts: tuple[str, ...]
    oddities: tuple[str, ...] = ()
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Tree:
    """A chain, the root (or what is missing) first. `others` were sent along and link nowhere, or were not chosen."""

    title: str
    links: tuple[Link, ...]
    others: tuple[Link, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Connections in equal trouble, told by the first of them."""

    number: int
    severity: str
    client: str
    server: str
    facts: tuple[str, ...]
    place: tuple[str, ...]
    roles: str
    others: tuple[str, ...]
    diagnosis: str
    ladder: str
    findings: tuple[Told, ...]
    beside: str
    differences: tuple[str, ...]
    trees: tuple[Tree, ...]
    filter: str
    command: str
    count: int


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many connections a rule found something in."""

    rule: str
    severity: Severity
    count: int


@dataclass(frozen=True, slots=True)
class Input:
    """One input."""

    name: str
    facts: tuple[str, ...]
    lines: tuple[str, ...]
    limits: tuple[str, ...]
    later: tuple[str, ...]
    findings: tuple[Told, ...]
    troubled: int
    error: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """Connections that were counted instead of listed."""

    capture: str
    count: int
    rule: str
    client: str
    server: str
    when: str


@dataclass(frozen=True, slots=True)
class Front:
    """What stands at the top of the page. `more_...`: what was left out."""

    connections: int
    troubled: int
    outcomes: tuple[tuple[str, int], ...]
    rules: tuple[RuleCount, ...]
    inputs: tuple[Input, ...]
    more_inputs: int
    repeats: tuple[Repeat, ...]
    more_repeats: int
    troubles: int
    more_troubles: int
    more_rows: int
    certificates: int
    more_certificates: bool


def block(group: Group, page: Page) -> Block:
    """The block of a group."""
    conn = group.first
    display = connection_filter(conn)
    worked = conn.worked_beside
    return Block(
        number=group.number,
        severity=(worst(conn.findings) or Severity.ERROR).value,
        client=conn.address(Side.CLIENT),
        server=conn.address(Side.SERVER),
        facts=tuple(fact for fact in (called(conn), conn.version, conn.cipher, conn.outcome.value) if fact),
        place=(conn.capture, f"stream {conn.stream}", when(conn), lasted(conn)),
        roles=roles(conn, page),
        others=tuple(_others(group)),
        diagnosis=conn.diagnosis or next((finding.summary for finding in conn.findings), ""),
        ladder=ladder_svg(conn) if conn.steps else "",
        findings=tuple(_findings(conn, page)),
        beside=beside.title(worked) if worked else "",
        differences=tuple(one.text() for one in worked.differences) if worked else (),
        trees=tuple(_tree(sent, conn) for sent in conn.chains()),
        filter=display,
        command=opening(conn, display),
        count=group.count,
    )


def _others(group: Group) -> Iterator[str]:
    if group.count > 1:
        until = clock(group.last_ns, min(3, group.first.time_digits))
        yield f"the same for {number(group.count - 1, 'more connection')} until {until}"
    if len(group.clients) > 1:
        yield clients(group)


def _findings(conn: Connection, page: Page) -> Iterator[Told]:
    """As in the text report: a trace of another finding is named there, and not told by itself."""
    for finding in conn.findings:
        if finding.explained_by is not None:
            continue
        traces = [trace for trace in conn.findings if trace.explained_by == finding.rule]
        yield Told(
            rule=finding.rule,
            severity=finding.severity.value,
            facts=(f"{finding.confidence.value} confidence", *where(finding, page, conn)),
            summary=finding.summary,
            advice=finding.advice if advises(finding, conn.findings[0]) else "",
            filter=finding_filter(conn, finding),
            references=finding.references,
            explains=tuple(", ".join([trace.rule, *where(trace, page, conn)]) for trace in traces),
        )


def _general(finding: Finding, page: Page) -> Told:
    """A finding across connections."""
    return Told(
        rule=finding.rule,
        severity=finding.severity.value,
        facts=(f"{finding.confidence.value} confidence", *where(finding, page)),
        summary=finding.summary,
        advice=finding.advice,
        filter=finding.filter,
        references=finding.references,
    )


# ---- chains --------------------------------------------------------------------------------------------------------


def _tree(sent: SentChain, conn: Connection) -> Tree:
    chain, at_ns = sent.chain, conn.end_ns
    links = [_link(one, _role(one, chain), at_ns) for one in reversed(chain.path)]
    if chain.missing_issuer is not None:
        links.insert(0, Link(chain.missing_issuer.text or "(empty name)", "issuer, not sent", (), sent=False))
    frames = ", ".join(str(conn.frame_label(frame)) for frame in sent.frames)
    others = [
        *(_link(one, "links to nothing", at_ns) for one in chain.unlinked),
        *(_link(one, "another way up, not chosen", at_ns) for one in chain.alternatives),
    ]
    count = number(len(chain.certificates), "certificate")
    return Tree(
        f"{sent.side.value}: {count}, frame{'s' if len(sent.frames) > 1 else ''} {frames}",
        tuple(links),
        tuple(others),
        tuple(_remarks(chain)),
    )


def _role(certificate: Certificate, chain: Chain) -> str:
    if certificate is chain.leaf:
        return "leaf, self-signed" if certificate.self_issued else "leaf"
    return "root" if certificate.self_issued else "intermediate"


def _link(certificate: Certificate, role: str, at_ns: int) -> Link:
    valid = certificate.valid_at(at_ns)
    names = [*certificate.names[:NAMES_SHOWN]]
    more = len(certificate.names) - len(names)
    dates = [
        moment(time)[:10] if time else text or "?"
        for time, text in (
            (certificate.not_before, certificate.not_before_text),
            (certificate.not_after, certificate.not_after_text),
        )
    ]
    facts = (
        f"valid {dates[0]} to {dates[1]}{', not at that time' if valid is False else ''}",
        f"{certificate.key or 'unknown key'} · {certificate.signature_algorithm}",
        f"names: {', '.join(names)}{f' and {more:,} more' if more else ''}" if names and not certificate.is_ca else "",
        f"sha256 {certificate.sha256}",
    )
    name = certificate.subject.text or "(empty name)"
    return Link(name, role, tuple(fact for fact in facts if fact), certificate.oddities)


def _remarks(chain: Chain) -> Iterator[str]:
    if not chain.in_order:
        yield "not sent in order"
    if chain.gap:
        yield "a certificate between those that were sent is missing"
    for child, parent in chain.broken_links:
        yield f"{child.short} was not signed by the {parent.short} that was sent"
    for one in chain.duplicates:
        yield f"sent more than once: {one.short}"


# ---- whole inputs --------------------------------------------------------------------------------------------------


def input_part(summary: CaptureSummary, counts: Mapping[Outcome, int], troubled: int, page: Page) -> Input:
    """One input and what was counted in it."""
    amendments = [f"{one.rule} {one.change} for {one.uid}: {one.reason}" for one in summary.amendments]
    return Input(
        name=summary.capture,
        facts=tuple(overview.facts(summary, page.symbols.dash)),
        lines=tuple(_lines(summary, counts)),
        limits=(*overview.limits(summary), *summary.notes),
        later=(*amendments, *(beside.later(one) for one in summary.comparisons)),
        findings=tuple(_general(finding, page) for finding in sorted(summary.findings, key=lambda one: one.order)),
        troubled=troubled,
        error=summary.error or "",
    )


def interrupted_part(name: str) -> Input:
    """An input of which no summary came."""
    return Input(name, (), (), (), (), (), 0, INTERRUPTED)


def _lines(summary: CaptureSummary, counts: Mapping[Outcome, int]) -> Iterator[str]:
    if len(summary.files) > 1:
        yield overview.files(summary)
    yield overview.reported(summary, counts)
    if summary.reasons:
        yield overview.not_decoded(summary)
    if not summary.tls_connections and summary.packets:
        yield "no TLS found in this capture. What is there instead:"
        yield from overview.instead(summary, counts)


def repeat(item: Repeated, page: Page) -> Repeat:
    """What was counted instead of listed."""
    when = overview.repeated_when(item, page.symbols.dash)
    return Repeat(item.capture, item.count, item.rule, item.client_ip, item.server, when)
