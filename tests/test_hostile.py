"""Nothing that a peer or a file contains makes the tool fail, hang, grow, or write what a terminal would obey."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pkgutil
import random
import re
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.pipeline import Run
from analyzer.report import find, outputs
from analyzer.report.output import Item, OutputOptions
from analyzer.summary import CaptureSummary
from analyzer.tls import flights
from tests.build import asn1, netmon, pcapng, pki, records
from tests.build import handshake as tls
from tests.build.pcap import START_NS, Packet, pcap
from tests.build.reports import Report, report
from tests.build.tcp import CLIENT, SERVER, merged
from tests.scenarios import Story
from tests.scenarios.story import ROOT, SIP

CAPTURES = Path(__file__).parent.parent / "captures"
CORPUS = os.environ.get("MTLSCOPE_CORPUS")
HELLO = records.record(tls.client_hello(extensions=[tls.server_name_extension(b"sip.example.com")]), version=0x0301)


def written(items: list[Item], name: str, **how: Any) -> str:
    """What one output makes of the items; of a binary one, each byte as a character."""
    sink = io.BytesIO()
    output = find(name)
    assert output is not None
    output.write(
        iter(items), sink, OutputOptions(**({"color": False, "width": 100, "unicode": True, "each": True} | how))
    )
    return sink.getvalue().decode("latin-1" if output.binary else "utf-8")


def answered(*messages: bytes, hello: bytes = HELLO, size: int = 16_384) -> Story:
    """A hello, and what the server says to it in records of `size` bytes, and its close."""
    story = Story()
    story.open().send(CLIENT, hello)
    story.send(SERVER, records.records(b"".join(messages), size)).fin(SERVER)
    return story


# ---- damaged files ------------------------------------------------------------------------------------------------------

EXTREMES = (0, 1, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def mutant(data: bytes, how: str, chance: random.Random) -> bytes:
    out = bytearray(data)
    if how == "bits flipped":
        for _ in range(max(1, len(out) // 200)):
            out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    elif how == "cut off":
        del out[chance.randrange(len(out)) :]
    elif how == "extreme numbers":
        for _ in range(chance.choice((1, 3, 10))):
            at = chance.randrange(max(1, len(out) - 4))
            out[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(EXTREMES))
    elif how == "extreme numbers at the start":
        at = chance.randrange(max(1, min(200, len(out) - 4)))
        out[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(EXTREMES))
    elif how == "a piece twice":
        start, size, at = chance.randrange(len(out)), chance.randrange(1, 4_096), chance.randrange(len(out))
        out[at:at] = out[start : start + size]
    else:
        start = chance.randrange(len(out))
        del out[start : start + chance.randrange(1, 2_048)]
    return bytes(out)


HOWS = (
    "bits flipped",
    "cut off",
    "extreme numbers",
    "extreme numbers at the start",
    "a piece twice",
    "a piece missing",
)


def sources() -> list[Path]:
    """Small captures: our own, each container format, and a part of the corpus."""
    own = [path for path in sorted(CAPTURES.rglob("*")) if ".pcap" in path.name or path.suffix == ".cap"]
    foreign = sorted(Path(CORPUS, "captures").iterdir())[::5] if CORPUS else []
    return [path for path in (*own, *foreign) if 24 < path.stat().st_size < 60_000]


def judged(path: Path) -> Report | None:
    """All of it through every output; None if there is nothing to analyse."""
    run = Run([str(path)])
    try:
        said = Report(list(run), run.errors)
    except UsageError:
        return None
    assert not run.crashes
    for item in said.items:
        if isinstance(item, CaptureSummary):
            assert item.packets == item.decoded + sum(item.reasons.values())
        elif isinstance(item, Connection):
            assert item.ts_ns <= item.end_ns
    assert all("\n" not in error for error in said.errors)
    for line in written(said.items, "jsonl").splitlines():
        json.loads(line)
    return said


@pytest.mark.parametrize("how", HOWS)
def test_a_damaged_file_is_read_as_far_as_it_goes(how: str, tmp_path: Path) -> None:
    chosen = sources()
    assert len(chosen) > 60
    for source in chosen:
        path = tmp_path / "damaged"
        path.write_bytes(mutant(source.read_bytes(), how, random.Random(f"7 {source.name} {how}")))
        judged(path)


@pytest.mark.parametrize("rate", [0.0005, 0.02])
def test_damaged_packets_in_a_sound_file(rate: float) -> None:
    """As Wireshark's fuzz test does: bytes of the packets change, the frame of the file stays."""
    chance = random.Random(rate)
    for story in (Story().open().hello().answer().certificate().finished().talk().close(), Story().open()):
        for _ in range(25):
            packets = [Packet(dirty(packet.data, rate, chance), packet.time_ns) for packet in story.packets]
            said = report(packets)
            for name in outputs():
                written(said.items, name)


