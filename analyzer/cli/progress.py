"""One line on standard error that says how far we are; only on a terminal."""

from __future__ import annotations

import sys
from time import monotonic

from analyzer.report import safe

EVERY = 0.1
"""Seconds between two updates."""
NAME_WIDTH = 40


class Progress:
    """`update` is what the pipeline calls; `clear` removes the line before anything else is written."""

    def __init__(self, wanted: bool) -> None:
        self.on = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._shown = False
        self._started = self._last = monotonic()

    def update(self, name: str, done: int, size: int | None) -> None:
        """Show the line anew, but not too often."""
        now = monotonic()
        if now - self._last < EVERY or not self.on:
            return
        self._last = now
        speed = done / 1e6 / max(now - self._started, 1e-3)
        part = f"{100 * done / size:3.0f} %" if size else f"{done / 1e6:,.0f} MB"
        sys.stderr.write(
            f"\r\x1b[K{safe.fit(safe.line(name, unicode=False), NAME_WIDTH, '...')}  {part}  {speed:,.0f} MB/s"
        )
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
