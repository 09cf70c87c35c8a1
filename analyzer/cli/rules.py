"""`mtlscope rules`: the catalogue, one line a rule."""

from __future__ import annotations

from itertools import groupby

from analyzer.cli.main import show
from analyzer.cli.parser import Parser


def run(words: list[str]) -> int:
    """Print id, severity and title of every rule, family by family."""
    Parser(prog="mtlscope rules", description=__doc__).parse_args(words)
    from analyzer.rules import catalogue

    entries = sorted(catalogue(), key=lambda entry: (entry.family, entry.id))
    width = max((len(entry.id) for entry in entries), default=0)
    for family, members in groupby(entries, key=lambda entry: entry.family):
        show(f"{family}\n")
        for entry in members:
            show(f"  {entry.id:<{width}}  {entry.rule.severity.value:<7}  {entry.rule.title}\n")
    show("\n`mtlscope explain RULE` prints a rule's page.\n")
    return 0
