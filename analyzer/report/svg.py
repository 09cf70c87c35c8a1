"""The ladder of one connection as inline SVG, for notebooks and HTML pages.

The picture is self-contained and inert: no script, no style sheet, no id (many of them share a page), no reference to
anything outside. Colours are presentation attributes, so a strict Content-Security-Policy lets them pass; texts and
lifelines take the colour of the page around them, so it is readable on light and on dark. What is fatal is bold and said
in words, never told by colour alone. A page may style the classes `ladder`, `client`, `server`, `fatal` and `dim`.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from io import BytesIO

from analyzer.connection import Connection, Side
from analyzer.report import safe
from analyzer.report.frames import place
from analyzer.report.ladder import (
    LAST_ROWS,
    ROWS,
    SILENCE_NS,
    Row,
    ending,
    fatal,
    flights,
    frames_text,
    texts,
    whole,
)
from analyzer.report.output import OutputOptions
from analyzer.report.page import Page, wrap
from analyzer.report.times import span

WIDTH = 800
CLIENT_X, SERVER_X = 160, 780
"""Where the two lifelines stand."""
TIME_X, FRAME_X = 78, 146
"""Right edges of the columns of times and frames."""
LINE, GAP = 16, 14
"""Height of a line of text, and what an arrow adds."""
LETTERS = 78
"""Characters between the lifelines: 12 px of a monospaced font are 7.3 px wide at most."""
LABEL = 4000
"""Characters that a screen reader is given at most."""
HEAD = 7
"""Length of an arrow head."""
COLORS = {"client": "#1d83b5", "server": "#a05bc4", "fatal": "#d9463c"}
"""At least 3:1 against white and against #111 (WCAG 1.4.11)."""
_FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def ladder_svg(conn: Connection) -> str:
    """An `<svg>` element: client left, server right, time (s since the first packet) and frames before each row.

    Every text from the capture is escaped and on one line; the length is bounded (long ladders are folded as in the text
    report). Never raises; a connection without a message gives a picture with its two ends alone.
    """
    drawing = _Drawing(conn)
    drawing.draw()
    height = drawing.y + LINE
    label = escape(_label(conn), quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" role="img" aria-label="{label}" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" fill="currentColor" font-size="12" '
        f'font-family="{_FONT}">{drawing.lifelines()}{"".join(drawing.parts)}</svg>'
    )


def _label(conn: Connection) -> str:
    """What a screen reader says instead of the picture: who, and every message in order."""
    page = _page()
    said = [
        f"{row.side.value}{' (ends the handshake)' if fatal(conn, row) else ''}: {', '.join(texts(conn, row.steps, page))}"
        for row in _shown(flights(conn.steps))
        if isinstance(row, Row)
    ]
    ends = f"{conn.address(Side.CLIENT)} to {conn.address(Side.SERVER)}, {conn.outcome.value}"
    return safe.fit(safe.line(f"Messages of {ends}. {'; '.join(said)}"), LABEL)


def _page() -> Page:
    """What the text ladder asks for symbols and safe texts."""
    return Page(BytesIO(), OutputOptions())


def _shown(rows: list[Row]) -> Iterator[Row | int]:
    """The rows to draw; a number stands for that many folded ones."""
    if len(rows) <= ROWS + 1:
        yield from rows
        return
    first = ROWS - LAST_ROWS
    yield from rows[:first]
    yield len(rows) - ROWS
    yield from rows[-LAST_ROWS:]


class _Drawing:
    """Rows from the top down. `y` is the base line of what comes next, `parts` what was drawn."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.page = _page()
        self.parts: list[str] = []
        self.y = LINE
        self._digits = min(6, conn.time_digits)

    def draw(self) -> None:
        """Everything but the lifelines."""
        conn, file, before = self.conn, "", self.conn.ts_ns
        self._text(TIME_X, "time", "end", "dim")
        self._text(FRAME_X, "frame", "end", "dim")
        self._text(CLIENT_X, f"client {conn.address(Side.CLIENT)}", "start", "client")
        self._text(SERVER_X, f"{conn.address(Side.SERVER)} server", "end", "server")
        self.y += LINE + GAP // 2
        rows = flights(conn.steps)
        ends = {id(row): row.steps[-1].time_ns for row in rows}
        for row in _shown(rows):
            if isinstance(row, int):
                self._remark(f"… {row} more")
                before = rows[-LAST_ROWS - 1].steps[-1].time_ns
                continue
            if row.steps[0].time_ns - before >= SILENCE_NS:
                self._remark(f"… {span(row.steps[0].time_ns - before)} later")
            before = ends[id(row)]
            if (now_in := place(conn, row.frames[0])[0]) != file:
                file = now_in
                self._remark(f"from here in {file}")
            self._row(row)
        if said := ending(conn, before):
            self._remark(said)

    def lifelines(self) -> str:
        """The two vertical lines."""
        return "".join(
            f'<line class="lifeline" x1="{x}" y1="{LINE + 8}" x2="{x}" y2="{self.y}" stroke="currentColor" '
            'stroke-opacity="0.35"/>'
            for x in (CLIENT_X, SERVER_X)
        )

    def _row(self, row: Row) -> None:
        style = "fatal" if fatal(self.conn, row) else row.side.value
        self._text(TIME_X, f"{(row.steps[0].time_ns - self.conn.ts_ns) / 1e9:.{self._digits}f}", "end", "dim")
        self._text(FRAME_X, frames_text(self.conn, row, self.page), "end", "dim")
        whole_text = ", ".join(whole(text, LETTERS) for text in texts(self.conn, row.steps, self.page))
        from_client = row.side is Side.CLIENT
        x, anchor = (CLIENT_X + 10, "start") if from_client else (SERVER_X - 10, "end")
        for line in wrap(whole_text, LETTERS):
            self._text(x, line, anchor, style if style == "fatal" else "")
            self.y += LINE
        self._arrow(style, from_client)
        self.y += GAP

    def _arrow(self, style: str, from_client: bool) -> None:
        y, color = self.y - LINE + 7, COLORS[style]
        tip, back = (SERVER_X - 1, SERVER_X - 1 - HEAD) if from_client else (CLIENT_X + 1, CLIENT_X + 1 + HEAD)
        tail = CLIENT_X if from_client else SERVER_X
        self.parts.append(
            f'<line class="{style}" x1="{tail}" y1="{y}" x2="{back}" y2="{y}" stroke="{color}" stroke-width="1.5"/>'
            f'<polygon class="{style}" points="{tip},{y} {back},{y - 4} {back},{y + 4}" fill="{color}"/>'
        )

    def _remark(self, text: str) -> None:
        self._text((CLIENT_X + SERVER_X) // 2, f"({text})", "middle", "dim")
        self.y += LINE + 4

    def _text(self, x: int, text: str, anchor: str, style: str) -> None:
        looks = {"dim": ' fill-opacity="0.75"', "fatal": ' font-weight="bold"'}.get(style, "")
        named = f' class="{style}"' if style else ""
        shown = escape(safe.fit(safe.line(text), LETTERS), quote=True)
        self.parts.append(f'<text{named} x="{x}" y="{self.y}" text-anchor="{anchor}"{looks}>{shown}</text>')
