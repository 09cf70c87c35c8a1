"""`mtlscope live`: the same on live traffic, until Ctrl-C, SIGTERM, -c, -a or the end of the pipe."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.capture.live.source import BUFFER_MIB, DEFAULT_FILTER, SNAP_LENGTH
from analyzer.cli.analyze import CONFIGURED, FAIL_ON, add_judging, add_selecting, add_showing, options, ports
from analyzer.cli.live.copying import Copy
from analyzer.cli.live.rotation import add_rotation
from analyzer.cli.live.sources import RELAYS, add_sources, check_source, name_of, open_wanted
from analyzer.cli.live.stopping import Ending, signals
from analyzer.cli.live.table import is_wanted
from analyzer.cli.live.taps import add_taps, open_taps, written_below
from analyzer.cli.main import Exit, say, show
from analyzer.cli.parser import Once, Parser, at_least_one, one_of, place
from analyzer.cli.writing import wanted_output
from analyzer.errors import UsageError
from analyzer.report import outputs

if TYPE_CHECKING:
    from analyzer.capture.live.ladder import Opened
    from analyzer.cli.live.target import Target
    from analyzer.live.run import LiveRun

MIN_SNAP = 64
SAY_LOSS_EVERY = 10.0
"""Seconds between two lines about lost packets."""
_DESCRIPTION = """\
Watches an interface and reports each connection when it is decided; the others at the end (Ctrl-C, SIGTERM, -c, -a).
See docs/live.md for the rights that this needs."""


def run(words: list[str]) -> int:
    """Capture and report. Raise LiveError if that is not possible here, UsageError for arguments that make no sense."""
    args = _parser().parse(words)
    if args.list_interfaces:
        return _list_interfaces()
    check_source(args)
    if args.workers > 1:
        raise UsageError("live traffic is analysed in one process: leave out -j")
    if args.repro is not None:
        raise UsageError("--repro reads captures: keep one with -w FILE, then mtlscope --repro DIR FILE")
    if args.write is not None and args.write == args.output:
        raise UsageError("-w and -o name the same file")
    if args.db is not None and args.db in (args.write, args.output):
        raise UsageError("--db needs a file of its own")
    output = wanted_output(args.T, args.output)
    from analyzer.cli.live.target import Target

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's idle threads would keep the rights that we give up
    chosen = replace(options(args), today_ns=None)
    if args.interface is not None:
        args.filter = capture_filter(args.filter, args.ports)
    with _copy(args.write) as copy, open_taps(args, say) as taps:
        target = Target(args, output, taps, say)
        opened, what = open_wanted(args)
        from analyzer.capture.live.stream import Limits, LiveStream

        limits = Limits(args.count, args.seconds)
        stream = LiveStream(
            opened.source, limits, time.monotonic, time.sleep, *(() if copy is None else (copy.file, copy.again))
        )
        ending = Ending(stream.stop)
        reopening = [target.reopen] if target.reopen is not None else []
        reopening += [stream.reopen] if copy is not None else []
        with closing(stream), signals(ending, reopening):
            from analyzer.live.run import LiveRun
            from analyzer.live.troubles import Troubles

            losses = _Losses(args.quiet)
            run = LiveRun(
                [args.write or name_of(args)],
                chosen,
                stream=stream,
                now_ns=time.time_ns,
                on_loss=losses.told,
                taps=taps,
                repeats=Troubles() if args.T == "text" and not args.each and not is_wanted(args) else None,
                late=ending.late,
                relayed=opened.engine in RELAYS,
            )
            try:
                target.write(run, ending, lambda: _began(opened, args, what), opened.engine)
            finally:
                _tell(run, args, opened, losses)
            return _exit_code(run, args, target)


def _parser() -> Parser:
    from analyzer.capture.live.ladder import NAMES

    parser = Parser(
        prog="mtlscope live",
        configured=[name for name in CONFIGURED if name != "workers"],
        usage="mtlscope live (-i INTERFACE [-f FILTER] | -r - | --follow PATH) [options]",
        description=_DESCRIPTION,
        stray="an interface: mtlscope live -i",
    )
    add = parser.add_argument
    add_sources(parser)
    add("-D", dest="list_interfaces", action="store_true", help="list the interfaces and end")
    add(
        "-f",
        dest="filter",
        metavar="FILTER",
        help=f"capture filter (default: {DEFAULT_FILTER}, or as --ports; VLAN-tagged too)",
    )
    add("-w", dest="write", type=place, metavar="FILE", help="write what is captured, as pcapng")
    add("-c", dest="count", type=at_least_one, metavar="N", help="end after N packets")
    add("-a", dest="seconds", type=_duration, metavar="duration:S", help="end after S seconds")
    add(
        "-s",
        dest="snap",
        type=_snap,
        default=SNAP_LENGTH,
        metavar="BYTES",
        help="keep so many bytes of a packet (default, and 0: all)",
    )
    add(
        "-B",
        dest="buffer",
        type=at_least_one,
        default=BUFFER_MIB,
        metavar="MIB",
        help=f"the kernel's buffer (default: {BUFFER_MIB} MiB)",
    )
    add(
        "--capture-engine",
        dest="engine",
        default=NAMES[0],
        type=one_of(NAMES),
        metavar="ENGINE",
        help=f"{', '.join(NAMES)}: the first that works, see mtlscope doctor",
    )
    formats = "; ".join(f"{name}: {text}" for name, text in outputs().items())
    add("-T", default="text", type=one_of(outputs()), metavar="FORMAT", help=formats)
    add("-o", action=Once, dest="output", type=place, metavar="FILE", help="where to write (default: standard output)")
    add_rotation(parser)
    add("--no-table", action="store_true", help="text on a terminal: each trouble as it comes, instead of a live table")
    add_taps(parser)
    add_judging(parser)
    add_selecting(parser)
    add_showing(parser)
    return parser


def capture_filter(expression: str | None, expected: str | None) -> str:
    """The filter of -f; without it what fits --ports, so that a port that is asked for is captured."""
    if expression is not None:
        return expression
    if expected is None:
        return DEFAULT_FILTER
    found = ports(expected)
    wanted = "tcp" if found is None else " or ".join(f"tcp port {port}" for port in sorted(found))
    return f"({wanted}) or (vlan and ({wanted}))"


def _duration(text: str) -> float:
    """ "duration:60", as dumpcap says it, or "60"."""
    try:
        seconds = float(text.removeprefix("duration:"))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; expected e.g. duration:60")
    return seconds


def _snap(text: str) -> int:
    """Bytes; 0 is whole packets, as for tcpdump and dumpcap."""
    size = int(text) if text.isascii() and text.isdigit() else -1
    if size and not MIN_SNAP <= size <= SNAP_LENGTH:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not from {MIN_SNAP} to {SNAP_LENGTH:,} bytes, nor 0 for whole packets"
        )
    return size or SNAP_LENGTH


def _list_interfaces() -> int:
    from analyzer.capture.live.ladder import interfaces

    show("".join(f"{name}\n" for name in interfaces()))
    return Exit.OK


@contextmanager
def _copy(path: str | None) -> Iterator[Copy | None]:
    """The file of -w, opened before rights are given up. Raise UsageError if it cannot be written."""
    if path is None:
        yield None
        return
    with closing(Copy(path, say)) as copy:
        yield copy


def _began(opened: Opened, args: argparse.Namespace, what: str) -> None:
    """Give up rights where the engine needs none any more, and say what goes on."""
    from analyzer.capture.live.landlock import confine
    from analyzer.capture.live.privileges import drop

    if opened.engine == "af-packet":
        if problem := drop():
            say(f"cannot give up rights: {problem}")
        if problem := confine(written_below(args)):
            say(f"cannot restrict writing (Landlock): {problem}")
    if args.quiet:
        return
    for line in opened.skipped if args.verbose else ():
        say(f"passed over: {line}")
    copied = f", a copy goes to {args.write}" if args.write else ""
    say(f"{what}{copied}; Ctrl-C ends it")


class _Losses:
    """Lines about lost packets, not too many of them."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._said_at = quiet, -SAY_LOSS_EVERY
        self.total = 0

    def told(self, lost: int, total: int) -> None:
        """The capture lost packets."""
        self.total = total
        now = time.monotonic()
        if not self._quiet and now - self._said_at >= SAY_LOSS_EVERY:
            self._said_at = now
            say(
                f"{lost:,} packets lost by the capture ({total:,} in all); connections going on then are not judged by silence"
            )


def _tell(run: LiveRun, args: argparse.Namespace, opened: Opened, losses: _Losses) -> None:
    """What went wrong, one line each, on standard error."""
    for line in (*run.errors, *run.crashes):
        say(line)
    if run.stream.problem:
        say(f"{args.write}: {run.stream.problem}")
    if args.quiet:
        return
    for note in opened.source.notes:
        say(note)
    if run.untold:
        say(f"about {run.untold:,} connections that went on at the end are not reported: no time was left")
    if losses.total:
        say(f"the capture lost {losses.total:,} packets; a narrower filter (-f) or a larger buffer (-B) helps")


def _exit_code(run: LiveRun, args: argparse.Namespace, target: Target) -> int:
    if run.crashes:
        return Exit.BUG
    if run.errors:
        return Exit.CAPTURE if args.interface else Exit.INPUT
    if run.stream.problem or target.lost_lines:
        return Exit.INPUT
    if run.worst is not None and run.worst <= FAIL_ON[args.fail_on]:
        return Exit.FINDINGS
    return Exit.OK
