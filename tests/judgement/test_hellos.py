"""What the hellos offered, and whether the server refused the client's."""

from __future__ import annotations

import pytest

from analyzer.connection import Connection
from analyzer.judgement.hellos import accepts_version, hello_refused, offer_text, offered_suites
from analyzer.judgement.thresholds import limit_ns
from analyzer.tls.messages import ClientHello
from analyzer.tls.names import TLS10, TLS12, TLS13
from tests.build.connections import HELLOS, SECOND_NS, TCP, client_hello, connection

NEW = client_hello(supported_versions=(0x1A1A, TLS13, TLS12))
OLD = client_hello(legacy_version=TLS10)


@pytest.mark.parametrize(
    ("hello", "version", "answer"),
    [
        pytest.param(NEW, TLS13, True, id="listed"),
        pytest.param(NEW, TLS10, False, id="not listed"),
        pytest.param(NEW, 0x1A1A, False, id="GREASE is no offer"),
        pytest.param(OLD, TLS12, False, id="above the highest"),
        pytest.param(OLD, TLS10, None, id="how low it goes is not said"),
    ],
)
def test_versions(hello: ClientHello, version: int, answer: bool | None) -> None:
    assert accepts_version(hello, version) is answer


def test_offers_as_text() -> None:
    assert offer_text(NEW) == "TLSv1.3, TLSv1.2"
    assert offer_text(OLD) == "up to TLSv1.0"
    assert offered_suites(client_hello(cipher_suites=(0x3A3A, 0xC02F, 0x00FF, 0x5600))) == (0xC02F,)


@pytest.mark.parametrize(
    ("conn", "refused"),
    [
        pytest.param(connection(*TCP, "> ClientHello", "< Alert 40"), True, id="by alert"),
        pytest.param(connection(*TCP, "> ClientHello", "... 8 s", "< Alert 40"), True, id="by alert, late"),
        pytest.param(connection(*TCP, "> ClientHello", "< RST"), True, id="by reset"),
        pytest.param(connection(*TCP, "> ClientHello", "< FIN"), True, id="by FIN"),
        pytest.param(connection(*TCP, "> ClientHello", "... 8 s", "< FIN"), False, id="after long silence: stuck"),
        pytest.param(connection(*TCP, "> ClientHello", "> Alert 90", "< RST"), False, id="the client went first"),
        pytest.param(connection(*TCP, "> ClientHello", "> FIN"), False, id="the client gave up"),
        pytest.param(connection(*HELLOS, "< RST"), False, id="after its own hello"),
        pytest.param(
            connection(*TCP, "> ClientHello", "> Certificate", "< Alert 40"),
            False,
            id="the choice is missing, its answer not",
        ),
        pytest.param(
            connection(*TCP, "> ClientHello", "> ChangeCipherSpec", "< Alert 40"),
            True,
            id="early data begins behind one",
        ),
        pytest.param(connection(*TCP, "> ClientHello"), False, id="not decided"),
        pytest.param(connection(*TCP, "< RST"), False, id="no hello"),
    ],
)
def test_hello_refused(conn: Connection, refused: bool) -> None:
    assert hello_refused(conn) is refused


def test_limits_come_in_nanoseconds() -> None:
    assert limit_ns("at_once_s") == 2 * SECOND_NS
    with pytest.raises(KeyError):
        limit_ns("no such limit")
