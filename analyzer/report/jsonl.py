"""-T jsonl: schema `mtlscope/1`, one object a line. Certificates and CA lists come before the connection that needs them."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import BinaryIO

from analyzer.connection import Connection
from analyzer.report.encode import ConnectionEncoder, to_json
from analyzer.report.mapping import capture_object, repeated_object
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.summary import Repeated

CHUNK = 256 * 1024
"""Bytes collected before they are written, unless `PATIENCE` is over."""
PATIENCE = 0.2
"""Seconds that a whole line waits at most while new ones come: a reader of the pipe wants to see them."""


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write every item as it comes; only whole lines reach the sink."""
    lines: list[bytes] = []
    try:
        _collect(items, lines, out)
    finally:  # interrupted: what was decided until then is told
        _flush(lines, out)


def _collect(items: Iterable[Item], lines: list[bytes], out: BinaryIO) -> None:
    encoder, size, written = ConnectionEncoder(), 0, monotonic()
    for item in items:
        if isinstance(item, Connection):
            lines += encoder.certificates(item)
            lines += encoder.ca_lists(item)
            lines.append(encoder.connection(item))
        elif isinstance(item, Repeated):
            lines.append(to_json(repeated_object(item)))
        else:
            lines.append(to_json(capture_object(item)))
        size += len(lines[-1])
        now = monotonic()
        if size >= CHUNK or now - written >= PATIENCE:
            _flush(lines, out)
            size, written = 0, now


def _flush(lines: list[bytes], out: BinaryIO) -> None:
    if lines:
        block = b"\n".join(lines) + b"\n"
        lines.clear()
        out.write(block)
        out.flush()


OUTPUT = Output(name="jsonl", help="one JSON object a line, as things are decided (schema mtlscope/1)", write=write)
