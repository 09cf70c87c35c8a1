"""The evidence folder: whole files, within the quota, and nobody else's touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import UsageError
from analyzer.live import folder as folder_module
from analyzer.live.folder import INDEX, OLD_INDEX, Folder

PROJECT = Path(analyzer.__file__).parent.parent
QUOTA = 1_000


def stem(number: int) -> str:
    return f"20261121T1504{number:02}.000000Z_192.0.2.10_50000_192.0.2.20_5061_tls-alert"


def name(number: int) -> str:
    return f"{stem(number)}.pcapng"


def there(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir())


def test_the_oldest_go_first(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path), QUOTA)
    for number in range(5):
        folder.write(stem(number), bytes(400))
    assert there(tmp_path) == [name(3), name(4)]
    assert folder.used == 800


def test_the_next_run_goes_on_with_the_same_quota(tmp_path: Path) -> None:
    for number in range(2):
        Folder(str(tmp_path), QUOTA).write(stem(number), bytes(400))
    again = Folder(str(tmp_path), QUOTA)
    again.write(stem(2), bytes(400))
    assert there(tmp_path) == [name(1), name(2)]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("notes.txt", id="a text"),
        pytest.param("important.pcapng", id="a capture with a name of its own"),
        pytest.param(f"copy of {name(0)}", id="a copy of ours with another name"),
        pytest.param(f"{name(0)}.bak", id="with another ending"),
    ],
)
def test_files_of_others_stay(other: str, tmp_path: Path) -> None:
    (tmp_path / other).write_bytes(bytes(5_000))
    folder = Folder(str(tmp_path), QUOTA)
    for number in range(5):
        folder.write(stem(number), bytes(400))
    assert there(tmp_path) == sorted([other, name(3), name(4)])


def test_a_link_with_a_name_of_ours_is_not_ours(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"x")
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / name(0)).symlink_to(kept)
    assert len(Folder(str(folder), QUOTA)) == 0
    assert kept.read_bytes() == b"x"


def test_there_are_never_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MAX_FILES", 3)
    folder = Folder(str(tmp_path), QUOTA)
    for number in range(5):
        folder.write(stem(number), b"x")
    assert there(tmp_path) == [name(2), name(3), name(4)]


def test_a_file_that_somebody_removed_is_no_trouble(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path), QUOTA)
    for number in range(2):
        folder.write(stem(number), bytes(400))
    (tmp_path / name(0)).unlink()
    folder.write(stem(2), bytes(400))
    assert there(tmp_path) == [name(1), name(2)]


def test_a_file_beyond_the_quota_takes_nothing_away(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path), QUOTA)
    folder.write(stem(0), bytes(400))
    with pytest.raises(OSError, match="more than the quota"):
        folder.write(stem(1), bytes(QUOTA + 1))
    assert there(tmp_path) == [name(0)]


def test_no_file_is_written_over(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path), QUOTA)
    assert [folder.write(stem(0), data) for data in (b"one", b"two", b"three")] == [
        name(0),
        f"{stem(0)}-2.pcapng",
        f"{stem(0)}-3.pcapng",
    ]
    assert (tmp_path / name(0)).read_bytes() == b"one"
    assert Folder(str(tmp_path), QUOTA).used == folder.used == 11


def test_what_a_killed_run_had_begun_is_removed(tmp_path: Path) -> None:
    (tmp_path / f".{name(0)}.part").write_bytes(b"half")
    Folder(str(tmp_path), QUOTA)
    assert there(tmp_path) == []


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        pytest.param(b'{"n":1}\n{"n"', b'{"n":1}\n', id="a part of a line"),
        pytest.param(b'{"n', b"", id="nothing else"),
        pytest.param(b'{"n":1}\n', b'{"n":1}\n', id="whole lines"),
    ],
)
def test_what_a_kill_left_of_a_line_of_the_index_is_cut_off(left: bytes, kept: bytes, tmp_path: Path) -> None:
    (tmp_path / INDEX).write_bytes(left)
    Folder(str(tmp_path), QUOTA).note(b'{"n":2}\n')
    assert (tmp_path / INDEX).read_bytes() == kept + b'{"n":2}\n'


def test_an_index_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_bytes(b"precious")
    with pytest.raises(UsageError, match="no JSON Lines"):
        Folder(str(tmp_path), QUOTA)
    assert (tmp_path / INDEX).read_bytes() == b"precious"


def test_the_index_is_turned_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MAX_INDEX", 20)
    folder = Folder(str(tmp_path), QUOTA)
    for number in range(5):
        folder.note(b"line %d....\n" % number)
    assert (tmp_path / OLD_INDEX).read_bytes() == b"line 2....\nline 3....\n"
    assert (tmp_path / INDEX).read_bytes() == b"line 4....\n"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new"), QUOTA)
    folder.write(stem(0), b"x")
    folder.note(b"line\n")
    assert {(one.stat().st_mode & 0o777) for one in (tmp_path / "new").iterdir()} == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="name a folder that can be written"):
        Folder(str(tmp_path / "file"), QUOTA)


WRITER = f"""
from analyzer.live.folder import Folder
import sys
folder, number = Folder(sys.argv[1], 1 << 30), 0
print("begun", flush=True)
while True:
    number += 1
    folder.write("{stem(0)}".replace("192.0.2.10_50000", f"192.0.2.10_{{number}}"), b"x" * 300_000)
    folder.note(b'{{"line": %d}}' % number + b"\\n")
"""


def test_kill_9_leaves_no_torn_file(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as out:
        out.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    whole = list(tmp_path.glob("2*.pcapng"))
    assert whole
    assert {one.stat().st_size for one in whole} == {300_000}
    assert (tmp_path / INDEX).read_bytes().endswith(b"}\n")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_leaves_whole_files_and_whole_lines(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        folder = Folder(str(tmp_path), 1 << 30)
        folder.note(b"line\n")
        folder.write(stem(0), bytes(40_000))
        with pytest.raises(OSError, match="No space left"):
            folder.write(stem(1), bytes(40_000))
        with pytest.raises(OSError, match="No space left"):
            folder.note(b"x" * 60_000)
        assert there(tmp_path) == [name(0), INDEX]
        assert (tmp_path / INDEX).read_bytes() == b"line\n"
        (tmp_path / name(0)).unlink()
        folder.write(stem(1), bytes(40_000))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
