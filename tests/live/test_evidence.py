"""The flight recorder: what failed is on the disk, says why, and reads as it was; the rest is forgotten."""

from __future__ import annotations

import json
import re
from pathlib import Path
from struct import Struct
from typing import Any

import pytest

from analyzer.capture.live import blocks
from analyzer.connection import Connection
from analyzer.export.original import read_blocks
from analyzer.findings import Severity
from analyzer.live import evidence
from analyzer.live.evidence import Recorder, stem
from analyzer.live.folder import INDEX, Folder
from analyzer.pipeline import Run
from analyzer.report.frames import culprits
from tests.build.pcap import START_NS, pcap
from tests.build.tcp import SERVER, merged
from tests.live.playing import pieces, played
from tests.scenarios import Story

CAPTURES = Path(__file__).parent.parent.parent / "captures"
FAILING = sorted(
    {
        line.split(",")[0]
        for line in (CAPTURES / "expected.csv").read_text(encoding="utf-8").splitlines()[1:]
        if line.split(",")[2] == "error"
    }
)
GIB = 1 << 30
UNKNOWN_CA = "ca-list-truncated-16384.pcap"


def record(
    path: Path, folder: Path, level: Severity = Severity.ERROR, quota: int = GIB
) -> tuple[list[Connection], list[str]]:
    """Play a capture; the connections that were worth a file, and what was told."""
    told: list[str] = []
    recorder = Recorder(Folder(str(folder), quota), level, told.append)
    run = played(path, recorder, told)
    items = [item for item in run if isinstance(item, Connection)]
    run.taps.close()
    worst = {conn.stream: min((f.severity.rank for f in conn.findings), default=9) for conn in items}
    return [conn for conn in items if conn.failed or worst[conn.stream] <= level.rank], told


def index(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / INDEX).read_text(encoding="utf-8").splitlines()]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pcapng"))


def what(conn: Connection) -> tuple[object, ...]:
    """What is said of a connection, wherever its frames stand and however many others there were."""
    findings = [(finding.rule, finding.severity) for finding in conn.findings]
    return conn.outcome, _unnumbered(conn.diagnosis or ""), findings, conn.visibility.lost_packets


def _unnumbered(text: str) -> str:
    return re.sub(r"frames? \d+", "frame N", text)


@pytest.mark.parametrize("name", FAILING)
def test_a_file_read_again_says_what_was_said_live(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "EACH", 1_000)
    monkeypatch.setattr(evidence, "MAX_PER_MINUTE", 1_000)
    failed, told = record(CAPTURES / name, tmp_path)
    assert told == []
    assert files(tmp_path) == sorted(f"{stem(conn)}.pcapng" for conn in failed)
    for conn in failed:
        (again,) = (one for one in Run([str(tmp_path / f"{stem(conn)}.pcapng")]) if isinstance(one, Connection))
        assert what(again) == what(conn)


def test_comments_stand_at_the_frames_that_they_are_about(tmp_path: Path) -> None:
    (conn,), _ = record(CAPTURES / UNKNOWN_CA, tmp_path)
    path = tmp_path / f"{stem(conn)}.pcapng"
    (again,) = (one for one in Run([str(path)]) if isinstance(one, Connection))
    said = {block.frame: block.raw for block in read_blocks(str(path)) if b"mtlscope: " in block.raw}
    assert b"VERDICT: " in said[culprits(again)[0]]
    for step in again.steps:
        if step.name == "CertificateRequest":
            assert b"server: CertificateRequest" in said[step.frames[-1]]
    assert b"VERDICT: " in said[0], "the file's properties say it as well"


def test_healthy_connections_leave_nothing_on_the_disk_and_nothing_in_memory(tmp_path: Path) -> None:
    recorder = Recorder(Folder(str(tmp_path), GIB), Severity.ERROR, lambda line: None)
    run = played(CAPTURES / "auth12-openssl.pcap", recorder)
    for _ in run:
        pass
    assert files(tmp_path) == []
    assert recorder.held == 0


def failures(count: int, client: str = "192.0.2.10", sport: int = 50_000) -> list[Story]:
    """So many connections that the server resets in the middle of the handshake, ten seconds apart."""
    stories: list[Story] = []
    for number in range(count):
        start_ns = stories[-1].now_ns + 10_000_000_000 if stories else START_NS
        story = Story(sport=sport + number, client=client, start_ns=start_ns)
        story.open().hello().answer().rst(SERVER)
        stories.append(story)
    return stories


def test_equal_failures_are_counted_after_the_first_few(tmp_path: Path) -> None:
    capture = tmp_path / "many.pcap"
    capture.write_bytes(pcap(merged(*failures(10))))
    folder = tmp_path / "evidence"
    failed, told = record(capture, folder)
    lines = index(folder)
    assert (len(failed), len(files(folder)), told) == (10, evidence.EACH, [])
    assert [line["file"] for line in lines if line["type"] == "file"] == files(folder)
    (counted,) = (line for line in lines if line["type"] == "counted")
    assert (counted["seen"], counted["written"]) == (10, evidence.EACH)
    assert (counted["client"], counted["server"]) == ("192.0.2.10", "198.51.100.5:5061")


