"""A file of lines that is written for weeks: rotated, moved, cut, full, and torn by a kill."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from analyzer.cli.live.logfile import LogFile, Parts
from analyzer.cli.live.rotation import SECOND_NS, Rotation, old_files
from analyzer.errors import UsageError
from analyzer.report.output import Item

LINE = b'{"n":1}\n'
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


class Clocks:
    """Both clocks, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1_795_262_400.0

    def ns(self) -> int:
        return int(self.now * SECOND_NS)

    def seconds(self) -> float:
        return self.now


class Told(list[str]):
    """Lines for the user."""


def opened(path: Path, rotation: Rotation | None = None) -> tuple[LogFile, Clocks, Told]:
    clocks, told = Clocks(), Told()
    log = LogFile(str(path), rotation or Rotation(), told.append, clocks.ns, clocks.seconds)
    return log, clocks, told


def whole(path: Path) -> int:
    """Its lines, each of which must be one."""
    data = path.read_bytes()
    assert not data or data.endswith(b"\n"), data[-100:]
    return len([json.loads(line) for line in data.splitlines()])


# ---- rotation --------------------------------------------------------------------------------------------------------


def test_full_files_are_put_away_whole(tmp_path: Path) -> None:
    log, clocks, told = opened(tmp_path / "out.jsonl", Rotation(bytes=100, keep=3))
    for _ in range(100):
        clocks.now += 1
        log.write(LINE)
    log.close()
    old = old_files(tmp_path / "out.jsonl")
    assert [whole(file) for file in old] == [13, 13, 13]
    assert whole(tmp_path / "out.jsonl") == 100 - 7 * 13
    assert told == []


def test_a_full_hour_puts_a_file_away_though_nothing_comes(tmp_path: Path) -> None:
    log, clocks, _ = opened(tmp_path / "out.jsonl", Rotation(seconds=3600))
    log.write(LINE)
    before = log.generation
    for _ in range(3):
        clocks.now += 3600
        log.tick(clocks.ns())
    log.close()
    assert [whole(file) for file in old_files(tmp_path / "out.jsonl")] == [1]
    assert whole(tmp_path / "out.jsonl") == 0
    assert log.generation == before + 1