def dirty(data: bytes, rate: float, chance: random.Random) -> bytes:
    return bytes(chance.choice((0, 255, chance.randrange(256))) if chance.random() < rate else byte for byte in data)


# ---- files made by hand -------------------------------------------------------------------------------------------------

TALK = Story().open().hello().answer().certificate().finished().talk().close().packets
SECTION, INTERFACE = pcapng.section(), pcapng.interface()
GOOD = b"".join(pcapng.enhanced(packet) for packet in TALK)
AHEAD = SECTION + INTERFACE + GOOD
PLAIN = pcap(TALK)
ALL = len(TALK)


def described(options: bytes) -> bytes:
    """A section with one interface that has these options."""
    return SECTION + pcapng.block(1, struct.pack("<HHI", 1, 0, 0) + options)


def packet_block(captured: int, original: int, ticks: int = 1, interface: int = 0) -> bytes:
    numbers = (interface, ticks >> 32, ticks & 0xFFFFFFFF, captured, original)
    return pcapng.block(6, struct.pack("<IIIII", *numbers) + bytes(60))


def record(captured: int) -> bytes:
    return struct.pack("<IIII", 1_700_000_000, 0, captured, captured) + bytes(50)


def unfinished(size: int) -> bytes:
    """A block that claims so many bytes, behind good ones."""
    return AHEAD + struct.pack("<II", 6, size) + bytes(64)


