"""The messages of one connection as a ladder: client on the left, server on the right, time and frames before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from analyzer.connection import CertificateState, Connection, Side, Step
from analyzer.dataclass import dataclass
from analyzer.report import codes, safe
from analyzer.report.frames import place
from analyzer.report.page import GLUE, Line, Page, number, wrap
from analyzer.report.times import span
from analyzer.tls.messages import Alert, Lost, NotTls, OpaqueRecord

SILENCE_NS = 1_000_000_000
"""A pause of this length is worth a line of its own."""
ROWS = 26
"""Rows of a ladder; what is between the first ones and the last eight is folded."""
LAST_ROWS = 8
MAX_INNER = 92
"""Columns between the two lifelines: wider ones are hard to follow with the eye."""
SIZES_NAMED = 6
"""Records of a run whose sizes are named one by one: in TLS 1.3 they tell what is inside."""
_SIZED = frozenset({"ApplicationData", "Plain", "EncryptedHandshake"})
_ALONE = frozenset({"SYN", "SYN-ACK", "FIN", "RST", "Alert", "EncryptedAlert"})
"""Steps that never share a row with others."""


@dataclass(slots=True)
class Row:
    """Steps of one side that follow each other: a flight."""

    side: Side
    steps: list[Step]

    @property
    def frames(self) -> tuple[int, int]:
        return min(s.frames[0] for s in self.steps), max(s.frames[-1] for s in self.steps)


def ladder(conn: Connection, page: Page, client: str, server: str) -> Iterator[Line]:
    """The lines of the ladder; `client` and `server` name the two sides at its top."""
    rows = flights(conn.steps)
    digits = min(6, conn.time_digits)
    stamp = max(4 + digits, len(f"{max(0, conn.end_ns - conn.ts_ns) / 1e9:.{digits}f}"))
    frame = max([5, *(len(frames_text(conn, row, page)) for row in rows)])
    inner = min(MAX_INNER, page.width - stamp - frame - 8)
    yield [
        (f"  {'time':>{stamp}}  {'frame':>{frame}}  ", "dim"),
        (safe.pad(client, inner - safe.columns(server)), "client"),
        (server, "server"),
    ]
    folded = len(rows) - ROWS if len(rows) > ROWS + 1 else 0
    before, file = conn.ts_ns, ""
    for index, row in enumerate(rows):
        if folded and ROWS - LAST_ROWS <= index < ROWS - LAST_ROWS + folded:
            if index == ROWS - LAST_ROWS:
                yield _remark(f"{page.symbols.ellipsis} {folded} more", stamp + frame + 6)
            before = row.steps[-1].time_ns
            continue
        if row.steps[0].time_ns - before >= SILENCE_NS:
            yield _remark(f"{page.symbols.ellipsis} {span(row.steps[0].time_ns - before)} later", stamp + frame + 6)
        before = row.steps[-1].time_ns
        if (now_in := place(conn, row.frames[0])[0]) != file:
            file = now_in
            yield _remark(f"from here in {page.safe(file)}", stamp + frame + 6)
        time = f"{(row.steps[0].time_ns - conn.ts_ns) / 1e9:.{digits}f}"
        lead = f"  {time:>{stamp}}  {frames_text(conn, row, page):>{frame}}  "
        yield from _arrow(conn, row, page, lead, inner)
    if said := ending(conn, before):
        yield _remark(said, stamp + frame + 6)


def flights(steps: Sequence[Step]) -> list[Row]:
    """The rows: what one side said without being answered."""
    rows: list[Row] = []
    for step in steps:
        last = rows[-1] if rows else None
        if (
            last is None
            or step.side is not last.side
            or step.name in _ALONE
            or last.steps[-1].name in _ALONE
            or step.time_ns - last.steps[-1].time_ns >= SILENCE_NS
        ):
            rows.append(Row(step.side, [step]))
        else:
            last.steps.append(step)
    return rows


def frames_text(conn: Connection, row: Row, page: Page) -> str:
    """The frames of a row: "7", "7–9"."""
    (file, first), (last_file, last) = (place(conn, frame) for frame in row.frames)
    if file != last_file:
        return f"{first}{page.symbols.ellipsis}"
    return f"{first}" if first == last else f"{first}{page.symbols.dash}{last}"


def _remark(text: str, indent: int) -> Line:
    return [(" " * indent, ""), (f"({text})", "dim")]


def ending(conn: Connection, last_ns: int) -> str:
    """What is said under the last row, `last_ns` being its time; "" if a FIN or RST says it."""
    waited = conn.end_ns - last_ns
    counted = bool(conn.steps) and conn.steps[-1].count > 1  # its time is that of the first one
    silence = f" after {span(waited)} without a message" if waited >= SILENCE_NS and not counted else ""
    said = {"timeout": "nobody says anything more", "open": "the capture ends here"}.get(conn.closed.how)
    return f"{said}{silence}" if said else ""


def _arrow(conn: Connection, row: Row, page: Page, lead: str, inner: int) -> Iterator[Line]:
    """One row: the texts, and an arrow to the other side. Long flights take several lines."""
    signs = page.symbols
    text = ", ".join(whole(text, inner - 6) for text in texts(conn, row.steps, page))
    style = "error" if fatal(conn, row) else ""
    lines = wrap(text, inner - 6)
    for index, line in enumerate(lines):
        head = lead if index == 0 else " " * len(lead)
        free = inner - safe.columns(line)
        if row.side is Side.CLIENT:
            tail = f" {signs.shaft * (free - 2)}{signs.right}" if index == len(lines) - 1 else ""
            yield [(head, "dim"), (line, style), (tail, style or "client")]
        else:
            arrow = f"{signs.left}{signs.shaft * (free - 2)} " if index == 0 else " " * free
            yield [(head, "dim"), (arrow, style or "server"), (line, style)]


def fatal(conn: Connection, row: Row) -> bool:
    """Is this the step that ended a handshake which failed?"""
    if not conn.failed:
        return False
    frames = {alert.frame for alert in conn.alerts if alert.fatal or (alert.encrypted and not alert.after_handshake)}
    frames |= {conn.closed.frame} if conn.closed.frame is not None else set()
    return any(step.name in _ALONE and not frames.isdisjoint(step.frames) for step in row.steps)


def whole(text: str, room: int) -> str:
    """A message is not broken over two lines if it fits one."""
    return text.replace(" ", GLUE) if safe.columns(text) < room else text


def texts(conn: Connection, steps: list[Step], page: Page) -> Iterator[str]:
    """What each step was, with the one or two facts that matter; equal ones in a row are one text."""
    for name, run in groupby(steps, key=lambda step: step.name):
        same = list(run)
        if name in _SIZED:
            yield page.safe(_sized(name, same, page))
            continue
        for step in same:
            known = ", ".join(facts(conn, step))
            times = f" {page.symbols.times}{step.count:,}" if step.count > 1 else ""
            yield page.safe(f"{step.name}{times}" + (f" ({known})" if known else ""))


def _sized(name: str, steps: list[Step], page: Page) -> str:
    """Records of which only the size is known: "EncryptedHandshake (23 + 211 + 69 bytes)"."""
    count = sum(step.count for step in steps)
    if count == len(steps) <= SIZES_NAMED:
        sizes = " + ".join(f"{step.size:,}" for step in steps)
    else:
        name = f"{name} {page.symbols.times}{count:,}"
        sizes = f"{sum(step.size for step in steps):,}"
    return f"{name} ({sizes} bytes)" if any(step.size for step in steps) else name


def facts(conn: Connection, step: Step) -> list[str]:
    """The one or two facts about a step that matter."""
    if step.name == "ClientHello":
        return _client_hello(conn)
    if step.name == "ServerHello":
        return [fact for fact in (conn.version, (conn.cipher or "").removeprefix("TLS_")) if fact]
    if step.name == "Certificate":
        return _certificate(conn, step.side)
    if step.name == "CertificateRequest" and conn.certificate_request:
        names = conn.certificate_request.ca_list
        return [number(len(names.names), "CA name"), number(names.size, "byte")]
    return _by_event(conn, step)


def _by_event(conn: Connection, step: Step) -> list[str]:
    event = step.event
    if isinstance(event, Alert):
        return [f"{codes.alert_level(event.level)} {codes.alert(event.description)} {event.description}"]
    if step.name == "Alert":
        said = [alert for alert in conn.alerts if alert.frame in step.frames and alert.code is not None]
        return [f"{codes.alert_level(a.level or 0)} {codes.alert(a.code or 0)} {a.code}" for a in said]
    if isinstance(event, Lost):
        return [f"{event.missing:,} bytes missing from the capture"]
    if isinstance(event, NotTls):
        return [f"no TLS, looks like {event.protocol}"]
    if isinstance(event, OpaqueRecord):
        return [f"{step.size:,} bytes"] if step.size else []
    return []


def _client_hello(conn: Connection) -> list[str]:
    hello = conn.client_hello
    if hello is None:
        return []
    offered = [
        v for v in hello.supported_versions or (hello.legacy_version,) if codes.version(v).startswith(("TLS", "SSL"))
    ]
    facts = [f"up to {codes.version(max(offered))}"] if offered else []
    return [*facts, f"SNI {hello.server_name}" if hello.server_name else "no SNI"]


def _certificate(conn: Connection, side: Side) -> list[str]:
    sent = conn.chain(side)
    if sent is not None:
        count = len(sent.chain.certificates)
        return [sent.chain.leaf.short, *([f"{count} certificates"] if count > 1 else ["alone"])]
    state = conn.client_certificate_state if side is Side.CLIENT else conn.server_certificate_state
    return ["empty: no certificate"] if state is CertificateState.EMPTY else []
