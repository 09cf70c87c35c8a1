"""`mtlscope -w FILE`: the report as ever, and a capture with comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Shell

CAPTURES = Path(__file__).parents[2] / "captures"
BROKEN = str(CAPTURES / "client-untrusted-12.pcap")


def test_the_report_stays_as_it_is(tmp_path: Path, shell: Shell) -> None:
    plain, target = shell("-T", "jsonl", BROKEN), tmp_path / "out.pcapng"
    done = shell("-T", "jsonl", "-w", str(target), BROKEN)
    assert (done.out, done.code) == (plain.out, plain.code)
    assert done.err == f"mtlscope: {target}: 16 packets, 5 with comments\n"
    assert target.read_bytes()[:4] == bytes.fromhex("0a0d0d0a")


def test_quiet_says_nothing(tmp_path: Path, shell: Shell) -> None:
    assert shell("-q", "-w", str(tmp_path / "out.pcapng"), BROKEN).err == ""


def test_only_matching_connections(tmp_path: Path, shell: Shell) -> None:
    done = shell("-w", str(tmp_path / "out.pcapng"), "--stream", "99", BROKEN)
    assert ": 0 packets, 0 with comments" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["-w", "x.pcapng", "-"], "-w reads the capture a second time, which standard input", id="stdin"),
        pytest.param(["-w", "-", BROKEN], "-w needs a file name", id="to standard output"),
        pytest.param(["-w", BROKEN, BROKEN], "is an input; choose another file", id="over its input"),
        pytest.param(["-w", "x", "-o", "x", BROKEN], "-o and -w both name x", id="over the report"),
        pytest.param(["--share-safe", BROKEN], "--share-safe belongs to -w FILE", id="without -w"),
        pytest.param(["-w", "x", "--share-safe", "--keep-secrets", BROKEN], "choose one of them", id="contradiction"),
        pytest.param(["-w", str(CAPTURES), BROKEN], "is a folder", id="a folder"),
        pytest.param(["-w", "nowhere/x", BROKEN], "there is no folder", id="told before the analysis, not after it"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], told: str, shell: Shell) -> None:
    done = shell(*words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_second_run_writes_over_the_first_one(tmp_path: Path, shell: Shell) -> None:
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    source.write_bytes(Path(BROKEN).read_bytes())
    first = shell("-w", str(target), str(source))
    assert shell("-w", str(target), str(source)) == first


def test_a_folder_that_holds_the_target_is_refused(tmp_path: Path, shell: Shell) -> None:
    (tmp_path / "in.pcap").write_bytes(Path(BROKEN).read_bytes())
    target = tmp_path / "out.pcapng"
    shell("-w", str(target), str(tmp_path))
    assert shell("-w", str(target), str(tmp_path)).err == f"mtlscope: -w {target} is an input; choose another file\n"


def test_a_capture_that_is_made_safe_to_share(tmp_path: Path, shell: Shell) -> None:
    target = tmp_path / "out.pcapng"
    done = shell("-w", str(target), "--share-safe", BROKEN)
    assert ": 16 packets, 5 with comments" in done.err
    assert "192.0.2.20" not in shell(str(target)).out
