"""`mtlscope live --follow` behind a real dumpcap and a real tcpdump that rotate their files; as root, with tcpreplay."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.live.test_command import CAPTURES, PATIENCE, PROJECT, Namespace, namespace, needs_veth

__all__ = ["namespace"]

WRITERS = {
    "dumpcap": ("-q", "-i", "in", "-b", "filesize:8", "-b", "files:8", "-w", "{folder}/ring.pcapng"),
    "tcpdump": ("-Z", "root", "-U", "-i", "in", "-G", "1", "-w", "{folder}/ring-%s.pcap"),
}
SAMPLES = sorted(CAPTURES.glob("client-*.pcap"))[:12]


def objects(words: list[str]) -> list[dict[str, Any]]:
    """What a file run says."""
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "-T", "jsonl", *words], cwd=PROJECT, capture_output=True, check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(found: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """What does not depend on where and when it was captured."""
    keys = ("client_ip", "client_port", "outcome", "version", "ja4", "client_certificate_state")
    return sorted(tuple(str(one[key]) for key in keys) for one in found if one["type"] == "connection")


@needs_veth
@pytest.mark.parametrize("writer", WRITERS)
def test_a_ring_is_followed_while_it_is_written(writer: str, namespace: Namespace, tmp_path: Path) -> None:
    if shutil.which(writer) is None:
        pytest.skip(f"{writer} is not installed")
    folder = tmp_path / "ring"
    folder.mkdir()
    words = [word.format(folder=folder) for word in WRITERS[writer]]
    follower = [sys.executable, "-m", "analyzer", "live", "--follow", str(folder), "-T", "jsonl"]
    with (
        subprocess.Popen(namespace.command(writer, *words), stderr=subprocess.DEVNULL) as capture,
        subprocess.Popen(follower, cwd=PROJECT, stdout=subprocess.PIPE) as live,
    ):
        time.sleep(2)
        for sample in SAMPLES:
            namespace.run("tcpreplay", "-q", "-i", "out", "--pps", "60", str(sample))
        time.sleep(2)
        capture.send_signal(signal.SIGINT)
        capture.wait(PATIENCE)
        time.sleep(2)
        live.send_signal(signal.SIGTERM)
        out, _ = live.communicate(timeout=PATIENCE)
    seen = [json.loads(line) for line in out.splitlines()]
    assert not writer.startswith("dumpcap") or not list(folder.glob("*_00001_*")), "the first file is deleted by now"
    assert len(list(folder.iterdir())) > 1, "it did not rotate"
    apart = objects(list(map(str, SAMPLES)))
    assert told(seen) == told(apart)
