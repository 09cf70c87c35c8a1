"""`make bench-live`: the bars of live capture on a veth pair between two network namespaces; as root, with tcpreplay.

BENCH_SECONDS=60   of 20,000 packets a second
BENCH_HANDSHAKES=2000   real ones, with OpenSSL
SOAK_MINUTES=1   of the same traffic; 30 for the bar
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench import talk  # noqa: E402 - the project's own folder must be found first
from bench.generate import MAGIC, Capture, Peers  # noqa: E402
from tests.build.namespace import why_not  # noqa: E402

RATE = 20_000
DATA_PACKETS = 19
"""Packets of application data for each one of a handshake: 5 % are handshake."""
DATA = b"\x17\x03\x03\x00\xc8" + bytes(range(200))
ENGINES = ("af-packet", "dumpcap")
NEEDS = ("tcpreplay", "openssl")
PATIENCE = 60
SETTLE = 3.0
"""Seconds after the last packet: so long the capture may be behind."""


def number(name: str, default: float) -> float:
    """A setting of the environment."""
    return float(os.environ.get(name, default))


class Lab:
    """Two namespaces: `near`, with the interface `in`, where the capture and the server run, and `far`, with `out`."""

    def __init__(self) -> None:
        self.names = {side: f"mtlscope-{side}-{os.getpid()}" for side in ("near", "far")}

    def build(self) -> None:
        """Namespaces and the veth pair between them."""
        near, far = self.names["near"], self.names["far"]
        for name in (near, far):
            subprocess.run(["ip", "netns", "add", name], check=True)
            self._ip(name, "link", "set", "lo", "up")
        self._ip(near, "link", "add", "in", "type", "veth", "peer", "name", "out", "netns", far)
        for name, link, address in ((near, "in", talk.SERVER), (far, "out", talk.CLIENT)):
            self._ip(name, "addr", "add", f"{address}/24", "dev", link)
            self._ip(name, "link", "set", link, "up")
        time.sleep(2)  # the interfaces introduce themselves

    def remove(self) -> None:
        """Everything again."""
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def _ip(self, name: str, *words: str) -> None:
        subprocess.run(["ip", "-n", name, *words], check=True)

    def inside(self, side: str, *words: str) -> list[str]:
        """The words that run a command in a namespace."""
        return ["ip", "netns", "exec", self.names[side], *words]

    def replay(self, *words: str) -> int:
        """Send a capture; how many packets went out."""
        done = subprocess.run(
            self.inside("far", "tcpreplay", "-q", "-i", "out", *words), check=True, capture_output=True, text=True
        )
        found = re.search(r"Successful packets:\s+(\d+)", done.stdout)
        assert found is not None, done.stdout
        return int(found[1])


@dataclass
class Seen:
    """What a live run reported, and what it cost."""

    objects: list[dict[str, Any]]
    processor: float
    wall: float

    @property
    def summary(self) -> dict[str, Any]:
        return self.objects[-1]

    def outcomes(self) -> dict[int, str]:
        """Client port -> outcome."""
        return {one["client_port"]: one["outcome"] for one in self.objects if one["type"] == "connection"}

    def established(self) -> int:
        """How many handshakes were complete."""
        return sum(one["type"] == "connection" and one["outcome"] == "established" for one in self.objects)


class Live:
    """`mtlscope live` in the namespace `near`, its JSON Lines in a file."""

    def __init__(self, lab: Lab, folder: Path, engine: str, *words: str) -> None:
        self._out, self._err = folder / "out.jsonl", folder / "err"
        self._out.unlink(missing_ok=True)  # it would be appended to
        command = [sys.executable, "-m", "analyzer", "live", "-i", "in", "--capture-engine", engine]
        command += ["-T", "jsonl", "-o", str(self._out), *words]
        with self._err.open("wb") as err:
            self.process = subprocess.Popen(lab.inside("near", *command), cwd=HERE.parent, stderr=err)
        until = time.monotonic() + PATIENCE
        while "capturing on" not in self._err.read_text():
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"bench: {self._err.read_text()}")
            time.sleep(0.05)
        self._begun = time.monotonic()

    def memory(self) -> float:
        """MiB in use now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def finish(self) -> Seen:
        """Let it settle, then end it. Processor time is that of its children, too."""
        wall = time.monotonic() - self._begun
        time.sleep(SETTLE)
        self.process.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        with self._out.open(encoding="utf-8") as lines:
            objects = [json.loads(line) for line in lines]
        return Seen(objects, usage.ru_utime + usage.ru_stime, wall)


def steady(path: Path, seconds: float, flights: list[tuple[int, bytes]]) -> int:
    """A capture of RATE packets for each second, 5 % of them handshakes; how many handshakes there are."""
    wanted, sent, count = RATE * seconds, 0.0, 0
    with path.open("wb") as out:
        out.write(MAGIC)
        while sent < wanted:
            capture = Capture()
            capture.connection(count, flights, DATA, DATA_PACKETS)
            out.write(capture.out)
            sent += capture.packets
            count += 1
    return count


