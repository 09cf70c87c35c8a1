"""-T ecs: fields and types of the Elastic Common Schema, a document for every attempt."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome
from analyzer.findings import Severity
from analyzer.report.output import Item
from tests.build.connections import connection
from tests.report.logs import (
    counted,
    each_story,
    each_story_and_everything,
    foreign_to_ecs,
    items_of,
    leaves,
    lines_of,
    output_of,
)
from tests.report.records import everything, failed, finding, full_summary, healthy, poisoned_item, repeated, summary

ALLOWED = {
    "event.kind": {"event", "alert"},
    "event.category": {"network"},
    "event.type": {"connection", "protocol", "info"},
    "event.outcome": {"success", "failure", "unknown"},
}
"""https://www.elastic.co/docs/reference/ecs/ecs-category-field-values-reference: of the values allowed those we use."""


@each_story_and_everything
def test_fields_and_types_are_those_of_ecs(story: str) -> None:
    said = items_of(story)
    assert foreign_to_ecs(said) == []
    for document in lines_of("ecs", said):
        for name, value in leaves(document):
            values = value if isinstance(value, list) else [value]
            assert name not in ALLOWED or set(values) <= ALLOWED[name]


@each_story
def test_a_document_for_every_attempt(story: str) -> None:
    documents = [one for one in lines_of("ecs", items_of(story)) if one["event"]["kind"] == "event"]
    assert len(documents) == counted(items_of(story)) > 0


@pytest.mark.parametrize(
    ("item", "outcome"),
    [
        pytest.param(healthy(outcome=Outcome.ESTABLISHED), "success", id="established"),
        pytest.param(failed(outcome=Outcome.FAILED), "failure", id="failed"),
        pytest.param(connection("> SYN", outcome=Outcome.UNKNOWN), "unknown", id="not enough seen"),
        pytest.param(connection("> SYN", outcome=Outcome.NO_DATA), "unknown", id="a probe"),
        pytest.param(
            connection("> SYN", "< RST", outcome=Outcome.NO_DATA, findings=(finding("connection-refused"),)),
            "failure",
            id="refused",
        ),
        pytest.param(
            connection("> SYN", outcome=Outcome.NO_DATA, findings=(finding("probe", Severity.NOTE),)),
            "unknown",
            id="a probe with a note",
        ),
    ],
)
def test_outcome(item: Item, outcome: str) -> None:
    (document,) = lines_of("ecs", [item])
    assert document["event"]["outcome"] == outcome
    assert ("error" in document) == (outcome == "failure")


def test_hashes_are_in_upper_case() -> None:
    tls = lines_of("ecs", [healthy()])[0]["tls"]
    assert tls["server"]["hash"]["sha256"] == tls["server"]["hash"]["sha256"].upper()
    assert (tls["version"], tls["version_protocol"]) == ("1.2", "tls")


@pytest.mark.parametrize(
    ("name", "said"),
    [("TLSv1.0", ("1.0", "tls")), ("SSLv3", ("3", "ssl")), ("0x7f1c", (None, None)), (None, (None, None))],
)
def test_version(name: str | None, said: tuple[str | None, str | None]) -> None:
    tls = lines_of("ecs", [healthy(version=name)])[0]["tls"]
    assert (tls.get("version"), tls.get("version_protocol")) == said


def test_a_finding_across_connections_is_an_alert() -> None:
    (alert,) = lines_of("ecs", [full_summary()])
    assert (alert["event"]["kind"], alert["rule"]["id"]) == ("alert", "pool-members-differ")


def test_nothing_of_a_quiet_capture() -> None:
    assert lines_of("ecs", [summary()]) == []


def test_counted_connections_are_one_document() -> None:
    (document,) = lines_of("ecs", [repeated()])
    assert document["tls"]["detailed"]["repeated"] == 400
    assert document["event"]["end"] > document["event"]["start"]


@pytest.mark.parametrize("hostile", ["\n", "\x1b[2J", "\u202e", "\udcff", '"}'], ids=ascii)
def test_a_line_stays_a_line(hostile: str) -> None:
    said = output_of("ecs", [poisoned_item(everything(), hostile), poisoned_item(full_summary(), hostile)])
    assert said.isascii()
    assert said.count(b"\n") == 2