RESOLUTIONS = {n: described(struct.pack("<HHB3xHH", 9, 1, n, 0, 0)) + GOOD for n in (0, 1, 63, 127, 128, 192, 255)}
OFFSETS = {n: described(struct.pack("<HHqHH", 14, 8, n, 0, 0)) + GOOD for n in (2**63 - 1, -(2**63), -1)}
BLOCKS = {
    n: SECTION + INTERFACE + pcapng.block(n, bytes(24)) + GOOD for n in (0, 4, 5, 10, 0xBAD, 0x40000BAD, 2**32 - 1)
}
MADE: list[tuple[str, bytes, int | None, str]] = [  # what, the file, packets read (None: any number), the reason
    *((f"block of {n:,} bytes", unfinished(n), ALL, "block at") for n in (0, 3, 4, 11, 13, 2**24 + 4, 2**31, 2**32 - 4)),
    ("block that ends with another length", AHEAD + pcapng.block(6, bytes(40), trailer=99), ALL, "ends with 99"),
    ("block of the other byte order", AHEAD + struct.pack(">II", 6, 64) + bytes(56), ALL, "block at byte"),
    ("100,000 interfaces", SECTION + INTERFACE * 100_000 + GOOD, ALL, ""),
    ("option without an end", described(struct.pack("<HH", 2, 60_000) + b"abcd") + GOOD, ALL, ""),
    *((f"time resolution {n}", data, ALL, "") for n, data in RESOLUTIONS.items()),
    *((f"time offset {n}", data, ALL, "") for n, data in OFFSETS.items()),
    *((f"time {n}", SECTION + INTERFACE + packet_block(60, 60, n) + GOOD, ALL + 1, "") for n in (0, 2**63, 2**64 - 1)),
    ("more captured than there was", SECTION + INTERFACE + packet_block(60, 50) + GOOD, ALL + 1, ""),
    ("more captured than the block has", SECTION + INTERFACE + packet_block(1_000, 60), 0, "holds 60 bytes"),
    ("4 GB captured", SECTION + INTERFACE + packet_block(2**32 - 1, 60), 0, "more than any frame"),
    ("nothing captured", SECTION + INTERFACE + packet_block(0, 60) + GOOD, ALL + 1, ""),
    ("packet of an unknown interface", SECTION + INTERFACE + packet_block(60, 60, interface=7), 0, "not described"),
    ("packet before any interface", SECTION + pcapng.simple(TALK[0]), 0, "not described"),
    *((f"block of type {n:#x}", data, None, "") for n, data in BLOCKS.items()),
    ("no packets", SECTION + INTERFACE, 0, ""),
    ("half a section", SECTION[:12], 0, "28 bytes"),
    ("wrong byte-order mark", SECTION[:8] + b"\1\2\3\4" + SECTION[12:], 0, "byte-order mark"),
    ("lying section length", pcapng.section(length=10) + INTERFACE + GOOD, ALL, ""),
    ("pcapng of the future", pcapng.section(version=(9, 9)) + INTERFACE + GOOD, 0, "9.9"),
    ("unknown link type", described(b"")[:36] + b"\xff\xff" + described(b"")[38:] + GOOD, None, ""),
    ("nothing", b"", 0, "empty"),
    ("three bytes", b"\n\r\r", 0, "not a capture"),
    ("zeros", bytes(4_096), 0, "not a capture"),
    ("text", b"No. Time Source\r\n" * 9, 0, "not a capture"),
    ("half a file header", PLAIN[:13], 0, "24 bytes"),
    ("a file header alone", PLAIN[:24], 0, ""),
    *((f"record of {n:,} bytes", PLAIN + record(n), ALL, "record at byte") for n in (60, 65_536, 262_145, 2**31, 2**32 - 1)),
    ("a first record of 2 GB", PLAIN[:24] + record(2**31), 0, "record at byte 24"),
    ("a tail of zeros", PLAIN + bytes(16_000), ALL + 1_000, ""),
    ("a tail of 0xff", PLAIN + b"\xff" * 16_000, ALL, "record at byte"),
    ("gzip cut off", gzip.compress(PLAIN)[:-20], None, "gzip stream is cut"),
    ("gzip header alone", gzip.compress(PLAIN)[:6], 0, "gzip stream is cut"),
    ("gzip with a wrong checksum", gzip.compress(PLAIN)[:-8] + bytes(8), ALL, "gzip stream is damaged"),
    ("gzip in gzip", gzip.compress(gzip.compress(PLAIN)), 0, "gzip inside gzip"),
    ("gzip with junk behind it", gzip.compress(PLAIN) + b"junk", ALL, "neither the end"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "packets", "reason"), [pytest.param(*row[1:], id=row[0]) for row in MADE])
def test_a_lying_file_gives_one_line_and_all_that_came_before(data: bytes, packets: int | None, reason: str) -> None:
    said = report(data)

    assert packets is None or said.summary.packets == packets
    assert len(said.errors) == bool(reason)
    assert reason in "".join(said.errors) and "\n" not in "".join(said.errors)
    if packets == ALL:
        assert [conn.outcome.value for conn in said.connections] == ["established"]


def test_network_monitor_files_with_extreme_numbers_anywhere_in_the_header() -> None:
    sound = netmon.netmon(TALK)
    for at in range(4, 128, 4):
        for value in EXTREMES:
            said = report(sound[:at] + struct.pack("<I", value) + sound[at + 4 :])
            assert len(said.errors) <= 1


