"""Where a report is written: one sink, or a folder of several files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.cli.progress import Progress
    from analyzer.pipeline import Options
    from analyzer.report.output import Item, Output


def write(
    output: Output,
    items: Iterator[Item],
    args: argparse.Namespace,
    paths: list[str],
    chosen: Options,
    progress: Progress,
) -> None:
    """To standard output, a file, or the files of a folder, as the output can and -o says."""
    from analyzer.cli.sink import is_folder, open_folder, open_sink

    folder = _folder(output, args.output)
    if folder is not None and output.write_folder is not None:
        output.write_folder(items, folder)
    elif output.write_files is not None and is_folder(args.output):
        with open_folder(args.output, output.files, paths, args.each, progress) as (sinks, how):
            output.write_files(items, sinks, replace(how, topology=chosen.topology))
    else:
        with open_sink(args.output, paths, args.color, args.each, progress) as (sink, how):
            output.write(items, sink, replace(how, topology=chosen.topology, prompt="-" in paths))


def _folder(output: Output, target: str | None) -> Path | None:
    """The folder of -o for an output that can write several files; None if it is a file."""
    from pathlib import Path

    if target is None or output.write_folder is None:
        return None
    return Path(target) if target.endswith(("/", "\\")) or Path(target).is_dir() else None
