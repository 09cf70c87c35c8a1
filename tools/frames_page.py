"""`python -m tools.frames_page` (`make docs`): runs the examples of docs/frames.md and writes what they print, and the tables."""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

from analyzer.report.tables import TABLES

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/frames.md"
_EXAMPLE = re.compile(r"(```python\n(.*?)```\n\n<!-- output -->\n```\n).*?(```\n)", re.DOTALL)
_TABLES = re.compile(r"(<!-- tables -->\n).*?(<!-- end of tables -->\n)", re.DOTALL)


def page(text: str) -> str:
    """The page with every output and the tables made anew. The examples share their names, as in a notebook."""
    names: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "captures", Path(folder, "captures"), ignore=lambda _folder, files: _others(files))
        with chdir(folder):
            text = _EXAMPLE.sub(lambda match: f"{match[1]}{output(match[2], names)}{match[3]}", text)
    return _TABLES.sub(lambda match: f"{match[1]}{tables()}{match[2]}", text)


def _others(files: list[str]) -> list[str]:
    """What the examples do not read."""
    return [name for name in files if not name.startswith("ca-list-")]


def output(code: str, names: dict[str, Any]) -> str:
    """What an example prints."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(code, names)
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def tables() -> str:
    """Every table with its columns."""
    lines: list[str] = []
    for table in TABLES:
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


def main() -> int:
    """Write the page if it differs."""
    before = PAGE.read_text(encoding="utf-8")
    after = page(before)
    if after != before:
        PAGE.write_text(after, encoding="utf-8")
        sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
