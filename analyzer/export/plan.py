"""How a capture is to be written, and what came of it."""

from __future__ import annotations

from dataclasses import field

from analyzer.capture.source import ReadOptions
from analyzer.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """How to write.

    Attributes:
        all_packets: every packet of the file, not the handshakes of the reported connections alone.
        keep_secrets: copy decryption secrets (session keys).
        share_safe: see sharing.py; the capture is made anew.
        ports: where TLS is expected, as of the analysis.
        reading: as of the analysis.
    """

    all_packets: bool = False
    keep_secrets: bool = False
    share_safe: bool = False
    ports: frozenset[int] | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)


@dataclass(slots=True)
class Written:
    """What was written: packets, how many of them have comments, and what was left out on purpose."""

    packets: int = 0
    commented: int = 0
    secrets: int = 0
