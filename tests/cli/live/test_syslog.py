"""`mtlscope live --syslog`: a real failure on a real interface becomes a real message, with all rights given up."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from analyzer.cli.live import taps
from tests.cli.commands import Shell
from tests.cli.live.test_command import CAPTURES, Live, Namespace, namespace, needs_veth

__all__ = ["namespace"]
PATIENCE = 30


@needs_veth
def test_a_failure_on_the_wire_is_a_message(namespace: Namespace, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(PATIENCE)
        words = ("--syslog", str(path), "--syslog-facility", "local3")
        live = Live(namespace, tmp_path, "--capture-engine", "af-packet", *words)
        namespace.replay(CAPTURES / "ca-list-truncated-16384.pcap")
        message = receiver.recv(65_536).decode()
        assert live.process.poll() is None, "it came while the capture went on"
        objects = live.finish()
    conn = next(one for one in objects if one["type"] == "connection")
    level = (16 + 3) * 8 + 3
    assert message.startswith(f"<{level}>")
    assert f" mtlscope[{live.process.pid}]: {conn['findings'][0]['rule']}: " in message
    assert conn["diagnosis"][:100] in message
    assert f' uid="{conn["uid"]}"' in message


@pytest.mark.skipif(sys.platform == "win32", reason="no such sockets")
def test_without_a_syslog_on_this_machine_it_ends_at_once(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "LOCAL_SYSLOG", str(tmp_path / "none"))
    done = shell("live", "-i", "lo", "--syslog")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"mtlscope: no syslog socket at {tmp_path}/none; name a receiver: --syslog HOST:PORT, or tcp:HOST:PORT\n"
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("/run/log", ("local", "/run/log"), id="a socket"),
        pytest.param("192.0.2.1:514", ("udp", "192.0.2.1:514"), id="UDP unless said"),
        pytest.param("udp:[2001:db8::1]:514", ("udp", "[2001:db8::1]:514"), id="UDP over version 6"),
        pytest.param("tcp:logs.example:601", ("tcp", "logs.example:601"), id="TCP"),
    ],
)
def test_receivers(text: str, meant: tuple[str, str]) -> None:
    assert taps.receiver(text) == meant


@pytest.mark.parametrize("text", ["logs.example", "tcp:601", "tls:logs.example:6514", "tcp:", "", "log"])
def test_what_is_no_receiver(text: str, shell: Shell) -> None:
    done = shell("live", "-i", "lo", "--syslog", text)
    assert (done.code, "--syslog: " in done.err, "is no address" in done.err) == (2, True, True), done.err


def test_a_misspelt_facility(shell: Shell) -> None:
    done = shell("live", "-i", "lo", "--syslog", "--syslog-facility", "deamon")
    assert (done.code, "did you mean: daemon" in done.err) == (2, True), done.err
