"""open_capture: formats are told apart by content, names are in every error, files are closed, standard input stays open."""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.capture.source import Capture, Facts, Frames, ReadOptions, formats, open_capture
from analyzer.errors import CaptureError, UsageError
from tests.build.netmon import netmon
from tests.build.pcap import Packet, pcap
from tests.build.pcapng import pcapng
from tests.capture.reading import Failing, Pipe, frames_in

STORY = [Packet(b"one"), Packet(b"two")]
KINDS = [
    pytest.param(pcap(STORY), "pcap", id="pcap"),
    pytest.param(pcap(STORY, order=">", nanoseconds=True), "pcap", id="big-endian nanosecond pcap"),
    pytest.param(pcap(STORY, modified=True), "pcap (modified)", id="modified pcap"),
    pytest.param(pcapng(STORY), "pcapng", id="pcapng"),
    pytest.param(netmon(STORY, version=(1, 1)), "Network Monitor 1.1", id="Network Monitor 1.x"),
    pytest.param(netmon(STORY), "Network Monitor 2.3", id="Network Monitor 2.x"),
]


def read_all(capture: Capture) -> list[bytes]:
    return [
        batch.data[start : start + size].tobytes()
        for batch in capture
        for start, size in zip(batch.start.tolist(), batch.captured.tolist(), strict=True)
    ]


@pytest.mark.parametrize("packed", [pytest.param(False, id="plain"), pytest.param(True, id="gzip")])
@pytest.mark.parametrize(("raw", "name"), KINDS)
def test_the_content_says_what_a_file_is_and_not_its_name(tmp_path: Path, raw: bytes, name: str, packed: bool) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with open_capture(str(path)) as capture:
        assert read_all(capture) == [b"one", b"two"]
        assert (capture.facts.format, capture.facts.compressed) == (name, packed)
        assert capture.size == path.stat().st_size


@pytest.mark.parametrize("packed", [pytest.param(False, id="plain"), pytest.param(True, id="gzip")])
@pytest.mark.parametrize(("raw", "name"), KINDS)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, raw: bytes, name: str, packed: bool) -> None:
    stream = io.BufferedReader(Pipe(gzip.compress(raw) if packed else raw, 10))  # type: ignore[type-var]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    with open_capture("-") as capture:
        assert read_all(capture) == [b"one", b"two"]
        assert (capture.facts.format, capture.size) == (name, None)
    assert not stream.closed


def test_a_real_pipe() -> None:
    code = "from analyzer.capture.source import open_capture\nprint(sum(len(frames) for frames in open_capture('-')))"
    raw = pcap([Packet(bytes(1000))] * 3000)
    done = subprocess.run([sys.executable, "-c", code], input=raw, capture_output=True, check=True)
    assert done.stdout.strip() == b"3000"


def test_the_file_is_closed_at_the_end_and_on_leaving_early(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(STORY))
    read = open_capture(str(path))
    assert sum(len(frames) for frames in read) == 2
    assert read.stream.closed
    with open_capture(str(path)) as left:
        pass
    assert left.stream.closed


def test_a_damaged_file_gives_its_packets_and_then_an_error_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(STORY)[:-1])
    seen: list[int] = []
    with pytest.raises(CaptureError) as caught, open_capture(str(path)) as capture:
        seen.extend(len(frames) for frames in capture)
    assert seen == [1]
    assert (
        str(caught.value)
        == f"{path}: record at byte 43 needs 19 bytes but 18 bytes remain; 1 packet before it was read"
    )


def test_positions_of_a_compressed_file_are_compressed_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap.gz"
    path.write_bytes(gzip.compress(pcap([Packet(bytes(1000))] * 500)))
    with open_capture(str(path)) as capture:
        assert [frames.position for frames in capture] == [path.stat().st_size]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda path: None, "cannot be opened: No such file or directory", id="missing"),
        pytest.param(lambda path: path.mkdir(), "cannot be opened: Is a directory", id="a folder"),
        pytest.param(lambda path: path.write_bytes(b""), "not a capture: the file is empty", id="empty"),
        pytest.param(lambda path: path.write_bytes(b"\xd4\xc3"), "not a capture: the file has 2 bytes (d4 c3)", id="two bytes"),
        pytest.param(
            lambda path: path.write_bytes(gzip.compress(gzip.compress(pcap(STORY)))), "gzip inside gzip. Unpack it", id="gz in gz"
        ),
        pytest.param(lambda path: path.write_bytes(b"\x1f\x8b\x08\0"), "the gzip stream is cut after 4 bytes", id="cut gzip"),
        pytest.param(lambda path: path.write_bytes(gzip.compress(b"")), "not a capture: the file is empty", id="gzip of nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "x"
    assert callable(make)
    make(path)
    with pytest.raises(CaptureError) as caught:
        frames_in(str(path))
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = subprocess.Popen([sys.executable, "-c", "import sys; open(sys.argv[1], 'wb').write(bytes.fromhex(sys.argv[2]))",
                               str(path), pcap(STORY).hex()])  # fmt: skip
    with open_capture(str(path)) as capture:
        assert (read_all(capture), capture.size) == ([b"one", b"two"], None)
    assert writer.wait() == 0


def test_a_reading_error_keeps_the_packets_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Failing(pcap([Packet(bytes(600))] * 2), 50)))
    with open_capture("-") as capture, pytest.raises(CaptureError) as caught:
        seen.extend(len(frames) for frames in capture)
    assert seen == [2]
    assert str(caught.value) == "-: reading failed at byte 1,256: Input/output error; 2 packets before it were read"


@pytest.mark.parametrize(
    "raw", [pytest.param(make([Packet(bytes(600))] * 2), id=make.__name__) for make in (pcap, pcapng, netmon)]
)
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda raw: gzip.compress(raw)[:-3], "the gzip stream is cut after", id="cut"),
        pytest.param(lambda raw: gzip.compress(raw)[:-8] + bytes(8), "incorrect data check", id="damaged"),
        pytest.param(
            lambda raw: gzip.compress(raw) + b"junk", "neither the end of the gzip stream", id="junk behind it"
        ),
    ],
)
def test_damaged_gzip_says_how_many_packets_came_before(
    tmp_path: Path, raw: bytes, spoil: Callable[[bytes], bytes], said: str
) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(spoil(raw))
    with pytest.raises(CaptureError, match=f"{said}.*; 2 packets before it were read$"):
        frames_in(str(path))


def test_a_live_source_need_not_fill_the_buffer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb", buffering=0) as stream:
        theirs.sendall(pcap(STORY))
        known = next(formats())
        batches = known.read(stream, Facts(), ReadOptions(prompt=True))  # type: ignore[arg-type]
        first: Frames = next(batches)
        assert len(first) == 2
        theirs.sendall(pcap(STORY)[24:])
        assert next(batches).first_frame == 3
        theirs.close()
        assert list(batches) == []


def test_every_format_is_found() -> None:
    assert {known.name for known in formats()} == {"pcap", "pcapng", "Network Monitor 1.x", "Network Monitor 2.x"}


def test_a_wrong_time_zone_is_the_users_mistake(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(STORY))
    with pytest.raises(UsageError, match="did you mean: Europe/Berlin"):
        open_capture(str(path), ReadOptions(timezone="Europe/Berln"))
