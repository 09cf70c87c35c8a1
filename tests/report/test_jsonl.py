"""-T jsonl and -T json: what is written when, whole lines only."""

import json
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from typing import Any

import jsonschema
import pytest

from analyzer.report import fields, find, json_document, jsonl
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.tables import Rows
from analyzer.summary import LostPackets
from tests.report.records import (
    everything,
    failed,
    full_summary,
    healthy,
    lost,
    repeated,
    summary,
    written,
    written_until,
)

ITEMS: list[Item] = [healthy(), failed(stream=1), everything(), repeated(), lost(), full_summary()]


def lines(items: Iterable[Item]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(jsonl.OUTPUT, items).splitlines()]


def test_certificates_and_ca_lists_come_before_the_connection_that_needs_them_first() -> None:
    kinds = [line["type"] for line in lines(ITEMS)]
    assert kinds == [
        *["certificate"] * 3,
        "ca-list",
        "connection",
        "connection",
        "connection",
        "repeated",
        "loss",
        "capture",
    ]


def test_every_line_fits_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(fields.schema())
    for line in lines(ITEMS):
        validator.validate(line)


def test_every_certificate_named_is_there() -> None:
    found = lines(ITEMS)
    known = {line["sha256"] for line in found if line["type"] == "certificate"}
    for line in found:
        if line["type"] == "connection":
            chains = (line["server_certificates"] or []) + (line["client_certificates"] or [])
            assert {certificate["sha256"] for certificate in chains} <= known


class Pipe(BytesIO):
    """Remembers what was written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[bytes] = []

    def write(self, data: Any) -> int:
        self.blocks.append(bytes(data))
        return super().write(data)


@pytest.mark.parametrize("patience", [0, 1000], ids=["a slow capture", "a fast one"])
def test_only_whole_lines_reach_the_pipe(monkeypatch: pytest.MonkeyPatch, patience: int) -> None:
    monkeypatch.setattr(jsonl, "PATIENCE", patience)
    pipe = Pipe()
    jsonl.OUTPUT.write(ITEMS * 100, pipe, OutputOptions())
    assert all(block.endswith(b"\n") for block in pipe.blocks)
    assert len(pipe.blocks) > 1


def test_a_reader_does_not_wait_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "PATIENCE", 0)
    pipe = Pipe()

    def items() -> Iterable[Item]:
        yield healthy()
        assert b'"type":"connection"' in b"".join(pipe.blocks)
        yield summary()

    jsonl.OUTPUT.write(items(), pipe, OutputOptions())


@pytest.mark.parametrize("output", [jsonl.OUTPUT, json_document.OUTPUT], ids=["jsonl", "json"])
def test_what_was_decided_before_an_interruption_is_written(output: Output) -> None:
    said = written_until(output, healthy())
    assert b'"type":"connection"' in said
    if output is json_document.OUTPUT:
        json.loads(said)


def test_the_document_has_what_the_lines_have() -> None:
    document = json.loads(written(json_document.OUTPUT, ITEMS))
    found = lines(ITEMS)
    assert list(document) == [
        "schema",
        "tool",
        "connections",
        "repeated",
        "losses",
        "certificates",
        "ca_lists",
        "captures",
    ]
    for key, kind in [
        ("connections", "connection"),
        ("repeated", "repeated"),
        ("losses", "loss"),
        ("certificates", "certificate"),
        ("ca_lists", "ca-list"),
        ("captures", "capture"),
    ]:
        assert document[key] == [line for line in found if line["type"] == kind]


def test_a_document_of_nothing_is_still_a_document() -> None:
    assert json.loads(written(json_document.OUTPUT, []))["connections"] == []


@pytest.mark.parametrize(
    ("item", "said"),
    [
        pytest.param(
            lost(), ["2026-09-21T14:13:20.000000Z", "2026-09-21T14:13:21.000000Z", 1204], id="within a second"
        ),
        pytest.param(
            replace(lost(), begin_ns=None), [None, "2026-09-21T14:13:21.000000Z", 1204], id="at any time before"
        ),
        pytest.param(replace(lost(), begin_ns=None, end_ns=None), [None, None, 1204], id="nobody knows when"),
        pytest.param(
            replace(lost(), packets=2**60, time_digits=0),
            ["2026-09-21T14:13:20Z", "2026-09-21T14:13:21Z", str(2**60)],
            id="more than a double holds",
        ),
    ],
)
def test_a_loss_says_when_and_how_many(item: LostPackets, said: list[object]) -> None:
    (line,) = lines([item])
    assert [line[key] for key in ("begin", "end", "packets")] == said
    jsonschema.Draft202012Validator(fields.schema()).validate(line)


@pytest.mark.parametrize("name", ["csv", "ecs", "eve", "html", "md", "text", "zeek", "zeek-json"])
def test_other_outputs_tell_the_sum_or_nothing(name: str) -> None:
    output = find(name)
    assert output is not None
    assert written(output, [healthy(), lost(), full_summary()]) == written(output, [healthy(), full_summary()])


def test_tables_have_the_sum_alone() -> None:
    assert list(Rows().of(lost())) == []
