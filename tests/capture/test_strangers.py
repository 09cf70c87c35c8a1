"""What is no capture is named, with what to do about it, in one line."""

from __future__ import annotations

import io
import zipfile
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture.source import HEAD
from analyzer.capture.strangers import describe, is_foreign_capture


def zipped(*names: str) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 10)
    return raw.getvalue()


def etl(size: int, again: int) -> bytes:
    """An event trace's first bytes: buffer header, system event header, and the logfile header that repeats the size."""
    return (pack("<I", size).ljust(72, b"\0") + b"\2\0\2\xc0").ljust(104, b"\0") + pack("<I", again) + bytes(100)


def erf(count: int) -> bytes:
    return (pack("<Q", 5 << 32) + pack(">BBHHH", 2, 4, 80, 0, 60) + bytes(64)) * count


@pytest.mark.parametrize(
    ("head", "parts"),
    [
        pytest.param(b"", ["the file is empty"], id="empty"),
        pytest.param(zipped("lab.pcap"), ["starts with 50 4b 03 04 (a ZIP archive)", "Unpack it first"], id="ZIP"),
        pytest.param(zipped(), ["an empty ZIP archive"], id="empty ZIP"),
        pytest.param(zipped("[Content_Types].xml", "word/document.xml"), ["an Office document", "save it as a file"], id="docx"),
        pytest.param(zipped("xl/workbook.xml"), ["an Office document"], id="xlsx"),
        pytest.param(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(20), ["an Office document"], id="doc"),
        pytest.param(b"7z\xbc\xaf\x27\x1c", ["7z"], id="7z"),
        pytest.param(b"Rar!\x1a\x07\x01\0", ["RAR"], id="RAR"),
        pytest.param(b"MSCF", ["cabinet", ".etl"], id="cab"),
        pytest.param(b"x.pcap".ljust(257, b"\0") + b"ustar", ["tar archive"], id="tar"),
        pytest.param(b"\xfd7zXZ\0", ["xz", "xz -d"], id="xz"),
        pytest.param(b"\x28\xb5\x2f\xfd", ["zstd -d"], id="zstd"),
        pytest.param(b"BZh9", ["bunzip2"], id="bzip2"),
        pytest.param(b"%PDF-1.7", ["PDF"], id="PDF"),
        pytest.param(etl(65536, 65536), ["event trace", "pktmon etl2pcap x.etl -o out.pcapng", "etl2pcapng x.etl"], id="ETL"),
        pytest.param(b"snoop\0\0\0\0\0\0\2", ["snoop", "editcap -F pcapng x.etl out.pcapng"], id="snoop"),
        pytest.param(b"XCP\0" + b"002.002\0", ["NetXray", "editcap -F pcapng"], id="NetXray"),
        pytest.param(b"TRSNIFF data    \x1a", ["Sniffer", "editcap"], id="Sniffer"),
        pytest.param(erf(3), ["ERF", "editcap"], id="ERF"),
        pytest.param(b"\x7fELF\2\1\1", ["program (ELF)"], id="ELF"),
        pytest.param(b"MZ\x90\0", ["program (Windows)"], id="exe"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\nMII", ["PEM text"], id="PEM"),
        pytest.param(b'{"a": 1}', ["JSON text"], id="JSON"),
        pytest.param(b"\xef\xbb\xbf<?xml version='1.0'?>", ["XML text"], id="XML with a byte-order mark"),
        pytest.param(b"<!DOCTYPE html><html>", ["HTML page"], id="HTML"),
        pytest.param(b"CLIENT_RANDOM 00 11\n", ["TLS key log"], id="key log"),
        pytest.param("No. Time Größe\n1 0.000 5".encode(), ["text", "save the capture as pcapng"], id="a packet list"),
        pytest.param("\ufeffNo.".encode("utf-16-le"), ["UTF-16 text"], id="UTF-16"),
        pytest.param(b"\xd4\xc3\xb2", ["the file has 3 bytes (d4 c3 b2), the shortest capture has 24"], id="three bytes"),
        pytest.param(b"\x00\x01\x02\x03" * 6, ["starts with 00 01 02 03. Readable: pcap, pcapng, Network Monitor"], id="unknown"),
        pytest.param(etl(65536, 1), ["starts with 00 00 01 00. Readable"], id="nearly an ETL"),
        pytest.param(erf(1)[:40], ["Readable"], id="one ERF record is not enough"),
    ],
)  # fmt: skip
def test_names(head: bytes, parts: list[str]) -> None:
    said = describe(head[:HEAD], "x.etl")
    assert said.startswith("not a capture: ")
    assert "\n" not in said
    for part in parts:
        assert part in said


@pytest.mark.parametrize(
    ("head", "foreign"),
    [
        pytest.param(b"snoop\0\0\0", True, id="snoop must be converted"),
        pytest.param(etl(65536, 65536), True, id="ETL must be converted"),
        pytest.param(zipped("a.pcap"), False, id="a ZIP is no capture"),
        pytest.param(b"text", False, id="text is no capture"),
        pytest.param(b"", False, id="an empty file is no capture"),
    ],
)
def test_captures_that_must_be_converted(head: bytes, foreign: bool) -> None:
    assert is_foreign_capture(head) == foreign


@settings(max_examples=150)
@given(st.binary(max_size=HEAD))
def test_any_bytes_have_a_description(head: bytes) -> None:
    assert describe(head, "x").startswith("not a capture: ")
