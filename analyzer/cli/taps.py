"""Options of `mtlscope live` for what looks on beside the report, and the taps that they ask for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from analyzer.live.taps import Taps

METRICS_HOST = "127.0.0.1"
"""Who does not name a host wants no strangers."""


def add_taps(parser: argparse.ArgumentParser) -> None:
    """Add an option for each tap."""
    add = parser.add_argument_group("what looks on").add_argument
    add(
        "--metrics",
        type=_metrics,
        metavar="[HOST:]PORT",
        help=f"answer Prometheus there (host {METRICS_HOST} unless named); needs the extra metrics",
    )
    add("--metrics-file", metavar="FILE", help="write the same numbers to FILE, for node_exporter's textfile collector")


@contextmanager
def open_taps(args: argparse.Namespace, told: Callable[[str], None]) -> Iterator[Taps]:
    """The taps that are wanted, opened before rights are given up. Raise UsageError for one that cannot be opened."""
    taps = Taps(told=told)
    try:
        _open_metrics(taps, args, told)
        yield taps
    finally:
        taps.close()


def _open_metrics(taps: Taps, args: argparse.Namespace, told: Callable[[str], None]) -> None:
    if args.metrics is not None:
        from analyzer.live.metrics import Served

        host, port = args.metrics
        served = Served(host, port, taps.traffic)
        taps.add(served)
        if not args.quiet:
            told(served.name)
    if args.metrics_file is not None:
        from analyzer.live.metrics import Written

        taps.add(Written(args.metrics_file, taps.traffic, told))


def _metrics(text: str) -> tuple[str, int]:
    return host_port(text if ":" in text else f"{METRICS_HOST}:{text}")


def host_port(text: str) -> tuple[str, int]:
    """A type for addresses: "HOST:PORT", with an IPv6 address in brackets."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+)):(\d{1,5})", text, re.ASCII)
    if found is None or int(found[3]) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; expected e.g. 192.0.2.1:9464 or [2001:db8::1]:9464")
    return found[1] or found[2], int(found[3])
