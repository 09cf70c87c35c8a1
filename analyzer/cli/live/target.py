"""Where the report of a live run goes: a file of lines for weeks, a pipe that may not be read, or any other sink."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from analyzer.cli.live.logfile import LogFile, Parts
from analyzer.cli.live.pipe import Pipe, is_pipe
from analyzer.cli.live.rotation import Rotation
from analyzer.cli.live.stopping import Ending
from analyzer.cli.live.table import open_table
from analyzer.cli.progress import Progress
from analyzer.cli.sink import PIPE_WIDTH, open_sink
from analyzer.cli.writing import open_output
from analyzer.errors import UsageError
from analyzer.live.taps import Taps
from analyzer.report import find, outputs
from analyzer.report.output import Output, OutputOptions

if TYPE_CHECKING:
    from analyzer.live.run import LiveRun


class Target:
    """The report's place. A log file is opened here, before rights are given up."""

    def __init__(self, args: argparse.Namespace, output: Output, taps: Taps, told: Callable[[str], None]) -> None:
        """Raise UsageError if a file cannot be opened, or is not fit for what is asked."""
        self._args, self._output, self._told = args, output, told
        self._log = _log_file(args, output, told)
        self._pipe: Pipe | None = None
        if self._log is not None:
            taps.add(self._log)
        self.reopen = self._log.reopen if self._log is not None else None

    @property
    def lost_lines(self) -> int:
        """Lines that the place did not take."""
        return sum(place.lost_lines for place in (self._log, self._pipe) if place is not None)

    def write(self, run: LiveRun, ending: Ending, begin: Callable[[], None], engine: str) -> None:
        """The whole report. `begin` is called when everything is open. `engine`: what captures."""
        args = self._args
        if self._output.whole:
            run.tell_ns = None

        def told(how: OutputOptions) -> OutputOptions:
            return replace(how, prompt=True, on_disk=args.write is not None, topology=run.options.topology)

        if self._log is not None:
            begin()
            for part in Parts(run, self._log):
                self._output.write(part, cast(BinaryIO, self._log), told(OutputOptions(width=PIPE_WIDTH)))
            return
        if args.output not in (None, "-"):
            with open_output(self._output, args.output, [], args.color, args.each, Progress(wanted=False)) as (
                write,
                how,
            ):
                begin()
                write(run, told(how))
            return
        with open_sink(None, [], args.color, args.each, Progress(wanted=False)) as (sink, how):
            if is_pipe(sys.stdout.fileno()):
                self._pipe = Pipe(sys.stdout.fileno(), ending, self._told)
                run.taps.add(self._pipe)
                sink = cast(BinaryIO, self._pipe)
            table = open_table(args, told(how), engine)
            begin()
            if table is None:
                self._output.write(run, sink, told(how))
            else:
                table.write(run, self._output, sink, ending.ask)


def _log_file(args: argparse.Namespace, output: Output, told: Callable[[str], None]) -> LogFile | None:
    """-o as a file of lines; None if it is anything else. Raise UsageError if that cannot be rotated."""
    if args.keep is not None and not args.rotate:
        raise UsageError("--keep counts rotated files: add --rotate, e.g. --rotate 1d")
    to_file = args.output not in (None, "-")
    fit = to_file and output.lines and (Path(args.output).is_file() or not Path(args.output).exists())
    if fit:
        return LogFile(args.output, Rotation.of(args.rotate, args.keep), told)
    if args.rotate:
        names = ", ".join(name for name in outputs() if (known := find(name)) is not None and known.lines)
        expected = "a plain file" if output.lines and to_file else f"-o FILE and one of -T {names}"
        raise UsageError(f"--rotate needs {expected}")
    return None
