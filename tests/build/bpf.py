"""A classic BPF machine: as much of it as our own filter uses."""

from __future__ import annotations

import struct


def passes(program: bytes, frame: bytes) -> int:
    """What the program returns for a frame: bytes to keep, 0 for none. A load behind the frame's end ends it with 0."""
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator = index = at = 0
    while True:
        op, yes, no, k = code[at]
        at += 1
        if op == 0x06:
            return int(k)
        if op in (0x15, 0x45):
            at += yes if (accumulator == k if op == 0x15 else accumulator & k) else no
            continue
        place, size = (k + index if op == 0x48 else k), 1 if op in (0x30, 0xB1) else 2
        if place + size > len(frame):
            return 0
        value = int.from_bytes(frame[place : place + size])
        if op == 0xB1:
            index = 4 * (value & 15)
        else:
            assert op in (0x28, 0x30, 0x48), f"an instruction that is not needed: {op:#x}"
            accumulator = value
