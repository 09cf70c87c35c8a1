"""All rules by id: one entry a file, found with pkgutil, checked once.

To import them all takes longer than to judge a small capture. So `index.py`, which `make docs` writes, says what each rule
needs, and a rule file is imported when a connection has it. With a rule file that the index does not know all are imported.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from analyzer.connection import Connection, Seen
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell, Finding
from analyzer.judgement.kind import Quiet
from analyzer.rules.index import INDEX
from analyzer.rules.rule import Check, Context, Rule, Survey

HEADINGS = ("## What it does", "## Why it matters", "## What to do", "## When it cannot tell")
MAX_TITLE = 70


class CatalogueError(TypeError):
    """A rule file is not what rule.py asks for. Our bug; the message names the file and every problem in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule of the catalogue.

    Attributes:
        rule: its metadata.
        family: the folder, e.g. "transport".
        check: see rule.py; of a rule about whole captures it says nothing, and `survey` is its function.
        quiet: see judgement/kind.py; None if the rule file has no such function.
        text: the docstring: a first sentence and four headings; "" under `python -OO`, which drops docstrings.
    """

    rule: Rule
    family: str
    check: Check
    text: str
    quiet: Quiet | None = None
    survey: Survey | None = None

    @property
    def id(self) -> str:
        """As in the catalogue, e.g. "tls-alert"."""
        return self.rule.id

    def page(self) -> str:
        """The documentation page in Markdown: heading, facts, the docstring, the references."""
        rule = self.rule
        first, _, rest = self.text.partition("\n")
        lines = [f"# {rule.id}", "", first, ""]
        lines.append(
            f"Severity {rule.severity}, confidence {rule.confidence}, family {self.family}, since {rule.since}."
        )
        if rule.whole:
            lines.append("Looks at all connections of a capture together, once, at its end.")
        if rule.needs:
            lines.append(f"Looks at connections with: {', '.join(map(fact_names, rule.needs))}.")
        lines += ["", rest.strip(), "", "## References", "", *(f"- {citation}" for citation in rule.citations), ""]
        return "\n".join(lines)


def fact_names(fact: Seen) -> str:
    """ "failed or unknown" for Seen.FAILED | Seen.UNKNOWN."""
    return " or ".join((bit.name or "").lower().replace("_", " ") for bit in Seen if bit & fact)


@cache
def catalogue() -> tuple[Entry, ...]:
    """Every rule, sorted by id. Raise CatalogueError if a file breaks the rules for rule files."""
    entries = [_imported(family, module.__name__.rpartition(".")[2]) for family, module in modules()]
    return tuple(sorted(entries, key=lambda entry: entry.id))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the index: where a rule is, and the bits of Seen that it needs; `whole` as in Rule."""

    family: str
    module: str
    needs: tuple[int, ...]
    whole: bool

    def entry(self) -> Entry:
        """The rule, imported now if it was not yet."""
        return _imported(self.family, self.module)


@cache
def _imported(family: str, module: str) -> Entry:
    return _entry(family, importlib.import_module(f"analyzer.rules.{family}.{module}"))


def candidates(seen: Seen) -> tuple[Entry, ...]:
    """The rules about connections whose needs are among the facts seen; the others need not be imported."""
    key = int(seen)
    return tuple(row.entry() for row in _rows() if not row.whole and all(need & key for need in row.needs))


@cache
def surveys() -> tuple[Entry, ...]:
    """The rules about whole captures."""
    return tuple(row.entry() for row in _rows() if row.whole)


@cache
def _rows() -> tuple[Row, ...]:
    """The index, sorted by id; made from the rules themselves if a rule file was added or taken away since it was written."""
    rows = read_index(INDEX)
    files = _files()
    return rows if files is None or files == {(row.family, row.module) for row in rows} else read_index(index_text())


def read_index(text: str) -> tuple[Row, ...]:
    """A line a rule: family, module and needs, or "whole"; alternatives are joined with "|"."""
    rows = []
    for line in text.split("\n"):
        if line:
            family, module, *needs = line.split()
            bits = () if needs == ["whole"] else tuple(map(_bits, needs))
            rows.append(Row(family, module, bits, needs == ["whole"]))
    return tuple(rows)


