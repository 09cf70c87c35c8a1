"""What the HTML page is made of, collected while the connections go by. Memory is bounded: rows, groups and certificates
beyond a limit are counted, and the page says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from datetime import datetime
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Generic, TypeVar, cast

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, Outcome, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Finding, Severity
from analyzer.report import flat, overview, safe
from analyzer.report.blocks import Groups, worst
from analyzer.report.encode import to_json
from analyzer.report.html_parts import (
    Block,
    Front,
    Input,
    Repeat,
    RuleCount,
    block,
    input_part,
    interrupted_part,
    repeat,
)
from analyzer.report.output import Item, OutputOptions
from analyzer.report.page import Page
from analyzer.report.times import moment, stamp
from analyzer.summary import CaptureSummary, Repeated

ROWS = 100_000
"""Connections of the table; -T csv and -T jsonl have them all."""
GROUPS = 500
"""Different troubles with a block of their own, over all inputs."""
CERTIFICATES = 20_000
TEXTS_BYTES = 64 * 1024 * 1024
"""Characters of all texts of the table, and bytes of all certificates: somebody's names may be long."""
INPUTS = 2_000
REPEATS = 2_000
IN_MEMORY = 8 * 1024 * 1024
"""Bytes of rows that wait in memory; more goes to a temporary file."""

Cell = int | float | None
HEADS = ("outcome", "client", "server", "server_name", "version", "cipher", "mutual", "ts", "stream", "capture")
"""Columns of the table of connections. What each of them is called there is in report.js."""
_NUMBERS = {"duration", "ca_count", "ca_bytes", "client_bytes", "server_bytes", "gap_bytes"}
_ELSEWHERE = {"client_ip", "client_port", "server_ip", "server_port", "severity", "findings", "advice", "frames"}
"""Columns of -T csv that a row shows in another form."""
DETAILS = tuple(column for column in flat.COLUMNS if column.name not in {*HEADS, *_ELSEWHERE} - {"cipher"})
"""What a row shows when it is opened."""
CERTIFICATE_HEADS = ("subject", "issuer", "not_before", "not_after", "key", "signature", "by_server", "by_client")
CERTIFICATE_DETAILS = ("names", "serial", "sha256", "sha1", "extended key usage", "key usage", "CRLs", "oddities")


@dataclass(slots=True)
class _Known:
    """A certificate, and how many connections showed it from either side."""

    certificate: Certificate
    server: int = 0
    client: int = 0


K = TypeVar("K")


class _Table(Generic[K]):
    """Values by number, each once."""

    def __init__(self) -> None:
        self.numbers: dict[K, int] = {}

    def number(self, key: K) -> int:
        return self.numbers.setdefault(key, len(self.numbers))


