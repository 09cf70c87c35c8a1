"""A live run and a file run over the capture that it wrote say the same, byte by byte; as root, with tcpreplay."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.live.test_command import CAPTURES, PROJECT, Live, Namespace, namespace, needs_veth

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
