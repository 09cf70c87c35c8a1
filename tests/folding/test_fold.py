"""One conversation -> one record: roles, hellos, ports, and the fields that come from messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from analyzer.connection import Connection, Side
from analyzer.folding.case import Setting
from tests.build import handshake as tls
from tests.build.pcap import Packet
from tests.build.records import record
from tests.build.tcp import CLIENT, SERVER, Tcp
from tests.scenarios import STORIES, Story
from tests.scenarios.following import SETTING, follow, only, packets_of
from tests.scenarios.story import SIP

LOW, HIGH = "192.0.2.1", "203.0.113.9"


def told(script: Callable[[Story], object]) -> Connection:
    story = Story()
    story.open()
    script(story)
    return only(story)


# ---- roles -----------------------------------------------------------------------------------------------------------


def without(side: int, packets: list[Packet]) -> list[Packet]:
    """What the other side sent (the client's address is 192.0.2.10)."""
    client = bytes((192, 0, 2, 10))
    return [packet for packet in packets if (packet.data[26:30] == client) is (side == SERVER)]


def silent(sport: int, dport: int) -> list[Packet]:
    """Neither SYN nor hello: a bare RST."""
    talk = Tcp(sport=sport, dport=dport)
    talk.rst(CLIENT)
    return talk.packets


ANY_PORT = replace(SETTING, ports=None)


@pytest.mark.parametrize(
    ("packets", "setting", "known", "client_port"),
    [
        pytest.param(packets_of("mutual"), SETTING, "client-hello", 50_000, id="who sent the ClientHello"),
        pytest.param(
            without(CLIENT, packets_of("mutual")), SETTING, "server-hello", 50_000, id="not who sent the ServerHello"
        ),
        pytest.param(packets_of("refused"), SETTING, "syn", 50_000, id="who sent the SYN"),
        pytest.param(packets_of("refused")[1:], SETTING, "port", 50_000, id="not who has a TLS port"),
        pytest.param(silent(50_000, 636), ANY_PORT, "port", 50_000, id="not who has a port of the catalogue"),
        pytest.param(silent(40_000, 50_000), ANY_PORT, "guess", 50_000, id="the higher port"),
        pytest.param(silent(40_000, 40_000), ANY_PORT, "guess", 40_000, id="equal ports: who was first"),
    ],
)
def test_roles(packets: list[Packet], setting: Setting, known: str, client_port: int) -> None:
    conn = only(packets, setting=setting)
    assert (conn.roles_known, conn.client_port) == (known, client_port)


@pytest.mark.parametrize("client", [LOW, HIGH])
@pytest.mark.parametrize("name", ["mutual", "mutual_13", "refused", "starts_inside"])
def test_roles_do_not_depend_on_which_address_is_lower(name: str, client: str) -> None:
    story = Story(client=client, server=HIGH if client == LOW else LOW)
    STORIES[name](story)
    conn = only(story)
    assert (conn.client_ip, conn.client_port, conn.server_port) == (client, 50_000, 5_061)


def test_the_client_is_who_sends_the_hello_even_if_the_other_opened() -> None:
    story = Story()
    story.open()
    story.send(SERVER, record(tls.client_hello())).send(CLIENT, record(tls.server_hello()))
    conn = only(story)
    assert (conn.client_port, conn.server_port, conn.roles_known) == (5_061, 50_000, "client-hello")
    assert [step.name for step in conn.steps[:2]] == ["SYN", "SYN-ACK"] and conn.steps[0].side is Side.SERVER


def test_ipv6() -> None:
    story = Story(client="2001:db8::9", server="2001:db8::1")
    STORIES["mutual"](story)
    conn = only(story)
    assert (conn.client_ip, conn.server_ip, conn.established) == ("2001:db8::9", "2001:db8::1", True)
    assert conn.address(Side.SERVER) == "[2001:db8::1]:5061"


# ---- fields ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        pytest.param(
            "mutual",
            {
                "version": "TLSv1.2",
                "version_code": 0x0303,
                "cipher": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "cipher_code": 0xC02F,
                "curve": "secp256r1",
                "server_name": "sip.example.com",
                "server_signature_scheme": 0x0401,
                "client_signature_scheme": 0x0804,
                "resumed": False,
                "preamble": None,
            },
            id="TLS 1.2",
        ),
        pytest.param(
            "mutual_13",
            {"version": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256", "curve": "x25519", "server_chain": None},
            id="TLS 1.3",
        ),
        pytest.param(
            "behind_a_proxy", {"preamble": "HTTP CONNECT", "not_tls": None, "tls": True}, id="plain text first"
        ),
        pytest.param("version_refused", {"version": None, "cipher": None, "tls": True}, id="no ServerHello"),
        pytest.param("refused", {"tls": False, "expected": True, "client_hello": None, "ja3": None}, id="no payload"),
    ],
)
def test_fields(name: str, fields: dict[str, object]) -> None:
    conn = only(name)
    assert {key: getattr(conn, key) for key in fields} == fields


