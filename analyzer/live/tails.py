"""What a kill may leave at the end of a file of lines: a part of one, without its line feed."""

from __future__ import annotations

import errno
import os

PIECE = 65_536


def cut_torn_tail(handle: int) -> int:
    """Cut off what stands behind the last whole line; how many bytes. Raise OSError if this is no file of JSON lines."""
    size = os.fstat(handle).st_size
    if not size:
        return 0
    whole = _end_of_lines(handle, size)
    if _byte(handle, 0) != b"{" or (whole < size and _byte(handle, whole) not in (b"{", b"\0")):
        raise OSError(errno.EINVAL, "there is a file that is no JSON Lines; move it away or choose another name")
    if whole < size:
        os.ftruncate(handle, whole)
    return size - whole


def _end_of_lines(handle: int, size: int) -> int:
    """Where the last whole line ends; 0 if there is none."""
    end = size
    while end:
        begin = max(0, end - PIECE)
        os.lseek(handle, begin, os.SEEK_SET)
        found = os.read(handle, end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _byte(handle: int, at: int) -> bytes:
    os.lseek(handle, at, os.SEEK_SET)
    return os.read(handle, 1)