# ---- more of everything than anybody needs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(records.alert(100, 1), id="warning alerts"),
        pytest.param(records.record(b""), id="empty records"),
        pytest.param(records.record(tls.hello_request()), id="HelloRequests"),
        pytest.param(records.change_cipher_spec(), id="ChangeCipherSpecs"),
        pytest.param(records.record(tls.message(24, b"\0")), id="KeyUpdates"),
        pytest.param(records.record(tls.message(99)), id="messages of an unknown type"),
        pytest.param(records.encrypted(21, 26), id="encrypted alerts"),
        pytest.param(records.record(b"x", 24), id="heartbeats"),
        pytest.param(records.record(b"x", 23), id="bytes of application data"),
    ],
)
@pytest.mark.parametrize("after", ["hello", "finished"])
def test_endless_small_records_leave_a_short_record(flood: bytes, after: str) -> None:
    story = Story()
    story.open().hello()
    if after == "finished":
        story.answer().certificate().finished()
    story.send(SERVER, flood * 10_000).fin(SERVER)
    said = report(story.packets)
    conn = said.connection

    assert len(conn.alerts) <= 11
    assert len(conn.ssl_history) <= 100
    assert len(written(said.items, "text")) < 20_000
    assert len(written(said.items, "jsonl")) < 40_000
    few = min(len(conn.steps), 40)
    assert len(conn.steps) == few or any("more" in line for line in conn.malformed) or after == "finished"


def test_what_is_only_counted_is_counted_exactly() -> None:
    story = Story()
    story.open().hello().send(SERVER, records.alert(100, 1) * 1_000)
    conn = report(story.packets).connection

    assert len(conn.alerts) == 10
    assert "server: 990 more alerts or messages of one kind, only counted" in conn.malformed


def ca_names(size: int) -> list[bytes]:
    """CA names that fill a list of just this many bytes, or a little less."""
    names, used = [], 0
    for number in range(10_000):
        name = asn1.name([asn1.attribute("2.5.4.3", asn1.utf8(f"Root number {number:05} of a very long list"))])
        used += len(name) + 2
        if used > size:
            break
        names.append(name)
    return names


def padded(name: str, size: int) -> bytes:
    return ROOT.issue(name, extensions=[pki.extension("1.2.3.4", bytes(size))]).der


@pytest.mark.parametrize("record_size", [16_384, 1])
def test_the_largest_messages_are_read_whole(record_size: int) -> None:
    names, chain = ca_names(65_535), [padded(f"CN=c{number}", 10_000) for number in range(25)]
    hello = tls.client_hello(extensions=[tls.server_name_extension(b"sip.example.com"), (0x7777, bytes(65_000))])
    story = answered(
        tls.server_hello(),
        tls.certificate(*chain),
        tls.certificate_request(*names),
        tls.server_hello_done(),
        hello=records.records(hello, record_size),
        size=record_size,
    )
    conn = report(story.packets).connection

    assert conn.server_name == "sip.example.com"
    assert conn.server_chain is not None and conn.certificate_request is not None
    assert len(conn.server_chain.chain.certificates) == 25
    assert conn.certificate_request.ca_list.complete
    assert len(conn.certificate_request.ca_list.names) == len(names) > 1_000
    assert not conn.malformed


def test_a_message_that_announces_16_mb_is_named_and_not_kept() -> None:
    first = b"".join(len(der).to_bytes(3, "big") + der for der in SIP.chain)
    story = answered(tls.server_hello(), b"\x0b\xff\xff\xff\xff\xff\xfc" + first + bytes(3_000_000))
    data = pcap(story.packets)
    tracemalloc.start()
    conn = report(data).connection
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert any("certificate announces 16,777,215 bytes" in line for line in conn.malformed)
    assert conn.server_chain is not None
    assert conn.server_chain.chain.leaf.der == SIP.der
    assert peak < 16_000_000  # the reader's buffer has 8 MiB


