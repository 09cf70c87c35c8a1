"""What happened, in the order of the capture: steps, their frames, and Zeek's letters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.connection import Connection, Side, Step
from analyzer.folding.timeline import HANDSHAKE_NAMES, HISTORY_LETTERS, NOT_STAGES
from tests.build import handshake as tls
from tests.build.pcap import Packet
from tests.build.records import alert, change_cipher_spec, record
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios import STORIES, Story
from tests.scenarios.following import follow, only
from tests.scenarios.story import client_flight, server_flight

C, S = Side.CLIENT, Side.SERVER


def ladder(conn: Connection) -> list[str]:
    """ "> SYN", "< SYN-ACK", ...; several records of data as "> ApplicationData x3"."""
    return [
        f"{'>' if step.side is C else '<'} {step.name}" + (f" x{step.count}" if step.count > 1 else "")
        for step in conn.steps
    ]


def told(script: Callable[[Story], object]) -> Connection:
    story = Story()
    story.open()
    script(story)
    return only(story)


FLIGHT_12 = "< ServerHello < Certificate < ServerKeyExchange < CertificateRequest < ServerHelloDone "
ANSWER_12 = "> Certificate > ClientKeyExchange > CertificateVerify > ChangeCipherSpec > Finished "
HANDSHAKE_12 = "> ClientHello " + FLIGHT_12 + ANSWER_12 + "< ChangeCipherSpec < Finished "
SECRET = "< EncryptedHandshake "
DATA = "> ApplicationData < ApplicationData "
LADDERS = {
    "mutual": "> SYN < SYN-ACK " + HANDSHAKE_12 + DATA + "> EncryptedAlert > FIN < FIN",
    "mutual_13": "> SYN < SYN-ACK > ClientHello < ServerHello < ChangeCipherSpec " + SECRET * 5 + "> ChangeCipherSpec "
    "> EncryptedHandshake > EncryptedHandshake > Finished < NewSessionTicket < NewSessionTicket "
    + DATA
    + "> EncryptedAlert > FIN < FIN",
    "hello_retry_13": "> SYN < SYN-ACK > ClientHello < HelloRetryRequest < ChangeCipherSpec > ChangeCipherSpec "
    "> ClientHello < ServerHello " + SECRET * 4 + "> Finished > ApplicationData < ApplicationData > FIN < FIN",
    "behind_a_proxy": "> SYN < SYN-ACK > Preamble < Preamble " + HANDSHAKE_12 + DATA + "> FIN < FIN",
    "plain_http": "> SYN < SYN-ACK > PlainText < PlainText < FIN > FIN",
    "nobody_answers": "> SYN x3",
    "refused": "> SYN < RST",
}


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        pytest.param("mutual", "CsxkrnXGYIiDdL", id="TLS 1.2, mutual"),
        pytest.param("mutual_13", "CsiIttDdL", id="TLS 1.3, named by size and place"),
        pytest.param("hello_retry_13", "CjiICsDd", id="TLS 1.3, hello retry"),
        pytest.param("behind_a_proxy", "CsxkrnXGYIiDd", id="plain text first"),
        pytest.param("plain_http", "", id="no TLS"),
        pytest.param("nobody_answers", "", id="one step for all SYNs"),
        pytest.param("refused", "", id="refused"),
    ],
)
def test_steps(name: str, letters: str) -> None:
    conn = only(name)
    assert " ".join(ladder(conn)) == LADDERS[name]
    assert conn.ssl_history == letters


def test_records_of_data_in_a_row_are_one_step() -> None:
    conn = told(lambda s: s.hello().answer().certificate().finished().records(CLIENT, 10, 20, 30).records(SERVER, 5))
    step = conn.step("ApplicationData", C)
    assert step is not None and (step.count, step.size) == (3, 60)
    assert ladder(conn)[-2:] == ["> ApplicationData x3", "< ApplicationData"]
    assert conn.client.app_records == 3


def test_a_step_says_where_and_when_it_was_complete() -> None:
    story = Story()
    story.open()
    conn = only(story.hello(cut=(10, 30)).answer())
    hello = conn.step("ClientHello")
    assert hello is not None
    assert (hello.frames, hello.time_ns) == ((4, 5, 6), story.packets[5].time_ns)
    assert [step.time_ns for step in conn.steps] == sorted(step.time_ns for step in conn.steps)


def test_an_alert_between_the_parts_of_a_message_does_not_take_its_frames() -> None:
    flight = record(tls.server_hello())
    whole = tls.certificate(bytes(800))
    parts = [record(whole[:300]), alert(0, 1), record(whole[300:])]

    def script(story: Story) -> None:
        story.hello()
        for data in (flight, *parts):
            story.send(SERVER, data)

    conn = told(script)
    step = conn.step("Certificate", S)
    assert step is not None and step.frames == (8, 10, 12)


@pytest.mark.parametrize("name", STORIES)
def test_steps_are_whole_and_in_order(name: str) -> None:
    for conn in follow(name):
        for step in conn.steps:
            assert step.frames == tuple(sorted(set(step.frames))) and step.count >= 1 and step.time_ns > 0
        ends = [step.frames[-1] for step in conn.steps if step.name not in ("SYN", "ApplicationData")]
        assert ends == sorted(ends)
        assert list(conn.steps) == [Step(*row[3:]) for row in conn.steps.rows]  # type: ignore[attr-defined]


def test_every_handshake_letter_has_a_message() -> None:
    others = {"ChangeCipherSpec", "ApplicationData", "Alert", "EncryptedAlert", "Heartbeat"}
    assert HISTORY_LETTERS.keys() - others <= set(HANDSHAKE_NAMES.values())
    assert len(NOT_STAGES & set(HANDSHAKE_NAMES.values())) == 0


def test_an_unknown_message_is_named_by_its_number() -> None:
    conn = told(lambda s: s.hello().send(SERVER, record(tls.server_hello() + tls.message(99, b"x"))))
    assert "< Handshake(99)" in ladder(conn)


def test_broken_framing_is_told_with_its_place() -> None:
    conn = told(lambda s: s.hello().send(SERVER, record(tls.server_hello()) + b"garbage, and not a record"))
    (line,) = conn.malformed
    assert line.startswith("server (byte ") and "frame 6" in line


# ---- segmentation, order and duplication -----------------------------------------------------------------------------

FLIGHTS = (
    (CLIENT, record(tls.client_hello(extensions=[tls.server_name_extension(b"a.example")]), version=0x0301)),
    (SERVER, server_flight((bytes(500),), (b"\x30\x00",))),
    (CLIENT, client_flight((bytes(300),))),
    (SERVER, change_cipher_spec() + record(bytes(40))),
)
FACTS = (
    *("version", "cipher", "server_name", "ssl_history", "ja3", "ja3s", "ja4", "client_hello", "server_hello"),
    *("server_certificate_state", "client_certificate_state", "finished", "outcome", "resumed", "malformed", "tls"),
)


def facts(conn: Connection) -> dict[str, object]:
    """What must not depend on how the bytes travelled."""
    found = {name: getattr(conn, name) for name in FACTS}
    for side in Side:
        chain = conn.chain(side)
        found[side] = chain and [certificate.der for certificate in chain.chain.certificates]
    request = conn.certificate_request
    return found | {"request": request and (request.ca_list, request.certificate_types, request.size)}


@settings(max_examples=40, deadline=None)
@given(data=st.data(), size=st.sampled_from([None, 1, 5]))
def test_segmentation_order_and_duplication_never_change_what_tls_said(data: st.DataObject, size: int | None) -> None:
    plain, odd = Story(), Story()
    for story in (plain, odd):
        story.open()
    for side, flight in FLIGHTS:
        plain.send(side, flight)
        before = len(odd.packets)
        odd.send(side, flight, cut=data.draw(st.sets(st.integers(1, len(flight) - 1), max_size=6)))
        segments = odd.packets[before:-1]
        more = data.draw(st.lists(st.sampled_from(segments), max_size=3))
        shuffled = data.draw(st.permutations([*segments, *more]))
        odd.packets[before:-1] = [
            Packet(packet.data, segments[0].time_ns + number) for number, packet in enumerate(shuffled)
        ]
    assert facts(only(odd, size)) == facts(only(plain))
