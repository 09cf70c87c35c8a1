"""The output of -T, and where -o lets it write: one sink, or a folder of several files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analyzer.errors import UsageError
from analyzer.report import find

if TYPE_CHECKING:
    from analyzer.cli.progress import Progress
    from analyzer.report.output import Item, Output, OutputOptions


def wanted_output(name: str, target: str | None) -> Output:
    """The output called `name`. Raise UsageError if there is none, a library is missing, or the terminal would get bytes."""
    output = find(name)
    if output is None:
        raise UsageError(f"no output called {name!r}")
    if output.binary and target in (None, "-") and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"-T {name} is nothing for a terminal; use -o FILE")
    if output.ready is not None:
        output.ready()
    return output


@contextmanager
def open_output(
    output: Output, target: str | None, inputs: Sequence[str], color: str, each: bool, progress: Progress
) -> Iterator[tuple[Callable[[Iterable[Item], OutputOptions], None], OutputOptions]]:
    """What writes the items, and how to: to standard output, a file, or the files of a folder, as the output can and -o says.

    Raise UsageError if that cannot be opened or written, or is an input.
    """
    from analyzer.cli.sink import is_folder, open_folder, open_sink

    several = output.write_files
    if target is not None and several is not None and is_folder(target):
        with open_folder(target, output.files, inputs, each, progress) as (sinks, how):
            yield lambda items, options: several(items, sinks, options), how
    else:
        with open_sink(target, inputs, color, each, progress) as (sink, how):
            yield lambda items, options: output.write(items, sink, options), how