def test_what_is_no_tls_says_what_it_is_and_whose() -> None:
    protocol, side, sample = only("plain_http").not_tls or ("", None, b"")
    assert (protocol, side, sample[:5]) == ("HTTP", Side.CLIENT, b"GET /")


def test_the_answer_is_kept_only_beside_what_it_answers() -> None:
    assert only("plain_http").not_tls_answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert told(lambda story: story.send(SERVER, b"HTTP/1.1 400 Bad Request\r\n\r\n")).not_tls_answer == b""
    assert only("behind_a_proxy").not_tls_answer == b""


def test_both_hellos_of_a_retry_are_kept() -> None:
    conn = only("hello_retry_13")
    assert conn.first_client_hello is not None and conn.client_hello is not None
    assert conn.hello_retry_request is not None and conn.hello_retry_request.hello_retry_request
    assert conn.server_hello is not None and not conn.server_hello.hello_retry_request
    assert only("mutual").first_client_hello is None and only("mutual").hello_retry_request is None


def test_dhe_and_a_stapled_response() -> None:
    messages = [tls.server_hello(suite=0x009E), tls.certificate(*SIP.chain), tls.certificate_status()]
    flight = b"".join(map(record, [*messages, tls.server_key_exchange_dhe(1_024), tls.server_hello_done()]))
    conn = told(lambda s: s.hello().send(SERVER, flight))
    assert (conn.dh_bits, conn.ocsp_stapled, conn.curve) == (1_024, True, None)


def test_oddities_are_told_with_side_and_place() -> None:
    conn = told(lambda s: s.hello().send(SERVER, record(tls.server_hello() + tls.message(11, b"\0\0\x09\0\0\x05abc"))))
    assert conn.malformed and all(line.startswith("server (byte ") for line in conn.malformed)


def test_times_and_names_of_the_capture() -> None:
    story = Story()
    STORIES["mutual"](story)
    conn = only(story, setting=replace(SETTING, time_digits=9, local_time_doubt=True))
    assert (conn.capture, conn.time_digits, conn.local_time_doubt) == ("story.pcap", 9, True)
    assert (conn.ts_ns, conn.end_ns) == (story.packets[0].time_ns, story.packets[-1].time_ns)


@pytest.mark.parametrize(
    ("files", "capture", "kept"),
    [
        pytest.param((), "story.pcap", 0, id="one file"),
        pytest.param(((1, "a"),), "story.pcap", 0, id="a ring that has one file so far"),
        pytest.param(((1, "a"), (3, "b"), (9, "c")), "a", 3, id="it begins in the first file"),
        pytest.param(((0, "a"), (1, "b"), (9, "c")), "b", 2, id="it begins in the second"),
    ],
)
def test_files_of_a_ring(files: tuple[tuple[int, str], ...], capture: str, kept: int) -> None:
    conn = only("mutual", setting=replace(SETTING, files=files))
    assert (conn.capture, len(conn.files)) == (capture, kept)


@pytest.mark.parametrize("name", STORIES)
def test_every_record_is_whole(name: str) -> None:
    for conn in follow(name):
        assert conn.ts_ns <= conn.end_ns and conn.duration >= 0
        assert conn.established is (conn.outcome.value == "established")
        assert conn.closed.frame is None or conn.closed.frame in [end.frame for end in conn.endings]
        assert conn.findings == () and conn.diagnosis is None
