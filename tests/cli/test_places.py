"""Where nothing can be written: each option says so in one line. A name that is too long stands for a folder that may not be
entered, which root may enter: both make the system refuse already the question what is there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from analyzer import places
from tests.cli.commands import Shell

CAPTURES = Path(__file__).parents[2] / "captures"
CAPTURE, OTHER = str(CAPTURES / "client-untrusted-12.pcap"), str(CAPTURES / "client-untrusted-13.pcap")
TOPOLOGY = str(CAPTURES / "edge-internal-right.topology.toml")
LONG = "x" * 300


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["-o", LONG, CAPTURE], id="the report"),
        pytest.param(["-T", "sqlite", "-o", LONG, CAPTURE], id="a database"),
        pytest.param(["-T", "zeek", "-o", LONG, CAPTURE], id="perhaps a folder"),
        pytest.param(["-w", LONG, CAPTURE], id="an annotated capture"),
        pytest.param(["--repro", LONG, CAPTURE], id="what to try"),
        pytest.param(["diff", "-o", LONG, CAPTURE, OTHER], id="a difference"),
        pytest.param(["topology", "-o", LONG, CAPTURE], id="a guessed topology"),
        pytest.param(["plan", "-o", LONG, TOPOLOGY], id="a plan"),
        pytest.param(["live", "--follow", CAPTURE, "-o", LONG], id="a live report"),
        pytest.param(["live", "--follow", CAPTURE, "-T", "jsonl", "-o", LONG], id="lines of a live report"),
        pytest.param(["live", "--follow", CAPTURE, "--db", LONG], id="a store"),
    ],
)
def test_a_place_that_cannot_be_looked_at_cannot_be_written(words: list[str], shell: Shell) -> None:
    done = shell(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"mtlscope: cannot write {LONG}: {os.strerror(errno.ENAMETOOLONG)}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["diff", f"{LONG}:7"], "no such file or folder", id="a capture to compare, with a stream"),
        pytest.param([LONG], "no such file or folder", id="a word that may be a command"),
        pytest.param(["live", "--follow", LONG], "no such file or folder", id="a ring"),
    ],
)
def test_a_place_that_cannot_be_looked_at_cannot_be_read(words: list[str], told: str, shell: Shell) -> None:
    done = shell(*words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"mtlscope: {LONG}: {told}")


def test_what_is_at_a_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("gone")
    asked = (places.is_there, places.is_file, places.is_folder)
    told = {name: [ask(tmp_path / name) for ask in asked] for name in ("", "file", "link", "gone", LONG)}
    assert told == {
        "": [True, False, True],
        "file": [True, True, False],
        "link": [False, False, False],
        "gone": [False, False, False],
        LONG: [False, False, False],
    }


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
@pytest.mark.parametrize("words", [[], ["-T", "parquet"], ["-w"]], ids=["report", "parquet", "annotated"])
def test_a_file_beside_the_captures_that_may_not_be_read_is_not_written(
    words: list[str], tmp_path: Path, shell: Shell
) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"")
    target.chmod(0)
    (tmp_path / "in.pcap").write_bytes(Path(CAPTURE).read_bytes())
    done = shell(*(words if words[-1:] == ["-w"] else [*words, "-o"]), str(target), str(tmp_path / "in.pcap"))
    assert (done.code, done.err) == (2, f"mtlscope: cannot write {target}: Permission denied\n")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        pytest.param([""], "PATH", id="a capture"),
        pytest.param(["-r", ""], "-r", id="a capture with -r"),
        pytest.param(["-o", "", CAPTURE], "-o", id="the report"),
        pytest.param(["-w", "", CAPTURE], "-w", id="an annotated capture"),
        pytest.param(["--topology", "", CAPTURE], "--topology", id="a topology"),
        pytest.param(["--trust", "", CAPTURE], "--trust", id="a trust store"),
        pytest.param(["--repro", "", CAPTURE], "--repro", id="what to try: not the current folder"),
        pytest.param(["diff", "", CAPTURE], "A[:STREAM]", id="the first to compare"),
        pytest.param(["diff", CAPTURE, ""], "B[:STREAM]", id="the second to compare"),
        pytest.param(["diff", "-o", "", CAPTURE, OTHER], "-o", id="a difference"),
        pytest.param(["correlate", CAPTURE, ""], "B", id="one to join"),
        pytest.param(["crosscheck", ""], "PATH", id="one to check"),
        pytest.param(["topology", "-o", "", CAPTURE], "-o", id="a guessed topology"),
        pytest.param(["plan", ""], "FILE", id="a topology to plan"),
        pytest.param(["plan", "-o", "", TOPOLOGY], "-o", id="a plan"),
        pytest.param(["wireshark", "install", "--folder", ""], "--folder", id="a menu"),
        pytest.param(["live", "-r", "-", "-o", ""], "-o", id="a live report"),
        pytest.param(["live", "-r", "-", "-w", ""], "-w", id="a copy"),
        pytest.param(["live", "-r", "-", "--db", ""], "--db", id="a store"),
        pytest.param(["live", "-r", "-", "--evidence", ""], "--evidence", id="evidence"),
        pytest.param(["live", "-r", "-", "--metrics-file", ""], "--metrics-file", id="numbers"),
        pytest.param(["live", "-r", "-", "--heartbeat", ""], "--heartbeat", id="a sign of life"),
        pytest.param(["live", "--follow", ""], "--follow", id="a ring"),
    ],
)
def test_an_empty_name_is_told_with_the_option_that_has_it(
    words: list[str], option: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = shell(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"mtlscope: {option}")
    assert done.err.endswith(": an empty name; is a variable of the shell not set?\n")
    assert not list(tmp_path.iterdir())
