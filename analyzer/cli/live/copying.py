"""The file of -w: opened before rights are given up, and anew at SIGHUP."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from analyzer.capture.live.blocks import section
from analyzer.errors import UsageError


class Copy:
    """One file after the other. `file`: the one that is written now."""

    def __init__(self, path: str, told: Callable[[str], None]) -> None:
        """Open the first one. Raise UsageError if it cannot be written."""
        self._path, self._told = path, told
        try:
            self.file = cast(BinaryIO, io.FileIO(path, "wb"))
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from None

    def again(self) -> BinaryIO | None:
        """What has this name now, if that is another file; None if the old one is to go on, which is told if it should not.
        Whoever asks closes the old one: its end is not written yet."""
        try:
            if self._is_in_place():
                return None
            file = _appended(self._path)
        except OSError as error:
            self._told(f"{self._path}: {error.strerror or error}; the copy goes on in the file that was moved")
            return None
        self.file = file
        return file

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(Path(self._path).stat(), os.fstat(self.file.fileno()))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Give it back."""
        self.file.close()


def _appended(path: str) -> BinaryIO:
    """A new file, or one that is there already, to go on at its end. Raise OSError for one that is no pcapng."""
    file = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
    plain = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    if plain and file.read(4) in (b"", section()[:4]):
        return cast(BinaryIO, file)
    file.close()
    raise OSError("there is something that is no pcapng")
