"""Landlock (Linux 5.13 and later): this process can write nowhere but beneath some folders, whoever it belongs to.

See landlock(7). Files that are open stay usable; reading, and sockets, are not restricted.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from struct import Struct

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls, the same numbers on all machines that CPython knows."""
VERSION_FLAG, PATH_BENEATH = 1, 1
WRITES = sum(1 << bit for bit in (1, *range(4, 13)))
"""Writing files, removing, and making anything."""
SINCE = {2: 1 << 13, 3: 1 << 14}
"""ABI -> what it added: moving between folders, truncating."""
_RULESET = Struct("=Q")
_BENEATH = Struct("=Qi")


def abi() -> int:
    """The kernel's version of it; 0 where there is none, or where it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(_call(ctypes.CDLL(None, use_errno=True), CREATE_RULESET, None, 0, VERSION_FLAG), 0)


def confine(write_below: Iterable[Path]) -> str | None:
    """Let this thread, and those that it starts from now on, write beneath these folders only.

    Return what did not work; None if all is well, or if there is no Landlock (`abi` tells).
    """
    version = abi()
    if not version:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    rights = WRITES | sum(right for since, right in SINCE.items() if version >= since)
    ruleset = _call(libc, CREATE_RULESET, _RULESET.pack(rights), _RULESET.size, 0)
    if ruleset < 0:
        return _why("no rules")
    try:
        for folder in write_below:
            try:
                place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                return f"{folder}: {error.strerror}"
            try:
                if _call(libc, ADD_RULE, ruleset, PATH_BENEATH, _BENEATH.pack(rights, place), 0) < 0:
                    return _why(str(folder))
            finally:
                os.close(place)
        if libc.prctl(38, 1, 0, 0, 0) or _call(libc, RESTRICT_SELF, ruleset, 0) < 0:  # 38: PR_SET_NO_NEW_PRIVS
            return _why("not put into force")
    finally:
        os.close(ruleset)
    return None


def _call(libc: ctypes.CDLL, number: int, *words: int | bytes | None) -> int:
    libc.syscall.restype = ctypes.c_long
    given = (ctypes.c_long(word) if isinstance(word, int) else word for word in words)
    return int(libc.syscall(ctypes.c_long(number), *given))


def _why(what: str) -> str:
    return f"{what}: {os.strerror(ctypes.get_errno())}"
