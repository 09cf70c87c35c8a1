"""`Work`: the run in a thread of its own, so that a slow terminal never holds up the capture."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread


class Work:
    """Does `act` once, beside the thread that shows it; what it raises is kept for `result`."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act, self._done = act, Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="mtlscope-run", daemon=True)

    def start(self) -> None:
        """Begin. Rights must have been given up before: a new thread has those of its maker."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Is it over?"""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long for its end; was it?"""
        return self._done.wait(seconds)

    def result(self) -> None:
        """Raise what it raised."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as error:  # it is the other thread's to judge
            self._error = error
        finally:
            self._done.set()
