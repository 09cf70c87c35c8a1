"""`mtlscope explain RULE`: the page of one rule, the same text as in docs/rules.md."""

from __future__ import annotations

from analyzer.cli.main import show
from analyzer.cli.parser import Parser
from analyzer.errors import UsageError
from analyzer.nearest import meant


def run(words: list[str]) -> int:
    """Print the page of each rule named. Raise UsageError with the nearest ids for one that does not exist."""
    parser = Parser(prog="mtlscope explain", description=__doc__)
    parser.add_argument("rules", metavar="RULE", nargs="+", help="id, e.g. tls-alert; `mtlscope rules` lists them")
    names = parser.parse_args(words).rules
    from analyzer.rules import find, ids

    for name in names:
        entry = find(name)
        if entry is None:
            raise UsageError(f"no rule called {name!r}{meant(name, ids()) or '; `mtlscope rules` lists them'}")
        show(entry.page())
    return 0
