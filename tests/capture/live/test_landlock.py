"""Landlock, in a process of its own: it cannot be taken back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.capture.live.landlock import abi, confine

pytestmark = pytest.mark.skipif(not abi(), reason="this kernel has no Landlock")

TRY = """
import os, sys, threading
from pathlib import Path
from analyzer.capture.live.landlock import confine
inside, outside = Path(sys.argv[1]), Path(sys.argv[2])
opened = (outside / "open").open("wb", buffering=0)
(outside / "old").write_bytes(b"old")
assert confine([inside]) is None

def attempt(name, act):
    try:
        act()
    except OSError as error:
        print(name, type(error).__name__)
    else:
        print(name, "done")

def every():
    attempt("make inside", lambda: (inside / "a").write_bytes(b"a"))
    attempt("folder inside", lambda: (inside / "sub").mkdir(exist_ok=True))
    attempt("move inside", lambda: (inside / "a").rename(inside / "sub" / "b"))
    attempt("go on writing", lambda: opened.write(b"x"))
    attempt("cut what is open", lambda: opened.truncate(0))
    attempt("make outside", lambda: (outside / "b").write_bytes(b"b"))
    attempt("write over", lambda: (outside / "old").write_bytes(b"new"))
    attempt("cut", lambda: os.truncate(outside / "old", 0))
    attempt("remove", lambda: (outside / "old").unlink())
    attempt("folder outside", lambda: (outside / "sub").mkdir())
    attempt("move out", lambda: (inside / "sub" / "b").rename(outside / "b"))
    attempt("read outside", lambda: (outside / "old").read_bytes())

every()
thread = threading.Thread(target=every)
thread.start()
thread.join()
"""
DONE = ("make inside", "folder inside", "move inside", "go on writing", "cut what is open", "read outside")


def test_nothing_can_be_written_elsewhere_by_this_thread_and_later_ones(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("inside", "outside")]
    for folder in folders:
        folder.mkdir()
    done = subprocess.run([sys.executable, "-c", TRY, *folders], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines()[:12])
    assert done.stdout.splitlines()[:12] == done.stdout.splitlines()[12:]
    assert {name for name, how in said.items() if how == "done"} == set(DONE)


def test_a_folder_that_is_not_there_is_told_and_nothing_is_restricted(tmp_path: Path) -> None:
    assert confine([tmp_path / "missing"]) == f"{tmp_path / 'missing'}: No such file or directory"
    (tmp_path / "x").write_bytes(b"")
