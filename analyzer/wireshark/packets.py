"""Packets of a capture as objects of pyshark.

pyshark's own reading runs an event loop, which fails inside Jupyter and from Python 3.14 on. So tshark is run here, and only
pyshark's packets are taken: they are the same, and nothing waits for a loop.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import IO, Any

from analyzer import places
from analyzer.errors import UsageError
from analyzer.wireshark.tool import Process, needed_tool

BEGIN, END = b"<packet>", b"</packet>"
PIECE = 64 * 1024


def packets(path: str, display_filter: str) -> list[Any]:
    """The packets of a file that match, as pyshark.packet.packet.Packet.

    Raise UsageError without pyshark, tshark or the file, and CaptureError if tshark cannot read it.
    """
    make = _packet_maker()
    command = [needed_tool("to_pyshark()"), "-n", "-T", "pdml", "-r", path, "-Y", display_filter]
    if path == "-":
        raise UsageError("to_pyshark() reads the capture again, and standard input is gone; save it to a file")
    if not places.is_file(path):
        raise UsageError(f"to_pyshark() reads the capture again, and {path} is not there")
    with Process(command, path) as process:
        found = [make(text) for text in _texts(process.output)]
        process.finish()
    return found


def _packet_maker() -> Any:
    """pyshark's function from a packet of PDML to its object. Raise UsageError without pyshark."""
    try:
        module = importlib.import_module("pyshark.tshark.output_parser.tshark_xml")
    except ImportError as error:
        raise UsageError(f"to_pyshark() needs pyshark ({error}): python -m pip install pyshark") from None
    return module.packet_from_xml_packet


def _texts(output: IO[bytes]) -> Iterator[bytes]:
    """Each packet's part of the document."""
    data = b""
    while piece := output.read(PIECE):
        whole, sign, data = (data + piece).rpartition(END)
        for text in whole.split(END) if sign else ():
            yield text[text.index(BEGIN) :] + END
