"""What a case is: how a capture is made, its story, and what must be found in it. And the .toml that says so."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from captures.makers.lab import Lab

Make = Callable[["Lab"], None]
Alerts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """The truth about one connection, known from how it was made.

    Attributes:
        stream: its number in the capture.
        outcome: see docs/fields.md. resumed, version, server_name, preamble, the states: None = not checked.
        first: the rule that must be named first, or one of several that are as good; None = nothing may be wrong: no
            error, no warning but those in `expect`.
        expect: rule -> severity ("error or warning" where both are right), must come. may: rules that may come besides.
        never: rules that must not.
        alerts: (side, code) of the alerts in clear; None = not checked.
    """

    stream: int = 0
    outcome: str = "established"
    version: str | None = None
    server_name: str | None = None
    server_certificate_state: str | None = None
    client_certificate_state: str | None = None
    resumed: bool | None = None
    preamble: str | None = None
    first: str | tuple[str, ...] | None = None
    expect: Mapping[str, str] = field(default_factory=dict)
    may: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    alerts: Alerts | None = None

    @property
    def firsts(self) -> tuple[str, ...]:
        """The rules one of which must be named first; () if nothing is wrong."""
        return (self.first,) if isinstance(self.first, str) else self.first or ()


@dataclass(frozen=True, slots=True)
class Across:
    """What must be said of the whole capture, across its connections; the three as in `Expected`."""

    expect: Mapping[str, str] = field(default_factory=dict)
    may: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


SILENT = Across()


@dataclass(frozen=True, slots=True)
class Case:
    """One capture.

    Attributes:
        name: its file name, with suffix. group: the module that makes it.
        stacks: see lab.STACKS. wires: how the hosts are joined, see lab.Lab.
        across: what must be found across the connections.
        topology: text of the topology file that the capture is to be read with; "" = none.
    """

    name: str
    title: str
    story: str
    how: str
    stacks: tuple[str, ...]
    expected: tuple[Expected, ...]
    make: Make
    group: str
    wires: str = "direct"
    across: Across = SILENT
    topology: str = ""


CASES: dict[str, Case] = {}
SUFFIXES = (".gz", ".pcap", ".pcapng", ".cap")
TOPOLOGY = ".topology.toml"


def stem(name: str) -> str:
    """The file name of a capture without its suffixes; the name of a case."""
    base = Path(name).name
    for suffix in SUFFIXES:
        base = base.removesuffix(suffix)
    return base


def case(
    name: str,
    title: str,
    *expected: Expected,
    stacks: Sequence[str],
    how: str,
    wires: str = "direct",
    across: Across = SILENT,
    topology: str = "",
) -> Callable[[Make], Make]:
    """Register the function as the maker of `name`; its docstring is the story."""

    def register(make: Make) -> Make:
        if stem(name) in CASES:
            raise ValueError(f"two cases are called {stem(name)}")
        story = " ".join((make.__doc__ or "").split())
        group = make.__module__.rpartition(".")[2]
        CASES[stem(name)] = Case(name, title, story, how, tuple(stacks), expected, make, group, wires, across, topology)
        return make

    return register


def toml(case: Case, stacks: Sequence[str], made: str) -> str:
    """The text of the .toml beside a capture."""
    head = {
        "title": case.title,
        "story": case.story,
        "how": case.how,
        "stacks": list(stacks),
        "made": made,
        "licence": "MIT",
        "source": f"made by captures/make.py ({case.group})",
    }
    lines = ["# Written by captures/make.py: change the case there, then run it with --notes."]
    if case.topology:
        head["topology"] = topology_name(case)
    lines += [f"{key} = {_value(value)}" for key, value in head.items()]
    if case.across != SILENT:
        lines += ["", "[capture]", *_entries(case.across)]
    for expected in case.expected:
        lines += ["", "[[connection]]", *_entries(expected)]
    return "\n".join(lines) + "\n"


def notes_in(folder: Path) -> list[Path]:
    """All .toml files of a folder that tell of a capture."""
    return sorted(path for path in folder.rglob("*.toml") if not path.name.endswith(TOPOLOGY))


def topology_name(case: Case) -> str:
    """The file name of a case's topology, beside its capture."""
    return f"{stem(case.name)}{TOPOLOGY}"


def _entries(item: Expected | Across) -> Iterator[str]:
    for entry in fields(item):
        value = getattr(item, entry.name)
        if entry.name in ("stream", "outcome") or value not in (None, (), {}):
            yield f"{entry.name} = {_value(value)}"


def read_head(path: Path) -> dict[str, Any]:
    """What a .toml says of the capture, without what is expected."""
    return {key: value for key, value in _parsed(path).items() if key not in ("connection", "capture")}


def read_toml(path: Path) -> list[Expected]:
    """What a .toml expects of each connection."""
    return [Expected(**_values(Expected, item)) for item in _parsed(path).get("connection", [])]


def read_across(path: Path) -> Across:
    """What a .toml expects across the connections."""
    return Across(**_values(Across, _parsed(path).get("capture", {})))


def _parsed(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _values(kind: type[Expected | Across], item: dict[str, Any]) -> dict[str, Any]:
    known = {entry.name for entry in fields(kind)}
    if unknown := set(item) - known:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in item.items()}
    if "alerts" in values:
        values["alerts"] = tuple((entry["from"], entry["code"]) for entry in item["alerts"])
    return values


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return "[" + ", ".join(f'{{ from = "{side}", code = {code} }}' for side, code in value) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def healthy(version: str = "TLSv1.2", client: str = "sent", server: str = "sent", **more: Any) -> Expected:
    """A connection that works, with both certificates in clear unless told otherwise."""
    return Expected(
        outcome="established",
        version=version,
        server_certificate_state=server,
        client_certificate_state=client,
        **more,
    )


def healthy13(client: str = "inferred-sent", **more: Any) -> Expected:
    """A TLS 1.3 connection that works."""
    return healthy("TLSv1.3", client, "hidden", **more)


def failed(first: str | tuple[str, ...], severity: str = "error", **more: Any) -> Expected:
    """A handshake that fails; `first` is what an expert would name. One of several: `expect` says which must come."""
    expect = {**({first: severity} if isinstance(first, str) else {}), **more.pop("expect", {})}
    return Expected(**{"outcome": "failed", "first": first, "expect": expect, **more})
