"""A FIN that arrives before the last bytes in front of it closes the connection all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.pipeline import Run
from tests.build import handshake as h
from tests.build.frames import ACK, FIN, PSH
from tests.build.pcap import pcap
from tests.build.records import encrypted, record
from tests.build.tcp import CLIENT, SERVER, Tcp

ALERT = 21


@pytest.mark.parametrize(
    "again", [pytest.param(ACK | PSH, id="bytes alone"), pytest.param(ACK | PSH | FIN, id="and FIN")]
)
def test_a_fin_ahead_of_lost_bytes_counts(tmp_path: Path, again: int) -> None:
    lost = encrypted(ALERT, 26)
    talk = Tcp().open().send(CLIENT, record(h.client_hello())).send(SERVER, record(h.server_hello()))
    talk.put(CLIENT, seq=talk.seq[CLIENT] + len(lost), flags=FIN | ACK)
    talk.put(CLIENT, lost, flags=again)
    talk.seq[CLIENT] += len(lost) + 1
    talk.heard[SERVER] = talk.seq[CLIENT]
    talk.fin(SERVER)
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(talk.packets))
    (conn,) = [item for item in Run([str(path)]) if isinstance(item, Connection)]
    assert [(str(end.side), end.how) for end in conn.endings] == [("client", "fin"), ("server", "fin")]
