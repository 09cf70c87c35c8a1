"""What a case is: how a capture is made, its story, and what must be found in it. And the .toml that says so."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
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
        outcome: see the contract. resumed, version, server_name, preamble, the states: None = not checked.
        first: the rule that must be named first; None = nothing may be wrong: no error, no warning but those in `expect`.
        expect: rule -> severity, must come. may: rules that may come besides. never: rules that must not.
        later: rule -> severity: for rules that are not written yet, checked as soon as they are in the catalogue.
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
    first: str | None = None
    expect: Mapping[str, str] = field(default_factory=dict)
    may: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    later: Mapping[str, str] = field(default_factory=dict)
    alerts: Alerts | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One capture. `name` is its file name, with suffix. `group` is the module that makes it. `stacks`: see lab.STACKS."""

    name: str
    title: str
    story: str
    how: str
    stacks: tuple[str, ...]
    expected: tuple[Expected, ...]
    make: Make
    group: str
    topology: str = "direct"


CASES: dict[str, Case] = {}
SUFFIXES = (".gz", ".pcap", ".pcapng", ".cap")


def stem(name: str) -> str:
    """The file name of a capture without its suffixes; the name of a case."""
    base = Path(name).name
    for suffix in SUFFIXES:
        base = base.removesuffix(suffix)
    return base


def case(
    name: str, title: str, *expected: Expected, stacks: Sequence[str], how: str, topology: str = "direct"
) -> Callable[[Make], Make]:
    """Register the function as the maker of `name`; its docstring is the story."""

    def register(make: Make) -> Make:
        if stem(name) in CASES:
            raise ValueError(f"two cases are called {stem(name)}")
        story = " ".join((make.__doc__ or "").split())
        group = make.__module__.rpartition(".")[2]
        CASES[stem(name)] = Case(name, title, story, how, tuple(stacks), expected, make, group, topology)
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
    lines += [f"{key} = {_value(value)}" for key, value in head.items()]
    for expected in case.expected:
        lines += ["", "[[connection]]"]
        for item in fields(expected):
            value = getattr(expected, item.name)
            if item.name in ("stream", "outcome") or value not in (None, (), {}):
                lines.append(f"{item.name} = {_value(value)}")
    return "\n".join(lines) + "\n"


def read_toml(path: Path) -> tuple[dict[str, object], list[Expected]]:
    """The head of a .toml, and what is expected of each connection."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    connections = data.pop("connection", [])
    return data, [_expected(item) for item in connections]


def _expected(item: dict[str, Any]) -> Expected:
    known = {entry.name for entry in fields(Expected)}
    if unknown := set(item) - known:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in item.items()}
    if "alerts" in values:
        values["alerts"] = tuple((entry["from"], entry["code"]) for entry in item["alerts"])
    return Expected(**values)


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


def failed(first: str, severity: str = "error", **more: Any) -> Expected:
    """A handshake that fails; `first` is what an expert would name."""
    expect = {first: severity, **more.pop("expect", {})}
    return Expected(**{"outcome": "failed", "first": first, "expect": expect, **more})
