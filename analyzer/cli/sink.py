"""Where the report goes: standard output or a file, and what can be shown there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from analyzer.cli.progress import Progress
from analyzer.errors import UsageError
from analyzer.report.output import OutputOptions

PIPE_WIDTH = 100
GZIP = b"\x1f\x8b"


@contextmanager
def open_sink(
    target: str | None, inputs: Sequence[str], color: str, each: bool, progress: Progress
) -> Iterator[tuple[BinaryIO, OutputOptions]]:
    """The binary sink and how to write to it. Raise UsageError if it cannot be opened or written, or is an input."""
    if target is None or target == "-":
        yield cast(BinaryIO, _ClearingSink(_stdout(), progress)), _for_stdout(color, each)
        return
    _refuse_inputs(target, inputs)
    try:
        with Path(target).open("wb") as sink:
            yield sink, OutputOptions(color=color == "always", width=PIPE_WIDTH, unicode=True, each=each)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None


def _stdout() -> BinaryIO:
    if sys.stdout is None:
        raise UsageError("standard output is closed; use -o FILE")
    return cast(BinaryIO, sys.stdout.buffer)


class _ClearingSink:
    """Standard output; the progress line on the same terminal is removed before each write."""

    def __init__(self, sink: BinaryIO, progress: Progress) -> None:
        self._sink, self._progress = sink, progress
        self.flush = sink.flush

    def write(self, data: bytes) -> int:
        self._progress.clear()
        return self._sink.write(data)


def _for_stdout(color: str, each: bool) -> OutputOptions:
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if terminal else PIPE_WIDTH
    unicode = not terminal or (sys.stdout.encoding or "").lower().startswith("utf")
    return OutputOptions(color=_wants_color(color, terminal), width=width, unicode=unicode, each=each)


def _wants_color(color: str, terminal: bool) -> bool:
    """--color, else NO_COLOR (no-color.org), FORCE_COLOR, and what the terminal is."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")


def _refuse_inputs(target: str, inputs: Sequence[str]) -> None:
    """Never write over a capture: one of the arguments, or one in a folder that is an argument."""
    path = Path(target)
    if not path.is_file():
        return
    for name in inputs:
        given = Path(name)
        same = given.is_file() and given.samefile(path)
        if same or (_holds(given, path) and _is_capture(path)):
            raise UsageError(f"-o {target} is an input; choose another file")


def _holds(given: Path, path: Path) -> bool:
    """Is `path` in this folder, or does this glob (its folder, to be safe) reach it?"""
    folder = given if given.is_dir() else given.parent
    return folder.resolve() in path.resolve().parents


def _is_capture(path: Path) -> bool:
    from analyzer.capture.source import formats

    with path.open("rb") as file:
        head = file.read(64)
    return head.startswith(GZIP) or any(known.sniff(head) for known in formats())
