"""`mtlscope live --metrics`: a real scrape of a real capture, and what is said when it cannot be."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.cli.live.taps import host_port
from tests.cli.commands import Shell
from tests.cli.live.test_command import CAPTURES, SAMPLES, Live, Namespace, namespace, needs_veth

__all__ = ["namespace"]
NEEDED = "the extra metrics is not installed"
PATIENCE = 30


@needs_veth
def test_threads_that_answer_keep_no_right_and_hold_up_no_end(namespace: Namespace, tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason=NEEDED)
    namespace.run("ip", "link", "set", "lo", "up")
    file = tmp_path / "mtlscope.prom"
    words = ("--capture-engine", "af-packet", "--metrics", "127.0.0.1:0", "--metrics-file", str(file))
    live = Live(namespace, tmp_path, *words)
    url = re.search(r"metrics at (http://127\.0\.0\.1:\d+/metrics)", live.err.read_text())
    assert url is not None
    script = f"import urllib.request; print(urllib.request.urlopen({url[1]!r}).read().decode())"
    for sample in SAMPLES:
        namespace.replay(CAPTURES / sample)
    said, until = "", time.monotonic() + PATIENCE
    while 'outcome="established",version="TLSv1.3"} 1.0' not in said:
        assert time.monotonic() < until, said
        done = subprocess.run(namespace.command(sys.executable, "-c", script), capture_output=True, check=True)
        said = done.stdout.decode()
    tasks = list(Path(f"/proc/{live.process.pid}/task").glob("*/status"))
    lines = [line.split() for task in tasks for line in task.read_text().splitlines()]
    begun = time.monotonic()
    live.finish(signal.SIGTERM)
    assert time.monotonic() - begun < 3, "seconds from the signal to the end"
    assert len(tasks) > 1, "one of them answers"
    assert {line[1] for line in lines if line[0] in ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:")} == {"0" * 16}
    assert {line[1] for line in lines if line[0] == "NoNewPrivs:"} == {"1"}
    assert 'mtlscope_connections_total{outcome="established",version="TLSv1.2"}' in file.read_text()


def test_a_port_that_is_taken_ends_it_before_the_capture(shell: Shell) -> None:
    pytest.importorskip("prometheus_client", reason=NEEDED)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = shell("live", "-i", "lo", "--metrics", str(port))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"mtlscope: cannot listen at 127.0.0.1:{port}: Address already in use\n"


def test_without_the_package_it_says_what_to_install(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    done = shell("live", "-i", "lo", "--metrics", "0")
    assert (done.code, done.err) == (
        2,
        "mtlscope: --metrics needs prometheus_client: python -m pip install prometheus_client\n",
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("192.0.2.1:9464", ("192.0.2.1", 9464), id="version 4"),
        pytest.param("[2001:db8::1]:9464", ("2001:db8::1", 9464), id="version 6"),
        pytest.param("edge.example:1", ("edge.example", 1), id="a name"),
    ],
)
def test_addresses(text: str, meant: tuple[str, int]) -> None:
    assert host_port(text) == meant


@pytest.mark.parametrize(
    "text", ["9464x", "host:", ":1", "2001:db8::1:9464", "host:65536", "a b:1", "host:¹", "[x]:1", ""]
)
def test_what_is_no_address(text: str, shell: Shell) -> None:
    done = shell("live", "-i", "lo", "--metrics", text)
    assert (done.code, "is no address; expected e.g. 192.0.2.1:9464" in done.err) == (2, True), done.err
