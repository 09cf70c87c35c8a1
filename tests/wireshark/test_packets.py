"""`connection.to_pyshark()`: the packets of a connection."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.connection import Connection
from analyzer.errors import CaptureError, UsageError
from analyzer.wireshark import tool
from analyzer.wireshark.packets import _texts, packets
from tests.test_captures import CAPTURES

needs_both = pytest.mark.skipif(
    not shutil.which("tshark") or importlib.util.find_spec("pyshark") is None, reason="needs tshark and pyshark"
)
RESET = str(CAPTURES / "reset-after-client-hello.pcap")


def first(path: str) -> Connection:
    """The first connection of a capture."""
    return next(iter(analyzer.analyze(path, any_port=True)))


@needs_both
def test_packets_are_those_of_the_connection() -> None:
    conn = first(RESET)
    found = conn.to_pyshark()
    assert len(found) == conn.client.packets + conn.server.packets
    assert {int(packet.tcp.stream) for packet in found} == {conn.stream}
    hello = next(packet for packet in found if "TLS" in packet)
    assert int(hello.tls.handshake_type) == 1
    assert int(hello.number) == conn.frames_of("ClientHello")[-1]


@needs_both
def test_it_works_inside_a_running_event_loop_as_in_jupyter() -> None:
    async def cell() -> list[Any]:
        return first(RESET).to_pyshark()

    assert len(asyncio.run(cell())) == len(first(RESET).to_pyshark())


@needs_both
def test_in_a_ring_the_packets_come_from_the_file_of_the_first_one() -> None:
    several = [conn for conn in analyzer.analyze(str(CAPTURES / "ring")) if conn.files]
    conn = several[-1]
    start, path = conn.files[0]
    found = conn.to_pyshark()
    assert found
    assert int(found[0].number) == min(conn.client.first_frame or 0, conn.server.first_frame or 0) - start + 1
    assert {packet.tcp.port for packet in found} <= {str(conn.client_port), str(conn.server_port)}
    assert Path(path).exists()


@needs_both
def test_what_tshark_cannot_read_is_an_error_with_its_words(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no packets here\n" * 10)
    with pytest.raises(CaptureError, match=r"notes\.txt.*isn't a capture file"):
        packets(str(text), "tcp.stream == 0")


@needs_both
@pytest.mark.parametrize(
    ("capture", "said"),
    [
        pytest.param("-", "standard input is gone", id="standard input"),
        pytest.param("gone.pcap", "gone.pcap is not there", id="the file was removed"),
    ],
)
def test_a_capture_that_cannot_be_read_again(capture: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replace(first(RESET), capture=capture).to_pyshark()


def test_without_pyshark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyshark", None)
    monkeypatch.setitem(sys.modules, "pyshark.tshark.output_parser.tshark_xml", None)
    with pytest.raises(UsageError, match=r"needs pyshark .*: python -m pip install pyshark"):
        first(RESET).to_pyshark()


@pytest.mark.skipif(importlib.util.find_spec("pyshark") is None, reason="pyshark is not installed")
def test_without_tshark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "find_tool", lambda name: None)
    with pytest.raises(UsageError, match="needs tshark, which was not found: "):
        first(RESET).to_pyshark()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_packets_are_cut_out_of_the_document_however_it_arrives(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.wireshark.packets.PIECE", size)
    document = b"<?xml?><pdml>\n<packet>a</packet>\n<packet>b</packet>\n</pdml>"
    assert list(_texts(io.BytesIO(document))) == [b"<packet>a</packet>", b"<packet>b</packet>"]