@dataclass(slots=True)
class _Counts:
    """Of one input, and of all together."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    troubled: int = 0

    def add(self, conn: Connection) -> None:
        self.outcomes[conn.outcome] += 1
        self.troubled += conn.troubled


class Book:
    """Takes items; then `front`, `blocks` and `data` are what the template asks for."""

    def __init__(self, options: OutputOptions) -> None:
        self._page = Page(BytesIO(), OutputOptions(topology=options.topology))
        self._strings: _Table[str] = _Table()
        self._text_size = self._certificate_size = 0
        self._findings: _Table[tuple[int, ...]] = _Table()
        self._groups = Groups(GROUPS, by_capture=True)
        self._rows = cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115  (closed in `data`)
        self._row_count = self._more_rows = 0
        self._certificates: dict[str, _Known] = {}
        self._more_certificates = False
        self._all, self._one = _Counts(), _Counts()
        self._capture = ""
        self._rules: Counter[tuple[str, Severity]] = Counter()
        self._inputs: list[Input] = []
        self._more_inputs = 0
        self._repeats: list[Repeat] = []
        self._more_repeats = 0

    def take(self, item: Item) -> None:
        """One more item."""
        if isinstance(item, Connection):
            self._connection(item)
        elif isinstance(item, Repeated):
            if len(self._repeats) < REPEATS:
                self._repeats.append(repeat(item, self._page))
            else:
                self._more_repeats += 1
        elif isinstance(item, CaptureSummary):  # what was lost in all is in it
            self._input(item)

    def _connection(self, conn: Connection) -> None:
        self._all.add(conn)
        self._one.add(conn)
        self._capture = conn.capture
        for rule, severity in {(finding.rule, finding.severity) for finding in conn.findings}:
            self._rules[rule, severity] += 1
        for sent in conn.chains():
            for certificate in dict.fromkeys(sent.chain.certificates):
                self._count(certificate, sent.side)
        group = self._groups.add(conn) if conn.troubled else None
        if self._row_count >= ROWS or self._text_size >= TEXTS_BYTES:
            self._more_rows += 1
            return
        row = to_json([-1 if group is None else group.number, *self._row(conn)])
        self._rows.write(row if not self._row_count else b",\n" + row)
        self._row_count += 1

    def _row(self, conn: Connection) -> Iterator[object]:
        bad = worst(conn.findings)
        yield bad.rank if bad is not None else 0 if conn.failed else 3
        yield [self._finding(finding, conn) for finding in conn.findings]
        text = self._text
        brief = overview.row(conn, self._page.symbols.arrow, False)
        yield text(conn.outcome.value)
        yield text(conn.address(Side.CLIENT))
        yield text(conn.address(Side.SERVER))
        yield text(conn.server_name)
        yield text(conn.version)
        yield text(brief.cipher)
        yield text(brief.mutual)
        yield text(stamp(conn.ts_ns, conn.time_digits))
        yield conn.stream
        yield text(conn.capture)
        for column in DETAILS:
            value = column.value(conn)
            yield value if column.name in _NUMBERS else text(value)

    def _finding(self, finding: Finding, conn: Connection) -> list[int]:
        said = (finding.rule, finding.confidence.value, finding.summary, finding.advice)
        number = self._findings.number((finding.severity.rank, *map(self._string, said)))
        frames = ", ".join(str(conn.frame_label(frame)) for frame in finding.frames)
        return [number, self._string(frames)]

    def _text(self, value: flat.Value) -> int | None:
        """The number of a text; None for nothing."""
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return self._string("yes" if value else "no")
        return self._string(str(value))

    def _string(self, text: str) -> int:
        number = self._strings.number(text)
        if number + 1 == len(
            self._strings.numbers
        ):  # new, or the newest again: then it counts twice, which does no harm
            self._text_size += len(text)
        return number

    def _count(self, certificate: Certificate, side: Side) -> None:
        known = self._certificates.get(certificate.sha256)
        if known is None:
            if len(self._certificates) >= CERTIFICATES or self._certificate_size >= TEXTS_BYTES:
                self._more_certificates = True
                return
            self._certificate_size += len(certificate.der)
            known = self._certificates[certificate.sha256] = _Known(certificate)
        if side is Side.SERVER:
            known.server += 1
        else:
            known.client += 1

    def _input(self, summary: CaptureSummary) -> None:
        counts, self._one = self._one, _Counts()
        if len(self._inputs) < INPUTS:
            self._inputs.append(input_part(summary, counts.outcomes, counts.troubled, self._page))
        else:
            self._more_inputs += 1

    # ---- what the template asks for ---------------------------------------------------------------------------------

    def front(self) -> Front:
        """What stands at the top."""
        if self._one.outcomes:  # no summary came: whoever reads was stopped
            self._inputs.append(interrupted_part(self._capture))
        rules = [RuleCount(rule, severity, count) for (rule, severity), count in self._rules.items()]
        return Front(
            connections=self._all.outcomes.total(),
            troubled=self._all.troubled,
            outcomes=tuple((o.value, self._all.outcomes[o]) for o in Outcome if self._all.outcomes.get(o)),
            rules=tuple(sorted(rules, key=lambda one: (one.severity.rank, -one.count, one.rule))),
            inputs=tuple(self._inputs),
            more_inputs=self._more_inputs,
            repeats=tuple(self._repeats),
            more_repeats=self._more_repeats,
            troubles=len(self._groups),
            more_troubles=self._groups.more,
            more_rows=self._more_rows,
            certificates=len(self._certificates),
            more_certificates=self._more_certificates,
        )

    def blocks(self) -> Iterator[Block]:
        """The troubles, worst first; equals in the order of the captures."""
        for group in self._groups.worst_first():
            yield block(group, self._page)

    def data(self) -> Iterator[bytes]:
        """The JSON of the tables, in pieces; nothing in it can end the element that holds it. Can be asked for once."""
        yield b'{"heads":' + embedded(HEADS) + b',"details":'
        yield embedded([(column.name, column.meaning, column.name in _NUMBERS) for column in DETAILS])
        yield b',"certificateHeads":' + embedded(CERTIFICATE_HEADS)
        yield b',"certificateDetails":' + embedded(CERTIFICATE_DETAILS)
        yield b',"rows":[\n'
        self._rows.seek(0)
        while piece := self._rows.read(IN_MEMORY):
            yield piece
        self._rows.close()
        yield b'\n],"certificates":['
        for index, known in enumerate(self._certificates.values()):
            yield b",\n" * (index > 0) + to_json(list(self._certificate_row(known)))
        yield b'\n],"findings":' + to_json(list(self._findings.numbers)) + b',"strings":[\n'
        for index, text in enumerate(self._strings.numbers):
            yield b",\n" * (index > 0) + embedded(safe.line(text))
        yield b"\n]}"

    def _certificate_row(self, known: _Known) -> Iterator[Cell]:
        one, text = known.certificate, self._text
        yield text(one.subject.text or "(empty)")
        yield text(one.issuer.text or "(empty)")
        yield text(_date(one.not_before, one.not_before_text))
        yield text(_date(one.not_after, one.not_after_text))
        yield text(str(one.key) if one.key else None)
        yield text(one.signature_algorithm)
        yield known.server
        yield known.client
        yield text(", ".join(one.names))
        yield text(one.serial)
        yield text(one.sha256)
        yield text(one.sha1)
        yield text(", ".join(one.eku_names or one.eku or ()))
        yield text(", ".join(one.key_usage or ()))
        yield text(" ".join(one.crl_urls))
        yield text("; ".join(one.oddities))


def _date(time: datetime | None, text: str) -> str:
    """ "2026-11-21 09:30:00"; what cannot be read as it stands."""
    return moment(time)[:-1].replace("T", " ") if time else text


def embedded(value: object) -> bytes:
    """JSON for a `script` element: "</script" and "<!--" cannot stand in it, for it has no "<" at all."""
    return to_json(value).replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")
