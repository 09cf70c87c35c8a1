"""Lines of styled text, and the two ways to write them: plain, or in colour with rich. The layout is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO

from analyzer.dataclass import dataclass
from analyzer.report import safe
from analyzer.report.output import OutputOptions

Segment = tuple[str, str]
"""A text that is safe to show, and the name of its style; "" for none."""
Line = list[Segment]

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "note": "cyan",
    "ok": "green",
    "dim": "bright_black",
    "strong": "bold",
    "client": "cyan",
    "server": "magenta",
}


@dataclass(frozen=True, slots=True)
class Symbols:
    """What a console can show. Severity is never told by colour or symbol alone: the word stands beside it."""

    error: str
    warning: str
    note: str
    ok: str
    unknown: str
    arrow: str
    shaft: str
    right: str
    left: str
    ellipsis: str
    dot: str
    times: str
    dash: str
    rule: str


UNICODE = Symbols("✖", "▲", "•", "✔", "?", "→", "─", "▶", "◀", "…", "·", "×", "–", "─")
ASCII = Symbols("x", "!", "-", "+", "?", "->", "-", ">", "<", "...", "-", "x", "-", "-")


class Page:
    """Writes lines to a binary sink.

    Attributes:
        width: columns to stay within; texts that must not be cut (names, filters) may be longer.
        symbols: see Symbols.
        topology: knows servers by role and name; None if there is none.
        on_disk: see OutputOptions.
    """

    def __init__(self, out: BinaryIO, options: OutputOptions) -> None:
        self.width = max(80, options.width)
        self.symbols = UNICODE if options.unicode else ASCII
        self.topology = options.topology
        self.on_disk = options.on_disk
        self._unicode = options.unicode
        self._out = out
        self._paint = _painter() if options.color else _plain

    def safe(self, text: str) -> str:
        """A text from the wire, safe to show."""
        return safe.line(text, self._unicode)

    def write(self, *segments: Segment) -> None:
        """One line. Everything passes here, so nothing unsafe gets past, whoever forgot to call `safe`."""
        line = self._paint([(self.safe(text), style) for text, style in segments]).rstrip(" ")
        self._out.write((line + "\n").encode("utf-8" if self._unicode else "ascii"))

    def lines(self, lines: Iterable[Line]) -> None:
        """Several lines."""
        for line in lines:
            self.write(*line)

    def paragraph(self, text: str, indent: int, style: str = "", hanging: str = "") -> None:
        """A text wrapped to the width; `hanging` stands before its first line, the rest is aligned to it."""
        room = self.width - indent - safe.columns(hanging)
        lead = " " * indent + hanging
        for line in wrap(self.safe(text), room):
            self.write((lead, style), (line, style))
            lead = " " * (indent + safe.columns(hanging))

    def flush(self) -> None:
        """Let a reader of a pipe see what is there."""
        self._out.flush()


GLUE = "\0"
"""A space at which `wrap` must not break; it writes a space instead."""


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces; a longer word stays whole, so that it can be copied."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and safe.columns(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [part.replace(GLUE, " ") for part in (*lines, line)]


def number(count: int, noun: str) -> str:
    """ "1 packet", "1,204 packets"; a noun that ends in "y" after a consonant or in "s" is not expected."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _plain(segments: Iterable[Segment]) -> str:
    return "".join(text for text, _style in segments)


def _painter() -> Callable[[Iterable[Segment]], str]:
    """Rich is imported here alone: a pipe does not pay for it."""
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {name: Style.parse(style) for name, style in STYLES.items()}

    def paint(segments: Iterable[Segment]) -> str:
        return "".join(
            styles[style].render(text, color_system=ColorSystem.STANDARD) if style and text.strip() else text
            for text, style in segments
        )

    return paint
