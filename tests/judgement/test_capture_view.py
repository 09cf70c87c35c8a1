"""What is learned of all connections: what repeats is one entry, and memory is bounded."""

from __future__ import annotations

import pytest

from analyzer.judgement import capture_view as module
from analyzer.judgement.capture_view import CaptureView, highest
from analyzer.judgement.clocks import MAX_SAMPLES
from analyzer.tls.messages import ClientHello
from tests.build.connections import CLIENT_DONE, HANDSHAKE, TCP, client_hello, connection
from tests.rules.cast import CLIENT, SERVER, SUB, chain
from tests.rules.surveys import served, view

CHAIN, OTHER = chain(SERVER, SUB), chain(CLIENT, SUB)


def test_what_repeats_is_counted() -> None:
    whole = view(*[served(at=second, server_chain=CHAIN, client_chain=OTHER) for second in range(5)])
    (server,), (client,) = list(whole.servers()), list(whole.clients())
    assert (server.count, client.count, whole.connections) == (5, 5, 5)
    assert server.last_ns - server.first_ns == client.last_ns - client.first_ns == 4_000_000_000
    assert (server.place, client.place) == ("198.51.100.5:5061", "192.0.2.10 as client")
    assert (server.side.value, client.side.value) == ("server", "client")


def test_another_chain_name_port_or_version_is_another_entry() -> None:
    conns = [
        served(server_chain=CHAIN),
        served(server_chain=OTHER),
        served(server_chain=CHAIN, server_port=443),
        served(server_chain=CHAIN, server_name="other.example"),
        served(server_chain=CHAIN, version="TLSv1.0"),
        served("198.51.100.9", server_chain=CHAIN),
    ]
    assert len(list(view(*conns).servers())) == 6


def test_a_connection_without_an_answer_tells_nothing() -> None:
    whole = view(connection(*TCP), connection(*TCP, "> ClientHello"))
    assert list(whole.everybody()) == []
    assert whole.connections == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 10)
    whole = CaptureView()
    for number in range(50):
        whole.learn(served(f"10.0.0.{number}", *CLIENT_DONE, client_chain=OTHER, client_ip=f"10.1.0.{number}"))
    assert len(list(whole.servers())) == len(list(whole.clients())) == 10
    assert whole.forgot
    assert [one.ip for one in whole.servers()][-1] == "10.0.0.49"


def test_of_one_host_a_few_hellos_are_enough() -> None:
    whole = view(*[served(at=second) for second in range(MAX_SAMPLES + 5)])
    assert whole.clocks.heard == {"192.0.2.10", "198.51.100.5"}


@pytest.mark.parametrize(
    ("hello", "expected"),
    [
        (None, 0),
        (client_hello(), 0x0303),
        (client_hello(supported_versions=(0x0303, 0x0304)), 0x0304),
        (client_hello(supported_versions=(0x7F1C, 0x1A1A, 0x0303)), 0x0303),
        (client_hello(legacy_version=0x0301), 0x0301),
    ],
)
def test_the_highest_version_offered(hello: ClientHello | None, expected: int) -> None:
    assert highest(hello) == expected


def test_ipv6_has_brackets() -> None:
    (one,) = view(served("2001:db8::5", *HANDSHAKE)).servers()
    assert one.place == "[2001:db8::5]:5061"
