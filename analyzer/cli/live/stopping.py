"""Signals of a live run, and the time that is left after one: the end is asked for, and comes within three seconds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

REPORTING = 1.5
"""Seconds after the signal for what is still in the buffers and for connections that go on; what is not told by then is only
counted, and as much remains for the rest."""
STDERR = 2


class Ending:
    """Asks for the end by calling `stop`, and knows when it is time to hurry."""

    def __init__(self, stop: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._stop, self._clock = stop, clock
        self._asked_at: float | None = None

    def ask(self) -> None:
        """End in peace. A signal handler calls this."""
        if self._asked_at is None:
            self._asked_at = self._clock()
            self._stop()

    def late(self) -> bool:
        """Is the time over?"""
        return self._asked_at is not None and self._clock() - self._asked_at > REPORTING


@contextmanager
def signals(ending: Ending, reopening: Sequence[Callable[[], None]]) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the capture in peace; the second one does what it always does.

    SIGHUP opens files anew; where none can be, or if it means that the terminal is gone, it ends the capture.
    """
    terminal = os.isatty(STDERR)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        ending.ask()
        signal.signal(number, before[number])

    def on_hangup(number: int, frame: FrameType | None) -> None:
        if not reopening or (terminal and not os.isatty(STDERR)):
            on_signal(number, frame)
        else:
            for reopen in reopening:
                reopen()

    handlers: dict[int, Callable[[int, FrameType | None], None]] = {signal.SIGINT: on_signal, signal.SIGTERM: on_signal}
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:  # nohup
        handlers[hangup] = on_hangup
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
