"""A live run as a service, on a veth pair as in test_live.py: rotated, moved, killed, unread, full, under load."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from analyzer.capture.source import open_capture
from analyzer.cli.live.rotation import old_files
from tests.build.pcap import Packet, pcap
from tests.cli.live.test_command import CAPTURES, PATIENCE, PROJECT, Live, Namespace, namespace, needs_veth

__all__ = ["namespace"]
pytestmark = needs_veth
SAMPLE = CAPTURES / "auth12-openssl.pcap"
F_SETPIPE_SZ = 1031
LOADED = ("tcpreplay", "-q", "-i", "out", "--topspeed", "--loop", "0")


def objects(path: Path) -> list[dict[str, Any]]:
    """Its lines, each of which must be one."""
    data = path.read_bytes()
    assert not data or data.endswith(b"\n"), data[-200:]
    return [json.loads(line) for line in data.splitlines()]


def until(what: Callable[[], object]) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def _differ(path: Path, before: list[Path]) -> bool:
    return old_files(path) != before


def other_ports(folder: Path, number: int) -> Path:
    """The sample from another port: the same one again within seconds is no new connection."""
    packets = []
    with open_capture(str(SAMPLE)) as capture:
        for batch in capture:
            for begin, size in zip(batch.start, batch.captured, strict=True):
                frame = bytearray(batch.data[begin : begin + size].tobytes())
                at = 36 if int.from_bytes(frame[34:36], "big") == 443 else 34
                frame[at : at + 2] = (50_000 + number).to_bytes(2, "big")
                packets.append(Packet(bytes(frame)))
    path = folder / f"sample-{number}.pcap"
    path.write_bytes(pcap(packets))
    return path


def start(namespace: Namespace, folder: Path, *words: str) -> Live:
    return Live(namespace, folder, "--capture-engine", "af-packet", *words)


def stop(live: Live, number: signal.Signals = signal.SIGTERM) -> float:
    """Seconds from the signal to the end."""
    begun = time.monotonic()
    live.process.send_signal(number)
    live.process.wait(PATIENCE)
    assert live.process.stdout is not None
    live.process.stdout.close()
    return time.monotonic() - begun


def test_each_file_stands_alone(namespace: Namespace, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    live = start(namespace, tmp_path, "-o", str(path), "--rotate", "1kB", "--keep", "2")
    for number in range(4):
        before = old_files(path)
        namespace.replay(other_ports(tmp_path, number))
        until(partial(_differ, path, before))
    stop(live)
    assert len(old_files(path)) == 2
    for file in old_files(path):
        found = objects(file)
        connection = next(one for one in found if one["type"] == "connection")
        needed = {one["sha256"] for one in connection["server_certificates"]}
        assert needed
        assert needed <= {one["sha256"] for one in found if one["type"] == "certificate"}


def test_a_moved_file_is_left_and_a_new_one_begun_at_sighup(namespace: Namespace, tmp_path: Path) -> None:
    path, moved = tmp_path / "out.jsonl", tmp_path / "out.jsonl.1"
    live = start(namespace, tmp_path, "-o", str(path))
    namespace.replay(SAMPLE)
    until(lambda: path.stat().st_size)
    path.rename(moved)
    live.process.send_signal(signal.SIGHUP)
    until(path.exists)
    namespace.replay(other_ports(tmp_path, 1))
    stop(live)
    kinds = [sorted({one["type"] for one in objects(file)}) for file in (moved, path)]
    assert kinds == [["certificate", "connection"], ["capture", "certificate", "connection"]]


def test_sighup_ends_it_in_peace_where_nothing_can_be_reopened(namespace: Namespace, tmp_path: Path) -> None:
    live = start(namespace, tmp_path)
    assert live.finish(signal.SIGHUP)[-1]["type"] == "capture"
    assert live.process.returncode == 0


@pytest.mark.parametrize("engine", ["af-packet", "dumpcap"])
def test_sigterm_ends_it_within_three_seconds_under_load(engine: str, namespace: Namespace, tmp_path: Path) -> None:
    if not shutil.which(engine) and engine == "dumpcap":
        pytest.skip("dumpcap is not installed")
    path = tmp_path / "out.jsonl"
    live = Live(namespace, tmp_path, "--capture-engine", engine, "-o", str(path))
    load = subprocess.Popen(namespace.command(*LOADED, str(SAMPLE)), stdout=subprocess.DEVNULL)
    try:
        time.sleep(3)
        took = stop(live)
    finally:
        load.terminate()
        load.wait(PATIENCE)
    assert objects(path)[-1]["type"] == "capture"
    assert took < 3, "the promise"


def test_a_pipe_that_nobody_reads_keeps_nobody(namespace: Namespace, tmp_path: Path) -> None:
    import fcntl  # not on Windows

    live = start(namespace, tmp_path)
    assert live.process.stdout is not None
    fcntl.fcntl(live.process.stdout, F_SETPIPE_SZ, 4096)
    namespace.replay(CAPTURES / "ca-list-150-names.pcap")
    time.sleep(1)
    assert stop(live) < 3, "the promise"
    assert live.process.returncode == 3
    assert "standard output: nobody reads it" in live.err.read_text()


def test_a_pipe_that_was_closed_ends_it_cleanly_though_there_is_no_traffic(
    namespace: Namespace, tmp_path: Path
) -> None:
    live = start(namespace, tmp_path)
    assert live.process.stdout is not None
    live.process.stdout.close()
    assert live.process.wait(PATIENCE) == 141
    assert "Traceback" not in live.err.read_text()


def test_a_full_disk_is_survived_and_told(namespace: Namespace, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", small], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        path = small / "out.jsonl"
        (small / "other").write_bytes(bytes(20_000))
        live = start(namespace, tmp_path, "-o", str(path))
        for _ in range(5):
            namespace.replay(CAPTURES / "ca-list-150-names.pcap")
        until(lambda: "No space left on device" in live.err.read_text())
        before = len(objects(path))
        (small / "other").unlink()
        namespace.replay(SAMPLE)
        until(lambda: len(objects(path)) > before)
        stop(live)
        after = objects(path)[before:]
        assert [one["type"] for one in after][-2:] == ["connection", "capture"]
        assert "certificate" in [one["type"] for one in after], "what was written before the loss comes again"
        assert "lines were lost; it is written again" in live.err.read_text()
        assert live.process.returncode == 3
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_kills_at_random_moments_under_load_leave_lines(namespace: Namespace, tmp_path: Path) -> None:
    path, moments = tmp_path / "out.jsonl", random.Random(3)
    load = subprocess.Popen(namespace.command(*LOADED, str(SAMPLE)), stdout=subprocess.DEVNULL)
    try:
        for _ in range(4):
            live = start(namespace, tmp_path, "-o", str(path), "--rotate", "200kB")
            time.sleep(moments.random())
            stop(live, signal.SIGKILL)
            if path.exists():
                assert all(json.loads(line) for line in path.read_bytes().split(b"\n")[:-1])
    finally:
        load.terminate()
        load.wait(PATIENCE)
    live = start(namespace, tmp_path, "-o", str(path))
    stop(live)
    for file in (path, *old_files(path)):
        objects(file)


@pytest.mark.parametrize(
    ("name", "target", "file"),
    [
        pytest.param("text", "out.txt", "out.txt", id="text"),
        pytest.param("csv", "out.csv", "out.csv", id="csv"),
        pytest.param("zeek", "logs/", "logs/ssl.log", id="the files of a folder"),
    ],
)
def test_reports_for_people_survive_a_full_disk_as_well(
    name: str, target: str, file: str, namespace: Namespace, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", small], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        path = small / file
        words = ("-T", name, "--each", "-o", str(small / "logs") + "/" if target.endswith("/") else str(path))
        live = start(namespace, tmp_path, *words)
        (small / "other").write_bytes(bytes(32 * 1024 - 8192))
        for capture in sorted(CAPTURES.glob("client-*.pcap"))[:16]:
            namespace.replay(capture)
        until(lambda: "No space left on device" in live.err.read_text())
        (small / "other").unlink()
        before = path.stat().st_size
        namespace.replay(CAPTURES / "ca-list-truncated-16384.pcap")
        until(lambda: path.stat().st_size > before)
        stop(live)
        said = live.err.read_text()
        assert 1 <= said.count("No space left on device") <= (1 if file == target else 2), "once for each file"
        assert "lines were lost" in said
        assert live.process.returncode == 3
        if name == "csv":
            assert len({len(row) for row in csv.reader(path.read_text(encoding="utf-8").splitlines())}) == 1
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_the_rights_of_the_unit_are_enough_and_systemd_hears(namespace: Namespace, tmp_path: Path) -> None:
    """Another user, CAP_NET_RAW alone, no new privileges; files in its own folder."""
    folder = Path("/tmp") / f"mtlscope-{os.getpid()}"  # one that this user can reach
    folder.mkdir()
    try:
        os.chown(folder, 65534, 65534)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(folder / "notify"))
            os.chown(folder / "notify", 65534, 65534)
            systemd.settimeout(PATIENCE)
            words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]
            words += [
                "--inh-caps",
                "-all,+net_raw",
                "--ambient-caps",
                "-all,+net_raw",
                "--bounding-set",
                "-all,+net_raw",
            ]
            words += [sys.executable, "-m", "analyzer", "live", "-i", "in", "--capture-engine", "af-packet"]
            words += ["-T", "jsonl", "-o", str(folder / "mtlscope.jsonl"), "--rotate", "1d", "--keep", "30"]
            words += ["--heartbeat", str(folder / "alive"), "--fail-on", "never", "--no-config"]
            environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "HOME": str(folder)}
            process = subprocess.Popen(
                namespace.command(*words), cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True
            )
            try:
                first = systemd.recv(100)
            except TimeoutError:
                process.kill()
                pytest.skip(f"another user cannot run this Python here: {process.communicate()[1][-200:]}")
            assert first.startswith(b"READY=1")
            assert systemd.recv(100) == b"WATCHDOG=1"
            assert (folder / "alive").exists()
            namespace.replay(SAMPLE)
            process.terminate()
            said = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 0, said
        assert [one["type"] for one in objects(folder / "mtlscope.jsonl")][-2:] == ["connection", "capture"]
        assert not (folder / "alive").exists()
    finally:
        shutil.rmtree(folder)
