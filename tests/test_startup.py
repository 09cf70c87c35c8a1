"""Starting is quick because heavy libraries stay out: what a process imports on the paths that people wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import analyzer
from tests.build.frames import ethernet, ipv4, tcp
from tests.build.pcap import Packet, pcap

HEAVY = {"pandas", "scapy", "pyshark", "jinja2", "textual"}
PROJECT = Path(analyzer.__file__).parent.parent


def imported(*arguments: str) -> set[str]:
    """Modules that the command imports, and the packages they are of; it must end with 0."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "analyzer", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert done.returncode == 0, done.stderr[-2000:]
    assert "sys" in lines or "zipimport" in lines, "the interpreter lists what it imports"
    return {line.partition(".")[0] for line in lines} | set(lines)


@pytest.fixture(scope="module")
def small_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One refused connection."""
    path = tmp_path_factory.mktemp("startup") / "small.pcap"
    syn = ethernet(ipv4(tcp(sport=40000, dport=5061, seq=1)))
    path.write_bytes(pcap([Packet(syn)]))
    return path


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("rules",), ("explain", "tls-alert")])
def test_talking_about_itself_needs_no_heavy_library(arguments: tuple[str, ...]) -> None:
    assert not HEAVY & imported(*arguments)


def test_the_version_needs_nothing_at_all() -> None:
    assert not {"numpy", "cryptography", "msgspec", "rich", "argparse"} & imported("--version")


@pytest.mark.parametrize("output", ["text", "jsonl", "json"])
def test_a_small_capture_needs_no_heavy_library(output: str, small_capture: Path) -> None:
    assert not HEAVY & imported("analyze", "--fail-on", "never", "-T", output, str(small_capture))


def test_a_small_capture_needs_no_part_of_numpy_or_python_that_it_does_not_use(small_capture: Path) -> None:
    loaded = imported("--fail-on", "never", "-T", "jsonl", str(small_capture))
    assert "numpy" in loaded
    assert not {"numpy.ma", "multiprocessing", "concurrent.futures"} & loaded
