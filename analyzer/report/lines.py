"""Lines to a sink: a few at a time, only whole ones, and none waits long: a reader of the pipe wants to see them."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import BinaryIO

AT_ONCE = 50
"""Lines collected before they are written, unless `PATIENCE` is over."""
PATIENCE = 0.2
"""Seconds that a line waits at most while new ones come."""


def write_lines(lines: Iterable[bytes], out: BinaryIO, prompt: bool = False) -> None:
    """Write lines as they come; `prompt`: each at once, for the next one may be hours away.

    If that is interrupted, what was decided until then is written.
    """
    waiting: list[bytes] = []
    written = monotonic()
    try:
        for line in lines:
            waiting.append(line)
            now = monotonic()
            if prompt or len(waiting) >= AT_ONCE or now - written >= PATIENCE:
                flush(waiting, out)
                written = now
    finally:
        flush(waiting, out)


def flush(waiting: list[bytes], out: BinaryIO) -> None:
    """Write what waits, lines or pieces of whole lines, at once; then nothing waits."""
    if waiting:
        block = b"".join(waiting)
        waiting.clear()
        out.write(block)
        out.flush()
