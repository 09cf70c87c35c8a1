"""Where `mtlscope live` gets its packets: an interface (-i), a pipe (-r -), or a ring of files (--follow)."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from analyzer.capture.live.source import BUFFER_MIB, SNAP_LENGTH
from analyzer.cli.parser import place
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.capture.live.ladder import Opened

RELAYS = ("dumpcap", "standard input", "files")
"""What gives packets that another program captured; see LiveRun.relayed."""


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add an option for each."""
    add = parser.add_argument
    add("-i", dest="interface", metavar="INTERFACE", help="where to capture")
    add(
        "-r",
        dest="read",
        metavar="-",
        help="read what another capture writes to a pipe, as from ssh HOST tcpdump -U -w -",
    )
    add(
        "--follow",
        type=place,
        metavar="PATH",
        help="read a ring of files while dumpcap -b or tcpdump -C/-G writes it: its folder, or a glob; begins with the "
        "newest file",
    )


def check_source(args: argparse.Namespace) -> None:
    """Raise UsageError unless exactly one is wanted, with the options that fit it."""
    given = [f"{option} {value}" for option, value in _named(args) if value is not None]
    if not given:
        raise UsageError("which interface? mtlscope live -D lists them; then: mtlscope live -i INTERFACE")
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: one source at a time")
    if args.read not in (None, "-"):
        raise UsageError(
            f"-r {args.read}: live reads - only, standard input; a capture that is complete: mtlscope {args.read}; "
            f"one that grows: mtlscope live --follow {args.read}"
        )
    if args.interface is not None:
        return
    unfit = {
        "-f": args.filter is not None,
        "-s": args.snap != SNAP_LENGTH,
        "-B": args.buffer != BUFFER_MIB,
        "--capture-engine": args.engine != "auto",
    }
    for option, wanted in unfit.items():
        if wanted:
            raise UsageError(f"{option} is for -i: give it to the program that captures, and leave it out here")


def name_of(args: argparse.Namespace) -> str:
    """What to call the capture, if no copy of it is kept."""
    return next(str(value) for _option, value in _named(args) if value is not None)


def _named(args: argparse.Namespace) -> tuple[tuple[str, str | None], ...]:
    return ("-i", args.interface), ("-r", args.read), ("--follow", args.follow)


def open_wanted(args: argparse.Namespace) -> tuple[Opened, str]:
    """The open source, and what to say about it. Raise LiveError or UsageError if it cannot be opened."""
    from analyzer.capture.live.ladder import Opened, open_source
    from analyzer.capture.live.source import Settings

    if args.read is not None:
        from analyzer.capture.live.relay import standard_input

        return Opened(RELAYS[1], standard_input()), "reading standard input"
    if args.follow is not None:
        from analyzer.capture.live.follow import follow

        relay, newest = follow(args.follow)
        return Opened(
            RELAYS[2], relay
        ), f"following {args.follow}, from {newest or 'the first capture that is there'} on"
    opened = open_source(Settings(args.interface, args.filter, args.snap, args.buffer, time.time_ns), args.engine)
    return opened, f"capturing on {args.interface} with {opened.engine}: {args.filter or 'everything'}"
