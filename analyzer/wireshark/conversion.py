"""Captures of any format that Wireshark knows, read through tshark: it writes them as pcapng into a pipe."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from analyzer.wireshark.tool import Process, needed_tool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Converted(io.RawIOBase):
    """The pcapng that tshark makes of a capture. At its end `readinto` raises CaptureError if tshark could not read it all."""

    def __init__(self, path: str) -> None:
        """Start tshark; for "-" it reads standard input. Raise UsageError if there is none."""
        command = [needed_tool("--via tshark"), "-n", "-r", path, "-F", "pcapng", "-w", "-"]
        self._process = Process(command, "", reads_stdin=path == "-")

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer) -> int:
        """What is there now."""
        if self._process.output.closed:
            return 0
        got: int = self._process.output.readinto1(target)  # type: ignore[attr-defined]
        if not got and len(memoryview(target)):
            self._process.finish()
            self._process.close()
        return got

    def close(self) -> None:
        """End tshark if it still writes."""
        self._process.close()
        super().close()
