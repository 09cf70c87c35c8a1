"""`mtlscope config`: every setting, its value, and where that comes from: a file, a variable, or the default.

A setting is what an option is when the command line does not give it; see docs/configuration.md.
"""

from __future__ import annotations

from analyzer import places
from analyzer.cli.main import show
from analyzer.cli.parser import Parser

DEFAULTS = {
    "ports": "those of Lync and HTTPS",
    "timezone": "UTC",
    "fail-on": "error",
    "workers": "1",
    "format": "text",
    "color": "auto",
    "each": "false",
    "progress": "true",
    "quiet": "false",
}
"""What counts where nothing is set, in words; "" for the others."""
WIDEST = 30
"""Columns to which values are aligned; a longer one, e.g. a list of stores, does not push all others away."""


def run(words: list[str]) -> int:
    """Print a line a setting and a line a file. Raise UsageError for the first mistake in them."""
    Parser(prog="mtlscope config", description=__doc__).parse_args(words)
    from analyzer.cli.settings import SETTINGS, files, in_force, variable
    from analyzer.report import safe

    found, rows = in_force(), []
    for name in SETTINGS:
        if name in found:
            value, origin = found[name].value, found[name].origin
            rows.append((name, _words(not value if name == "progress" else value), origin))
        else:
            rows.append((name, DEFAULTS.get(name, "none"), "default"))
    widths = [min(WIDEST, max(len(row[column]) for row in rows)) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}" for name, value, origin in rows]
    lines.append("\nfiles, the later one wins:")
    lines += [f"  {path}{'' if places.is_file(path) else ' (not there)'}" for path in files()]
    lines.append(f"Over these, variables such as {variable('fail-on')}, and over all the options of the command line.")
    show("\n".join(safe.line(line) if line[:1] != "\n" else line for line in lines) + "\n")
    return 0


def _words(value: str | int | bool | list[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(value) if isinstance(value, list) else str(value)
