"""Reading tshark's PDML."""

from __future__ import annotations

import io

import pytest

from analyzer.agreement.dissection import SEQUENCE, Legible, _der, _packets
from analyzer.errors import CaptureError


def test_control_characters_that_xml_forbids_are_left_out() -> None:
    output = Legible(io.BytesIO(b"\x00\x01\x02ab\x1fc\n"))
    assert [output.read(3), output.read(3), output.read(3), output.read()] == [b"ab", b"c\n", b"", b""]
    packets = list(_packets(io.BytesIO(b'<pdml><packet a="\x05"/><packet/></pdml>'), "x.pcap"))
    assert [packet.tag for packet in packets] == ["packet", "packet"]


def test_a_document_that_breaks_off_is_an_error_behind_its_packets() -> None:
    packets = _packets(io.BytesIO(b"<pdml><packet/><pack"), "x.pcap")
    assert next(packets).tag == "packet"
    with pytest.raises(CaptureError, match=r"x\.pcap: tshark's PDML cannot be read"):
        next(packets)


def test_no_document_at_all_has_no_packets() -> None:
    assert list(_packets(io.BytesIO(b""), "x.pcap")) == []


@pytest.mark.parametrize(("size", "head"), [(1, "3001"), (127, "307f"), (128, "308180"), (300, "3082012c")])
def test_lengths_of_der(size: int, head: str) -> None:
    assert _der(SEQUENCE, b"x" * size).hex().startswith(head)