def at_rate(lab: Lab, folder: Path, engine: str) -> Iterator[tuple[str, str, bool]]:
    """No handshake is lost, and one core is enough."""
    seconds = number("BENCH_SECONDS", 60)
    sent = steady(folder / "steady.pcap", seconds, flights_of(folder))
    live = Live(lab, folder, engine)
    packets = lab.replay("--pps", str(RATE), "-K", str(folder / "steady.pcap"))
    seen = live.finish()
    found, lost = seen.established(), seen.summary["dropped"] or 0
    name = f"{RATE:,} packets/s, {seconds:.0f} s"
    yield f"{name}: handshakes lost", f"{sent - found} of {sent:,} (packets {packets:,}, lost {lost:,})", found == sent
    yield f"{name}: processor", f"{seen.processor / seen.wall:.0%} of a core", seen.processor <= seen.wall


def real(lab: Lab, folder: Path, engine: str) -> Iterator[tuple[str, str, bool]]:
    """Handshakes of OpenSSL, each with the right outcome."""
    wanted = int(number("BENCH_HANDSHAKES", 2000))
    talk.certificates(folder)
    live = Live(lab, folder, engine)
    run = [sys.executable, "-m", "bench.talk"]
    with subprocess.Popen(
        lab.inside("near", *run, "server", str(folder)), cwd=HERE.parent, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        server.stdout.readline()  # it listens
        client = lab.inside("far", *run, "client", str(folder), str(wanted))
        try:
            done = subprocess.run(client, cwd=HERE.parent, capture_output=True, check=True)
            seen = live.finish()
        finally:
            server.kill()
    told = {int(port): outcome for port, outcome in json.loads(done.stdout).items()}
    outcomes = seen.outcomes()
    right = sum(outcomes.get(port) == outcome for port, outcome in told.items())
    yield f"{wanted:,} handshakes of OpenSSL: right", f"{right:,} of {len(told):,}", right == wanted == len(told)


def overload(lab: Lab, folder: Path, engine: str) -> Iterator[tuple[str, str, bool]]:
    """Whatever cannot be taken is told, exactly."""
    steady(folder / "burst.pcap", 3, flights_of(folder))
    live = Live(lab, folder, engine, "-B", "1")
    sent = lab.replay("--topspeed", "-K", "--loop", "10", str(folder / "burst.pcap"))
    summary = live.finish().summary
    seen, lost = summary["packets"], summary["dropped"] or 0
    yield "overload: sent = seen + told lost", f"{sent:,} = {seen:,} + {lost:,}", sent == seen + lost


def soak(lab: Lab, folder: Path, engine: str) -> Iterator[tuple[str, str, bool]]:
    """Memory stays as it is after a while."""
    seconds = 60 * number("SOAK_MINUTES", 1)
    steady(folder / "soak.pcap", 5, flights_of(folder))
    live = Live(lab, folder, engine)
    words = ("--pps", str(RATE // 2), "-K", "--loop", "0", "--duration", f"{seconds:.0f}", str(folder / "soak.pcap"))
    memory: list[float] = []
    with subprocess.Popen(
        lab.inside("far", "tcpreplay", "-q", "-i", "out", *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as replay:
        while replay.poll() is None:
            time.sleep(1)
            memory.append(live.memory())
    warm, end = memory[len(memory) // 3], memory[-1]
    seen = live.finish()
    said = f"{warm:.0f} MiB after a third, {end:.0f} MiB at the end; {seen.summary['connections']:,} connections"
    yield f"{seconds / 60:g} minutes: memory", said, end <= warm * 1.1 + 8


BARS = {"rate": at_rate, "handshakes": real, "overload": overload, "soak": soak}


def flights_of(folder: Path) -> list[tuple[int, bytes]]:
    """A mutual handshake of OpenSSL, made once."""
    kept = folder / "flights"
    if not kept.exists():
        place = folder / "peers"
        place.mkdir()
        peers = Peers(place, 100)
        try:
            flights = peers.converse()
        finally:
            peers.stop()
        kept.write_text(json.dumps([(side, data.hex()) for side, data in flights]))
    return [(side, bytes.fromhex(data)) for side, data in json.loads(kept.read_text())]


@contextmanager
def lab() -> Iterator[Lab]:
    """A lab that is taken down again."""
    built = Lab()
    try:
        built.build()
        yield built
    finally:
        built.remove()


def main(words: list[str]) -> int:
    """All bars, or those that are named, with each engine. 1 if one is missed."""
    reason = why_not(*NEEDS)
    if reason is not None:
        print(f"bench-live: skipped: {reason}")
        return 0
    unknown = [word for word in words if word not in BARS]
    if unknown:
        print(f"bench-live: no bar called {unknown[0]!r}; there are {', '.join(BARS)}")
        return 2
    met = True
    print(f"{'engine':<10} {'bar':<48} {'measured':<56} met")
    with tempfile.TemporaryDirectory(prefix="mtlscope-bench-") as name:
        for bar, engine in itertools.product(words or BARS, ENGINES):
            if engine == "dumpcap" and shutil.which("dumpcap") is None:
                print(f"{engine:<10} {bar:<48} skipped: not installed")
                continue
            with lab() as built:
                for what, measured, good in BARS[bar](built, Path(name), engine):
                    print(f"{engine:<10} {what:<48} {measured:<56} {'yes' if good else 'NO'}", flush=True)
                    met = met and good
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
