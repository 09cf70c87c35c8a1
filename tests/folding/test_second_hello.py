"""A client's second hello counts if the server asked for it, or if the capture may lack that question."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.pipeline import Run
from tests.build import handshake as h
from tests.build.pcap import pcap
from tests.build.records import record
from tests.build.tcp import CLIENT, SERVER, Tcp

FIRST = record(h.client_hello(suites=(0x1301,)))
SECOND = record(h.client_hello(suites=(0x1302,)))
CHOICE, RETRY = record(h.server_hello_13()), record(h.hello_retry_request())


def counted(talk: Tcp, folder: Path) -> tuple[tuple[int, ...], bool]:
    """Suites of the hello that counts, and whether there is a first one beside it."""
    path = folder / "x.pcap"
    path.write_bytes(pcap(talk.packets))
    (conn,) = [item for item in Run([str(path)]) if isinstance(item, Connection)]
    assert conn.client_hello is not None
    return conn.client_hello.cipher_suites, conn.first_client_hello is not None


@pytest.mark.parametrize(
    ("question", "answer", "suites", "retried"),
    [
        pytest.param(RETRY, CHOICE, (0x1302,), True, id="asked for"),
        pytest.param(RETRY, b"", (0x1302,), True, id="asked for and never answered"),
        pytest.param(b"", CHOICE, (0x1301,), False, id="nobody asked: the choice answers the first"),
        pytest.param(b"", b"", (0x1302,), True, id="no answer at all"),
    ],
)
def test_which_hello_counts(
    tmp_path: Path, question: bytes, answer: bytes, suites: tuple[int, ...], retried: bool
) -> None:
    talk = Tcp().open().send(CLIENT, FIRST)
    if question:
        talk.send(SERVER, question)
    talk.send(CLIENT, SECOND)
    if answer:
        talk.send(SERVER, answer)
    assert counted(talk, tmp_path) == (suites, retried)


def test_a_question_may_be_lost(tmp_path: Path) -> None:
    talk = Tcp().open().send(CLIENT, FIRST).lose(SERVER, len(RETRY)).send(CLIENT, SECOND).send(SERVER, CHOICE)
    assert counted(talk, tmp_path)[0] == (0x1302,)
