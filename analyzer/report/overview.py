"""The rest of the text report: connections without trouble as a table, what was counted, and what the input was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzer.connection import CertificateState, Connection, Outcome, Side
from analyzer.dataclass import dataclass
from analyzer.report import beside, safe
from analyzer.report.page import Page, Segment, number
from analyzer.report.times import clock, span, stamp
from analyzer.summary import CaptureSummary, Repeated

TABLE_ROWS = 200
"""Rows of the table; more are counted. `-T csv` has them all."""
PORTS_NAMED = 8
COMPARISONS_NAMED = 10
_TUNNELS = ("gre", "vxlan", "geneve", "esp", "ipsec", "ah", "wireguard", "l2tp", "openvpn")
_MUTUAL = {
    CertificateState.SENT: "mutual",
    CertificateState.INFERRED_SENT: "mutual (inferred)",
    CertificateState.EMPTY: "asked, none sent",
    CertificateState.INFERRED_EMPTY: "asked, none sent",
    CertificateState.NOT_REQUESTED: "not asked",
    CertificateState.NOT_SENT: "none sent",
    CertificateState.HIDDEN: "encrypted",
    CertificateState.LOST: "not captured",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What equal connections without trouble share; they are one row of the table."""

    outcome: Outcome
    peers: str
    name: str
    version: str
    cipher: str
    mutual: str
    notes: str


def row(conn: Connection, arrow: str, each: bool) -> Row:
    """The row of a connection. With `each` the client's port is kept, so that every connection has its own."""
    client = conn.address(Side.CLIENT) if each else conn.client_ip
    rules = dict.fromkeys(finding.rule for finding in conn.findings)
    state = conn.client_certificate_state
    return Row(
        outcome=conn.outcome,
        peers=f"{client} {arrow} {conn.address(Side.SERVER)}",
        name=conn.server_name or "",
        version=conn.version or "",
        cipher=(conn.cipher or "").removeprefix("TLS_").replace("_WITH_", "_"),
        mutual="resumed" if conn.resumed else _MUTUAL[state] if state else "",
        notes=", ".join([*([f"after {conn.preamble}"] if conn.preamble else []), *rules]),
    )


def table(rows: dict[Row, int], left_out: int, page: Page) -> None:
    """Connections without trouble. Columns take the width that they need; the name and the notes give way first."""
    if not rows:
        return
    signs = page.symbols
    total = sum(rows.values()) + left_out
    alike = len({r.outcome for r in rows}) == 1 and not left_out
    word = f", {next(iter(rows)).outcome.value}" if alike else ""
    page.write((f"{signs.ok} {number(total, 'connection')} without trouble{word}", "ok"))
    heads = ["n", "outcome", f"client {signs.arrow} server", "name", "version", "cipher", "client cert", "notes"]
    cells = [_cells(r, count, page) for r, count in rows.items()]
    widths = [max(safe.columns(c) for c in column) for column in zip(heads, *cells, strict=True)]
    kept = [i for i in range(len(heads)) if any(line[i] for line in cells)]
    kept = [i for i in kept if not (i == 0 and max(rows.values()) == 1) and not (i == 1 and alike)]
    _squeeze(widths, kept, page.width - 2)
    for index, line in enumerate([heads, *cells]):
        fitted = [safe.pad(safe.fit(line[i], widths[i], signs.ellipsis), widths[i]) for i in kept]
        page.write(("  " + "  ".join(fitted), "" if index else "dim"))
    if left_out:
        page.write((f"  {signs.ellipsis} and {left_out:,} more that differ; -T csv lists all", "dim"))
    page.write()


def _cells(row: Row, count: int, page: Page) -> list[str]:
    facts = (row.peers, row.name, row.version, row.cipher, row.mutual, row.notes)
    return [f"{count:,}", row.outcome.value, *map(page.safe, facts)]


def _squeeze(widths: list[int], kept: list[int], room: int) -> None:
    """Shorten cipher, name and notes until the table fits; peers are never cut: people copy them."""
    excess = sum(widths[i] for i in kept) + 2 * (len(kept) - 1) - room
    for index, least in ((5, 12), (3, 16), (7, 16), (6, 11), (5, 6), (3, 8), (7, 8)):
        if excess > 0 and index in kept and widths[index] > least:
            cut = min(excess, widths[index] - least)
            widths[index] -= cut
            excess -= cut


