"""`mtlscope live` on a veth pair between two ends in a network namespace of its own; as root, with tcpreplay."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

import analyzer
from analyzer.capture.live.landlock import abi
from analyzer.cli.live.command import _snap, capture_filter
from tests.build.frames import ethernet, ipv4, tcp
from tests.build.namespace import why_not
from tests.build.pcap import SECOND, Packet, pcap, pcap_record
from tests.cli.commands import Shell

PROJECT = Path(analyzer.__file__).parent.parent
CAPTURES = PROJECT / "captures"
SAMPLES = ("auth12-openssl.pcap", "auth13-openssl.pcap", "ca-list-150-names.pcap")
PATIENCE = 30


SKIP = why_not("tcpreplay")
needs_veth = pytest.mark.skipif(SKIP is not None, reason=SKIP or "")
each_engine = pytest.mark.parametrize(
    "engine",
    [
        "af-packet",
        pytest.param(
            "dumpcap", marks=pytest.mark.skipif(not shutil.which("dumpcap"), reason="dumpcap is not installed")
        ),
        "scapy",
    ],
)


class Namespace:
    """A namespace with the veth pair `out` and `in`; nothing else speaks there."""

    def __init__(self, name: str) -> None:
        self._name = name

    def command(self, *words: str) -> list[str]:
        """The words that run a command inside."""
        return ["ip", "netns", "exec", self._name, *words]

    def run(self, *words: str) -> None:
        """Run it to its end."""
        subprocess.run(self.command(*words), check=True, capture_output=True, timeout=PATIENCE)

    def replay(self, path: Path) -> None:
        """Send a capture's frames."""
        self.run("tcpreplay", "-q", "-i", "out", "--pps", "2000", str(path))


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    name = f"mtlscope-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        space = Namespace(name)
        space.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        space.run("ip", "link", "add", "out", "mtu", "65000", "type", "veth", "peer", "name", "in", "mtu", "65000")
        for end in ("out", "in"):
            space.run("ip", "link", "set", end, "up")
        yield space
    finally:
        left = subprocess.run(["ip", "netns", "pids", name], capture_output=True, check=True).stdout
        for process in left.split():  # of a test that failed
            os.kill(int(process), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", name], check=True)


class Live:
    """`mtlscope live` running inside; ended in `finish`."""

    def __init__(self, namespace: Namespace, folder: Path, *words: str) -> None:
        self.err = folder / "err"
        command = namespace.command(sys.executable, "-m", "analyzer", "live", "-i", "in", "-T", "jsonl", *words)
        with self.err.open("wb") as err:
            self.process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=err)
        until = time.monotonic() + PATIENCE
        while "capturing on" not in self.err.read_text():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < until, "it does not begin"
            time.sleep(0.05)

    def finish(self, signal_: signal.Signals | None = signal.SIGTERM) -> list[dict[str, Any]]:
        """Its objects, after the signal or by itself."""
        if signal_ is not None:
            self.process.send_signal(signal_)
        out, _ = self.process.communicate(timeout=PATIENCE)
        return [json.loads(line) for line in out.splitlines()]


def connections(objects: list[dict[str, Any]]) -> list[str]:
    """All but the capture's own, which knows how it was made."""
    return [json.dumps(one, sort_keys=True) for one in objects if one["type"] != "capture"]


