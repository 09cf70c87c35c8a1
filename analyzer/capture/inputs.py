"""From what the user names (files, folders, globs, "-") to inputs: which files to read, and which belong together.

Folders give the files in them whose content is a capture, also of a kind that we cannot read, so that it is told and not
missed, and files that may not be read, which may be captures; everything else in them is passed over in silence. Globs are
expanded here, because the command shell of Windows does not. A ring of rotated files becomes one input.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from analyzer.capture.rings import joined
from analyzer.capture.source import is_capture
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError, UsageError
from analyzer.nearest import did_you_mean, nearest

WILDCARDS = "*?["
STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """One capture to analyse.

    Attributes:
        name: what to call it: the path as the user gave it, or found in the folder that they gave; of a ring its first file.
        files: what to read, in this order: one file, or the files of a ring in order of time.
    """

    name: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to analyse.

    Attributes:
        inputs: in the order in which the user named them; those of a folder by name.
        problems: one line for each path that is missing or holds no capture, with the nearest right thing, and for each folder
            that may not be read.
    """

    inputs: tuple[Input, ...]
    problems: tuple[str, ...]


def find_inputs(paths: Sequence[str]) -> Found:
    """Find all captures. Raise UsageError if there is nothing to analyse at all, CaptureError if nothing may be read."""
    files: list[str] = []
    problems: list[str] = []
    closed: list[str] = []
    for path in paths:
        try:
            files += expand(path, closed)
        except UsageError as problem:
            problems.append(str(problem))
    files = list(dict.fromkeys(files))
    problems += dict.fromkeys(closed)
    if not files and closed:
        raise CaptureError("; ".join(problems))
    if not files:
        raise UsageError(
            "; ".join(dict.fromkeys(problems))
            or "nothing to analyse: give a capture, a folder, or - for standard input"
        )
    return Found(tuple(Input(ring[0], ring) for ring in joined(files)), tuple(problems))


def expand(path: str, closed: list[str]) -> list[str]:
    """The files that one path stands for; lines about folders that may not be read go to `closed`.

    Raise UsageError if there are none.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return [path]
    if os.path.isdir(path):  # noqa: PTH112 - Path would drop the "./" that the user wrote
        return in_folder(path, closed)
    if _is_there(path):
        return [path]
    if any(sign in path for sign in WILDCARDS):
        return matching(path, closed)
    raise UsageError(missing(path))


def in_folder(folder: str, closed: list[str]) -> list[str]:
    """Every capture in a folder and the folders in it, sorted by path."""
    known = len(closed)
    found = captures_below(folder, closed)
    if not found and len(closed) == known:
        raise UsageError(f"{folder}: no capture in this folder (looked at the content of {count_files(folder)})")
    return found


def captures_below(folder: str, closed: list[str]) -> list[str]:
    """What may be a capture, sorted by path; a line about each folder that may not be read goes to `closed`."""
    refused: list[OSError] = []
    found = sorted(path for path in walk(folder, refused.append) if may_be_capture(path))
    closed += [f"{error.filename}: cannot be read: {error.strerror}" for error in refused]
    return found


def walk(folder: str, refused: Callable[[OSError], None] | None = None) -> Iterator[str]:
    """Every regular file below a folder, links to folders not followed; hidden folders are passed over.

    `refused` is told of a folder that cannot be read.
    """
    for where, folders, names in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = os.path.join(where, name)  # noqa: PTH118 - as above
            if _is_file(path):
                yield path


def _is_file(path: str) -> bool:
    """A regular file; also what nobody may look at, which is told when it is opened."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - as above
    except PermissionError:
        return True
    except OSError:
        return False


def _is_there(path: str) -> bool:
    """A link that leads nowhere is, and what nobody may look at may be: both are told when they are opened."""
    try:
        os.lstat(path)
    except PermissionError:
        return True
    except (OSError, ValueError):  # ValueError: a zero byte
        return False
    return True


def count_files(folder: str) -> str:
    """How many files were looked at, for people."""
    count = sum(1 for _ in walk(folder))
    return "no files" if not count else f"{count:,} file{'s' if count > 1 else ''}"


def matching(pattern: str, closed: list[str]) -> list[str]:
    """Every file that a glob matches; "**" is any number of folders. A folder that matches gives its captures.

    Captures and their companions together mean the captures; where none is a capture, each is told by its name.
    """
    known = len(closed)
    paths = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - as above
    files = [path for path in paths if os.path.isfile(path)]  # noqa: PTH113 - as above
    if "**" not in pattern:
        folders = [path for path in paths if os.path.isdir(path)]  # noqa: PTH112 - as above
        files += [path for folder in folders for path in captures_below(folder, closed)]
    if not files and len(closed) == known:
        raise UsageError(f"{pattern}: no file matches{_beside(pattern)}")
    return [path for path in files if may_be_capture(path)] or files


def looks_like_capture(path: str) -> bool:
    """The first bytes are those of a capture format; of a gzip file, the first unpacked bytes."""
    try:
        return _starts_as_capture(path)
    except OSError:
        return False


def may_be_capture(path: str) -> bool:
    """It looks like one, or it is there and cannot be read: then that is told when it is opened."""
    try:
        return _starts_as_capture(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _starts_as_capture(path: str) -> bool:
    with Path(path).open("rb", buffering=0) as file:
        return is_capture(cast(BinaryIO, file))


def missing(path: str) -> str:
    """What to say about a path that does not exist, or cannot be looked at."""
    if _is_there(path):
        return f"{path}: cannot be opened: {os.strerror(errno.EACCES)}"
    return f"{path}: no such file or folder{_beside(path)}"


def _beside(path: str) -> str:
    """The existing names closest to a wrong one, or the part of the path that is missing."""
    folder, name = os.path.split(path.rstrip("/\\"))
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 - as above
    except OSError:
        parent = folder
        while parent and not os.path.isdir(parent):  # noqa: PTH112 - as above
            missing_part, parent = parent, os.path.dirname(parent)  # noqa: PTH120 - as above
        return f" (there is no folder {missing_part})" if folder and not os.path.isdir(folder) else ""  # noqa: PTH112
    return did_you_mean([os.path.join(folder, one) for one in nearest(name, sorted(names, reverse=True), 3, 0.6)])  # noqa: PTH118
