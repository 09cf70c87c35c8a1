"""Giving up what a capture needs once it runs (Linux): no capability is left, and none can come back by running a program.

See capabilities(7) and prctl(2). An open packet socket goes on without any right.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from struct import Struct

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 38, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
MAX_CAPABILITY = 63
_HEADER = Struct("=Ii")
_SETS = Struct("=6I")


def drop() -> str | None:
    """Drop all capabilities of this thread. Return what did not work, also that another thread has some; None if all is well."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return f"no_new_privs: {os.strerror(ctypes.get_errno())}"
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(MAX_CAPABILITY + 1):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break  # beyond the last one, or not allowed: no_new_privs stands before it anyway
    header = ctypes.create_string_buffer(_HEADER.pack(CAPABILITY_VERSION_3, 0), _HEADER.size)
    empty = ctypes.create_string_buffer(_SETS.pack(*[0] * 6), _SETS.size)
    if libc.capset(header, empty):
        return f"capabilities: {os.strerror(ctypes.get_errno())}"
    keeping = sum(_has_rights(task) for task in Path("/proc/self/task").glob("*/status"))
    return f"{keeping} other threads keep theirs" if keeping else None


def _has_rights(status: Path) -> bool:
    """Has this thread capabilities? They are a thread's own, not the process's."""
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False  # it has ended
    return any(line.startswith(("CapPrm:", "CapEff:")) and int(line.split()[1], 16) for line in lines)
