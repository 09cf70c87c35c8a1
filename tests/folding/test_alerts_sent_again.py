"""After the handshake only ends and alerts are looked at: a copy of an alert is no second alert."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.pipeline import Run
from tests.build import handshake as h
from tests.build.pcap import pcap
from tests.build.records import application_data, change_cipher_spec, encrypted, record
from tests.build.tcp import CLIENT, SERVER, Tcp

HANDSHAKE, ALERT = 22, 21
DATA_ROWS = 12
"""Enough for the handshake to be taken as over."""


def session(rows: int) -> Tcp:
    """A TLS 1.2 handshake without certificates, and data both ways."""
    talk = Tcp().open()
    talk.send(CLIENT, record(h.client_hello()))
    talk.send(SERVER, record(h.server_hello()) + record(h.server_hello_done()))
    done = change_cipher_spec() + encrypted(HANDSHAKE, 40)
    talk.send(CLIENT, record(h.client_key_exchange()) + done)
    talk.send(SERVER, done)
    for _ in range(rows):
        talk.send(CLIENT, application_data(90)).send(SERVER, application_data(300))
    return talk


def alerts(talk: Tcp, folder: Path) -> list[tuple[str, int]]:
    """Who and in which frame."""
    path = folder / "x.pcap"
    path.write_bytes(pcap(talk.packets))
    (conn,) = [item for item in Run([str(path)]) if isinstance(item, Connection)]
    return [(str(alert.side), alert.frame) for alert in conn.alerts]


@pytest.mark.parametrize("rows", [pytest.param(1, id="followed"), pytest.param(DATA_ROWS, id="settled")])
@pytest.mark.parametrize("copies", [0, 1, 3])
def test_an_alert_sent_again_stays_one(tmp_path: Path, rows: int, copies: int) -> None:
    talk = session(rows)
    first = len(talk.packets)
    talk.send(CLIENT, encrypted(ALERT, 26), heard=False)
    for _ in range(copies):
        talk.again(first)
    talk.close()
    assert alerts(talk, tmp_path) == [("client", first + 1)]


def test_an_alert_before_the_handshake_settled_is_known_when_it_comes_again(tmp_path: Path) -> None:
    talk = session(1)
    first = len(talk.packets)
    talk.send(SERVER, encrypted(ALERT, 26))
    for _ in range(DATA_ROWS):
        talk.send(CLIENT, application_data(90))
    talk.again(first).close()
    assert alerts(talk, tmp_path) == [("server", first + 1)]


def test_an_alert_behind_a_record_of_its_size_is_found(tmp_path: Path) -> None:
    talk = session(DATA_ROWS)
    talk.send(SERVER, application_data(26)).send(SERVER, application_data(3000))
    first = len(talk.packets)
    talk.send(SERVER, encrypted(ALERT, 26)).close(SERVER)
    assert alerts(talk, tmp_path) == [("server", first + 1)]
