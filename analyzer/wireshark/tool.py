"""The tshark that is installed: where it is, and one run of it that can neither hang nor fail in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, BinaryIO, cast

from analyzer.errors import CaptureError, UsageError

MACOS = "/Applications/Wireshark.app/Contents/MacOS"
COMPLAINT_BYTES = 4096
"""What is kept of a tool's complaints: their end, where the reason stands."""
CHATTER = ("Running as user",)
"""Lines of tshark that say nothing about the file."""
PATIENCE = 10
"""Seconds that a tool has to end after its output did."""


def find_tool(name: str = "tshark") -> str | None:
    """Its path; None if it is not there. On Windows and macOS Wireshark's own folder is looked at as well."""
    found = shutil.which(name)
    if found is not None:
        return found
    folders = [MACOS] if sys.platform == "darwin" else []
    if sys.platform == "win32":
        folders = [f"{os.environ[key]}\\Wireshark" for key in ("ProgramW6432", "ProgramFiles") if key in os.environ]
    return shutil.which(name, path=os.pathsep.join(folders)) if folders else None


def needed_tool(wanted_for: str, name: str = "tshark") -> str:
    """Its path. Raise UsageError that says how to get it."""
    path = find_tool(name)
    if path is None:
        raise UsageError(f"{wanted_for} needs {name}, which was not found: {how_to_get()}")
    return path


def how_to_get() -> str:
    """How this system installs Wireshark's tools."""
    if sys.platform == "win32":
        return "install Wireshark from wireshark.org"
    if sys.platform == "darwin":
        return "brew install wireshark"
    return "install it with your package manager, e.g. apt install tshark"


class Process:
    """One run of a tool whose output is read from `output`. A context manager: what still runs at its end is ended.

    `what` begins every error: the file, unless somebody else names it. Its complaints go to a temporary file, since a second
    pipe that nobody reads would stop it.
    """

    def __init__(self, command: list[str], what: str, reads_stdin: bool = False) -> None:
        self._what = f"{what}: " if what else ""
        self._complaints = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - closed in `close`
        try:
            self._process = subprocess.Popen(
                command,
                stdin=None if reads_stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
            )
        except OSError as error:
            self._complaints.close()
            raise UsageError(f"{command[0]} does not start: {error.strerror or error}") from None

    @property
    def output(self) -> IO[bytes]:
        """What it writes."""
        assert self._process.stdout is not None
        return self._process.stdout

    def finish(self) -> None:
        """Called at the end of the output. Raise CaptureError with its own words if it did not end well."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise CaptureError(f"{self._what}tshark does not end") from None
        if code:
            raise CaptureError(f"{self._what}{self.complaint() or f'tshark ended with code {code}'}")

    def complaint(self) -> str:
        """Its last words on standard error, in one line."""
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, size - COMPLAINT_BYTES))
        lines = self._complaints.read().decode("utf-8", "replace").splitlines()
        return " ".join(" ".join(line for line in lines if not line.startswith(CHATTER)).split())

    def close(self) -> None:
        """End it if it runs still."""
        if self.output.closed:
            return
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.output.close()
        self._complaints.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
