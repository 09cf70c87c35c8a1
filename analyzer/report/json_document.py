"""-T json: one document with `connections`, `repeated`, `losses`, `certificates`, `ca_lists` and `captures`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Literal, TypedDict, cast

from analyzer.connection import Connection
from analyzer.report.certificates import SCHEMA
from analyzer.report.encode import ConnectionEncoder, to_json
from analyzer.report.mapping import capture_object, loss_object, repeated_object
from analyzer.report.objects import (
    CaListObject,
    CaptureObject,
    CertificateObject,
    ConnectionObject,
    LossObject,
    RepeatedObject,
)
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.summary import LostPackets, Repeated
from analyzer.version import __version__

IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a list that wait in memory while the connections are written; more goes to a temporary file."""


class DocumentObject(TypedDict):
    """What -T json writes: the objects of -T jsonl, those of one type together."""

    schema: Literal["mtlscope/1"]
    tool: str
    connections: list[ConnectionObject]
    repeated: list[RepeatedObject]
    losses: list[LossObject]
    certificates: list[CertificateObject]
    ca_lists: list[CaListObject]
    captures: list[CaptureObject]


class _Later:
    """Objects of one list, kept until the list's turn."""

    def __init__(self) -> None:
        self._file = cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115  (closed in `write_to`)
        self._count = 0

    def add(self, document: bytes) -> None:
        self._file.write((b",\n" if self._count else b"") + document)
        self._count += 1

    def write_to(self, out: BinaryIO) -> None:
        self._file.seek(0)
        while block := self._file.read(64 * 1024):
            out.write(block)
        self._file.close()


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write connections as they come, the rest behind them."""
    later = {
        name: _Later() for name in ("repeated", "losses", "certificates", "ca_lists", "captures")
    }  # as in DocumentObject
    out.write(b'{"schema":%b,"tool":%b,\n"connections":[' % (to_json(SCHEMA), to_json(f"mtlscope {__version__}")))
    before = b"\n"
    try:
        for document in _connections(items, later):
            out.write(before + document)
            before = b",\n"
    finally:  # interrupted: the document is still whole
        for name, objects in later.items():
            out.write(b'\n],\n"%b":[\n' % name.encode())
            objects.write_to(out)
        out.write(b"\n]}\n")
        out.flush()


def _connections(items: Iterable[Item], later: dict[str, _Later]) -> Iterator[bytes]:
    encoder = ConnectionEncoder()
    for item in items:
        if isinstance(item, Connection):
            for certificate in encoder.certificates(item):
                later["certificates"].add(certificate)
            for names in encoder.ca_lists(item):
                later["ca_lists"].add(names)
            yield b"".join(encoder.connection(item))
        elif isinstance(item, Repeated):
            later["repeated"].add(to_json(repeated_object(item)))
        elif isinstance(item, LostPackets):
            later["losses"].add(to_json(loss_object(item)))
        else:
            later["captures"].add(to_json(capture_object(item)))


OUTPUT = Output(name="json", help="one JSON document with everything", write=write)
