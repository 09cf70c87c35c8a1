"""Ctrl-C while captures are read: the report ends with a summary that says it, instead of looking complete."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from analyzer.summary import INTERRUPTED

if TYPE_CHECKING:
    from analyzer.pipeline import Run
    from analyzer.report.output import Item


class Interruption:
    """Gives the items of a run. SIGINT stops the reading: what is unfinished is told, then KeyboardInterrupt is raised.

    While an output is at work with an item, or at its end, SIGINT waits until that is done, so that nothing is written by
    half; a second one does not wait. `stopped`: what is to be said when the reading was stopped; "" if it was not.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reading = self._wanted = False
        self._before = signal.getsignal(signal.SIGINT)
        self._ours = self._before is signal.default_int_handler  # else it is ignored, or somebody's who embeds us
        self.stopped = ""

    def __iter__(self) -> Iterator[Item]:
        """The items. Raise KeyboardInterrupt behind the last one if there was a SIGINT until then."""
        try:
            self._take()
            yield from self._read()
        except KeyboardInterrupt:
            self.close()  # the next one comes at once
            if not self._run.left:
                raise
            self.stopped = INTERRUPTED
            yield from self._run.unfinished()
            raise

    def _read(self) -> Iterator[Item]:
        items = iter(self._run)
        while True:
            self._reading = True
            if self._wanted:
                raise KeyboardInterrupt
            item = next(items, None)
            self._reading = False
            if item is None:
                return
            yield item

    def _take(self) -> None:
        try:
            if self._ours:
                signal.signal(signal.SIGINT, self._on_signal)
        except ValueError:  # not the main thread: no signal comes here
            self._ours = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._reading or self._wanted:
            raise KeyboardInterrupt
        self._wanted = True

    def end(self) -> None:
        """The output is whole. Raise KeyboardInterrupt if a SIGINT has waited for that."""
        self.close()
        if self._wanted:
            raise KeyboardInterrupt

    def close(self) -> None:
        """Leave the signal to who had it."""
        if self._ours:
            self._ours = False
            signal.signal(signal.SIGINT, self._before)
