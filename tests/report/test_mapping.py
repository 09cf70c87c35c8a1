"""Records as objects of schema mtlscope/1: the contract's keys, and what the fast encoder makes of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_type_hints

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.certificate import load
from analyzer.connection import Alert, CertificateState, Connection, Side
from analyzer.report import fields, objects
from analyzer.report.certificates import certificate_object
from analyzer.report.encode import ConnectionEncoder, to_json
from analyzer.report.mapping import ca_list_object, capture_object, connection_object, repeated_object
from analyzer.report.output import Item
from tests.build.connections import connection
from tests.report.records import (
    NAMES,
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

CONTRACT = [
    "schema",
    "type",
    "capture",
    "stream",
    "uid",
    "community_id",
    "ts",
    "duration",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "outcome",
    "version",
    "cipher",
    "curve",
    "server_name",
    "next_protocol",
    "resumed",
    "established",
    "ssl_history",
    "ja3",
    "ja3s",
    "ja4",
    "client_hello",
    "server_hello",
    "server_certificates",
    "client_certificates",
    "server_certificate_state",
    "client_certificate_state",
    "certificate_request",
    "alerts",
    "closed",
    "visibility",
    "diagnosis",
    "findings",
]
ADDED = ["diagnosis_confidence", "worked_beside"]
"""Keys of ours behind those of the contract."""
HOSTILE = [
    "\x1b]8;;http://x\x07",
    "\u202e\u2066",
    "\u2028\u2029",
    "\ud800",
    "\udcff",
    "</script>",
    '"\\',
    "\x00\x7f\x9b",
    "=1+1",
    "😀" * 3,
    "a" * 300,
]
RECORDS = [
    pytest.param(connection(), id="a record without a packet"),
    pytest.param(connection("> SYN", "< RST"), id="a refused connection"),
    pytest.param(healthy(), id="a healthy one"),
    pytest.param(failed(), id="one that failed"),
    pytest.param(everything(), id="one with everything"),
]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = fields.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("conn", RECORDS)
def test_a_connection_has_exactly_the_keys_of_the_contract(conn: Connection) -> None:
    assert sorted(connection_object(conn)) == sorted(CONTRACT + ADDED)


def test_the_described_keys_are_those_of_the_contract() -> None:
    assert list(get_type_hints(objects.ConnectionObject)) == CONTRACT + ADDED


@pytest.mark.parametrize("conn", RECORDS)
def test_a_connection_fits_the_schema(conn: Connection, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(to_json(connection_object(conn))))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(certificate_object(load(SERVER.der)), id="a certificate"),
        pytest.param(certificate_object(load(b"\x30\x03abc")), id="an unreadable certificate"),
        pytest.param(ca_list_object(NAMES), id="a CA list"),
        pytest.param(repeated_object(repeated()), id="a flood"),
        pytest.param(repeated_object(replace(repeated(), period_ns=None)), id="a flood without a period"),
        pytest.param(capture_object(summary()), id="an ordinary input"),
        pytest.param(capture_object(full_summary()), id="an input with everything"),
        pytest.param(capture_object(summary(first_ns=None, last_ns=None)), id="an empty input"),
    ],
)
def test_every_other_line_fits_the_schema(line: Any, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(to_json(line)))


@pytest.mark.parametrize("conn", RECORDS)
def test_the_encoder_writes_what_the_mapping_says(conn: Connection) -> None:
    encoder = ConnectionEncoder()
    for _again in range(2):  # the second time from what is remembered
        assert json.loads(b"".join(encoder.connection(conn))) == json.loads(to_json(connection_object(conn)))


CHANGES: dict[str, list[Any]] = {
    "stream": [0, 7],
    "client_port": [1, 65535],
    "server_name": [None, "", "a.example", "\u202e"],
    "version": [None, "TLSv1.3"],
    "resumed": [True, False],
    "diagnosis": [None, "it is broken"],
    "malformed": [(), ("odd",)],
    "preamble": [None, "SMTP"],
    "not_tls": [None, ("SIP", Side.CLIENT, b"x")],
    "rtt_ns": [None, 10],
    "client_certificate_state": [None, *CertificateState],
    "alerts": [(), (Alert(Side.SERVER, 2, 48, 9, 0),), (Alert(Side.SERVER, None, None, 9, 0, encrypted=True),)],
    "client_hello": [None, everything().client_hello, healthy().client_hello],
    "server_chain": [None, healthy().server_chain, everything().client_chain],
    "findings": [(), failed().findings, failed().findings[:1]],
}


@st.composite
def _varied(draw: st.DrawFn) -> Connection:
    base = draw(st.sampled_from([everything(), healthy(), failed()]))
    return replace(base, **{name: draw(st.sampled_from(values)) for name, values in CHANGES.items()})


@given(st.lists(_varied(), min_size=2, max_size=4))
@settings(max_examples=60, deadline=None)
def test_remembering_never_mixes_up_connections(conns: list[Connection]) -> None:
    encoder = ConnectionEncoder()
    for conn in conns:
        assert json.loads(b"".join(encoder.connection(conn))) == json.loads(to_json(connection_object(conn)))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *_strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


@pytest.mark.parametrize("text", [pytest.param(text, id=ascii(text)[:20]) for text in HOSTILE])
@pytest.mark.parametrize("item", [everything(), full_summary(), repeated()], ids=["connection", "capture", "repeated"])
def test_hostile_texts_in_every_field_stay_one_ascii_line(text: str, item: Item) -> None:
    hostile = poisoned_item(item, text)
    encoder = ConnectionEncoder()
    if isinstance(hostile, Connection):
        lines = [*encoder.certificates(hostile), *encoder.ca_lists(hostile), b"".join(encoder.connection(hostile))]
    else:
        made: Any = capture_object(hostile) if item == full_summary() else repeated_object(hostile)  # type: ignore[arg-type]
        lines = [to_json(made)]
    for line in lines:
        assert line.isascii()
        assert b"\n" not in line
        assert b"\x7f" not in line
        assert any(text in found or r"\ud800" in found or r"\xff" in found for found in _strings(json.loads(line)))


def test_integers_that_doubles_cannot_hold_are_strings() -> None:
    assert capture_object(full_summary())["dropped"] == str(2**60)
    assert capture_object(summary(dropped=7))["dropped"] == 7


def test_packets_are_conserved_in_the_object() -> None:
    made = capture_object(summary())
    assert made["packets"] == made["decoded"] + sum(made["not_decoded"].values())


def test_an_empty_certificate_message_is_an_empty_list_and_none_seen_is_null() -> None:
    empty = connection("> SYN", client_certificate_state=CertificateState.EMPTY)
    assert connection_object(empty)["client_certificates"] == []
    assert connection_object(empty)["server_certificates"] is None


def test_codes_have_numbers_and_names_unknown_ones_too() -> None:
    hello = replace(healthy().client_hello, cipher_suites=(0x1301, 0x7F1C, 0x1A1A))  # type: ignore[type-var]
    made = connection_object(healthy(client_hello=hello))["client_hello"]
    assert made is not None
    assert made["cipher_suites"] == [
        {"code": 0x1301, "name": "TLS_AES_128_GCM_SHA256"},
        {"code": 0x7F1C, "name": "0x7f1c"},
        {"code": 0x1A1A, "name": "GREASE 0x1a1a"},
    ]


def test_after_a_hello_retry_the_frame_is_that_of_the_second_hello() -> None:
    conn = connection("> ClientHello", "< HelloRetryRequest", "> ClientHello", "< ServerHello")
    conn = replace(conn, first_client_hello=conn.client_hello, hello_retry_request=conn.server_hello)
    made = connection_object(conn)
    assert made["client_hello"] is not None
    assert made["server_hello"] is not None
    assert (made["client_hello"]["frame"], made["client_hello"]["first_frame"]) == (3, 1)
    assert made["server_hello"]["hello_retry"] is not None
    assert made["server_hello"]["hello_retry"]["frame"] == 2


def test_certificates_and_ca_lists_are_written_once() -> None:
    encoder = ConnectionEncoder()
    first, second = healthy(), failed()
    assert len(list(encoder.certificates(first))) == 3  # two leaves and the intermediate that both share
    assert len(list(encoder.ca_lists(first))) == 1
    assert not list(encoder.certificates(second))
    assert not list(encoder.ca_lists(second))


def test_what_is_known_to_be_written_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.report.encode.WRITTEN", 2)
    encoder = ConnectionEncoder()
    assert len(list(encoder.certificates(healthy()))) >= 3
    assert len(encoder._written) == 2


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.report.encode.KEPT", 3)
    encoder = ConnectionEncoder()
    for number in range(10):
        conn = healthy(server_name=f"{number}.example")
        assert json.loads(b"".join(encoder.connection(conn)))["server_name"] == f"{number}.example"
    assert len(encoder._shared._parts) <= 3


def test_frames_of_later_files_of_a_ring_say_so() -> None:
    conn = failed(
        finding("tls-alert", frames=(9, 12, 14)),
        capture="ring_1.pcap",
        files=((1, "ring_1.pcap"), (11, "ring_2.pcap"), (14, "ring_3.pcap")),
    )
    made = connection_object(conn)
    assert made["findings"][0]["frames"] == [9, "ring_2.pcap#2", "ring_3.pcap#1"]
    assert made["findings"][0]["filter"] == "frame.number in {9}"
    assert made["closed"]["frame"] == "ring_3.pcap#1"
    assert made["client_hello"] is not None
    assert made["client_hello"]["frame"] == 4
    assert json.loads(b"".join(ConnectionEncoder().connection(conn))) == json.loads(to_json(made))


def test_a_ring_that_began_before_the_connection_counts_in_its_first_file() -> None:
    conn = failed(capture="ring_2.pcap", files=((4, "ring_2.pcap"), (14, "ring_3.pcap")))
    made = connection_object(conn)
    assert made["client_hello"] is not None
    assert made["client_hello"]["frame"] == 1
    assert made["findings"][0]["frames"] == [6, "ring_3.pcap#1"]
