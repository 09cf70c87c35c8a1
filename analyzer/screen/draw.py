"""The lines of the live table, as wide and high as the terminal, and what the user looks at. No terminal here.

The newest trouble is on top, two lines a row: who and how often, then why. What works is one line a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from analyzer.connection import Outcome
from analyzer.dataclass import dataclass
from analyzer.live.board import Latest, Picture, Row, chosen
from analyzer.report import safe
from analyzer.report.page import Line, Symbols, number
from analyzer.report.times import rfc3339

SELECTED = "selected"
"""The style of the row under the cursor."""
LATEST_SHARE, LATEST_LEAST = 4, 3
"""One line in so many is for the latest connections, and at least so many where the terminal is high enough."""
SMALL = 14
"""A terminal lower than this has no room for the latest connections."""
NOTHING_YET = "nothing is decided yet: a connection is listed some three seconds after its end"
NOTHING_FITS = "no row fits"
_TIME = 8
_NAME_LEAST = 8


@dataclass(frozen=True, slots=True)
class About:
    """What is captured; safe to show."""

    interface: str
    engine: str
    filter: str


@dataclass(slots=True)
class Looking:
    """What the user looks at.

    Attributes:
        text: only rows with this. troubled: only rows in trouble. paused: the picture stands still.
        ending: the end was asked for. selected: number of the row under the cursor; None for none. top: index of the first
            row shown.
    """

    text: str = ""
    troubled: bool = False
    paused: bool = False
    ending: bool = False
    selected: int | None = None
    top: int = 0

    def rows(self, picture: Picture) -> list[Row]:
        """The rows to look at."""
        return chosen(picture.rows, self.text, self.troubled)

    def move(self, rows: Sequence[Row], by: int) -> None:
        """Move the cursor; without one it begins above the first row. It stops at both ends."""
        if not rows:
            return
        at = self.place(rows)
        wanted = (at + by) if at is not None else max(0, by - 1)
        self.selected = rows[min(max(wanted, 0), len(rows) - 1)].number

    def place(self, rows: Sequence[Row]) -> int | None:
        """Where the cursor is; None if its row is not there."""
        return next((at for at, row in enumerate(rows) if row.number == self.selected), None)

    def scroll(self, rows: Sequence[Row], room: int) -> None:
        """Move `top` so that the cursor is on one of `room` lines."""
        at = self.place(rows)
        if at is None:
            self.top = 0
            return
        self.top = min(self.top, at, len(rows) - 1)
        while self.top < at and sum(map(_height, rows[self.top : at + 1])) > room:
            self.top += 1


def draw(picture: Picture, about: About, looking: Looking, width: int, height: int, signs: Symbols) -> list[Line]:
    """Exactly `height` lines, none wider than `width`."""
    rows = looking.rows(picture)
    head = _head(picture, about, looking, len(rows), width, signs)
    tail = _tail(picture, width, height, signs)
    room = max(0, height - len(head) - len(tail) - 1)
    looking.scroll(rows, room)
    body = _body(rows, looking, room, width, picture, signs)
    blank: list[Line] = [[] for _ in range(room + 1 - len(body))]
    return [_fitted(line, width, signs) for line in [*head, *body, *blank, *tail][:height]]


def _head(picture: Picture, about: About, looking: Looking, shown: int, width: int, signs: Symbols) -> list[Line]:
    counts, dot = picture.counts, f" {signs.dot} "
    title, running = "mtlscope ", f"  running {timedelta(seconds=int(picture.seconds))}"
    room = max(0, width - len(title) - len(running))
    what = safe.fit(dot.join((about.interface, about.engine, about.filter or "everything")), room, signs.ellipsis)
    lines: list[Line] = [
        [(title, "strong"), (safe.pad(what, room), ""), (running, "dim")],
        [
            (f"{number(counts.packets, 'packet')}{dot}", ""),
            (f"{counts.lost:,} lost", "error" if counts.lost else ""),
            (f"{dot}{counts.followed:,} followed{dot}{counts.decided:,} decided{dot}", ""),
            (f"{counts.failed:,} failed", "error" if counts.failed else ""),
            (f"{dot}{counts.troubled:,} in trouble", ""),
        ],
    ]
    states = [
        *(["ENDING"] if looking.ending else []),
        *(["PAUSED, the capture goes on"] if looking.paused else []),
        *(["troubled only"] if looking.troubled else []),
        *([f'with "{safe.line(looking.text)}"'] if looking.text else []),
    ]
    if states:
        lines.append([(f"{dot.join(states)}: {shown:,} of {number(len(picture.rows), 'row')}", "note")])
    return lines + [[(f"{signs.warning} {note}", "warning")] for note in picture.notes]


def _body(rows: Sequence[Row], looking: Looking, room: int, width: int, picture: Picture, signs: Symbols) -> list[Line]:
    """The heading and as many rows as there is room for."""
    if not rows:
        return [[(NOTHING_FITS if picture.rows else NOTHING_YET, "dim")]]
    others = picture.other_troubled + picture.other_healthy
    room -= bool(others)
    many = max(5, max(len(f"{row.count:,}") for row in rows))
    peers = [_peers(row, signs) for row in rows]
    fixed = 2 + many + 2 + _TIME + 2 + _TIME + 2 + 2
    widest = min(max(map(safe.columns, peers)), max(0, width - fixed - _NAME_LEAST))
    today = _day(max(row.last_ns for row in rows))
    lines: list[Line] = []
    end = looking.top
    while end < len(rows) and len(lines) + _height(rows[end]) <= room:
        lines += _row(rows[end], looking.selected, today, many, widest, width, signs)
        end += 1
    heading = f"{'count':>{2 + many}}  {'last UTC':<{_TIME}}  {'first':<{_TIME}}  "
    heading += safe.pad(f"client {signs.arrow} server", widest) + "  server name"
    where = f"  {looking.top + 1}{signs.dash}{end} of {len(rows)}" if end - looking.top < len(rows) else ""
    before = max(0, width - len(where))
    if others:
        told = f"{number(others, 'connection')} of rows that had to go, {picture.other_troubled:,} in trouble"
        lines.append([(f"{signs.ellipsis} {told}", "dim")])
    return [[(safe.pad(safe.fit(heading, before, signs.ellipsis), before) + where, "dim")], *lines]


def _row(row: Row, selected: int | None, today: str, many: int, widest: int, width: int, signs: Symbols) -> list[Line]:
    """Its lines. `many`, `widest`: columns of the count and of the peers."""
    what = row.name if row.troubled or row.cause == Outcome.ESTABLISHED else f"{row.cause}  {row.name}"
    lines: list[Line] = [
        [
            (f"{_sign(row.severity, signs)} {row.count:>{many},}", row.severity),
            (f"  {_when(row.last_ns, today)}  {_when(row.first_ns, today)}  ", "dim"),
            (safe.pad(safe.fit(_peers(row, signs), widest, signs.ellipsis), widest), "strong" if row.troubled else ""),
            (f"  {what}", ""),
        ]
    ]
    if row.troubled:
        lines.append([(" " * (4 + many) + row.cause, row.severity), (f"  {row.said}" if row.said else "", "")])
    if row.number == selected:  # in one style, from edge to edge
        return [[(safe.pad("".join(text for text, _style in line), width), SELECTED)] for line in lines]
    return lines


def _tail(picture: Picture, width: int, height: int, signs: Symbols) -> list[Line]:
    """The latest connections."""
    if height < SMALL or not picture.latest:
        return []
    kept = picture.latest[: max(LATEST_LEAST, height // LATEST_SHARE - 1)]
    today = _day(kept[0].ts_ns)
    peers = [_peers(one, signs) for one in kept]
    widest = min(max(map(safe.columns, peers)), max(0, width - 36))
    title = "latest connections "
    lines: list[Line] = [[(title + signs.rule * max(0, width - len(title)), "dim")]]
    for one, ends in zip(kept, peers, strict=True):
        shown = safe.pad(safe.fit(ends, widest, signs.ellipsis), widest)
        lines.append(
            [
                (f"{_sign(one.severity, signs)} ", one.severity),
                (f"{_when(one.ts_ns, today)}  ", "dim"),
                (f"{shown}  {one.outcome:<11}  {_told(one)}", ""),
            ]
        )
    return lines


def _peers(one: Row | Latest, signs: Symbols) -> str:
    return f"{one.client} {signs.arrow} {one.server}"


def _told(one: Latest) -> str:
    return f"{one.cause}  {one.name}" if one.cause != one.outcome else one.name


def _height(row: Row) -> int:
    return 2 if row.troubled else 1


def _sign(severity: str, signs: Symbols) -> str:
    return str(getattr(signs, severity))


def _day(time_ns: int) -> str:
    return rfc3339(time_ns, 0)[:10]


def _when(time_ns: int, today: str) -> str:
    """The time of day, or the day if it is another one: always 8 columns."""
    day, _, clock = rfc3339(time_ns, 0).removesuffix("Z").partition("T")
    return clock if day == today else f"{day[5:]:<{_TIME}}"


def _fitted(line: Line, width: int, signs: Symbols) -> Line:
    """The line, cut to the width."""
    left, kept = width, list[tuple[str, str]]()
    for text, style in line:
        if left <= 0:
            break
        cut = safe.fit(text, left, signs.ellipsis if left > len(signs.ellipsis) else "")
        kept.append((cut, style))
        left = 0 if cut != text else left - safe.columns(cut)
    return kept