def test_what_an_earlier_run_left_is_put_away_at_the_start_if_its_time_is_over(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(LINE)
    os.utime(path, (0, 0))
    opened(path, Rotation(seconds=3600))[0].close()
    assert (len(old_files(path)), whole(path)) == (1, 0)


@posix
def test_where_nothing_can_be_renamed_the_file_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    log, clocks, told = opened(tmp_path / "out.jsonl", Rotation(bytes=20))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        for _ in range(50):
            clocks.now += 1
            log.write(LINE)
    assert whole(tmp_path / "out.jsonl") == 50
    assert 4 <= len(told) <= 6, "about one line in ten seconds"
    assert "rotating: Permission denied" in told[0]
    clocks.now += 20
    log.write(LINE)
    assert whole(old_files(tmp_path / "out.jsonl")[0]) == 51
    log.close()


def test_each_new_file_begins_a_new_part(tmp_path: Path) -> None:
    log, _, _ = opened(tmp_path / "out.jsonl", Rotation(bytes=len(LINE) * 2))
    items = cast("Iterator[Item]", iter("abcde"))
    parts = [[str(item) for item in part if log.write(LINE)] for part in Parts(items, log)]
    log.close()
    assert parts == [["a", "b"], ["c", "d"], ["e"]]


# ---- moved and cut by others -----------------------------------------------------------------------------------------


@posix
def test_a_file_that_was_moved_is_opened_anew_when_asked(tmp_path: Path) -> None:
    path, moved = tmp_path / "out.jsonl", tmp_path / "out.jsonl.1"
    log, clocks, _ = opened(path)
    log.write(LINE)
    path.rename(moved)
    log.write(LINE)
    log.reopen()
    before = log.generation
    log.tick(clocks.ns())
    log.write(LINE)
    log.close()
    assert (whole(moved), whole(path), log.generation) == (2, 1, before + 1)


def test_a_file_that_was_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    log, clocks, _ = opened(path)
    log.write(LINE * 9)
    before = log.generation
    os.truncate(path, 0)
    log.tick(clocks.ns())
    log.write(LINE)
    log.close()
    assert (path.read_bytes(), log.generation) == (LINE, before + 1)


# ---- what is there already -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "left", "told"),
    [
        pytest.param(b"", b"", [], id="an empty file"),
        pytest.param(LINE, LINE, ["has 8 bytes; new lines are appended"], id="whole lines"),
        pytest.param(LINE + b'{"n', LINE, ["3 bytes of a half-written last line", "has 8 bytes"], id="a torn line"),
        pytest.param(LINE + bytes(9), LINE, ["9 bytes", "has 8 bytes"], id="zeros, which a power failure leaves"),
        pytest.param(b'{"n', b"", ["3 bytes"], id="nothing but a torn line"),
        pytest.param(LINE + b"{" * 200_000, LINE, ["200,000 bytes", "has 8"], id="a long torn line"),
    ],
)
def test_lines_are_appended_to_whole_ones(there: bytes, left: bytes, told: list[str], tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(there)
    log, _, said = opened(path)
    log.write(LINE)
    log.close()
    same = path.read_bytes() == left + LINE  # a difference of 200,000 bytes takes pytest a minute
    assert same
    assert len(said) == len(told)
    assert all(part in line for part, line in zip(told, said, strict=True))


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(b"\n\r\r\n\x1c\0\0\0", id="a capture"),
        pytest.param(b"text\n", id="text"),
        pytest.param(b"{\n}", id="a JSON document"),
        pytest.param(b"\0\0", id="zeros"),
    ],
)
def test_a_file_that_is_none_of_lines_is_left_alone(there: bytes, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_bytes(there)
    with pytest.raises(UsageError, match="no JSON Lines"):
        opened(path)
    assert path.read_bytes() == there


@posix
def test_two_never_write_one_file(tmp_path: Path) -> None:
    log, _, _ = opened(tmp_path / "out.jsonl")
    with pytest.raises(UsageError, match="another process writes it"):
        opened(tmp_path / "out.jsonl")
    log.close()
    opened(tmp_path / "out.jsonl")[0].close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*No such file"):
        opened(tmp_path / "no" / "out.jsonl")


# ---- a full disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("needs root on Linux")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_loses_lines_that_are_counted_and_nothing_else(small_disk: Path) -> None:
    path, block = small_disk / "out.jsonl", b'{"x":"%s"}\n' % (b"x" * 3000)
    (small_disk / "other").write_bytes(bytes(30_000))
    log, clocks, told = opened(path)
    for _ in range(100):
        log.write(block * 3)
        clocks.now += 1
    full = whole(path)
    assert 0 < full < 60
    assert full + log.lost_lines == 300
    assert told[0] == f"{path}: No space left on device; lines are lost until that is mended, the capture goes on"
    assert len(told) == 1
    (small_disk / "other").unlink()
    generation = log.generation
    log.write(block)
    assert log.generation == generation, "what is written now is kept"
    assert told[1] == f"{path}: {log.lost_lines:,} lines were lost; it is written again"
    log.close()
    assert whole(path) == full + 1
    assert len(told) == 2


def test_text_is_lost_in_whole_blocks_on_a_full_disk_and_goes_on(small_disk: Path) -> None:
    path, told = small_disk / "out.txt", Told()
    block = "".join(f"line {number} {'x' * 800}\n" for number in range(10)).encode()
    log = LogFile(str(path), Rotation(), told.append, lines=False)
    for _ in range(20):
        for line in block.splitlines(keepends=True):
            log.write(line)
        log.flush()
    full = path.read_bytes()
    assert full == block * (len(full) // len(block))
    assert 0 < len(full) < 64 * 1024
    assert log.lost_lines == 200 - full.count(b"\n")
    os.truncate(path, 0)
    log.tick(0)
    log.write(b"more\n")
    log.close()
    assert path.read_bytes() == b"more\n"
    assert told == [
        f"{path}: No space left on device; lines are lost until that is mended, the capture goes on",
        f"{path}: {log.lost_lines:,} lines were lost; it is written again",
    ]


def test_text_overwrites_what_is_there_but_not_before_there_is_some(tmp_path: Path) -> None:
    path, told = tmp_path / "out.txt", Told()
    path.write_bytes(b"what an earlier run said")
    log = LogFile(str(path), Rotation(), told.append, lines=False)
    assert path.read_bytes() == b"what an earlier run said"
    for part in (b"one\n", b"two\n"):
        log.write(part)
    assert path.read_bytes() == b"what an earlier run said", "it waits for what belongs to it"
    log.flush()
    log.write(b"three\n")
    log.close()
    assert (path.read_bytes(), told) == (b"one\ntwo\nthree\n", [])


@posix
def test_a_limit_of_the_file_size_is_survived_as_a_full_disk_is(tmp_path: Path) -> None:
    import resource

    log, _, told = opened(tmp_path / "out.jsonl")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
        for _ in range(5):
            log.write(LINE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    log.close()
    assert (whole(tmp_path / "out.jsonl"), log.lost_lines) == (2, 3)
    assert told[1:] == [f"{tmp_path / 'out.jsonl'}: 3 lines were lost"]


@posix
def test_after_each_loss_everything_is_told_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, clocks, told = opened(tmp_path / "out.jsonl")
    log.write(LINE)
    generation = log.generation

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        log.write(LINE)
    assert log.generation == generation + 1
    log.write(LINE)
    assert len(told) == 1, "the count comes when the last message is ten seconds old"
    clocks.now += 11
    log.tick(clocks.ns())
    assert told[1].endswith("1 lines were lost; it is written again")
    log.close()


# ---- killed ----------------------------------------------------------------------------------------------------------

WRITER = """
import sys, time
from analyzer.cli.live.logfile import LogFile
from analyzer.cli.live.rotation import Rotation
log = LogFile(sys.argv[1], Rotation(bytes=2_000_000, keep=2), lambda line: print(line, file=sys.stderr))
block = b'{"x":"' + b"x" * 9000 + b'"}\\n'
print("ready", flush=True)
while True:
    log.write(block)
"""


@posix
def test_a_kill_at_any_moment_leaves_whole_lines(tmp_path: Path) -> None:
    """But for the last one of the file in use, which the kernel may leave half written; the next start cuts it off."""
    path, moments = tmp_path / "out.jsonl", random.Random(7)
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        with writer.stdout as ready:
            assert ready.readline() == b"ready\n"
            time.sleep(moments.random() / 10)
            writer.send_signal(signal.SIGKILL)
            writer.wait(10)
        killed = path.read_bytes() if path.exists() else b""
        assert all(json.loads(line) for line in killed.split(b"\n")[:-1])
        opened(path)[0].close()
        assert whole(path) == killed.count(b"\n")
        assert all(map(whole, old_files(path)))
