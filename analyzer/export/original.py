"""A pcapng file block by block, as it is: for copying."""

from __future__ import annotations

import io
from collections.abc import Iterator
from struct import Struct
from typing import cast

from analyzer.capture.pcapng import (
    MAX_BLOCK,
    MIN_BLOCK,
    MIN_SECTION,
    NUMBERED_ONLY,
    OLD_PACKET,
    ORDERS,
    PACKET,
    SECTION,
    SECTION_BYTES,
    SIMPLE_PACKET,
)
from analyzer.capture.source import Facts, open_stream, unpacked
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError

NUMBERED = frozenset((PACKET, SIMPLE_PACKET, OLD_PACKET, *NUMBERED_ONLY))
SECRETS = 0x0A
"""A Decryption Secrets Block: session keys."""
NOT_TO_COPY = 0x40000BAD
"""A Custom Block that must not be copied into a file that was changed."""
READ_AHEAD = 1 << 20


@dataclass(slots=True)
class Block:
    """One block: its type, its bytes with both lengths, its byte order, and its frame number (0 if it has none)."""

    kind: int
    raw: bytes
    order: str
    frame: int


def is_pcapng(path: str) -> bool:
    """Whether this file, perhaps gzip-compressed, begins as pcapng does."""
    try:
        stream, _ = open_stream(path)
        with stream:
            return unpacked(stream, Facts())[0].startswith(SECTION_BYTES)
    except (OSError, CaptureError):
        return False


def read_blocks(path: str) -> Iterator[Block]:
    """Every whole block up to the end or the first damage, which the analysis has told about."""
    stream, _ = open_stream(path)
    with stream:
        _, raw = unpacked(stream, Facts())
        source = io.BufferedReader(cast(io.RawIOBase, raw), READ_AHEAD)
        order, frame = "<", 0
        try:
            while len(head := source.read(MIN_BLOCK)) == MIN_BLOCK:
                if head[:4] == SECTION_BYTES:
                    order = ORDERS.get(head[8:12], order)
                kind, size = Struct(order + "II").unpack_from(head)
                if not MIN_BLOCK <= size <= MAX_BLOCK or (kind == SECTION and size < MIN_SECTION):
                    return
                whole = head + source.read(size - MIN_BLOCK)
                if len(whole) < size or Struct(order + "I").unpack_from(whole, size - 4)[0] != size:
                    return
                frame += kind in NUMBERED
                yield Block(kind, whole, order, frame if kind in NUMBERED else 0)
        except CaptureError:
            return
