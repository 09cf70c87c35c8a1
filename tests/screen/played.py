"""`python -m tests.screen.played CAPTURE... -- WORDS`: the command line, with captures played instead of an interface.

Needs no right, so that what a terminal shows can be tested anywhere. `MTLSCOPE_TEST=without-textual` hides textual,
`MTLSCOPE_TEST=broken` breaks the view, `MTLSCOPE_TEST=deaf` does not hear that the terminal hangs up.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from unittest import mock

from analyzer.__main__ import main
from analyzer.capture.live import blocks
from analyzer.capture.live.ladder import Opened
from analyzer.capture.source import open_capture
from tests.capture.live.sources import HEADER, Played

LOST = 12


def packets(paths: list[str]) -> Iterator[bytes]:
    """Their packets as blocks; the capture loses some before the last one."""
    last = 0
    for path in paths:
        with open_capture(path) as capture:
            for batch in capture:
                for start, size, when in zip(batch.start, batch.captured, batch.time_ns, strict=True):
                    last = int(when)
                    yield blocks.packet(last, batch.data[start : start + size].tobytes(), int(size))
    yield blocks.statistics(last, 0, LOST)


def run(words: list[str]) -> int:
    """The exit code."""
    cut = words.index("--")
    played = Opened("played", Played([HEADER, b"".join(packets(words[:cut]))]))
    odd = os.environ.get("MTLSCOPE_TEST", "")
    with ExitStack() as stack:
        enter = stack.enter_context
        enter(mock.patch("analyzer.capture.live.ladder.open_source", return_value=played))
        if "without-textual" in odd:
            enter(mock.patch("importlib.util.find_spec", return_value=None))
        if "deaf" in odd:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if "broken" in odd:
            enter(mock.patch("analyzer.screen.draw.Looking.scroll", side_effect=ZeroDivisionError))
        return int(main(words[cut + 1 :]))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
