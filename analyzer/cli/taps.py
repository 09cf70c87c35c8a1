"""Options of `mtlscope live` for what looks on beside the report, and the taps that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from analyzer.live.taps import Taps


def add_taps(parser: argparse.ArgumentParser) -> None:
    """Add an option for each tap."""


@contextmanager
def open_taps(args: argparse.Namespace, told: Callable[[str], None]) -> Iterator[Taps]:
    """The taps that are wanted, opened before rights are given up. Raise UsageError for one that cannot be opened."""
    taps = Taps(told=told)
    try:
        yield taps
    finally:
        taps.close()
