"""From paths to inputs: files, folders, globs, rings; what is missing is told beside what is there."""

from __future__ import annotations

import errno
import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from analyzer.capture.inputs import find_inputs
from analyzer.errors import CaptureError, UsageError
from tests.build.pcap import Packet, pcap
from tests.build.pcapng import pcapng

PCAP = pcap([Packet(b"x")])
TREE = {
    "b.pcapng": pcapng([]),
    "a.pcap": PCAP,
    "a.toml": b"[capture]\n",
    "README": b"",
    "deep/er/c": gzip.compress(PCAP),
    "deep/er/notes.txt": b"notes",
    "deep/d.etl.bak": b"snoop\0\0\0\0\0\0\2",
    "deep/.hidden/e.pcap": PCAP,
    "none/readme.txt": b"text",
    "we[i]rd/f.pcap": PCAP,
}


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, raw in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)


def names(*paths: str) -> list[str]:
    return [one.name.replace(os.sep, "/") for one in find_inputs(paths).inputs]


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        pytest.param(["a.pcap"], ["a.pcap"], id="a file"),
        pytest.param(["README"], ["README"], id="a file that is no capture is tried: its error names it"),
        pytest.param(["b.pcapng", "a.pcap"], ["b.pcapng", "a.pcap"], id="the user's order"),
        pytest.param(["a.pcap", "a.pcap"], ["a.pcap"], id="the same file twice"),
        pytest.param(["./a.pcap"], ["./a.pcap"], id="the name as given"),
        pytest.param(["-"], ["-"], id="standard input"),
        pytest.param(
            ["deep"], ["deep/d.etl.bak", "deep/er/c"], id="a folder: by content, sorted, hidden folders left out"
        ),
        pytest.param(["deep/"], ["deep/d.etl.bak", "deep/er/c"], id="a folder with a slash"),
        pytest.param(["*.pcap*"], ["a.pcap", "b.pcapng"], id="a glob"),
        pytest.param(["a.*"], ["a.pcap"], id="a glob over a capture and its companion"),
        pytest.param(["?.pcap"], ["a.pcap"], id="a question mark"),
        pytest.param(["[ab].pcap*"], ["a.pcap", "b.pcapng"], id="a set"),
        pytest.param(["**/c"], ["deep/er/c"], id="any number of folders"),
        pytest.param(["dee*"], ["deep/d.etl.bak", "deep/er/c"], id="a glob that matches a folder"),
        pytest.param(["none/*"], ["none/readme.txt"], id="a glob without a capture: told file by file"),
        pytest.param(["we[i]rd"], ["we[i]rd/f.pcap"], id="a name with brackets that exists is no glob"),
        pytest.param(["we[i]rd/f.pcap"], ["we[i]rd/f.pcap"], id="the same, a file"),
    ],
)
def test_what_is_found(paths: list[str], found: list[str]) -> None:
    assert names(*paths) == found
    assert find_inputs(paths).problems == ()


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        pytest.param([], "nothing to analyse: give a capture, a folder, or -", id="nothing given"),
        pytest.param(["a.pcp"], "a.pcp: no such file or folder; did you mean: a.pcap", id="misspelt"),
        pytest.param(["A.PCAP "], "did you mean: a.pcap", id="upper case"),
        pytest.param(["deep/err/c"], "there is no folder", id="misspelt folder"),
        pytest.param(
            ["empty"], "empty: no capture in this folder (looked at the content of no files)", id="empty folder"
        ),
        pytest.param(
            ["none"], "none: no capture in this folder (looked at the content of 1 file)", id="folder without capture"
        ),
        pytest.param(["*.cap"], "*.cap: no file matches", id="glob without a match"),
        pytest.param(["x1", "x2"], "x1: no such file or folder; x2: no such file or folder", id="all missing"),
        pytest.param(["a\0b"], "no such file or folder", id="a zero byte"),
        pytest.param([""], "no such file or folder", id="an empty name"),
    ],
)
def test_nothing_to_analyse(paths: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_inputs(paths)
    assert message in str(caught.value)


def test_one_missing_input_does_not_stop_the_others() -> None:
    found = find_inputs(["a.pcap", "gone.pcap", "none"])
    assert [one.name for one in found.inputs] == ["a.pcap"]
    assert [problem.split(":")[0] for problem in found.problems] == ["gone.pcap", "none"]


def test_a_ring_is_one_input(tmp_path: Path) -> None:
    for number, time in ((1, 3), (2, 1), (3, 2)):
        (tmp_path / f"empty/lab_0000{number}_20261121093000.pcap").write_bytes(pcap([Packet(b"x", time * 10**9)]))
    (only,) = find_inputs(["empty"]).inputs
    assert [name[-24:-20] for name in only.files] == ["0002", "0003", "0001"]
    assert only.name == only.files[0]


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, owner: object, method: str) -> None:
    """What is called so may not be read; root would be let in, whatever its mode is."""
    real = getattr(owner, method)

    def refusing(path: Any = ".", *args: Any, **named: Any) -> Any:
        if str(path).rpartition("/")[2] == name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **named)

    monkeypatch.setattr(owner, method, refusing)


def test_a_file_in_a_folder_that_may_not_be_read_is_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a capture: that it cannot be opened is told when it is analysed."""
    refuse(monkeypatch, "notes.txt", Path, "open")
    assert names("deep") == ["deep/d.etl.bak", "deep/er/c", "deep/er/notes.txt"]
    assert names("deep/er/*") == ["deep/er/c", "deep/er/notes.txt"]


def test_a_file_that_may_not_be_looked_at_is_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a folder whose names may be read, and nothing else."""
    refuse(monkeypatch, "c", os, "stat")
    refuse(monkeypatch, "c", Path, "open")
    assert names("deep") == ["deep/d.etl.bak", "deep/er/c"]


def test_a_path_that_may_not_be_looked_at_is_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "x.pcap", os, "lstat")
    assert names("deep/x.pcap") == ["deep/x.pcap"]


def test_a_folder_below_that_may_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "er", os, "scandir")
    for path in ("deep", "dee*"):
        found = find_inputs([path])
        assert [one.name for one in found.inputs] == ["deep/d.etl.bak"]
        assert found.problems == ("deep/er: cannot be read: Permission denied",)


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        pytest.param(["deep"], "deep: cannot be read: Permission denied", id="alone"),
        pytest.param(
            ["x1", "deep"], "x1: no such file or folder; deep: cannot be read: Permission denied", id="beside another"
        ),
        pytest.param(
            ["deep", "x*"], "x*: no file matches; deep: cannot be read: Permission denied", id="beside a glob"
        ),
    ],
)
def test_a_folder_that_may_not_be_read_is_no_empty_one(
    paths: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, "deep", os, "scandir")
    with pytest.raises(CaptureError) as caught:
        find_inputs(paths)
    assert str(caught.value) == told


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_what_may_not_be_read_in_a_real_folder(tmp_path: Path) -> None:
    (tmp_path / "deep/er/c").chmod(0)
    (tmp_path / "none").chmod(0)
    assert names("deep") == ["deep/d.etl.bak", "deep/er/c"]
    with pytest.raises(CaptureError, match="none: cannot be read: Permission denied"):
        find_inputs(["none"])