def by_type(objects: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The same, those of one type together: a file is read faster than it was captured, and its losses with it."""
    found: dict[str, list[str]] = {}
    for one in objects[:-1]:
        found.setdefault(one["type"], []).append(json.dumps(one, sort_keys=True))
    return found


def analysed(path: Path) -> list[dict[str, Any]]:
    """The objects of a file run."""
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "-T", "jsonl", str(path)], cwd=PROJECT, capture_output=True, check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@needs_veth
@each_engine
def test_a_live_run_says_what_a_file_run_says_of_its_copy(engine: str, namespace: Namespace, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pcapng"
    live = Live(namespace, tmp_path, "--capture-engine", engine, "-w", str(copy))
    for sample in SAMPLES:
        namespace.replay(CAPTURES / sample)
    time.sleep(1)
    seen = live.finish()
    read = analysed(copy)
    assert len([one for one in seen if one["type"] == "connection"]) >= len(SAMPLES)
    assert connections(seen) == connections(read)
    assert seen[-1]["packets"] == read[-1]["packets"]


@needs_veth
def test_a_connection_is_written_while_the_capture_goes_on(namespace: Namespace, tmp_path: Path) -> None:
    live = Live(namespace, tmp_path, "--capture-engine", "af-packet")
    namespace.replay(CAPTURES / SAMPLES[0])
    assert live.process.stdout is not None
    first = json.loads(live.process.stdout.readline())
    assert live.process.poll() is None
    assert first["type"] in ("certificate", "ca-list", "connection")
    live.process.send_signal(signal.SIGTERM)
    with live.process.stdout as rest:
        assert b'"type":"capture"' in rest.read()
    assert live.process.wait(PATIENCE) == 0


@needs_veth
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@each_engine
def test_a_signal_ends_it_with_the_summary(
    engine: str, number: signal.Signals, namespace: Namespace, tmp_path: Path
) -> None:
    live = Live(namespace, tmp_path, "--capture-engine", engine)
    begun = time.monotonic()
    last = live.finish(number)[-1]
    assert (last["type"], live.process.returncode) == ("capture", 0)
    assert time.monotonic() - begun < 3, "seconds from the signal to the end"


@needs_veth
def test_no_right_is_left_with_a_packet_socket(namespace: Namespace, tmp_path: Path) -> None:
    live = Live(namespace, tmp_path, "--capture-engine", "af-packet")
    tasks = list(Path(f"/proc/{live.process.pid}/task").glob("*/status"))
    lines = [line.split() for task in tasks for line in task.read_text().splitlines()]
    live.finish()
    assert tasks
    assert {line[1] for line in lines if line[0] in ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:")} == {"0" * 16}
    assert {line[1] for line in lines if line[0] == "NoNewPrivs:"} == {"1"}


PROBE = """
import sys
from pathlib import Path
from analyzer.cli.live import command as live, taps
from analyzer.__main__ import main

class Probe:
    name = "probe"
    def see(self, conn): pass
    def lost(self, packets): pass
    def close(self): pass
    def tick(self, now_ns):
        for place in sys.argv[1:3]:
            try:
                Path(place, "made").write_bytes(b"")
            except OSError as error:
                print("probe:", error, file=sys.stderr, flush=True)

opened = taps.open_taps
live.open_taps = lambda args, told: probed(opened(args, told))

class probed:
    def __init__(self, inner): self.inner = inner
    def __enter__(self):
        found = self.inner.__enter__()
        found.add(Probe())
        return found
    def __exit__(self, *why): return self.inner.__exit__(*why)

sys.exit(main(["live", "-i", "in", "--capture-engine", "af-packet", "-a", "2", "-T", "jsonl", *sys.argv[3:]]))
"""


@needs_veth
@pytest.mark.skipif(not abi(), reason="this kernel has no Landlock")
def test_a_packet_socket_can_write_only_where_it_was_told_to(namespace: Namespace, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    words = [sys.executable, "-c", PROBE, str(inside), str(outside), "-w", str(inside / "copy.pcapng")]
    done = subprocess.run(
        namespace.command(*words), cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (inside / "made").exists()
    assert not (outside / "made").exists()
    assert f"Permission denied: '{outside / 'made'}'" in done.stderr


@needs_veth
@each_engine
def test_vlan_tagged_frames_pass_the_default_filter_with_their_tags(
    engine: str, namespace: Namespace, tmp_path: Path
) -> None:
    plain, other = ethernet(ipv4(tcp(dport=5061))), ethernet(ipv4(tcp(sport=40000, dport=80)))
    tag, outer = bytes.fromhex("81000007"), bytes.fromhex("88a80009")
    frames = [plain, plain[:12] + tag + plain[12:], plain[:12] + outer + tag + plain[12:], other]
    capture = tmp_path / "vlan.pcap"
    capture.write_bytes(pcap([Packet(frame) for frame in frames]))
    copy = tmp_path / "copy.pcapng"
    live = Live(namespace, tmp_path, "--capture-engine", engine, "-w", str(copy))
    namespace.replay(capture)
    time.sleep(1)
    summary = live.finish()[-1]
    written = copy.read_bytes()
    if engine == "af-packet":
        assert (summary["packets"], summary["decoded"]) == (3, 3)
        assert all(frame in written for frame in frames[:3])
    else:
        assert summary["packets"] >= 2, "libpcap's filter looks behind one tag"
    assert other not in written


@needs_veth
def test_so_many_packets_and_so_many_seconds(namespace: Namespace, tmp_path: Path) -> None:
    live = Live(namespace, tmp_path, "--capture-engine", "af-packet", "-c", "5")
    namespace.replay(CAPTURES / SAMPLES[0])
    assert live.finish(None)[-1]["packets"] == 5
    assert Live(namespace, tmp_path, "-a", "duration:1").finish(None)[-1]["packets"] == 0


@needs_veth
def test_packets_sent_are_packets_seen_and_drops_told(namespace: Namespace, tmp_path: Path) -> None:
    """A buffer of 1 MiB and a reader that is stopped meanwhile: the kernel must drop."""
    copy = tmp_path / "copy.pcapng"
    live = Live(namespace, tmp_path, "--capture-engine", "af-packet", "-B", "1", "-w", str(copy))
    pid = live.process.pid
    os.kill(pid, signal.SIGSTOP)
    sent = 20_000
    namespace.run(
        "tcpreplay", "-q", "-i", "out", "--topspeed", "-L", str(sent), "-l", "100000", str(CAPTURES / SAMPLES[0])
    )
    os.kill(pid, signal.SIGCONT)
    time.sleep(1)
    seen = live.finish()
    read = analysed(copy)
    summary = seen[-1]
    assert summary["dropped"] > 0
    assert summary["packets"] + summary["dropped"] == sent
    assert "packets lost by the capture" in live.err.read_text()
    assert (read[-1]["packets"], read[-1]["dropped"]) == (summary["packets"], summary["dropped"])
    assert by_type(seen) == by_type(read)
    assert sum(one["packets"] for one in seen if one["type"] == "loss") == summary["dropped"]
    assert any(one["visibility"]["lost_packets"] for one in read if one["type"] == "connection")


@needs_veth
def test_a_loss_is_in_the_stream_while_the_capture_goes_on(namespace: Namespace, tmp_path: Path) -> None:
    """Nothing but packets of no connection that is reported, so that nothing else tells of it."""
    live = Live(namespace, tmp_path, "--capture-engine", "af-packet", "-B", "1")
    os.kill(live.process.pid, signal.SIGSTOP)
    quiet = tmp_path / "quiet.pcap"
    quiet.write_bytes(pcap([Packet(ethernet(ipv4(tcp(dport=5061, payload=bytes(1000)))))]))
    namespace.run("tcpreplay", "-q", "-i", "out", "--topspeed", "--loop", "5000", str(quiet))
    os.kill(live.process.pid, signal.SIGCONT)
    assert live.process.stdout is not None
    first = json.loads(live.process.stdout.readline())
    assert live.process.poll() is None
    assert (first["type"], first["capture"], first["begin"] < first["end"]) == ("loss", "in", True)
    rest = live.finish()
    assert rest[-1]["dropped"] == sum(one["packets"] for one in [first, *rest] if one["type"] == "loss")


@needs_veth
@each_engine
def test_only_what_fails_is_written_and_reads_as_it_was_told(engine: str, namespace: Namespace, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    live = Live(namespace, tmp_path, "--capture-engine", engine, "--evidence", str(folder))
    for sample in (*SAMPLES, "ca-list-truncated-16384.pcap"):
        namespace.replay(CAPTURES / sample)
    time.sleep(1)
    (failed,) = (one for one in live.finish() if one["type"] == "connection" and one["outcome"] == "failed")
    (written,) = folder.glob("*.pcapng")
    (read,) = (one for one in analysed(written) if one["type"] == "connection")
    assert written.stem.endswith("_ca-list-truncated")
    assert [read[key] for key in ("diagnosis", "client_port", "ts")] == [
        failed[key] for key in ("diagnosis", "client_port", "ts")
    ]
    assert written.name in (folder / "index.jsonl").read_text(encoding="utf-8")


@needs_veth
def test_a_folder_that_cannot_be_written_without_rights_is_told_at_once(namespace: Namespace, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 65534, 65534)
    live = Live(
        namespace, tmp_path, "--capture-engine", "af-packet", "--evidence", str(theirs / "x"), "-a", "duration:2"
    )
    assert live.finish(None)[-1]["type"] == "capture"
    assert live.process.returncode == 0
    assert "Permission denied; tried again at the next failure" in live.err.read_text()


# ---- what needs no right ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="the names are Linux's")
def test_the_interfaces_are_listed(shell: Shell) -> None:
    done = shell("live", "-D")
    assert (done.code, "lo" in done.out.split()) == (0, True)


@pytest.mark.parametrize(
    ("expression", "expected", "wanted"),
    [
        pytest.param(None, None, "tcp port 5061 or tcp port 443", id="the default"),
        pytest.param("udp", "8443", "udp", id="as told"),
        pytest.param("", None, "", id="everything"),
        pytest.param(None, "8443", "(tcp port 8443) or (vlan and (tcp port 8443))", id="the port that is asked for"),
        pytest.param(None, "any", "(tcp) or (vlan and (tcp))", id="any port"),
    ],
)
def test_the_filter_fits_the_ports(expression: str | None, expected: str | None, wanted: str) -> None:
    assert capture_filter(expression, expected) == wanted


def test_an_interface_is_needed(shell: Shell) -> None:
    done = shell("live")
    assert (done.code, "mtlscope live -D lists them" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("-i", "lo", "-r", "-"), "one source at a time", id="two sources"),
        pytest.param(("-r", "x.pcap"), "a capture that is complete: mtlscope x.pcap", id="a file is no pipe"),
        pytest.param(("-r", "-", "-f", "tcp"), "-f is for -i", id="a filter for what is captured elsewhere"),
        pytest.param(("--follow", "/no/such/place"), "no such file or folder", id="a ring that is not there"),
    ],
)
def test_sources_that_make_no_sense(words: tuple[str, ...], said: str, shell: Shell) -> None:
    done = shell("live", *words)
    assert (done.code, said in done.err) == (2, True), done.err


class Fed:
    """`mtlscope` with a pipe as its standard input."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "analyzer", *words],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._patience = Timer(PATIENCE, self.process.kill)
        self._patience.start()

    def give(self, raw: bytes) -> None:
        """Write it, at once."""
        assert self.process.stdin is not None
        self.process.stdin.write(raw)
        self.process.stdin.flush()

    def first_connection(self) -> dict[str, Any]:
        """Wait for it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["type"] == "connection":
                return found
        raise AssertionError("it ended without one")

    def end(self) -> tuple[int, str]:
        """Close the pipe: exit code, and the standard error."""
        _, err = self.process.communicate(timeout=PATIENCE)
        self._patience.cancel()
        return self.process.returncode, err.decode()


@pytest.mark.parametrize("words", [("-r", "-"), ("live", "-r", "-")], ids=["the ordinary command", "live"])
def test_connections_come_out_of_a_slow_pipe_as_they_are_decided(words: tuple[str, ...]) -> None:
    fed = Fed(*words, "-T", "jsonl")
    fed.give((CAPTURES / SAMPLES[0]).read_bytes())
    if "live" not in words:  # its packets are the only sign of time
        fed.give(pcap_record(Packet(bytes(60), 2_000_000_000 * SECOND)))
    assert fed.first_connection()["outcome"] == "established"
    assert fed.process.poll() is None, "the pipe is still open"
    assert fed.end()[0] == 0


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        pytest.param(b"tcpdump: eth9: No such device", 3, "-: not a capture", id="the other side's complaint"),
        pytest.param(b"", 3, "the file is empty", id="nothing"),
        pytest.param(pcap([Packet(bytes(60))])[:-1], 3, "0 packets before it were read", id="a torn pipe"),
        pytest.param(pcap([]), 0, "", id="a capture without packets"),
    ],
)
def test_what_comes_out_of_a_pipe_that_ends(raw: bytes, code: int, said: str) -> None:
    fed = Fed("live", "-q", "-r", "-", "-T", "jsonl")
    fed.give(raw)
    found, err = fed.end()
    assert (found, said in err) == (code, True), err


def test_an_interface_that_is_not_there(shell: Shell) -> None:
    done = shell("live", "-i", "no-such-if")
    assert (done.code, done.out) == (4, "")
    assert "cannot capture on no-such-if" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("-a", "soon"), "no duration", id="a duration that is none"),
        pytest.param(("-s", "10"), "not from 64", id="too short a snapshot"),
        pytest.param(("-s", "much"), "not from 64 to 262,144 bytes, nor 0", id="a snapshot that is no number"),
        pytest.param(("-f", "tcp prot 5061"), "'tcp prot 5061' is wrong", id="a filter that libpcap does not take"),
        pytest.param(("-j", "2"), "leave out -j", id="workers"),
        pytest.param(("--via", "tshark"), "no option --via", id="an option for captures alone"),
        pytest.param(("--repro", "x"), "keep one with -w", id="repro of what is not kept"),
        pytest.param(("-w", "x", "-o", "x"), "the same file", id="report over capture"),
        pytest.param(("-w", "/no/such/folder/x"), "cannot write", id="a copy that cannot be written"),
        pytest.param(("--evidence", __file__), "name a folder that can be written", id="evidence into a file"),
        pytest.param(("--evidence-quota", "1GiB"), "belongs to --evidence DIR", id="a quota of nothing"),
        pytest.param(("--evidence", "x", "--evidence-quota", "1KiB"), "at least 4MiB", id="a quota without room"),
        pytest.param(
            ("--evidence", "x", "--evidence-quota", "much"), "expected e.g. 500MiB", id="a quota that is none"
        ),
        pytest.param(("--evidence", "x", "--evidence-on", "eror"), "did you mean: error", id="a misspelt level"),
        pytest.param(("--capture-engine", "dumpcup"), "did you mean: dumpcap", id="a misspelt engine"),
    ],
)
def test_wrong_arguments(words: tuple[str, ...], said: str, shell: Shell) -> None:
    done = shell("live", "-i", "lo", *words)
    assert (done.code, said in done.err) == (2, True), done.err


@pytest.mark.parametrize(("text", "kept"), [("0", 262_144), ("64", 64), ("262144", 262_144)])
def test_a_snapshot_length_of_0_is_the_whole_packet(text: str, kept: int) -> None:
    assert _snap(text) == kept


def test_a_library_is_asked_for_before_the_capture(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = shell("live", "-i", "no-such-if", "-T", "parquet", "-o", "x")
    assert (done.code, "pip install" in done.err) == (2, True), done.err


@needs_veth
def test_a_folder_gets_the_files_of_an_output(namespace: Namespace, tmp_path: Path) -> None:
    live = Live(namespace, tmp_path, "-T", "zeek", "-o", f"{tmp_path}/logs/", "-c", "21")
    namespace.replay(CAPTURES / "auth12-openssl.pcap")
    assert live.finish(None) == []
    assert "sip.example.com" in (tmp_path / "logs" / "ssl.log").read_text()
    assert (tmp_path / "logs" / "x509.log").exists()


@needs_veth
@pytest.mark.parametrize("kept", [False, True])
def test_text_comes_at_once_and_names_a_file_only_if_there_is_one(
    kept: bool, namespace: Namespace, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.pcapng"
    live = Live(
        namespace, tmp_path, "-T", "text", "--capture-engine", "af-packet", *(["-w", str(copy)] if kept else [])
    )
    namespace.replay(CAPTURES / "ca-list-truncated-16384.pcap")
    assert live.process.stdout is not None
    with live.process.stdout as out:
        for line in out:
            if line.startswith(b"  filter"):
                break
        assert live.process.poll() is None, "it still goes on"
        live.process.send_signal(signal.SIGTERM)
        rest = out.read().decode()
    assert live.process.wait(PATIENCE) == 1
    assert (f"wireshark -r {copy}" in rest) is kept
    assert ("wireshark" in rest) is kept
