"""Annotated captures: which packets they have, that the bytes are the same, what is said where, and what tshark reads."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from struct import pack

import pytest

from analyzer.capture.inputs import find_inputs
from analyzer.capture.source import NOT_A_PACKET, open_capture
from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.export.marks import SIGN, Collector, culprit
from analyzer.export.original import SECRETS, read_blocks
from analyzer.export.plan import Plan, Written
from analyzer.export.writer import write
from analyzer.pipeline import Options, Run
from tests.build import pcapng
from tests.build.pcap import Packet

CAPTURES = Path(__file__).parents[2] / "captures"
FORMATS = sorted(path for path in (CAPTURES / "formats").iterdir() if path.suffix != ".toml")
BROKEN = CAPTURES / "client-untrusted-12.pcap"
NAME_RESOLUTION = 4

Row = tuple[bytes, int, int, int]
"""Bytes, original length, time and link type of a frame."""


def written(paths: Sequence[Path], target: Path, plan: Plan | None = None) -> tuple[Written, list[Connection]]:
    """Analyse and write; what was done, and the connections."""
    names = [str(path) for path in paths]
    collector = Collector()
    items = list(collector.watch(Run(names, Options())))
    done = write(str(target), find_inputs(names).inputs, collector.marks, plan or Plan())
    return done, [item for item in items if isinstance(item, Connection)]


def rows(path: Path) -> list[Row]:
    """Every frame that is a packet."""
    found: list[Row] = []
    with open_capture(str(path)) as capture:
        for frames in capture:
            for start, size, original, time_ns, link in zip(
                frames.start, frames.captured, frames.original, frames.time_ns, frames.link_type, strict=True
            ):
                if link != NOT_A_PACKET:
                    data = frames.data[start : start + size].tobytes()
                    found.append((data, int(original), int(time_ns), int(link)))
    return found


def comments(path: Path) -> dict[int, list[str]]:
    """Frame -> comments of ours, by a reader of its own."""
    found: dict[int, list[str]] = {}
    for block in read_blocks(str(path)):
        if block.frame and block.kind in (2, 6):
            order = "big" if block.order == ">" else "little"
            size = int.from_bytes(block.raw[20:24], order)  # type: ignore[arg-type]
            at = 28 + size + -size % 4
            while at + 4 <= len(block.raw) - 4:
                code = int.from_bytes(block.raw[at : at + 2], order)  # type: ignore[arg-type]
                length = int.from_bytes(block.raw[at + 2 : at + 4], order)  # type: ignore[arg-type]
                if code == 1:
                    found.setdefault(block.frame, []).append(block.raw[at + 4 : at + 4 + length].decode())
                at += 4 + length + -length % 4
    return {frame: ours for frame, said in found.items() if (ours := [text for text in said if text.startswith(SIGN)])}


@pytest.mark.parametrize("path", FORMATS, ids=lambda path: path.name)
def test_packets_of_every_format_are_identical(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    written([path], target, Plan(all_packets=True))
    untimed = "simple" in path.name  # Simple Packet Blocks have no time
    before, after = rows(path), rows(target)
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert untimed or [row[2:] for row in after] == [row[2:] for row in before]
    assert comments(target)


@pytest.mark.parametrize("path", FORMATS, ids=lambda path: path.name)
def test_the_handshake_alone_is_still_read_as_the_same_story(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    _, before = written([path], target)
    kept, everything = rows(target), rows(path)
    assert {row[0] for row in kept} <= {row[0] for row in everything}
    after = [item for item in Run([str(target)], Options()) if isinstance(item, Connection)]
    assert [[f.rule for f in conn.findings] for conn in after] == [[f.rule for f in conn.findings] for conn in before]


def test_each_message_has_its_comment_and_the_culprit_the_verdict(tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    done, (conn,) = written([BROKEN], target, Plan(all_packets=True))
    said = comments(target)
    place = culprit(conn)
    assert place is not None
    assert f"{SIGN}VERDICT: {conn.diagnosis}" in said[place]
    for step in conn.steps:
        if step.name not in ("SYN", "SYN-ACK", "FIN", "ApplicationData"):
            assert any(f"{step.side}: {step.name}" in text for text in said[step.frames[-1]]), step
    assert done.commented == len(said)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        pytest.param("client-untrusted-12.pcap", 13, id="the alert"),
        pytest.param("ca-list-truncated-16384.pcap", 37, id="the reset"),
        pytest.param("icmp-prohibited.pcap", 2, id="the ICMP error"),
    ],
)
def test_the_verdict_stands_at_the_frame_that_the_report_opens(name: str, at: int, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    _done, (conn,) = written([CAPTURES / name], target, Plan(all_packets=True))
    assert culprit(conn) == at
    assert f"{SIGN}VERDICT: {conn.diagnosis}" in comments(target)[at]


def test_a_healthy_connection_has_no_verdict(tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    written([CAPTURES / "mtls12-openssl.pcap"], target)
    said = [text for texts in comments(target).values() for text in texts]
    assert f"{SIGN}client: ChangeCipherSpec, 1 byte" in said
    assert not [text for text in said if "VERDICT" in text]


@pytest.mark.parametrize("all_packets", [True, False], ids=["all packets", "handshakes"])
def test_a_ring_becomes_one_file(all_packets: bool, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    done, before = written([CAPTURES / "ring"], target, Plan(all_packets=all_packets))
    assert done.commented > 7 * len(before) - 3
    after = [item for item in Run([str(target)], Options()) if isinstance(item, Connection)]
    assert [conn.diagnosis for conn in after] == [conn.diagnosis for conn in before]
    until = None if all_packets else len("CsiItt")  # of the shortest, without its application data
    assert [conn.ssl_history[:until] for conn in after] == [conn.ssl_history[:until] for conn in before]


def test_the_packets_of_other_connections_are_left_out(tmp_path: Path) -> None:
    target, path = tmp_path / "out.pcapng", CAPTURES / "revocation-stall-client.pcap"
    done, _ = written([path], target)
    assert 0 < done.packets < len(rows(path))


def packed(path: Path, kinds: bytes, target: Path) -> None:
    """The packets of a capture as pcapng, with other blocks before them."""
    packets = [Packet(data, time_ns=time_ns) for data, _, time_ns, _ in rows(path)]
    raw = b"".join(pcapng.enhanced(packet) for packet in packets)
    target.write_bytes(pcapng.section() + pcapng.interface() + kinds + raw)


@pytest.mark.parametrize("keep", [False, True], ids=["dropped", "kept with --keep-secrets"])
def test_secrets(keep: bool, tmp_path: Path) -> None:
    source, target = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    secret = pcapng.block(SECRETS, pack("<II", 0x544C534B, 4) + b"abcd")
    names = pcapng.block(NAME_RESOLUTION, pack("<HH", 0, 0))
    packed(BROKEN, secret + names, source)
    done, _ = written([source], target, Plan(keep_secrets=keep))
    kinds = [block.kind for block in read_blocks(str(target))]
    assert (SECRETS in kinds) is keep
    assert NAME_RESOLUTION in kinds
    assert done.secrets == (0 if keep else 1)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot write .*No such file"):
        written([BROKEN], tmp_path / "no" / "out.pcapng")


def test_a_cut_file_is_copied_up_to_the_cut(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes((CAPTURES / "formats" / "pcapng.pcapng").read_bytes()[:-50])
    written([source], target, Plan(all_packets=True))
    assert len(rows(target)) == len(rows(CAPTURES / "formats" / "pcapng.pcapng")) - 1


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("path", FORMATS, ids=lambda path: path.name)
def test_tshark_reads_the_comments(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    done, _ = written([path], target)
    asked = ["tshark", "-r", str(target), "-Y", 'frame.comment contains "mtlscope"', "-T", "fields", "-e"]
    shown = subprocess.run([*asked, "frame.number"], capture_output=True, text=True, check=True)
    assert [int(line) for line in shown.stdout.split()] == sorted(comments(target))
    assert len(shown.stdout.split()) == done.commented


@pytest.mark.skipif(shutil.which("capinfos") is None, reason="capinfos is not installed")
@pytest.mark.parametrize("path", FORMATS, ids=lambda path: path.name)
def test_capinfos_finds_a_sound_file(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    done, _ = written([path], target)
    shown = subprocess.run(["capinfos", "-T", "-c", "-r", str(target)], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[-1] == str(done.packets)