def test_an_hour_later_they_are_written_again(tmp_path: Path) -> None:
    capture = tmp_path / "many.pcap"
    capture.write_bytes(pcap(merged(*failures(5))))
    recorder = Recorder(Folder(str(tmp_path / "evidence"), GIB), Severity.ERROR, lambda line: None)
    run = played(capture, recorder)
    failed = [item for item in run if isinstance(item, Connection)]
    recorder.tick(evidence.EQUAL_NS * 2)
    for _ in played(capture, recorder):
        pass
    kinds = [line["type"] for line in index(tmp_path / "evidence")]
    assert len(failed) == 5
    assert kinds == ["file"] * 3 + ["counted"] + ["file"] * 3


def twenty_clients(place: Path) -> tuple[list[Connection], Path]:
    """Twenty clients fail once each: the connections, and the folder of the evidence."""
    capture, folder = place / "many.pcap", place / "evidence"
    stories = [failures(1, client=f"192.0.2.{number}")[0] for number in range(1, 21)]
    capture.write_bytes(pcap(merged(*stories)))
    failed, _ = record(capture, folder)
    return failed, folder


def test_a_flood_of_different_failures_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MAX_PER_MINUTE", 4)
    monkeypatch.setattr(evidence, "MAX_EQUAL", 6)
    failed, folder = twenty_clients(tmp_path)
    counted = [line for line in index(folder) if line["type"] == "counted"]
    assert (len(failed), len(files(folder))) == (20, 4)
    assert sum(line["seen"] - line["written"] for line in counted) == 16


def test_what_is_the_matter_with_a_server_is_written_of_some_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "EACH_SERVER", 5)
    failed, folder = twenty_clients(tmp_path)
    counted = [line for line in index(folder) if line["type"] == "counted"]
    assert (len(failed), len(files(folder)), len(counted)) == (20, 5, 15)


def test_what_was_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.live.remembering.FIRST", 8)
    monkeypatch.setattr("analyzer.live.remembering.LAST", 4)
    (conn,), _ = record(CAPTURES / UNKNOWN_CA, tmp_path)
    (line,) = index(tmp_path)
    packets = conn.client.packets + conn.server.packets
    said = (tmp_path / f"{stem(conn)}.pcapng").read_bytes()
    assert (line["packets"], line["left_out"]) == (12, packets - 12)
    assert f"{packets - 12:,} packets before this one were not kept".encode() in said
    assert said.count(Struct("<I").pack(6)) >= 12


@pytest.mark.parametrize("talks", [3, 300])
def test_a_long_connection_reads_the_same_without_its_middle(talks: int, tmp_path: Path) -> None:
    story = Story()
    story.open().hello().answer().certificate().finished()
    for _ in range(talks):
        story.talk(1_000)
    story.wait(700).rst(SERVER)
    capture = tmp_path / "long.pcap"
    capture.write_bytes(pcap(story.packets))
    (conn,), _ = record(capture, tmp_path / "evidence", Severity.NOTE)
    (again,) = (
        one for one in Run([str(tmp_path / "evidence" / f"{stem(conn)}.pcapng")]) if isinstance(one, Connection)
    )
    assert [finding.rule for finding in conn.findings] == ["idle-reset"]
    assert what(again) == what(conn)


@pytest.mark.parametrize(
    ("level", "written"),
    [
        pytest.param(Severity.ERROR, 0, id="an error, as by default"),
        pytest.param(Severity.WARNING, 0, id="a warning"),
        pytest.param(Severity.NOTE, 1, id="a note"),
    ],
)
def test_the_level_decides(level: Severity, written: int, tmp_path: Path) -> None:
    record(CAPTURES / "ca-limits-names-right.pcap", tmp_path, level)
    assert len(files(tmp_path)) == written


def test_nothing_that_a_peer_sent_gets_into_a_file_name(tmp_path: Path) -> None:
    record(CAPTURES / UNKNOWN_CA, tmp_path)
    (name,) = files(tmp_path)
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z_[0-9.]+_\d+_[0-9.]+_\d+_[a-z-]+\.pcapng", name)


def test_a_folder_that_goes_away_is_told_once_and_used_when_it_is_back(tmp_path: Path) -> None:
    capture = tmp_path / "many.pcap"
    capture.write_bytes(pcap(merged(*failures(2))))
    folder = tmp_path / "evidence"
    told: list[str] = []
    recorder = Recorder(Folder(str(folder), GIB), Severity.ERROR, told.append)
    folder.rmdir()
    items = [item for item in played(capture, recorder, told) if isinstance(item, Connection)]
    assert len(items) == 2
    assert len(told) == 1
    assert "No such file or directory" in told[0]
    folder.mkdir()
    for _ in played(capture, recorder, told):
        pass
    assert len(files(folder)) == 2
    assert len(told) == 1


def test_a_file_knows_of_the_packets_that_were_lost_meanwhile(tmp_path: Path) -> None:
    path = CAPTURES / UNKNOWN_CA
    every = list(pieces(path))
    (before,), _ = record(path, tmp_path / "before")
    lost = blocks.loss(before.ts_ns - 5, before.ts_ns + 5, (0, 0), (9, 7))
    told: list[str] = []
    recorder = Recorder(Folder(str(tmp_path), GIB), Severity.ERROR, told.append)
    (conn,) = (one for one in played([*every, lost], recorder, told) if isinstance(one, Connection))
    assert conn.visibility.lost_packets == 7
    (again,) = (one for one in Run([str(tmp_path / f"{stem(conn)}.pcapng")]) if isinstance(one, Connection))
    assert what(again) == what(conn)
    assert index(tmp_path)[0]["lost_packets"] == 7
