"""The table of README.md: which capture shows which rule, and which one shows that it stays silent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from captures.makers.case import Across, Expected, read_across, read_toml

BEGIN, END = "<!-- written by captures/make.py -->\n", "<!-- until here -->\n"


def table(folder: Path, notes: Iterable[Path]) -> str:
    """In Markdown, from the .toml files; rules and captures by name."""
    shown: dict[str, dict[str, str]] = defaultdict(dict)
    silent: dict[str, set[str]] = defaultdict(set)
    for path in notes:
        name = _name(folder, path)
        told: list[Expected | Across] = [*read_toml(path), read_across(path)]
        for expected in told:
            _note(expected, name, shown, silent)
    rows = [(rule, _listed(shown[rule]), ", ".join(sorted(silent[rule]))) for rule in sorted({*shown, *silent})]
    lines = ["| rule | shown by | must be silent in |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def _note(
    expected: Expected | Across, name: str, shown: Mapping[str, dict[str, str]], silent: Mapping[str, set[str]]
) -> None:
    for rule, severity in expected.expect.items():
        shown[rule][name] = severity
    for rule in expected.never:
        silent[rule].add(name)


def renew(readme: Path, notes: Iterable[Path]) -> None:
    """Put the table between its two marks."""
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, behind = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}{table(readme.parent, notes)}{END}{behind}", encoding="utf-8")


def _name(folder: Path, path: Path) -> str:
    """As people look for it: without suffix, a ring by its folder."""
    name = path.relative_to(folder).with_suffix("")
    return name.parent.as_posix() if name.parent.name == name.name else name.as_posix()


def _listed(captures: Mapping[str, str]) -> str:
    """Grouped by severity, the worst first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, severity in sorted(captures.items()):
        groups[severity].append(name)
    ordered = sorted(groups, key=lambda severity: (_RANK.get(severity.split(" or ")[0], 0), severity))
    return "; ".join(f"{severity}: {', '.join(groups[severity])}" for severity in ordered)


_RANK = {"error": 0, "warning": 1, "note": 2}
