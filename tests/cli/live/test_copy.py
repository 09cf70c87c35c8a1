"""A live run and a file run over the capture that it wrote say the same, byte by byte; as root, with tcpreplay."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.capture.source import open_capture
from tests.build.frames import ethernet, ipv4, tcp
from tests.build.pcap import Packet, pcap
from tests.cli.live.test_command import (
    CAPTURES,
    PATIENCE,
    PROJECT,
    Live,
    Namespace,
    analysed,
    namespace,
    needs_veth,
)

__all__ = ["namespace"]

FAMILIES = {
    "transport": ("connection-refused", "connection-timeout", "closed-after-client-hello", "*reset*"),
    "negotiation": ("no-shared-*", "version-*", "dhe-*", "not-tls*", "sni-*", "hello-retry*"),
    "client certificates": ("client-*", "ca-list-*"),
    "chains and certificates": ("chain-*", "cross-*", "eku-*", "certificate-*"),
    "names and deployment": ("cn-*", "edge-*", "wildcard-*", "san-*", "clock-skew"),
    "links and addresses": ("vlan-tag", "qinq-tags", "ip-fragments", "mtls12-ipv6", "vxlan-tunnel", "with-arp"),
}
UNCOUNTED = ("dropped", "notes")
"""Keys of the capture's own object that only the run that captured can fill."""


def chosen(family: str) -> list[Path]:
    """Up to 16 captures of a family that were taken on Ethernet."""
    found = [path for pattern in FAMILIES[family] for path in sorted(CAPTURES.glob(f"{pattern}.pcap"))]
    return [path for path in found if path.read_bytes()[20] == 1][:16]


@needs_veth
@pytest.mark.parametrize("engine", ["af-packet"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_line_is_the_same(family: str, engine: str, namespace: Namespace, tmp_path: Path) -> None:
    captures = chosen(family)
    assert len(captures) > 1
    copy, out = tmp_path / "copy.pcapng", tmp_path / "out.jsonl"
    live = Live(namespace, tmp_path, "--capture-engine", engine, "-f", "", "-w", str(copy), "-o", str(out))
    for path in captures:
        namespace.replay(path)
    time.sleep(1)
    live.finish()
    words = [sys.executable, "-m", "analyzer", "-T", "jsonl", str(copy)]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, check=False)
    seen, read = out.read_bytes().splitlines(), done.stdout.splitlines()
    assert seen[:-1] == read[:-1]
    assert sum(b'"type":"connection"' in line for line in seen) >= len(captures)
    ours, theirs = (
        {key: value for key, value in json.loads(x[-1]).items() if key not in UNCOUNTED} for x in (seen, read)
    )
    assert ours == theirs


@needs_veth
@pytest.mark.parametrize("engine", ["af-packet", "dumpcap"])
def test_a_copy_that_was_moved_goes_on_in_a_new_file_and_no_packet_is_lost(
    engine: str, namespace: Namespace, tmp_path: Path
) -> None:
    """Thousands of packets a second meanwhile; each has a number of its own."""
    if not shutil.which(engine) and engine == "dumpcap":
        pytest.skip("dumpcap is not installed")
    many, copy, moved = tmp_path / "many.pcap", tmp_path / "copy.pcapng", tmp_path / "moved.pcapng"
    many.write_bytes(pcap([Packet(ethernet(ipv4(tcp(dport=5061, seq=number)))) for number in range(12_000)]))
    live = Live(namespace, tmp_path, "--capture-engine", engine, "-w", str(copy))
    replay = subprocess.Popen(
        namespace.command("tcpreplay", "-q", "-i", "out", "--pps", "4000", str(many)), stdout=subprocess.DEVNULL
    )
    time.sleep(1)
    copy.rename(moved)
    live.process.send_signal(signal.SIGHUP)
    assert replay.wait(PATIENCE) == 0
    time.sleep(1)
    summary = live.finish()[-1]
    read = [analysed(path)[-1] for path in (moved, copy)]
    assert all(one["packets"] for one in read), "both have some of them"
    assert sum(one["packets"] for one in read) == summary["packets"] == 12_000
    assert sum(one["dropped"] or 0 for one in read) == summary["dropped"] == 0
    assert [one["error"] for one in read] == [None, None]
    numbers = [number for path in (moved, copy) for number in numbered(path)]
    assert numbers == list(range(12_000))


def numbered(path: Path) -> list[int]:
    """The sequence numbers, as tshark reads them; as we do where it is not installed."""
    if shutil.which("tshark"):
        words = [
            "tshark",
            "-r",
            str(path),
            "-o",
            "tcp.relative_sequence_numbers:FALSE",
            "-T",
            "fields",
            "-e",
            "tcp.seq",
        ]
        done = subprocess.run(words, capture_output=True, check=True, text=True)
        return [int(line) for line in done.stdout.splitlines()]
    with open_capture(str(path)) as capture:
        frames = (batch.data[at : at + 42] for batch in capture for at in batch.start.tolist())
        return [int.from_bytes(frame[38:42].tobytes(), "big") for frame in frames]