def nested(depth: int) -> bytes:
    inner = asn1.null()
    for _ in range(depth):
        inner = asn1.seq(inner)
    return inner


DEEP = nested(5_000)
RSA = asn1.seq(
    asn1.seq(asn1.oid("1.2.840.113549.1.1.1"), asn1.null()),
    asn1.bits(asn1.seq(asn1.tlv(2, b"\x7f" * 65_536), asn1.integer(65_537))),
)
MONSTERS: dict[str, dict[str, Any]] = {
    "20,000 names": {"san": [f"h{number}.example" for number in range(20_000)]},
    "5,000 extensions": {"extensions": [pki.extension(f"1.2.3.{number}", b"\5\0") for number in range(5_000)]},
    "a subject nested 5,000 deep": {"subject": DEEP},
    "a key nested 5,000 deep": {"spki": DEEP},
    "extensions nested 5,000 deep": {
        "extensions": [pki.extension("2.5.29.17", DEEP), pki.extension("2.5.29.31", DEEP)]
    },
    "a serial number of 64 KiB": {"serial_der": asn1.tlv(2, b"\x7f" * 65_536)},
    "a modulus of 64 KiB": {"spki": RSA},
    "a subject of 5,000 parts": {
        "subject": asn1.name(*[[asn1.attribute("2.5.4.11", asn1.utf8(f"u{number}"))] for number in range(5_000)])
    },
    "a name of 65,000 letters": {"subject": asn1.name([asn1.attribute("2.5.4.3", asn1.utf8("x" * 65_000))])},
}


@pytest.mark.parametrize("odd", MONSTERS.values(), ids=MONSTERS)
def test_monstrous_certificates_are_shown(odd: dict[str, Any]) -> None:
    monster = ROOT.issue("CN=monster", **odd)
    said = report(answered(tls.server_hello(), tls.certificate(monster.der), tls.server_hello_done()).packets)

    assert said.connection.server_chain is not None
    for name in outputs():
        written(said.items, name)


@pytest.mark.parametrize("one", [b"", b"x", b"\x30\x26" + bytes(38)], ids=["empty", "a byte", "40 bytes"])
def test_a_chain_of_thousands_is_cut_and_counted(one: bytes) -> None:
    said = report(answered(tls.server_hello(), tls.certificate(*[one] * 20_000), tls.server_hello_done()).packets)
    sent = said.connection.server_chain

    assert sent is not None and len(sent.chain.certificates) == 100
    assert any("20,000 certificates, of which the first 100 are shown" in line for line in said.connection.malformed)
    assert len(written(said.items, "jsonl")) < 60_000


@pytest.mark.parametrize(
    "hello",
    [
        pytest.param(tls.client_hello(suites=range(1, 4_097)), id="4,096 suites"),
        pytest.param(tls.client_hello(extensions=[(number, b"") for number in range(5_000)]), id="5,000 extensions"),
        pytest.param(
            tls.client_hello(extensions=[tls.server_name_extension(*[b"n%d" % n for n in range(5_000)])]),
            id="5,000 names",
        ),
        pytest.param(
            tls.client_hello(extensions=[tls.alpn_extension(*[b"p%d" % n for n in range(5_000)])]), id="5,000 protocols"
        ),
    ],
)
def test_monstrous_hellos_are_shown(hello: bytes) -> None:
    said = report(answered(tls.server_hello(), hello=records.records(hello, 16_384)).packets)

    assert said.connection.client_hello is not None
    assert len(said.connection.malformed) <= 51
    for name in outputs():
        written(said.items, name)


