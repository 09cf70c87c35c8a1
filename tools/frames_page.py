"""`python -m tools.frames_page` (`make docs`): runs the examples of docs/frames.md and docs/store.md and writes what they print,
and the tables."""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

from analyzer.cli.docs import write_pages
from analyzer.report.tables import TABLES, Table
from analyzer.store import schema

ROOT = Path(__file__).parent.parent
FRAMES, STORE = ROOT / "docs/frames.md", ROOT / "docs/store.md"
_EXAMPLE = re.compile(r"(```python\n((?:(?!```).)*)```\n\n<!-- output -->\n```\n).*?(```\n)", re.DOTALL)
_TABLES = re.compile(r"(<!-- tables -->\n).*?(<!-- end of tables -->\n)", re.DOTALL)


def page(path: Path) -> str:
    """A page with every output and the tables made anew. The examples share their names, as in a notebook."""
    names: dict[str, Any] = {}
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "captures", Path(folder, "captures"), ignore=lambda _folder, files: _others(files))
        with chdir(folder):
            text = _EXAMPLE.sub(lambda match: f"{match[1]}{output(match[2], names)}{match[3]}", text)
    return _TABLES.sub(lambda match: f"{match[1]}{MADE[path]()}{match[2]}", text)


def _others(files: list[str]) -> list[str]:
    """What the examples do not read."""
    return [name for name in files if not name.startswith("ca-list-")]


def output(code: str, names: dict[str, Any]) -> str:
    """What an example prints."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(code, names)
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def tables(each: Iterable[Table] = TABLES) -> str:
    """Every table with its columns."""
    lines: list[str] = []
    for table in each:
        lines += [
            f"### {table.name}",
            "",
            f"A row is {table.meaning}.",
            "",
            "| column | kind | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| `{column.name}` | {column.kind.value} | {column.meaning} |" for column in table.columns]
        lines += [""]
    return "\n".join(lines)


def store_tables() -> str:
    """The tables of a store: those of docs/frames.md by name, its own ones with their columns."""
    lines = ["| table | a row is | columns |", "|---|---|---|"]
    for table in schema.TABLES:
        there = f"[frames.md](frames.md#{table.name})"
        run = "" if table.name in schema.ONCE else "`run`, and "
        columns = "below" if table in OWN else f"{run}those of {there}"
        lines.append(f"| `{table.name}` | {table.meaning} | {columns} |")
    return "\n".join([*lines, "", tables(OWN)])


OWN = (schema.RUNS, schema.LOSSES)
MADE: dict[Path, Callable[[], str]] = {FRAMES: tables, STORE: store_tables}
"""Page -> what makes its tables."""


if __name__ == "__main__":
    sys.exit(write_pages({path: page(path) for path in MADE}))
