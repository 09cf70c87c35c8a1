"""What the tests of the ecosystem logs share: ten stories from end to end, and the lists of fields of each format."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from analyzer.connection import Connection
from analyzer.pipeline import Options, Run
from analyzer.report import find
from analyzer.report.output import Item
from analyzer.summary import Repeated
from tests.report.records import everything, full_summary, repeated, written

FORMATS = Path(__file__).parent / "formats"
CAPTURES = Path(__file__).parents[2] / "captures"
TEN = (
    "mtls12-openssl",
    "mtls13-openssl",
    "resumed12-ticket",
    "client-cert-missing-12",
    "client-untrusted-12",
    "client-untrusted-13",
    "reset-after-client-flight",
    "version-mismatch-client",
    "http-on-tls-port",
    "connection-refused",
)
"""Kept captures whose golden files show a whole format: what works, what is refused in every way, and what is no TLS."""


EVERYTHING = "everything"
"""Beside the ten: items in which no attribute is absent."""
each_story = pytest.mark.parametrize("story", TEN)
each_story_and_everything = pytest.mark.parametrize("story", [*TEN, EVERYTHING])


@cache
def items_of(name: str) -> list[Item]:
    """What a run says of a kept capture, wherever the tests are started."""
    if name == EVERYTHING:
        return [everything(), repeated(), full_summary()]
    run = Run([str(CAPTURES / f"{name}.pcap")], Options())
    items = [replace(item, capture=f"captures/{name}.pcap") for item in run]
    assert not run.crashes
    return items


def output_of(name: str, items: list[Item]) -> bytes:
    """What `-T name` writes."""
    output = find(name)
    assert output is not None
    return written(output, items)


def listed(file: str) -> list[dict[str, str]]:
    """The rows of a list of fields."""
    lines = (FORMATS / file).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def counted(items: list[Item]) -> int:
    """How many records there must be: one for each connection, one for each flood."""
    return sum(isinstance(item, Connection | Repeated) for item in items)


def lines_of(name: str, items: list[Item]) -> list[dict[str, Any]]:
    """What `-T name` writes, a JSON object a line."""
    return [json.loads(line) for line in output_of(name, items).splitlines()]


def leaves(document: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no object, with its dotted name."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


STRANGE_EVE, STRANGE_ECS = ("tls.mtls.", "tls.diagnosis."), ("tls.detailed.", "tls.client.ja4")
"""Where these formats have what only we have."""


def is_date(value: Any) -> bool:
    """RFC 3339, UTC."""
    return type(value) is str and value.endswith("Z") and datetime.fromisoformat(value) is not None


EVE_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "boolean": lambda value: type(value) is bool,
    "array of strings": lambda value: type(value) is list and all(type(part) is str for part in value),
    "array of integers": lambda value: type(value) is list and all(type(part) is int for part in value),
}
ECS_TYPES: dict[str, Callable[[Any], bool]] = {
    "keyword": lambda value: type(value) is str,
    "match_only_text": lambda value: type(value) is str,
    "long": lambda value: type(value) is int,
    "boolean": lambda value: type(value) is bool,
    "date": is_date,
    "ip": lambda value: str(ip_address(value)) == value,
}


def foreign_to_eve(items: list[Item]) -> list[str]:
    """Keys and values of -T eve that Suricata would not write."""
    known = {row["field"]: EVE_TYPES[row["type"]] for row in listed("eve.csv")}
    return [
        f"{name}: {value!r}"
        for event in lines_of("eve", items)
        for name, value in leaves(event)
        if not name.startswith(STRANGE_EVE) and (name not in known or not known[name](value))
    ]


def foreign_to_ecs(items: list[Item]) -> list[str]:
    """Fields and values of -T ecs that the schema does not know."""
    known = {row["field"]: (row["normalization"] == "array", ECS_TYPES[row["type"]]) for row in listed("ecs.csv")}
    found = []
    for document in lines_of("ecs", items):
        for name, value in leaves(document):
            if name.startswith(STRANGE_ECS):
                continue
            several, fits = known.get(name, (None, is_date))
            values = value if isinstance(value, list) else [value]
            if several is not isinstance(value, list) or not all(map(fits, values)):
                found.append(f"{name}: {value!r}")
    return found


def zeek_logs(items: list[Item]) -> dict[str, list[dict[str, str]]]:
    """The rows of each log of a stream, read as zeek-cut reads it: a new header begins a new log."""
    found: dict[str, list[dict[str, str]]] = {}
    path, fields = "", [""]
    for line in output_of("zeek", items).decode("ascii").split("\n"):
        if line.startswith("#path"):
            path = line.split("\t")[1]
            found[path] = []
        elif line.startswith("#fields"):
            fields = line.split("\t")[1:]
        elif line and not line.startswith("#"):
            found[path].append(dict(zip(fields, line.split("\t"), strict=True)))
    return found


HARMLESS = {"text", "text_special", "code_inline", "strong_open", "strong_close", "softbreak"}
BLOCKS = {
    "heading_open",
    "heading_close",
    "paragraph_open",
    "paragraph_close",
    "bullet_list_open",
    "bullet_list_close",
    "list_item_open",
    "list_item_close",
    "inline",
}


def active_markdown(items: list[Item]) -> set[str]:
    """What -T md writes that is more than headings, lists, text and code."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(output_of("md", items).decode())
    inside = {child.type for token in tokens for child in token.children or []}
    return {token.type for token in tokens} - BLOCKS | inside - HARMLESS