# ---- bombs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("real", "announced"),
    [(16 << 20, 16 << 20), (16 << 20, 100), (100, 16 << 20), (1 << 20, 1 << 20)],
    ids=["16 MB, honestly", "16 MB for 100 bytes", "100 bytes for 16 MB", "1 MB"],
)
@pytest.mark.parametrize("algorithm", [1, 2, 3, 9])
def test_compressed_certificates_do_not_explode(real: int, announced: int, algorithm: int) -> None:
    packed = zlib.compress(bytes(real), 9)
    message = tls.compressed_certificate(packed, announced & 0xFFFFFF, algorithm)
    data = pcap(answered(tls.server_hello(), message, tls.server_hello_done()).packets)
    tracemalloc.start()
    conn = report(data).connection
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert conn.server_hello is not None
    assert peak < 14_000_000  # the reader's buffer, and 1 MiB at most of what is unpacked


def test_a_compressed_file_of_nothing_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.capture.gunzip.RATIO_FROM", 1 << 20)
    bomb = gzip.compress(PLAIN[:24] + struct.pack("<IIII", 1, 1, 200_000, 200_000) * 3 + bytes(4 << 20), 9)
    said = report(bomb)

    assert "unpacks to more than 1,000 times its size" in said.errors[0]


# ---- strings that want to be obeyed ---------------------------------------------------------------------------------------

STRINGS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil\x07x\x1b]8;;\x07",
    "\x1b]52;c;aGk=\x07",
    "\x9b31m",
    "a\nb",
    "a\r\nX: y",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u200f\u061c\u200b\ufeffx",
    "\u2028x\u2029\u0085",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\uff1d1",
    "\uff201",
    "<script>alert(1)</script>",
    '"><img src=x onerror=1>',
    "a\x00b\x7f",
    "\u0440\u0430\u0443pal.com",
    "a" * 5_000,
    "{{7*7}}%s%n",
    "../../etc/passwd",
    "[bold]x[/bold][link=http://evil]y[/link]",
    '\\"',
    "\U0001f4a5",
    "\udcff",
)
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\u061c\u2028\u2029\ufeff]")
FORMULA = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


def everywhere(text: str) -> list[Packet]:
    """The string as server name, protocol, every kind of name in certificates, plain text and proxy request."""
    raw = text.encode("utf-8", "surrogateescape")
    kinds = (asn1.tlv(12, raw), asn1.tlv(19, raw), asn1.tlv(20, raw), asn1.tlv(30, raw))
    name = asn1.name(*[[asn1.attribute("2.5.4.11", kind)] for kind in kinds])
    root = pki.make("CN=r", subject=name, ca=True)
    names = asn1.seq(*(asn1.implicit(number, raw) for number in (1, 2, 6)))
    leaf = pki.make("CN=l", issuer=root, subject=name, extensions=[pki.extension("2.5.29.17", names)])
    hello = tls.client_hello(extensions=[tls.server_name_extension(raw), tls.alpn_extension(raw[:255])])
    refused = answered(
        tls.server_hello(extensions=[tls.alpn_extension(raw[:255])]),
        tls.certificate(leaf.der, root.der),
        tls.certificate_request(name),
        tls.server_hello_done(),
        hello=records.records(hello, 16_384),
    )
    refused.certificate((leaf.der,)).alert(SERVER, 48).fin(SERVER)
    clear, proxied = Story(sport=50_001), Story(sport=50_002)
    clear.open().send(CLIENT, raw + b"\r\n").send(SERVER, b"HTTP/1.1 200 " + raw).close()
    proxied.open().send(CLIENT, b"CONNECT " + raw + b" HTTP/1.1\r\n\r\n").send(
        SERVER, b"HTTP/1.1 200 " + raw + b"\r\n\r\n"
    )
    proxied.send(CLIENT, records.records(hello, 16_384)).close()
    return merged(refused, clear, proxied)


def named(text: str, folder: Path, packets: list[Packet]) -> Path:
    """A file of this name, as far as the file system takes it."""
    path = folder / "plain.pcap"
    try:
        path = folder / (re.sub("[/\0]", "_", text)[:60] + ".pcap")
        path.write_bytes(pcap(packets))
    except (OSError, ValueError):
        path = folder / "plain.pcap"
        path.write_bytes(pcap(packets))
    return path


