"""The scapy engine: for macOS, and for Windows with Npcap but without dumpcap. scapy is imported here and nowhere else."""

from __future__ import annotations

import importlib.util
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

from analyzer.capture.live import blocks, filters
from analyzer.capture.live.dumpcap import FILTER_WITH_VLAN, grant
from analyzer.capture.live.source import DEFAULT_FILTER, Engine, LiveError, Rung, Settings, Source

WAITING = 65_536
"""Packets that wait for us at most; more are dropped, and counted."""
BATCH = 4096


class ScapySocket:
    """One of scapy's listening sockets as a Source; see there for the methods."""

    def __init__(self, listener: Any, settings: Settings) -> None:
        self.notes = ["scapy cannot tell what the kernel dropped: a loss may show as a gap only"]
        self._listener, self._settings = listener, settings
        self._packets: queue.Queue[tuple[int, bytes]] = queue.Queue(WAITING)
        self._started = self._stopping = False
        self._dropped = self._told = self._before = 0
        self._counted_ns = settings.now_ns()
        self._last_ns = 0
        self._failed: str | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        receive: Callable[[int], tuple[Any, bytes | None, float | None]] = self._listener.recv_raw
        while not self._stopping:
            try:
                _kind, data, stamp = receive(self._settings.snap_length)
            except Exception as error:  # whatever its back ends raise
                self._failed = f"{type(error).__name__}: {error}"
                return
            if not data:
                continue
            try:
                self._packets.put_nowait((int((stamp or 0) * blocks.SECOND_NS), data))
            except queue.Full:
                self._dropped += 1

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        if not self._started:
            self._started = True
            return self._header()
        parts: list[bytes] = []
        try:
            item = self._packets.get_nowait() if self._stopping else self._packets.get(timeout=timeout)
            while True:
                self._last_ns = item[0]
                parts.append(blocks.packet(item[0], item[1], len(item[1])))
                if len(parts) >= BATCH:
                    break
                item = self._packets.get_nowait()
        except queue.Empty:
            pass
        if not parts and self._stopping:
            return None
        if not parts and self._failed:
            raise LiveError(f"{self._settings.interface}: scapy: {self._failed}")
        parts.append(self._count())
        return b"".join(parts)

    def _header(self) -> bytes:
        return blocks.header(self._settings.interface, filters.ETHERNET, self._settings.snap_length)

    def _count(self) -> bytes:
        """Packets lost since the last time, as blocks."""
        since_ns, self._counted_ns = self._counted_ns, self._settings.now_ns()
        before, self._told = self._told, self._dropped
        if before == self._told:
            return b""
        counts = (None, before - self._before), (None, self._told - self._before)
        return blocks.loss(since_ns, self._counted_ns, *counts)

    def renew(self) -> tuple[bytes, bytes]:
        """See Source."""
        lost = self._count()
        self._before = self._told
        return lost, self._header()

    def stop(self) -> None:
        """See Source."""
        self._stopping = True

    def close(self) -> None:
        """See Source."""
        self._stopping = True
        self._listener.close()


NO_FILTER = "Failed to compile filter expression"
"""What it says of a wrong filter, before that and libpcap's words."""


def open_scapy(settings: Settings) -> Source:
    """Begin. Raise LiveError, which says what to do, or UsageError for a wrong filter."""
    expression = FILTER_WITH_VLAN if settings.filter == DEFAULT_FILTER else settings.filter
    try:
        from scapy.all import conf
    except ImportError:
        raise LiveError("scapy is not installed; python -m pip install scapy") from None
    try:
        listener = conf.L2listen(iface=settings.interface, filter=expression or None)
    except Exception as error:  # whatever its back ends raise
        if NO_FILTER in str(error):
            raise filters.wrong(
                expression, str(error).partition(f"{NO_FILTER} {expression!r} ")[2].strip("()")
            ) from None
        raise LiveError(f"{settings.interface}: scapy does not start: {error}; {remedy()}") from None
    return ScapySocket(listener, settings)


def check() -> Rung:
    """Whether scapy is there; whether it may capture shows when it does."""
    if importlib.util.find_spec("scapy") is None:
        return Rung("scapy", False, "not installed", "python -m pip install scapy")
    return Rung("scapy", True, f"installed; {remedy()}")


def remedy() -> str:
    """What it needs besides itself."""
    return "it needs Npcap (npcap.com)" if sys.platform == "win32" else grant()


ENGINE = Engine("scapy", check, open_scapy)
