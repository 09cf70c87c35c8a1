"""What a file is that is no capture we read, by its first bytes, and what to do about it. Facts only for an error message."""

from __future__ import annotations

READABLE = "pcap, pcapng, Network Monitor"
EDITCAP = "Convert it with: editcap -F pcapng {name} out.pcapng, or let Wireshark's tshark read it: --via tshark"
UNPACK = "Unpack it first"
SHORTEST = 24
"""Bytes of a pcap file without packets."""

ETL = (
    "an event trace (.etl)",
    "Convert it with: pktmon etl2pcap {name} -o out.pcapng (traces of pktmon), or etl2pcapng {name} out.pcapng (netsh trace)",
)
OFFICE = ("an Office document", "The capture is perhaps inside: save it as a file of its own")

STRANGERS: tuple[tuple[int, str, str, str], ...] = (
    (0, "504b0304", "a ZIP archive", UNPACK),
    (0, "504b0506", "an empty ZIP archive", "There is nothing in it"),
    (0, "377abcaf271c", "a 7z archive", UNPACK),
    (0, "526172211a07", "a RAR archive", UNPACK),
    (
        0,
        "4d534346",
        "a cabinet archive (.cab)",
        f"{UNPACK} (expand -F:* {{name}} folder); netsh trace puts an .etl beside it",
    ),
    (257, "7573746172", "a tar archive", UNPACK),
    (0, "fd377a585a00", "xz-compressed", f"{UNPACK} (xz -d)"),
    (0, "28b52ffd", "zstd-compressed", f"{UNPACK} (zstd -d)"),
    (0, "04224d18", "lz4-compressed", f"{UNPACK} (lz4 -d)"),
    (0, "425a68", "bzip2-compressed", f"{UNPACK} (bunzip2)"),
    (0, "d0cf11e0a1b11ae1", *OFFICE),
    (0, "25504446", "a PDF document", "Save the capture as a file of its own"),
    (0, "736e6f6f7000", "a snoop capture (Solaris)", EDITCAP),
    (0, "5452534e494646206461746120202020", "a Sniffer capture (DOS)", EDITCAP),
    (0, "58435000", "a NetXray or Windows Sniffer capture", EDITCAP),
    (0, "56c31700", "an EtherPeek capture", EDITCAP),
    (0, "7f766572", "an OmniPeek capture", EDITCAP),
    (0, "4c4f4747", "a Visual Networks capture", EDITCAP),
    (0, "a1e2cb12", "a LANalyzer capture", EDITCAP),
    (0, "7f454c46", "a program (ELF)", "Give the capture, not the tool"),
    (0, "4d5a", "a program (Windows)", "Give the capture, not the tool"),
    (0, "53514c69746520666f726d6174203300", "an SQLite database", "Export the packets as pcapng first"),
    (0, "89504e470d0a1a0a", "a PNG image", "A picture of a capture holds no packets"),
    (0, "ffd8ff", "a JPEG image", "A picture of a capture holds no packets"),
    (0, "4d444d5093a7", "a memory dump of Windows", "Give a packet capture"),
    (0, "cffaedfe", "a program (macOS)", "Give the capture, not the tool"),
)
"""(offset, magic in hex, what it is, what to do)"""

TEXTS: tuple[tuple[str, str, str], ...] = (
    ("-----begin ", "PEM text (certificates or keys)", "Give the capture of the connection"),
    ("<?xml", "XML text", "Export the packets as pcapng instead (PDML and PSML cannot be read back)"),
    ("<!doctype html", "an HTML page", "Was a download page saved instead of the file?"),
    ("<html", "an HTML page", "Was a download page saved instead of the file?"),
    ("{", "JSON text", "Give the capture that it was made from"),
    ("[", "JSON text", "Give the capture that it was made from"),
    ("client_random ", "a TLS key log", "Give the capture itself"),
)
"""(how the text starts, in lower case; what it is; what to do)"""


def describe(head: bytes, name: str) -> str:
    """One line that names what a file starting with `head` is, and what to do about it."""
    if not head:
        return "not a capture: the file is empty"
    what, advice = recognise(head)
    found = f"starts with {head[:4].hex(' ')}"
    if what is None and len(head) < SHORTEST:
        bytes_ = "1 byte" if len(head) == 1 else f"{len(head)} bytes"
        return f"not a capture: the file has {bytes_} ({head.hex(' ')}), the shortest capture has {SHORTEST}"
    if what is None:
        return f"not a capture: {found}. Readable: {READABLE}, also gzip-compressed"
    return f"not a capture: {found} ({what}). {advice.format(name=name)}"


def recognise(head: bytes) -> tuple[str | None, str]:
    """What the file is, and what to do; (None, "") if we do not know it."""
    for at, magic, what, advice in STRANGERS:
        if head.startswith(bytes.fromhex(magic), at):
            return OFFICE if what == "a ZIP archive" and is_office(head) else (what, advice)
    if is_etl(head):
        return ETL
    if is_erf(head):
        return "an ERF capture (Endace)", EDITCAP
    return recognise_text(head)


def is_foreign_capture(head: bytes) -> bool:
    """A capture that must be converted before we can read it."""
    return recognise(head)[1] in (EDITCAP, ETL[1])


def is_office(head: bytes) -> bool:
    """The first names in a ZIP archive are those of a docx, xlsx or pptx."""
    return b"[Content_Types].xml" in head or any(folder in head for folder in (b"word/", b"xl/", b"ppt/", b"_rels/"))


def is_etl(head: bytes) -> bool:
    """An event trace starts with its buffer size, and its first event (at byte 72, marked 0xC0) says the same size again."""
    if len(head) < 108:
        return False
    size = int.from_bytes(head[:4], "little")
    return size >= 1024 and head[72] == 2 and head[75] == 0xC0 and int.from_bytes(head[104:108], "little") == size


def is_erf(head: bytes) -> bool:
    """Two plausible ERF record headers in a row; ERF has no magic."""
    at = 0
    for _ in range(2):
        if len(head) < at + 16:
            return False
        size = int.from_bytes(head[at + 10 : at + 12], "big")
        if head[at + 8] & 0x7F not in (1, 2, 16, 27, 28, 48) or size < 16 or head[at + 9] & 0xC0:
            return False
        at += size
    return True


def recognise_text(head: bytes) -> tuple[str | None, str]:
    """Text of any kind; UTF-16 with its byte-order mark is text too."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16 text", "Give the capture itself"
    try:
        text = head.decode("utf-8-sig", "strict" if len(head) < 64 else "ignore").lstrip().lower()
    except UnicodeDecodeError:
        return None, ""
    for start, what, advice in TEXTS:
        if text.startswith(start):
            return what, advice
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return None, ""
    return "text", "A printed packet list holds no packets: save the capture as pcapng"
