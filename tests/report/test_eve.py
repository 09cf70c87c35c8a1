"""-T eve: keys and types as Suricata has them, an event for every attempt, an alert for every cause."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from analyzer.certificates.certificate import load
from analyzer.findings import Severity
from analyzer.report import eve
from analyzer.report.output import Item
from analyzer.rules import catalogue
from tests.build.connections import client_hello, connection
from tests.report.logs import (
    counted,
    each_story,
    each_story_and_everything,
    foreign_to_eve,
    items_of,
    lines_of,
    output_of,
)
from tests.report.records import (
    SERVER,
    everything,
    failed,
    finding,
    full_summary,
    healthy,
    poisoned_item,
    repeated,
    summary,
)


def events(items: list[Item], kind: str = "tls") -> list[dict[str, Any]]:
    return [event for event in lines_of("eve", items) if event["event_type"] == kind]


@each_story_and_everything
def test_keys_and_types_are_those_of_suricata(story: str) -> None:
    said = items_of(story)
    assert foreign_to_eve(said) == []
    for event in lines_of("eve", said):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000", event["timestamp"])


@each_story
def test_an_event_for_every_attempt(story: str) -> None:
    assert len(events(items_of(story))) == counted(items_of(story)) > 0


def test_an_alert_for_every_cause() -> None:
    told = failed(
        finding("untrusted-root"),
        replace(finding("tls-alert"), explained_by="untrusted-root"),
        finding("weak-key", Severity.WARNING),
        finding("tls-version-old", Severity.NOTE),
    )
    alerts = events([told], "alert")
    assert [alert["alert"]["signature"] for alert in alerts] == ["MTLSCOPE untrusted-root", "MTLSCOPE weak-key"]
    assert [alert["alert"]["severity"] for alert in alerts] == [1, 2]
    assert alerts[0]["pcap_cnt"] == 9
    assert alerts[0]["tls"]["diagnosis"]["summary"] == "the summary of untrusted-root"
    assert {alert["flow_id"] for alert in alerts} == {events([told])[0]["flow_id"]}


def test_a_finding_across_connections_is_an_alert_too() -> None:
    (alert,) = events([full_summary()], "alert")
    assert alert["alert"]["signature"] == "MTLSCOPE pool-members-differ"
    assert "src_ip" not in alert


def test_nothing_alarming_no_alert() -> None:
    assert events([healthy(), summary()], "alert") == []


def test_counted_connections_are_one_event() -> None:
    (event,) = events([repeated()])
    assert event["tls"]["mtls"]["repeated"] == 400


def test_signature_ids_are_different_and_for_local_use() -> None:
    ids = [eve.signature_id(rule) for rule in (entry.rule.id for entry in catalogue())]
    assert len(ids) == len(set(ids)) > 50
    assert all(1_000_000 <= number < 2_000_000 for number in ids)


def test_names_dates_and_numbers_as_suricata_writes_them() -> None:
    tls = events([healthy()])[0]["tls"]
    assert tls["subject"] == "CN=sip.example.com"
    assert re.fullmatch(r"([0-9a-f]{2}:){19}[0-9a-f]{2}", tls["fingerprint"])
    assert re.fullmatch(r"([0-9A-F]{2}:)*[0-9A-F]{2}", tls["serial"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", tls["client"]["notbefore"])
    assert tls["version"] == "TLS 1.2"


def test_grease_is_left_out() -> None:
    hello = client_hello(
        cipher_suites=(0x0A0A, 0x1301), supported_versions=(0x1A1A, 0x0304, 0x0303), extensions=(0x2A2A, 0)
    )
    (event,) = events([connection("> ClientHello", client_hello=hello)])
    assert event["tls"]["client_handshake"] == {"version": "TLS 1.3", "ciphers": [0x1301], "exts": [0]}


@pytest.mark.parametrize("number", ["-1f", None], ids=["negative", "unreadable"])
def test_odd_serials(number: str | None) -> None:
    odd = replace(load(SERVER.der), serial=number)
    assert eve.certificate_object(odd).get("serial") == ("-1F" if number else None)


@pytest.mark.parametrize("hostile", ["\n", "\x1b[2J", "\u202e", "\udcff", '"}'], ids=ascii)
def test_a_line_stays_a_line(hostile: str) -> None:
    said = output_of("eve", [poisoned_item(everything(), hostile), poisoned_item(full_summary(), hostile), repeated()])
    assert said.isascii()
    assert said.count(b"\n") == len(lines_of("eve", [poisoned_item(everything(), hostile), full_summary(), repeated()]))
