"""Where the report goes: standard output or a file, and what can be shown there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from analyzer import places
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
        yield _binary(_stdout(), "to standard output", progress), _for_stdout(color, each)
        return
    refuse_inputs(target, inputs)
    try:
        file = Path(target).open("wb")  # noqa: SIM115  (closed below; only opening may fail here)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
    sink = _binary(file, target, progress)
    try:
        yield sink, OutputOptions(color=color == "always", width=PIPE_WIDTH, unicode=True, each=each)
        sink.flush()
    except KeyboardInterrupt:
        sink.flush()
        raise
    finally:
        file.raw.close()  # not `file`: that would try again to write what the disk could not take


def is_folder(target: str | None) -> bool:
    """Does -o mean a folder: one that is there, or a name that ends as one?"""
    return target is not None and (places.is_folder(target) or target.endswith(("/", os.sep)))


def make_folder(target: str) -> Path:
    """The folder, which is there now. Raise UsageError if it cannot be."""
    folder = Path(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {target}: {error.strerror or error}") from None
    return folder


@contextmanager
def open_folder(
    target: str, names: Sequence[str], inputs: Sequence[str], each: bool, progress: Progress
) -> Iterator[tuple[list[BinaryIO], OutputOptions]]:
    """A sink for each of these files in a folder, which is made if need be. Raise UsageError as `open_sink`."""
    folder = make_folder(target)
    with ExitStack() as stack:
        opened = [stack.enter_context(open_sink(str(folder / name), inputs, "never", each, progress)) for name in names]
        yield [sink for sink, _ in opened], OutputOptions(width=PIPE_WIDTH, each=each)


def _stdout() -> BinaryIO:
    if sys.stdout is None:
        raise UsageError("standard output is closed; use -o FILE")
    return cast(BinaryIO, sys.stdout.buffer)


class _Sink:
    """Bytes to a file. The progress line on the same terminal is removed first; a full disk is the user's to know."""

    def __init__(self, file: BinaryIO, name: str, progress: Progress) -> None:
        self._file, self._name, self._progress = file, name, progress

    def write(self, data: bytes) -> int:
        self._progress.clear()
        with self._told():
            return self._file.write(data)

    def flush(self) -> None:
        with self._told():
            self._file.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UsageError(f"cannot write {self._name}: {error.strerror or error}") from None


def _binary(file: BinaryIO, name: str, progress: Progress) -> BinaryIO:
    return cast(BinaryIO, _Sink(file, name, progress))


def _for_stdout(color: str, each: bool) -> OutputOptions:
    terminal, width = sys.stdout.isatty(), PIPE_WIDTH
    if terminal:
        from shutil import get_terminal_size

        width = get_terminal_size((PIPE_WIDTH, 24)).columns
    unicode = not terminal or (sys.stdout.encoding or "").lower().startswith("utf")
    return OutputOptions(color=_wants_color(color, terminal), width=width, unicode=unicode, each=each)


def _wants_color(color: str, terminal: bool) -> bool:
    """--color, else NO_COLOR (no-color.org), FORCE_COLOR, and what the terminal is."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")


def refuse_inputs(target: str, inputs: Sequence[str], option: str = "-o") -> None:
    """Never write over a capture: one of the arguments, or one in a folder that is an argument."""
    path = Path(target)
    if not places.is_file(path):
        return
    for name in inputs:
        given = Path(name)
        same = places.is_file(given) and given.samefile(path)
        if same or (_holds(given, path) and _is_capture(path)):
            raise UsageError(f"{option} {target} is an input; choose another file")


def _holds(given: Path, path: Path) -> bool:
    """Is `path` in this folder, or does this glob (its folder, to be safe) reach it?"""
    folder = given if places.is_folder(given) else given.parent
    return folder.resolve() in path.resolve().parents


def _is_capture(path: Path) -> bool:
    """Raise UsageError where nobody can look: it may be one."""
    from analyzer.capture.source import formats

    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    return head.startswith(GZIP) or any(known.sniff(head) for known in formats())
