"""What the tests of the ecosystem logs share: ten stories from end to end, and the lists of fields of each format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from analyzer.connection import Connection
from analyzer.pipeline import Options, Run
from analyzer.report import find
from analyzer.report.output import Item
from analyzer.summary import Repeated
from tests.report.records import written

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


@cache
def items_of(name: str) -> list[Item]:
    """What a run says of a kept capture, wherever the tests are started."""
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
