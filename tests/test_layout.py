"""The house stands as drawn in docs: imports point down, libraries stay in their rooms, files and functions stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import analyzer

ROOT = Path(analyzer.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py"))

FLOORS = (
    "__init__",
    "__main__",
    "cli",
    "result",
    "screen",
    "live",
    "store",
    "pipeline",
    "tally",
    "export",
    "tracker",
    "repeats",
    "report",
    "rules",
    "correlation",
    "between",
    "choosing",
    "agreement",
    "comparison",
    "judgement",
    "topology",
    "selection",
    "summary",
    "losses",
    "folding",
    "connection",
    "findings",
    "sightings",
    "certificates",
    "reassembly",
    "flows",
    "picked",
    "picking",
    "grouping",
    "packets",
    "tls",
    "capture",
    "wireshark",
    "addresses",
    "wire",
    "knowledge",
    "views",
    "places",
    "nearest",
    "errors",
    "dataclass",
    "version",
)
"""From the top down: a file imports only from floors below its own, and from its own room."""

NEVER = {
    "report": {"rules": "a report shows findings and knows no rule"},
    "tls": {"capture": "the parser takes bytes from anywhere"},
}

RULE_FAMILIES = sorted(path.name for path in (ROOT / "rules").iterdir() if (path / "__init__.py").exists())

ONLY_HERE = {
    "scapy": ("capture.live",),
    "duckdb": ("report.duckdb_file",),
    "pandas": ("report.dataframe",),
    "prometheus_client": ("live.metrics",),
    "pyarrow": ("report.arrow",),
    "pyshark": ("wireshark",),
    "sqlite3": ("report.sqlite_file", "store"),
    "textual": ("screen.app",),
    "cryptography": ("certificates", "tls.decrypt"),
}
"""A library that is heavy, of another licence, or hard to replace is imported in one room."""

MAX_FILE, MAX_FUNCTION = 400, 60
LONG_FILES = {
    "connection.py": "the record: one documented field per fact, no logic to split off",
}
LONG_FUNCTIONS = {
    "folding.fold._record": "one call with one line a field of the record",
}
CLOCKED = ("__init__", "__main__", "cli", "result", "live", "pipeline", "report")
"""Rooms that may print, log and ask for the time; below them the clock is the capture's."""


def name_of(path: Path) -> str:
    """ "rules/transport/idle_reset.py" is "rules.transport.idle_reset"."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {f"analyzer.{name_of(path)}" for path in FILES} | {f"analyzer.{name}" for name in FLOORS}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Names of imported modules; `from analyzer import knowledge` is analyzer.knowledge."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} imports relatively"
            whole = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else node.module or "" for name in whole)


def own(path: Path) -> Iterator[str]:
    """Imported modules of ours, without the package's name."""
    for name in imports(path):
        if name.startswith("analyzer."):
            yield name.removeprefix("analyzer.")


def floor(name: str) -> int:
    room = name.partition(".")[0]
    assert room in FLOORS, f"the room {room!r} is on no floor: add it to FLOORS where it belongs"
    return FLOORS.index(room)


each_file = pytest.mark.parametrize("path", FILES, ids=name_of)


@each_file
def test_imports_point_down(path: Path) -> None:
    here = name_of(path)
    for there in own(path):
        same_room = there.partition(".")[0] == here.partition(".")[0]
        assert same_room or floor(there) > floor(here), f"{here} imports upwards: {there}"
        why = NEVER.get(here.partition(".")[0], {}).get(there.partition(".")[0])
        assert why is None, f"{here} imports {there}: {why}"


def test_imports_make_no_circle() -> None:
    """Not within a room either, nor by an import inside a function."""
    known = {name_of(path): path for path in FILES}
    graph = {name: {there for there in own(path) if there in known and there != name} for name, path in known.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the files


@each_file
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    here = name_of(path)
    for library in (name.partition(".")[0] for name in imports(path)):
        rooms = ONLY_HERE.get(library)
        assert rooms is None or here.startswith(rooms), f"{here} imports {library}, which belongs into {rooms}"


@each_file
def test_data_classes_are_those_that_load_quickly(path: Path) -> None:
    """See docs/decisions/0020-dataclass.md."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses" and path.name != "dataclass.py":
            assert "dataclass" not in {alias.name for alias in node.names}, "import it from analyzer.dataclass"


@pytest.mark.parametrize("family", RULE_FAMILIES)
def test_rules_never_import_rules(family: str) -> None:
    for path in (ROOT / "rules" / family).glob("*.py"):
        foreign = [name for name in own(path) if name.startswith("rules") and name != "rules.rule"]
        assert not foreign, (
            f"{name_of(path)} imports {foreign}: what several rules ask is a field of Connection or in judgement/"
        )


@each_file
def test_files_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if path.relative_to(ROOT).as_posix() in LONG_FILES:
        assert lines > MAX_FILE, f"{path} is small again: take it off the list"
    else:
        assert lines <= MAX_FILE, f"{path} has {lines} lines: split off a well-named room"


@each_file
def test_functions_stay_small(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MAX_FUNCTION or f"{name_of(path)}.{node.name}" in LONG_FUNCTIONS, (
                f"{path}:{node.lineno} {node.name} has {lines} lines"
            )


@pytest.mark.parametrize("path", [p for p in FILES if name_of(p).partition(".")[0] not in CLOCKED], ids=name_of)
def test_no_printing_logging_or_clock_below_the_reports(path: Path) -> None:
    banned = {"logging", "time"} & set(imports(path))
    assert not banned, f"{path} imports {banned}"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called != "print", f"{path}:{node.lineno} prints"
            assert not called.endswith(("datetime.now", "datetime.utcnow", "date.today")), (
                f"{path}:{node.lineno} asks the time"
            )


@each_file
def test_nothing_runs_code_from_data(path: Path) -> None:
    assert not {"pickle", "marshal", "shelve"} & set(imports(path)), f"{path} reads pickles"
    called = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
    assert not {"eval", "exec", "NamedTuple", "namedtuple", "collections.namedtuple"} & called, path


@each_file
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path)), f"{path} has no docstring"
