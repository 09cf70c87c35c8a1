"""Where the report of a live run goes: files that outlive a full disk, a pipe that may not be read, or any other sink."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

from analyzer import places
from analyzer.cli.live.logfile import LogFile, Parts
from analyzer.cli.live.pipe import Pipe, is_pipe
from analyzer.cli.live.rotation import Rotation
from analyzer.cli.live.stopping import Ending
from analyzer.cli.live.table import open_table
from analyzer.cli.progress import Progress
from analyzer.cli.sink import PIPE_WIDTH, is_folder, make_folder, open_sink
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
        self._texts = _text_files(args, output, told) if self._log is None else []
        self._pipe: Pipe | None = None
        for file in self._files:
            taps.add(file)
        self.reopen = self._log.reopen if self._log is not None else None

    @property
    def _files(self) -> list[LogFile]:
        return self._texts if self._log is None else [self._log]

    @property
    def lost_lines(self) -> int:
        """Lines that the place did not take."""
        return sum(place.lost_lines for place in (*self._files, self._pipe) if place is not None)

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
        if self._texts:
            begin()
            sinks = [cast(BinaryIO, text) for text in self._texts]
            how = told(OutputOptions(color=args.color == "always", width=PIPE_WIDTH, each=args.each))
            if self._output.write_files is not None and is_folder(args.output):
                self._output.write_files(run, sinks, how)
            else:
                self._output.write(run, sinks[0], how)
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
    fit = to_file and output.lines and (places.is_file(args.output) or not places.is_there(args.output))
    if fit:
        return LogFile(args.output, Rotation.of(args.rotate, args.keep), told)
    if args.rotate:
        names = ", ".join(name for name in outputs() if (known := find(name)) is not None and known.lines)
        expected = "a plain file" if output.lines and to_file else f"-o FILE and one of -T {names}"
        raise UsageError(f"--rotate needs {expected}")
    return None


def _text_files(args: argparse.Namespace, output: Output, told: Callable[[str], None]) -> list[LogFile]:
    """-o of what is written as it comes, one file or those of a folder; none if it is anything else."""
    if args.output in (None, "-") or output.binary or output.whole:
        return []
    names = [args.output]
    if is_folder(args.output):
        if output.write_files is None:
            return []
        names = [str(make_folder(args.output) / name) for name in output.files]
    elif places.is_there(args.output) and not places.is_file(args.output):
        return []
    return [LogFile(name, Rotation(), told, lines=False) for name in names]
