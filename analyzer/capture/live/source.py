"""What every engine gives (`Source`), how it is asked (`Settings`), and what it says about itself (`Rung`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from analyzer.dataclass import dataclass
from analyzer.errors import LiveError

DEFAULT_FILTER = "tcp port 5061 or tcp port 443"
SNAP_LENGTH = 262_144
"""Bytes of a packet that are kept: all, offloaded ones of 64 KiB too."""
BUFFER_MIB = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """What to capture.

    Attributes:
        interface: its name. filter: in libpcap's language; DEFAULT_FILTER means with VLAN tags as well.
        snap_length: bytes kept of each packet. buffer_mib: size of the kernel's buffer.
        now_ns: tells the time, to say between when packets were lost.
    """

    interface: str
    filter: str = DEFAULT_FILTER
    snap_length: int = SNAP_LENGTH
    buffer_mib: int = BUFFER_MIB
    now_ns: Callable[[], int] = lambda: 0


class Source(Protocol):
    """An open capture.

    Attributes:
        notes: what the user should know about it, one line each; may grow.
    """

    notes: list[str]

    def read(self, timeout: float) -> bytes | None:
        """Whole pcapng blocks, the first ones a section and an interface. b"" if nothing came in that many seconds; None
        at the end. Raise LiveError if the interface goes away."""
        ...

    def renew(self) -> tuple[bytes, bytes]:
        """For a copy that goes on in another file: what ends the section that was given out so far, and the begin of a new
        one with the same interfaces. Later statements count from there. Asked when `read` has given something."""
        ...

    def stop(self) -> None:
        """Capture nothing more; `read` gives the rest and then None."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


@dataclass(frozen=True, slots=True)
class Rung:
    """Whether an engine works here. `why`: how it was told; `remedy`: what to install or to grant, "" if it works."""

    engine: str
    works: bool
    why: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to capture.

    Attributes:
        name: value of --capture-engine. check: looks whether it works, without capturing.
        open: starts it. Raise LiveError, whose text says what to do.
    """

    name: str
    check: Callable[[], Rung]
    open: Callable[[Settings], Source]


__all__ = ["BUFFER_MIB", "DEFAULT_FILTER", "SNAP_LENGTH", "Engine", "LiveError", "Rung", "Settings", "Source"]
