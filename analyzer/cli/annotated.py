"""`-w FILE`: besides the report, the packets of the connections reported, with comments for Wireshark."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer import places
from analyzer.cli.main import say
from analyzer.cli.parser import place
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.capture.inputs import Input
    from analyzer.export.marks import Collector
    from analyzer.export.plan import Plan
    from analyzer.pipeline import Options
    from analyzer.report.output import Item


def add_options(parser: argparse.ArgumentParser) -> None:
    """-w and what belongs to it."""
    add = parser.add_argument_group("annotated capture (docs/annotated.md)").add_argument
    add(
        "-w",
        dest="write",
        type=place,
        metavar="FILE",
        help="write the handshake packets of the connections reported as pcapng, each message and the verdict as a comment",
    )
    add("--all-packets", action="store_true", help="with -w: every packet of the capture")
    add(
        "--keep-secrets",
        action="store_true",
        help="with -w: keep decryption secrets (session keys) that the capture has",
    )
    add(
        "--share-safe",
        action="store_true",
        help="with -w: all packets of the connections reported, without application data, with other addresses",
    )


class Copy:
    """One annotated capture: marks are collected while the items pass by, and it is written at the end."""

    def __init__(self, target: str, inputs: Sequence[Input], plan: Plan, collector: Collector, quiet: bool) -> None:
        self._target, self._inputs, self._plan = target, inputs, plan
        self._collector, self._quiet = collector, quiet

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items."""
        return self._collector.watch(items)

    def finish(self) -> None:
        """Write it. Raise UsageError if that cannot be done."""
        from analyzer.export.writer import write

        done = write(self._target, self._inputs, self._collector.marks, self._plan)
        if self._quiet:
            return
        say(f"{self._target}: {done.packets:,} packets, {done.commented:,} with comments")
        if done.secrets:
            say(f"{self._target}: decryption secrets were left out (--keep-secrets keeps them)")


def begin(args: argparse.Namespace, paths: Sequence[str], options: Options) -> Copy | None:
    """What -w asks for; None without it. Raise UsageError for what cannot be."""
    target: str | None = args.write
    extras = [f"--{name}" for name in ("all-packets", "keep-secrets", "share-safe") if getattr(args, _field(name))]
    if target is None:
        if extras:
            raise UsageError(f"{extras[0]} belongs to -w FILE")
        return None
    if args.share_safe and len(extras) > 1:
        other = next(extra for extra in extras if extra != "--share-safe")
        raise UsageError(f"--share-safe leaves out what {other} keeps: choose one of them")
    if target == "-":
        raise UsageError("-w needs a file name; the report goes to standard output")
    if args.output and Path(args.output).absolute() == Path(target).absolute():
        raise UsageError(f"-o and -w both name {target}")
    from analyzer.capture.inputs import find_inputs
    from analyzer.capture.source import ReadOptions
    from analyzer.export.marks import Collector
    from analyzer.export.plan import Plan

    inputs = find_inputs(paths).inputs
    for path in (path for one in inputs for path in one.files):
        if path == "-" or (places.is_there(path) and not places.is_file(path)):
            name = "standard input" if path == "-" else path
            raise UsageError(
                f"-w reads the capture a second time, which {name} does not allow; save it to a file first"
            )
        if places.is_there(target) and places.is_there(path) and Path(target).samefile(path):
            raise UsageError(f"-w {target} is an input; choose another file")
    _check_place(target)
    plan = Plan(
        all_packets=args.all_packets,
        keep_secrets=args.keep_secrets,
        share_safe=args.share_safe,
        reading=ReadOptions(timezone=options.timezone, via=options.via),
        ports=options.ports,
    )
    return Copy(target, inputs, plan, Collector(), args.quiet)


def _check_place(target: str) -> None:
    """Raise UsageError where no file can be. Told now: it is written when all is analysed."""
    folder = Path(target).absolute().parent
    if places.is_folder(target):
        raise UsageError(f"-w {target} is a folder; name a file")
    try:
        Path(target).stat()
    except (FileNotFoundError, NotADirectoryError):
        if not places.is_folder(folder):
            raise UsageError(f"cannot write {target}: there is no folder {folder}") from None
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None


def _field(name: str) -> str:
    return name.replace("-", "_")
