"""On which line of a TOML text a key stands: `tomllib` does not tell. For messages only, so it is forgiving and never raises."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]
"""Keys and, for tables of an array, their numbers from 0: ("pool", 1, "role")."""

PART = r"""(?:[\w-]+|"[^"\\]*"|'[^']*')"""
KEY = rf"{PART}(?:\s*\.\s*{PART})*"
HEADER = re.compile(rf"\s*(\[\[?)\s*({KEY})\s*\]")
ASSIGNMENT = re.compile(rf"\s*({KEY})\s*=(.*)", re.DOTALL)
PARTS = re.compile(PART)
TOKEN = re.compile(
    r'"""|' + r"'''" + r"""|"(?:[^"\\]|\\.)*"|'[^']*'|[\[\]{}#]""", re.DOTALL
)  # what matters within a value: strings, brackets, comments


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of every table and key that stands at the start of a line."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    open_value = _OpenValue()
    for number, line in enumerate(text.splitlines(), 1):
        if open_value.open:
            open_value.feed(line)
            continue
        header, assignment = HEADER.match(line), ASSIGNMENT.match(line)
        if header:
            table = _within(_parts(header[2]), counts)
            found.setdefault(table, number)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif assignment:
            found.setdefault((*table, *_parts(assignment[1])), number)
            open_value.feed(assignment[2])
    return found


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of the key, or of the nearest table around it; None for the top of the file."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


class _OpenValue:
    """A value that goes on over several lines: an array, or a string in triple quotes."""

    def __init__(self) -> None:
        self._depth, self._quote = 0, ""

    @property
    def open(self) -> bool:
        """Does the next line belong to it?"""
        return bool(self._depth or self._quote)

    def feed(self, line: str) -> None:
        """Take one line, or its part behind "="."""
        at = 0
        while True:
            if self._quote:
                at = line.find(self._quote, at)
                if at < 0:
                    return
                at, self._quote = at + 3, ""
            token = TOKEN.search(line, at)
            if token is None or token[0] == "#":
                return
            at = token.end()
            if token[0] in ('"""', "'''"):
                self._quote = token[0]
            else:
                self._depth = max(0, self._depth + (token[0] in "[{") - (token[0] in "]}"))


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in PARTS.findall(key))


def _within(parts: tuple[str, ...], counts: dict[Path, int]) -> Path:
    """The path of a header: of each array of tables on the way the last table is meant."""
    path: Path = ()
    for part in parts[:-1]:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    return (*path, *parts[-1:])