def cells(text: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text)):
        yield from row


@pytest.mark.parametrize("text", STRINGS, ids=[ascii(text)[:30] for text in STRINGS])
def test_no_output_obeys_a_string(text: str, tmp_path: Path) -> None:
    run = Run([str(named(text, tmp_path, everywhere(text)))])
    items = list(run)
    assert len(items) == 4 and not run.crashes

    for color in (False, True):
        shown = written(items, "text", color=color)
        assert not OBEYED.search(re.sub("\x1b\\[[0-9;]*m", "", shown) if color else shown)
    assert written(items, "text", unicode=False).isascii()
    table = written(items, "csv")
    assert not OBEYED.search(table.replace("\r\n", "\n"))
    assert not [
        cell for cell in cells(table) if cell.startswith(tuple(FORMULA)) and not re.fullmatch(r"-?[\d.]+", cell)
    ]
    lines = written(items, "jsonl")
    assert lines.isascii() and len(lines.splitlines()) == lines.count("\n")
    assert all(len(line) <= 256 * 1024 and isinstance(json.loads(line), dict) for line in lines.splitlines())
    document = written(items, "json")
    assert document.isascii() and len(json.loads(document)["connections"]) == 3


# ---- bugs of ours ---------------------------------------------------------------------------------------------------------

BREAKABLE = (
    "analyzer.tls.stream.TlsStream.feed",
    "analyzer.tls.stream.TlsStream.finish",
    "analyzer.tls.assembly.Assembler.emit",
    "analyzer.reassembly.Assembler.take",
    "analyzer.reassembly.Assembler.finish",
    "analyzer.folding.conversation.Conversation.feed",
    "analyzer.folding.conversation.Conversation.finish",
    "analyzer.folding.conversation.Conversation.recheck",
    "analyzer.tracker.fold",
    "analyzer.folding.fold.build",
    "analyzer.folding.fold.traffic",
)
BREAKABLE_WHEN_ALIKE = (
    "analyzer.tls.flights.Place.find",
    "analyzer.folding.familiar.likeness",
    "analyzer.folding.retelling.retell",
    "analyzer.pipeline.judge",
    "analyzer.rules.history.History.learn",
)


@pytest.mark.parametrize("place", BREAKABLE)
def test_a_bug_of_ours_costs_one_connection(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "analyzer.tls.flights.Place.find", lambda *_: None
    )  # each is read in full, as if none were alike
    monkeypatch.setattr("analyzer.folding.familiar.likeness", lambda *_: None)
    break_once(place, tmp_path, monkeypatch)


@pytest.mark.parametrize("place", BREAKABLE_WHEN_ALIKE)
def test_a_bug_in_what_is_alike_costs_one_connection(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "_memory", flights._Memory())  # other tests may be about to fill it
    break_once(place, tmp_path, monkeypatch)


def break_once(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six equal connections, the third call of `place` raises."""
    talks = [Story(sport=50_000 + n, start_ns=START_NS + n * 10**9) for n in range(6)]
    for story in talks:
        story.open().hello().answer().certificate().finished().talk().close()
    path = tmp_path / "six.pcap"
    path.write_bytes(pcap(merged(*talks)))
    whole = [item for item in Run([str(path)]) if isinstance(item, Connection)]
    calls = Mock(side_effect=[None, None, ValueError("a bug of ours"), *[None] * 10_000])
    real = pkgutil.resolve_name(place)
    monkeypatch.setattr(place, lambda *args, **how: calls() or real(*args, **how))
    run = Run([str(path)])
    items = list(run)

    assert len(run.crashes) == 1 and "ValueError: a bug of ours" in run.crashes[0]
    assert len([item for item in items if isinstance(item, Connection) and item in whole]) >= 5
    assert isinstance(items[-1], CaptureSummary)
