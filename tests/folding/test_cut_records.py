"""Packets cut by the snapshot length: a record's header is enough to say that a connection carries TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.pipeline import Options, Run
from tests.build import handshake as h
from tests.build.pcap import pcap
from tests.build.records import record
from tests.build.tcp import CLIENT, Tcp

HEADERS = 54


@pytest.mark.parametrize(
    ("first", "kept", "carries_tls"),
    [
        pytest.param(record(h.client_hello()), 30, True, id="a hello of which 30 bytes are there"),
        pytest.param(record(h.client_hello()), 11, True, id="its header and the version"),
        pytest.param(record(h.client_hello()), 0, False, id="nothing of it"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", 30, False, id="HTTP"),
    ],
)
def test_tls_is_found_on_any_port(tmp_path: Path, first: bytes, kept: int, carries_tls: bool) -> None:
    talk = Tcp(dport=9443).open()
    talk.put(CLIENT, first, snap=HEADERS + kept)
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(talk.packets))
    found = [item for item in Run([str(path)], Options(ports=None)) if isinstance(item, Connection) and item.tls]
    assert len(found) == carries_tls
