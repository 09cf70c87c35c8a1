"""The file of -w, moved away by somebody while it is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from analyzer.capture.live import blocks
from analyzer.cli.live.copying import Copy
from analyzer.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")


@pytest.mark.parametrize(
    ("there", "goes_on", "said"),
    [
        pytest.param(None, True, [], id="moved away"),
        pytest.param(b"", True, [], id="an empty file has its name"),
        pytest.param(blocks.section(), True, [], id="a capture has its name"),
        pytest.param(b"precious", False, ["something that is no pcapng; the copy goes on in"], id="another file has"),
    ],
)
def test_it_goes_on_under_its_name(there: bytes | None, goes_on: bool, said: list[str], tmp_path: Path) -> None:
    path, told = tmp_path / "copy.pcapng", list[str]()
    copy = Copy(str(path), told.append)
    copy.file.write(b"one")
    path.rename(tmp_path / "moved")
    if there is not None:
        path.write_bytes(there)
    old = copy.file
    file = copy.again()
    assert (file is copy.file, copy.file is old) == (goes_on, not goes_on)
    assert not old.closed, "its end is still to be written"
    old.close()
    copy.close()
    assert (tmp_path / "moved").read_bytes() == b"one"
    assert (path.read_bytes() if path.exists() else None) == (b"" if there is None else there), "nothing is cut"
    assert [part in line for part, line in zip(said, told, strict=True)] == [True] * len(said)


def test_a_file_that_nobody_moved_goes_on_as_it_is(tmp_path: Path) -> None:
    copy = Copy(str(tmp_path / "copy.pcapng"), print)
    copy.file.write(b"one")
    assert copy.again() is None
    assert not copy.file.closed
    copy.close()


def test_a_folder_that_is_gone_is_told_and_the_old_file_goes_on(tmp_path: Path) -> None:
    folder, told = tmp_path / "folder", list[str]()
    folder.mkdir()
    copy = Copy(str(folder / "copy.pcapng"), told.append)
    folder.rename(tmp_path / "moved")
    assert copy.again() is None
    copy.file.write(b"more")
    copy.close()
    assert (tmp_path / "moved" / "copy.pcapng").read_bytes() == b"more"
    assert "No such file or directory; the copy goes on in the file that was moved" in told[0]


def test_one_that_cannot_be_written_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*No such file"):
        Copy(str(tmp_path / "no" / "copy.pcapng"), print)