def _bits(names: str) -> int:
    return sum(int(Seen[name]) for name in names.split("|"))


def index_text() -> str:
    """What has to be in index.py."""
    lines = []
    for entry in catalogue():
        needs = ["|".join(bit.name or "" for bit in Seen if bit & need) for need in entry.rule.needs]
        lines.append(" ".join([entry.family, entry.id.replace("-", "_"), *(["whole"] if entry.rule.whole else needs)]))
    return "\n".join(lines) + "\n"


def _files() -> set[tuple[str, str]] | None:
    """(family, module) of every rule file, without importing anything; None if the package is in no folder."""
    here, found = Path(__file__).parent, set()
    try:
        for family in os.scandir(here):
            if family.is_dir() and "." not in family.name and not family.name.startswith("_"):
                names = [file.name.removesuffix(".py") for file in os.scandir(family.path) if file.name.endswith(".py")]
                found |= {(family.name, name) for name in names if name != "__init__"}
    except OSError:
        return None
    return found


@cache
def _by_id() -> dict[str, Entry]:
    return {entry.id: entry for entry in catalogue()}


def find(rule_id: str) -> Entry | None:
    """The rule of this id; None if there is none."""
    return _by_id().get(rule_id)


def ids() -> tuple[str, ...]:
    """Every id, sorted."""
    return tuple(_by_id())


def page(rule_id: str) -> str:
    """The documentation page of one rule. Raise KeyError if there is no such rule."""
    return _by_id()[rule_id].page()


def modules() -> Iterator[tuple[str, ModuleType]]:
    """(family, module) of every rule file; a family is a package in this folder."""
    for family in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if family.ispkg:
            package = importlib.import_module(f"analyzer.rules.{family.name}")
            for found in pkgutil.iter_modules(package.__path__):
                yield family.name, importlib.import_module(f"{package.__name__}.{found.name}")


def problems(module: ModuleType) -> list[str]:
    """What is wrong with a rule file, one line each; empty if all is well."""
    rule, found = getattr(module, "RULE", None), []
    if not isinstance(rule, Rule):
        return ["has no RULE = Rule(...)"]
    if not callable(getattr(module, "check", None)):
        found.append("has no function check(conn, context)")
    if rule.id != module.__name__.rpartition(".")[2].replace("_", "-"):
        found.append(f"id {rule.id!r} is not the file's name")
    if not rule.citations or not all(rule.citations):
        found.append("cites nothing: RFC sections or vendor pages are needed")
    if not 0 < len(rule.title) <= MAX_TITLE or rule.title.endswith("."):
        found.append(f"title must have 1 to {MAX_TITLE} characters and no full stop")
    if not all(isinstance(need, Seen) and need for need in rule.needs):
        found.append("needs must be bits of Seen")
    if rule.whole and (rule.needs or hasattr(module, "quiet")):
        found.append("is about whole captures: it can have no needs and no quiet")
    if sys.flags.optimize < 2:  # -OO drops docstrings
        lines = (module.__doc__ or "").splitlines()
        found += [f"docstring lacks the heading {heading!r}" for heading in HEADINGS if heading not in lines]
        headings = [line for line in lines if line.startswith("## ")]
        if not found and headings != list(HEADINGS):
            found.append(f"docstring has other headings, or in another order: {headings}")
    return found


def _entry(family: str, module: ModuleType) -> Entry:
    found = problems(module)
    if found:
        raise CatalogueError(f"{module.__name__}: {'; '.join(found)}")
    rule: Rule = module.RULE
    text = (module.__doc__ or "").strip()
    if rule.whole:
        survey: Survey = module.check
        return Entry(rule, family, _says_nothing, text, survey=survey)
    check: Check = module.check
    quiet: Quiet | None = getattr(module, "quiet", None)
    return Entry(rule, family, check, text, quiet)


def _says_nothing(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """The check of a rule that is not about connections."""
    return iter(())
