"""-T jsonl: schema `mtlscope/1`, one object a line. Certificates and CA lists come before the connection that needs them."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import BinaryIO

from analyzer.connection import Connection
from analyzer.report.encode import ConnectionEncoder, to_json
from analyzer.report.lines import PATIENCE, flush
from analyzer.report.mapping import capture_object, loss_object, repeated_object
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.summary import LostPackets, Repeated

PIECES = 1500
"""Pieces of lines collected before they are written (some 50 connections), unless `PATIENCE` is over."""


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write every item as it comes; only whole lines reach the sink."""
    pieces: list[bytes] = []
    try:
        _collect(items, pieces, out, options.prompt)
    finally:  # interrupted: what was decided until then is told
        flush(pieces, out)


def _collect(items: Iterable[Item], pieces: list[bytes], out: BinaryIO, prompt: bool) -> None:
    encoder, written = ConnectionEncoder(), monotonic()
    for item in items:
        if isinstance(item, Connection):
            for line in (*encoder.certificates(item), *encoder.ca_lists(item)):
                pieces += (line, b"\n")
            pieces += encoder.connection(item)
        elif isinstance(item, Repeated):
            pieces.append(to_json(repeated_object(item)))
        elif isinstance(item, LostPackets):
            pieces.append(to_json(loss_object(item)))
        else:
            pieces.append(to_json(capture_object(item)))
        pieces.append(b"\n")
        now = monotonic()
        if prompt or len(pieces) >= PIECES or now - written >= PATIENCE:
            flush(pieces, out)
            written = now


OUTPUT = Output(
    name="jsonl", help="one JSON object a line, as things are decided (schema mtlscope/1)", write=write, lines=True
)
