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
    assert done.err == f"mtlscope: {target}: 16 packets, 6 with comments\n"
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
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], told: str, shell: Shell) -> None:
    done = shell(*words)
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1
