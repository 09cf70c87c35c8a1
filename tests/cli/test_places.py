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
