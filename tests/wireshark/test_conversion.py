"""--via tshark: captures of formats that only Wireshark reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import analyzer
from analyzer.capture.source import ReadOptions, open_capture
from analyzer.connection import Connection
from analyzer.errors import CaptureError, UsageError
from analyzer.wireshark import tool
from analyzer.wireshark.conversion import Converted
from tests.cli.commands import Shell
from tests.test_captures import CAPTURES

needs_tools = pytest.mark.skipif(
    not (shutil.which("tshark") and shutil.which("editcap")), reason="needs tshark and editcap"
)
SOURCE = CAPTURES / "ca-list-truncated-16384.pcap"
VIA = ReadOptions(via="tshark")


@pytest.fixture
def snoop(tmp_path: Path) -> str:
    """The capture as a snoop file."""
    path = tmp_path / "solaris.cap"
    subprocess.run(["editcap", "-F", "snoop", str(SOURCE), str(path)], check=True, timeout=60)
    return str(path)


def told(conn: Connection) -> tuple[object, ...]:
    """What must not depend on the format."""
    return conn.stream, conn.ts_ns, conn.diagnosis, [finding.frames for finding in conn.findings]


@needs_tools
def test_a_foreign_capture_gives_the_same_connections(snoop: str) -> None:
    result = analyzer.analyze(snoop, via="tshark")
    assert [told(conn) for conn in result] == [told(conn) for conn in analyzer.analyze(str(SOURCE))]
    assert result.errors == []


@needs_tools
def test_without_it_the_message_names_it(shell: Shell, snoop: str) -> None:
    done = shell(snoop)
    assert done.code == 3
    assert "editcap -F pcapng" in done.err and "--via tshark" in done.err
    done = shell("--via", "tshark", snoop)
    assert (done.code, done.err) == (1, "")
    assert "read through tshark" in done.out


@needs_tools
def test_foreign_captures_that_look_like_a_ring_stay_alone(snoop: str) -> None:
    shutil.copy(snoop, f"{snoop}1")
    result = analyzer.analyze(f"{snoop}*", via="tshark")
    assert len(result.captures) == 2


@needs_tools
def test_crosscheck_lets_it_read_for_both(shell: Shell, snoop: str) -> None:
    assert shell("crosscheck", snoop).code == 3
    assert shell("crosscheck", "--via", "tshark", snoop).code == 0


@needs_tools
@pytest.mark.parametrize("how", ["--all-packets", "--share-safe", "-q"])
def test_an_annotated_capture_is_made_of_it_too(how: str, shell: Shell, snoop: str, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    assert shell("--via", "tshark", snoop, "-w", str(target), how).code == 1
    (before,), (after,) = analyzer.analyze(str(SOURCE)), analyzer.analyze(target)
    assert [finding.rule for finding in after.findings] == [finding.rule for finding in before.findings]
    assert b"mtlscope: VERDICT" in target.read_bytes()


@needs_tools
def test_standard_input() -> None:
    with SOURCE.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", "--via", "tshark", "-T", "csv", "-"],
            stdin=file,
            capture_output=True,
            cwd=CAPTURES.parent,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")
    assert len(done.stdout.splitlines()) == 2


@needs_tools
def test_what_tshark_cannot_read_is_told_in_its_words(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no packets here\n" * 10)
    with pytest.raises(CaptureError, match=r"^[^:]*notes\.txt: tshark: .*isn't a capture file"):
        open_capture(str(text), VIA)


@needs_tools
def test_a_cut_capture_is_told_behind_its_frames(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(SOURCE.read_bytes()[:-10])
    frames = 0
    with pytest.raises(CaptureError, match="cut short"), open_capture(str(cut), VIA) as capture:
        for batch in capture:
            frames += len(batch)
    assert frames == 36


@needs_tools
def test_tshark_is_ended_when_nobody_reads_on() -> None:
    stream = Converted(str(SOURCE))
    assert stream.read(4) == b"\x0a\x0d\x0d\x0a"
    stream.close()
    stream.close()
    assert stream._process._process.returncode is not None


def test_without_tshark(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "find_tool", lambda name: None)
    done = shell("--via", "tshark", str(SOURCE))
    assert (done.code, done.out) == (2, "")
    assert "--via tshark needs tshark, which was not found" in done.err


def test_other_tools_are_refused(shell: Shell) -> None:
    assert shell("--via", "tcpdump", str(SOURCE)).code == 2
    with pytest.raises(UsageError, match="via='tcpdump' is not known"):
        analyzer.analyze(str(SOURCE), via="tcpdump")
