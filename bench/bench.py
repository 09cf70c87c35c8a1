"""`make bench`: makes the two captures if they are not there, runs everybody in turn, prints one table of ratios.

Each command is run as a whole process, several times in turn with the others, so that a slow minute of the machine hits
all of them; the median of each is compared. A peer that is not installed is left out and named.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.generate import write, write_flood  # noqa: E402 - the project's own folder must be found first

CAPTURES = {"bulk": (1_000, 1_000_000), "dense": (20_000, 200)}
"""name -> connections, bytes of application data each."""
FLOOD, INSIDE = 5_000_000, 1_000
"""Flows of the flood, and handshakes inside it."""
OURS = "mtlscope -T jsonl"
ROUNDS = 3
MIB = 1024


@dataclass
class Timing:
    """Runs of one command: wall-clock seconds, processor seconds, and the largest memory in KiB."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: int = 0


def commands(capture: Path) -> dict[str, list[str]]:
    """Name -> command line; the peers' are those that give most of what we give."""
    python = sys.executable
    tshark = f"tshark -n -r {capture} -d tcp.port==5061,tls -Y tls.handshake -T fields -e tcp.stream"
    tshark += " -e tls.handshake.extensions_server_name -e x509ce.dNSName"
    return {
        OURS: [python, "-m", "analyzer", "-T", "jsonl", "--fail-on", "never", "--no-progress", str(capture)],
        "tshark -T fields": tshark.split(),
        "ndpiReader": ["ndpiReader", "-q", "-i", str(capture)],
        "ssldump -j": ["ssldump", "-n", "-N", "-j", "-r", str(capture)],
        "tcpdump filter": ["tcpdump", "-n", "-r", str(capture), "-w", "/dev/null", "tcp[13]&7!=0"],
    }


def run(command: list[str]) -> tuple[float, float, int]:
    """Wall-clock seconds, processor seconds, largest memory in KiB of one run."""
    start = time.perf_counter()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=HERE.parent, env=environment
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(capture: Path) -> dict[str, Timing]:
    """Everybody in turn, ROUNDS times, after one warm-up of the page cache."""
    installed = {name: line for name, line in commands(capture).items() if shutil.which(line[0])}
    run(installed[OURS])
    timings = {name: Timing() for name in installed}
    for _ in range(ROUNDS):
        for name, line in installed.items():
            wall, cpu, memory = run(line)
            timings[name].wall.append(wall)
            timings[name].cpu.append(cpu)
            timings[name].memory = max(timings[name].memory, memory)
    for name in commands(capture).keys() - installed.keys():
        print(f"({name}: not installed)")
    return timings


def show(title: str, timings: dict[str, Timing]) -> None:
    """One row a command; the ratio says how many times longer it takes than we do."""
    ours = statistics.median(timings[OURS].wall)
    print(f"\n{title}\n{'':20} {'wall s':>8} {'cpu s':>8} {'memory MiB':>11} {'ratio to ours':>14}")
    for name, timing in timings.items():
        wall, cpu = statistics.median(timing.wall), statistics.median(timing.cpu)
        print(f"{name:20} {wall:8.2f} {cpu:8.2f} {timing.memory / MIB:11.0f} {wall / ours:13.1f}x")


def start_up(capture: Path) -> None:
    """Whole-process times of the three start-up promises, the best of ten."""
    python = [sys.executable, "-m", "analyzer"]
    for title, limit, arguments in (
        ("--version", 80, ["--version"]),
        ("--help", 200, ["--help"]),
        ("a small capture, jsonl", 300, ["-T", "jsonl", "--fail-on", "never", str(capture)]),
        ("a small capture, text", 300, ["--fail-on", "never", str(capture)]),
    ):
        best = min(run([*python, *arguments])[0] for _ in range(10))
        print(f"{title:24} {best * 1000:5.0f} ms (promised: {limit})")


def steady(folder: Path) -> None:
    """Memory does not grow with the file: the bulk capture four times over."""
    quadruple = folder / "bulk4.pcap"
    with quadruple.open("wb") as out:
        for round_ in range(4):
            with (folder / "bulk.pcap").open("rb") as part:
                part.seek(24 if round_ else 0)
                shutil.copyfileobj(part, out, 1 << 22)
    try:
        wall, _, memory = run(commands(quadruple)[OURS])
        print(
            f"\nbulk four times over ({quadruple.stat().st_size / 2**30:.1f} GiB): {wall:.2f} s, {memory / MIB:.0f} MiB"
        )
    finally:
        quadruple.unlink()


def flooded(folder: Path) -> None:
    """A flood does not hide what is inside it, and does not fill the memory."""
    capture = folder / "flood.pcap"
    if not capture.exists():
        write_flood(capture, FLOOD, INSIDE)
    report = folder / "flood.jsonl"
    wall, _, memory = run([*commands(capture)[OURS], "-o", str(report)])
    with report.open(encoding="utf-8") as lines:
        found = sum('"outcome":"established"' in line for line in lines)
    report.unlink()
    print(f"{FLOOD:,} unanswered SYNs: {wall:.2f} s, {memory / MIB:.0f} MiB, {found:,} of {INSIDE:,} handshakes found")


def main() -> None:
    """Make what is missing, measure, print."""
    if not shutil.which("openssl"):
        raise SystemExit("bench: the captures are made with openssl s_server; install openssl")
    folder = HERE.parent / ".bench"
    folder.mkdir(exist_ok=True)
    for name, (connections, size) in CAPTURES.items():
        capture = folder / f"{name}.pcap"
        if not capture.exists():
            print(f"making {capture.name} ({connections:,} handshakes) ...", flush=True)
            write(capture, connections, size)
    print(f"{os.cpu_count()} processors, Python {sys.version}\n")
    start_up(HERE.parent / "captures" / "mtls12-openssl.pcap")
    for name in CAPTURES:
        capture = folder / f"{name}.pcap"
        packets = f"{capture.stat().st_size / 2**20:,.0f} MiB"
        show(f"{name}: {CAPTURES[name][0]:,} handshakes, {packets}, median of {ROUNDS}", measure(capture))
    steady(folder)
    flooded(folder)


if __name__ == "__main__":
    main()
