"""The command as a process of its own: pipes, signals, standard input."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_analyze import PCAP

COMMAND = [sys.executable, "-m", "analyzer"]
ROOT = Path(__file__).parents[2]
REFUSED = (ROOT / "captures" / "client-untrusted-12.pcap").read_bytes()
LATER = struct.pack("<IIII", struct.unpack_from("<I", REFUSED, 24)[0] + 10, 0, 60, 60) + bytes(60)
"""A packet of ten seconds after its first one: by then its connection is decided."""


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals of POSIX")
def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """Like `mtlscope | head -1`: nobody reads the pipe any more."""
    (tmp_path / "a.pcap").write_bytes(PCAP)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, str(tmp_path)], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals of POSIX")
@pytest.mark.usefixtures("heeds_control_c")
def test_control_c_is_silent() -> None:
    process = subprocess.Popen(
        [*COMMAND, "-"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(PCAP)
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3)  # it waits for the next packet
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals of POSIX")
@pytest.mark.usefixtures("heeds_control_c")
@pytest.mark.parametrize("output", ["text", "html", "md", "json", "sqlite"])
def test_control_c_leaves_a_report_that_says_so(output: str, tmp_path: Path) -> None:
    target = tmp_path / "report"
    process = subprocess.Popen(
        [*COMMAND, "-T", output, "-o", str(target), "-"], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(REFUSED + LATER)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not target.exists() and time.monotonic() < deadline:  # made when the first connection is there
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=30)
    told = b"interrupted: the capture was not read to its end"
    assert (process.returncode, err) == (130, b"mtlscope: " + told + b"\n")
    assert told in target.read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["--stream", "99"], True, id="no such connection"),
        pytest.param(["--stream", "99", "-q"], False, id="no word is wanted"),
        pytest.param(["--stream", "0"], False, id="it is there"),
        pytest.param(["--troubled"], False, id="it is in trouble"),
    ],
)
def test_a_selection_that_matches_nothing_is_told(words: list[str], told: bool) -> None:
    done = subprocess.run(
        [*COMMAND, *words, "-T", "csv", "-"], cwd=ROOT, input=REFUSED, capture_output=True, timeout=60, check=False
    )
    line = b"mtlscope: nothing matches what was selected; TCP connections: 1, reported: 0\n"
    assert done.stderr == (line if told else b"")


def test_a_capture_without_a_packet_from_a_pipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "-T", "jsonl", "-"], cwd=ROOT, input=PCAP, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["packets"] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [[], ["-o", "/dev/full"]], ids=["standard output", "a file"])
def test_a_full_disk_is_told_in_one_line(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(PCAP)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *words, str(tmp_path)], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"mtlscope: cannot write ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has /dev/full")
def test_messages_that_nobody_can_take_stop_nobody(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(PCAP)
    words = [*COMMAND, "-T", "jsonl", str(tmp_path / "a.pcap"), str(tmp_path / "no-such-file")]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=full, timeout=60, check=False)
    assert (done.returncode, b'"type":"capture"' in done.stdout) == (3, True)