def repeated(items: Iterable[Repeated], page: Page) -> None:
    """Floods: what was counted instead of listed."""
    signs = page.symbols
    for item in items:
        page.write(
            (f"{signs.note} {item.count:,} more", "note"),
            (f"  {item.client_ip} {signs.arrow} {item.server}  {page.safe(item.rule)}", "strong"),
            (f"  {repeated_when(item, signs.dash)}", "dim"),
        )


def repeated_when(item: Repeated, dash: str) -> str:
    """ "09:30:00 – 09:41:10, every 10.0 s"."""
    every = f", every {span(item.period_ns)}" if item.period_ns else ""
    return f"{clock(item.first_ns, 0)} {dash} {clock(item.last_ns, 0)}{every}"


def summary(capture: CaptureSummary, counts: Mapping[Outcome, int], page: Page) -> None:
    """What the input was, and what of it could not be used."""
    signs = page.symbols
    told = f" {signs.dot} ".join(facts(capture, signs.dash))
    page.write((page.safe(capture.capture), "strong"), (f"  {told}", "dim"))
    if len(capture.files) > 1:
        page.write((f"  {page.safe(files(capture))}", ""))
    if capture.reasons:
        page.paragraph(not_decoded(capture), 2)
    page.write((f"  {reported(capture, counts)}", ""))
    _limits(capture, page)
    if not capture.tls_connections and capture.packets:
        _no_tls(capture, counts, page)
    for amendment in capture.amendments:
        page.paragraph(f"later traffic: {amendment.rule} {amendment.change} for {amendment.uid}: {amendment.reason}", 2)
    for comparison in capture.comparisons[:COMPARISONS_NAMED]:
        page.paragraph(f"later traffic: {beside.later(comparison)}", 2)
    if len(capture.comparisons) > COMPARISONS_NAMED:
        more = len(capture.comparisons) - COMPARISONS_NAMED
        page.paragraph(f"later traffic: {more:,} more failures that can be compared; -T jsonl lists all", 2)
    for note in capture.notes:
        page.paragraph(note, 2, "note", f"{signs.note} ")
    if capture.error:
        page.paragraph(capture.error, 2, "error", f"{signs.error} ")


def facts(capture: CaptureSummary, dash: str) -> list[str]:
    """Format, packets, and from when to when."""
    told = [capture.format or "unknown format", number(capture.packets, "packet")]
    if capture.first_ns is not None and capture.last_ns is not None:
        told.append(period(capture.first_ns, capture.last_ns, dash))
    return told


def files(capture: CaptureSummary) -> str:
    """The files of a ring."""
    return f"{len(capture.files)} files read as one: {', '.join(capture.files)}"


def not_decoded(capture: CaptureSummary) -> str:
    """Packets without a TCP header that could be read, by reason."""
    reasons = sorted(capture.reasons.items(), key=lambda pair: -pair[1])
    return f"not decoded as TCP: {', '.join(f'{count:,} {reason}' for reason, count in reasons)}"


def reported(capture: CaptureSummary, counts: Mapping[Outcome, int]) -> str:
    """ "30 TCP connections, 28 reported: 2 established, 1 failed, 25 only counted"."""
    told = outcomes(counts)
    if told and (counted := capture.connections - sum(counts.values())) > 0:
        told.append(f"{counted:,} only counted")
    listed = f": {', '.join(told)}" if told else ""
    return f"{number(capture.tcp_streams, 'TCP connection')}, {capture.connections:,} reported{listed}"


def outcomes(counts: Mapping[Outcome, int]) -> list[str]:
    """ "2 established", "1 failed": always in the same order."""
    return [f"{counts[outcome]:,} {outcome.value}" for outcome in Outcome if counts.get(outcome)]


def period(first_ns: int, last_ns: int, dash: str) -> str:
    """ "2026-11-21 09:30:00 – 09:31:30 UTC (1 min 30 s)"; the day is not said twice."""
    first, last = (stamp(time, 0) for time in (first_ns, last_ns))
    if first == last:
        return f"{first} UTC ({span(last_ns - first_ns)})"
    until = last[11:] if last[:10] == first[:10] else last
    return f"{first} {dash} {until} UTC ({span(last_ns - first_ns)})"


