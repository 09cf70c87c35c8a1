"""Agreement with Wireshark's tools, where they are installed, and with tshark's counts for the corpus of real captures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from analyzer.capture.source import ReadOptions, open_capture
from analyzer.errors import CaptureError
from tests.build.netmon import EVENT, event, netmon
from tests.build.pcap import START_NS, Packet, pcap
from tests.build.pcapng import pcapng
from tests.capture.reading import read

CORPUS = Path(os.environ.get("MTLSCOPE_CORPUS", "none"))
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="MTLSCOPE_CORPUS names no folder")
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
needs_editcap = pytest.mark.skipif(not shutil.which("editcap"), reason="editcap is not installed")

MUST_BE_CONVERTED = (
    "ajbanjara__Wireshark__RtpDumpScript-RTP-only_PCMU_2-packets.cap",  # NetXray
    "ajbanjara__Wireshark__SampleCaptures-20102008184715.pcap",  # snoop
)
COMPARED = (
    "brimdata__brimcap__cmd-brimcap-ztests-extra.pcapng",
    "hadrielk__pcapng-test-generator__output_be-advanced-test100.pcapng",
    "hadrielk__pcapng-test-generator__output_le-difficult-test201.pcapng",
    "microsoft__prot-od-netcaps__MS-AUTHSOD--captureALL-MS-AUTHSOD_Example2-1_Win2016_X64_Win2016_X64_Domain.cap",
    "microsoft__prot-od-netcaps__MS-CCROD--captureALL-MS-CCROD_Example2Peer1Version1_Win2016_X64_Win10_X64_Domain_CePark.cap",
)

STORY = [
    Packet(b"\x02" * 12 + b"\x08\x00" + bytes(46), START_NS + 123_456_789),
    Packet(b"\x02" * 12 + b"\x08\x00" + bytes(47), START_NS + 1_234_567_000, 1514),
    Packet(b"\x02" * 12 + b"\x86\xdd" + bytes(100), START_NS + 3_000_000_000),
]


@needs_corpus
def test_the_corpus_has_as_many_frames_as_tshark_sees() -> None:
    differences = []
    for path in sorted((CORPUS / "captures").iterdir()):
        if path.name in MUST_BE_CONVERTED:
            continue
        wanted = json.loads((CORPUS / "oracle" / f"{path.name}.json").read_text())["packets"]
        count = 0
        try:
            for frames in open_capture(str(path)):
                count += len(frames)
        except CaptureError as error:
            assert str(error).startswith(f"{path}: ")
        if count != wanted:
            differences.append((path.name, wanted, count))
    assert differences == []


@needs_corpus
@pytest.mark.parametrize("name", MUST_BE_CONVERTED)
def test_other_captures_of_the_corpus_name_the_command_that_converts_them(name: str) -> None:
    with pytest.raises(CaptureError, match="editcap -F pcapng"):
        open_capture(str(CORPUS / "captures" / name))


@needs_corpus
@needs_tshark
@pytest.mark.parametrize("name", COMPARED)
def test_times_and_lengths_are_those_of_tshark(name: str) -> None:
    path = CORPUS / "captures" / name
    got = read(path.read_bytes())
    theirs = frames_of_tshark(path)
    ours = [(time, len(data), wire) for time, data, wire in zip(got.times, got.data, got.originals, strict=True)]
    assert len(ours) == len(theirs)
    # tshark shows no time for a packet without one.
    assert [
        mine
        for mine, other in zip(ours, theirs, strict=True)
        if mine[1:] != other[1:] or other[0] not in (None, mine[0])
    ] == []


def frames_of_tshark(path: Path) -> list[tuple[int | None, int, int]]:
    """Time in ns, captured and original length of each frame."""
    fields = ("frame.time_epoch", "frame.cap_len", "frame.len")
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", *(part for field in fields for part in ("-e", field))]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TZ": "UTC"}, check=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [(int(Decimal(time) * 10**9) if time else None, int(size), int(wire)) for time, size, wire in rows]


@needs_editcap
@pytest.mark.parametrize(
    ("form", "digits", "name"),
    [
        pytest.param("pcap", 6, "pcap", id="pcap"),
        pytest.param("nsecpcap", 9, "pcap", id="nanosecond pcap"),
        pytest.param("modpcap", 6, "pcap (modified)", id="modified pcap"),
        pytest.param("pcapng", 9, "pcapng", id="pcapng"),
        pytest.param("netmon1", 3, "Network Monitor 1.1", id="Network Monitor 1"),
        pytest.param("netmon2", 6, "Network Monitor 2.0", id="Network Monitor 2"),
    ],
)
def test_what_editcap_writes_is_read(tmp_path: Path, form: str, digits: int, name: str) -> None:
    source, target = tmp_path / "a.pcap", tmp_path / "b"
    source.write_bytes(pcap(STORY, nanoseconds=True))
    subprocess.run(["editcap", "-F", form, str(source), str(target)], check=True, env=os.environ | {"TZ": "UTC"})
    got = read(target.read_bytes(), ReadOptions("UTC"))
    assert got.data == [packet.data for packet in STORY]
    assert got.originals == [packet.wire_length for packet in STORY]
    # editcap cuts some formats' times to their unit and rounds others.
    assert all(abs(time - packet.time_ns) < 10 ** (9 - digits) for time, packet in zip(got.times, STORY, strict=True))
    assert got.links == [1] * 3
    assert (got.facts.format, got.error) == (name, None)


@needs_tshark
@pytest.mark.parametrize(
    ("raw", "unit"),
    [
        pytest.param(pcap(STORY, modified=True), 1000, id="modified pcap"),
        pytest.param(pcapng(STORY, resolution=9, order=">"), 1, id="pcapng"),
        pytest.param(netmon(STORY, version=(1, 1), zone=UTC), 1_000_000, id="Network Monitor 1.1"),
        pytest.param(netmon(STORY, version=(2, 0), zone=UTC), 1000, id="Network Monitor 2.0"),
        pytest.param(netmon(STORY, version=(2, 1), zone=UTC), 1000, id="Network Monitor 2.1"),
        pytest.param(netmon(STORY, version=(2, 2), zone=UTC), 1000, id="Network Monitor 2.2"),
        pytest.param(netmon(STORY, version=(2, 3), zone=UTC), 100, id="Network Monitor 2.3"),
    ],
)
def test_tshark_reads_what_our_writers_write(tmp_path: Path, raw: bytes, unit: int) -> None:
    path = tmp_path / "x.cap"
    path.write_bytes(raw)
    got = read(raw)
    assert frames_of_tshark(path) == [
        (packet.time_ns // unit * unit, len(packet.data), packet.wire_length) for packet in STORY
    ]
    assert [(time, len(data)) for time, data in zip(got.times, got.data, strict=True)] == [
        (packet.time_ns // unit * unit, len(packet.data)) for packet in STORY
    ]


@needs_tshark
def test_tshark_finds_the_same_packets_in_events_of_netsh_trace(tmp_path: Path) -> None:
    ip = bytes.fromhex("4500002800010000400600000a0000010a00000203e813c5000000010000000050022000") + bytes(4)
    ethernet = bytes(12) + b"\x08\x00" + ip
    cases = [(ethernet, 0xC000_0001), (ip, 0xC000_0200), (ip, 0xC000_8000), (ethernet, 0x4000_0001)]
    raw = netmon([Packet(event(packet, keyword=keyword)) for packet, keyword in cases], media=EVENT)
    path = tmp_path / "x.cap"
    path.write_bytes(raw)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.protocols"]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    if not any("etw.ndis" in line for line in theirs):
        pytest.skip("this tshark does not look into events")
    assert ["ip:tcp" in line for line in theirs] == [link in (1, 101) for link in read(raw).links]
