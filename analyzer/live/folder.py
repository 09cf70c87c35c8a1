"""`Folder`: a folder of evidence files that stays within a quota, and its index. No file of anybody else is touched."""

from __future__ import annotations

import errno
import os
import re
from itertools import count
from pathlib import Path

from analyzer.errors import UsageError
from analyzer.live.tails import cut_torn_tail

MAX_FILES = 20_000
MAX_INDEX = 4 * 1024 * 1024
"""Bytes of the index; then it becomes the old one, in place of the one before."""
INDEX, OLD_INDEX = "index.jsonl", "index.1.jsonl"
SUFFIX = ".pcapng"
_OURS = re.compile(r"(\.?)\d{8}T\d{6}\.\d{6}Z_[0-9a-f.-]+_\d+_[0-9a-f.-]+_\d+_[a-z0-9-]+\.pcapng(\.part)?")
_NEW = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_PRIVATE = 0o600


class Folder:
    """An evidence folder. Raise UsageError if it is none and cannot be made.

    Attributes:
        path: where. used: bytes of the evidence files in it.
    """

    def __init__(self, path: str, quota: int) -> None:
        self.path, self._quota = Path(path), quota
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self._scan()
            self._mend_index()
        except OSError as error:
            raise UsageError(
                f"--evidence {path}: {error.strerror or error}; name a folder that can be written"
            ) from None
        self._files = dict(sorted(found))  # the oldest first: names begin with the time
        self.used = sum(self._files.values())

    def __len__(self) -> int:
        return len(self._files)

    def write(self, stem: str, data: bytes) -> str:
        """A new file, whole or not at all, and its name; the oldest ones go if there is no room. Raise OSError if it cannot
        be written."""
        self._make_room(len(data))
        name = f"{stem}{SUFFIX}"
        for number in count(2):
            if name not in self._files:
                break
            name = f"{stem}-{number}{SUFFIX}"
        part = self.path / f".{name}.part"
        try:
            with os.fdopen(os.open(part, _NEW | os.O_TRUNC, _PRIVATE), "wb") as file:
                file.write(data)
            part.replace(self.path / name)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self._files[name] = len(data)
        self.used += len(data)
        return name

    def note(self, line: bytes) -> None:
        """A line of the index, whole or not at all. Raise OSError if it cannot be written."""
        index = self.path / INDEX
        handle = os.open(index, _NEW | os.O_APPEND, _PRIVATE)
        try:
            size = os.fstat(handle).st_size
            if os.write(handle, line) < len(line):
                os.ftruncate(handle, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(handle)
        if size + len(line) > MAX_INDEX:
            index.replace(self.path / OLD_INDEX)

    def _mend_index(self) -> None:
        """A run that was killed may have left a part of a line, and the next one must not stand behind it."""
        index = self.path / INDEX
        if index.is_file() and not index.is_symlink():
            with index.open("r+b", buffering=0) as file:
                cut_torn_tail(file.fileno())

    def _make_room(self, size: int) -> None:
        if size > self._quota:
            raise OSError(errno.EFBIG, "more than the quota")
        while self._files and (self.used + size > self._quota or len(self._files) >= MAX_FILES):
            oldest = next(iter(self._files))
            (self.path / oldest).unlink(missing_ok=True)
            self.used -= self._files.pop(oldest)

    def _scan(self) -> list[tuple[str, int]]:
        """Names and sizes of our files. What a run that was killed had begun is removed."""
        found = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                ours = _OURS.fullmatch(entry.name)
                if ours is None or not entry.is_file(follow_symlinks=False):
                    continue
                if ours[1] and ours[2]:
                    Path(entry.path).unlink(missing_ok=True)
                elif not ours[1] and not ours[2]:
                    found.append((entry.name, entry.stat(follow_symlinks=False).st_size))
        return found