def heading(capture: str, page: Page) -> None:
    """A line across the page with the input's name."""
    name = f"{page.symbols.rule * 2} {page.safe(capture)} "
    page.write((name + page.symbols.rule * max(2, page.width - safe.columns(name)), "dim"))
    page.write()


def _limits(capture: CaptureSummary, page: Page) -> None:
    for line in limits(capture):
        page.paragraph(line, 2, "warning", f"{page.symbols.warning} ")


def limits(capture: CaptureSummary) -> list[str]:
    """What makes verdicts weaker, said once for the whole input; one line each."""
    lines = []
    if capture.dropped:
        lines.append(f"{number(capture.dropped, 'packet')} lost while capturing, says the file")
    if capture.cut_packets:
        limit = f" at {capture.snap_length:,} bytes" if capture.snap_length else ""
        lines.append(f"{number(capture.cut_packets, 'packet')} cut short{limit}: capture whole packets (-s 0)")
    if capture.one_sided and capture.tls_connections:
        lines.append(f"{number(capture.one_sided, 'connection')} with only one direction in the capture")
    if capture.evicted:
        lines.append(f"{number(capture.evicted, 'connection')} given up early: too many at once")
    return lines


def _no_tls(capture: CaptureSummary, counts: Mapping[Outcome, int], page: Page) -> None:
    """Nobody is left alone with an empty report: say what is there instead, and why TLS may be missing."""
    page.write((f"  {page.symbols.warning} no TLS found", "warning"), (" in this capture. What is there instead:", ""))
    for text in instead(capture, counts):
        page.paragraph(text, 4, "", f"{page.symbols.dash} ")


def instead(capture: CaptureSummary, counts: Mapping[Outcome, int]) -> Iterable[str]:
    """What is in a capture without TLS, and why TLS may be missing; one line each."""
    reasons, shown = capture.reasons, list(capture.ports.items())[:PORTS_NAMED]
    if shown:
        yield "ports: " + ", ".join(
            f"{protocol} {port} ({number(count, 'packet')})" for (protocol, port), count in shown
        )
    if not capture.decoded:
        yield "no TCP at all: was the capture filter meant for something else?"
    elif not capture.tcp_streams:
        yield "no TCP connection"
    if reasons.get("quic"):
        yield f"QUIC ({number(reasons['quic'], 'packet')}): TLS 1.3 inside UDP; only TLS over TCP is read here"
    if reasons.get("dtls"):
        yield f"DTLS ({number(reasons['dtls'], 'packet')}): TLS over UDP; only TLS over TCP is read here"
    tunnels = [f"{name} ({count:,})" for name, count in reasons.items() if name.startswith(_TUNNELS)]
    if tunnels:
        yield f"tunnels that hide what is inside: {', '.join(tunnels)}; capture behind them"
    if capture.cut_packets:
        yield f"{number(capture.cut_packets, 'packet')} cut short, perhaps before the TLS bytes: capture whole packets (-s 0)"
    if capture.one_sided:
        yield f"one direction only in {number(capture.one_sided, 'connection')}: a filter or a mirror port left out the other"
    silent = counts.get(Outcome.NO_DATA, 0)
    other = capture.tcp_streams - silent
    if silent:
        yield f"{number(silent, 'TCP connection')} without a byte of payload: refused, unanswered, or only probed"
    if other > 0 and capture.decoded:
        yield f"{number(other, 'TCP connection')} without a TLS record: plain text, or started before the capture"


def totals(captures: int, counts: Mapping[Outcome, int], troubled: int, page: Page) -> None:
    """The last line when there were several inputs."""
    told = ", ".join(outcomes(counts))
    head: Segment = (f"{number(captures, 'capture')}: ", "strong")
    page.write(
        head,
        (f"{number(sum(counts.values()), 'connection')}{f' ({told})' if told else ''}, ", ""),
        (f"{troubled:,} in trouble", "error" if troubled else "ok"),
    )
