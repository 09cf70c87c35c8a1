"""The live table on a real interface: a veth pair in a network namespace; as root, with tcpreplay."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from analyzer.capture.source import open_capture
from tests.cli.live import test_command as live

pytest.importorskip("pyte", reason="pyte, which reads a terminal, is not installed")

from tests.screen.terminal import PATIENCE, Terminal

namespace = live.namespace


def packets(path: Path) -> int:
    """How many packets the file has by now."""
    with open_capture(str(path)) as capture:
        return sum(len(batch) for batch in capture)


@live.needs_veth
def test_real_traffic_is_in_the_table_and_no_thread_keeps_a_right(namespace: live.Namespace) -> None:
    words = ("analyzer", "live", "-i", "in", "--capture-engine", "af-packet")
    terminal = Terminal(*words, before=tuple(namespace.command()))
    try:
        terminal.wait_for("mtlscope in · af-packet · tcp port 5061 or tcp port 443", "nothing is decided yet")
        namespace.replay(live.CAPTURES / "client-expired-openssl.pcap")
        terminal.wait_for("certificate-expired", "1 failed", "0 lost")
        tasks = list(Path(f"/proc/{terminal.process.pid}/task").glob("*/status"))
        lines = [line.split() for task in tasks for line in task.read_text().splitlines()]
        assert len(tasks) > 1
        assert {line[1] for line in lines if line[0] in ("CapPrm:", "CapEff:")} == {"0" * 16}
        terminal.process.terminate()
        code, seconds = terminal.finish()
        assert (code, terminal.restored()) == (1, True)
        assert seconds < 3
    finally:
        terminal.close()


@live.needs_veth
def test_a_terminal_that_takes_nothing_does_not_hold_up_the_capture(namespace: live.Namespace, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pcapng"
    words = ("analyzer", "live", "-i", "in", "--capture-engine", "af-packet", "-w", str(copy))
    terminal = Terminal(*words, before=tuple(namespace.command()), width=250, height=100)
    try:
        terminal.wait_for("nothing is decided yet")
        paths = sorted(live.CAPTURES.glob("*-openssl.pcap"))[:20]
        sent, until = 0, time.monotonic() + PATIENCE
        for path in paths:
            namespace.replay(path)
            sent += packets(path)
        while packets(copy) < sent:
            assert time.monotonic() < until, "packets are missing from the copy"
            time.sleep(0.2)
        terminal.process.terminate()
        assert terminal.finish()[0] == 1
        assert f"{sent:,} packets" in terminal.after_the_table()
    finally:
        terminal.close()
