"""`mtlscope fields [KEY]`: what the keys of the output mean, the same as docs/fields.md."""

from __future__ import annotations

import re
import textwrap

from analyzer.cli.main import show
from analyzer.cli.parser import Parser
from analyzer.errors import UsageError
from analyzer.nearest import meant

WIDTH = 100


def run(words: list[str]) -> int:
    """Print every key, or those whose path has one of the words given; if there is none, those whose meaning has all of them.
    Raise UsageError if there is no such key."""
    parser = Parser(prog="mtlscope fields", description=__doc__)
    parser.add_argument("keys", metavar="KEY", nargs="*", help="only keys with this word in them")
    wanted = parser.parse_args(words).keys
    from analyzer.report.fields import rows

    known = list(rows())
    shown = [row for row in known if not wanted or any(word in row.path for word in wanted)]
    if not shown:
        shown = [
            row for row in known if all(re.search(rf"\b{re.escape(word)}\b", row.meaning, re.I) for word in wanted)
        ]
    if not shown:
        parts = {part.removesuffix("[]") for row in known for part in row.path.split(".")}
        raise UsageError(f"no key called {wanted[0]!r}{meant(wanted[0], parts)}")
    kind = ""
    for row in shown:
        if row.object != kind:
            kind = row.object
            show(f"\n{kind}\n" if row is not shown[0] else f"{kind}\n")
        text = ". ".join(filter(None, (row.type.replace("`", ""), row.meaning)))
        show(textwrap.fill(text, WIDTH, initial_indent=f"  {row.path:<42} ", subsequent_indent=" " * 45) + "\n")
    return 0
