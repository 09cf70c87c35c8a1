"""One failing connection in every container format: all must give the same finding."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import pairwise

from captures.makers.case import case, failed
from captures.makers.hosts import command
from captures.makers.lab import Lab
from captures.makers.rewrite import read_pcap
from tests.build.netmon import netmon
from tests.build.pcap import Packet, pcap
from tests.build.pcapng import block, enhanced, interface, pcapng, section, simple

REFUSED = failed(
    "client-chain-incomplete",
    version="TLSv1.2",
    client_certificate_state="sent",
    server_certificate_state="sent",
    alerts=(("server", 48),),
    expect={"client-certificate-rejected": "error", "tls-alert": "error"},
)
NAME_RESOLUTION, DECRYPTION_SECRETS = 4, 10
TLS_KEY_LOG = b"TLSK"

Write = Callable[[list[Packet]], bytes]


def several_interfaces(packets: list[Packet]) -> bytes:
    """Two interfaces with different time resolutions; the client's packets come from one, the server's from the other."""
    out = section() + interface(resolution=6) + interface(resolution=9)
    for packet in packets:
        from_server = packet.data[34:36] == (5061).to_bytes(2, "big")
        moved = Packet(packet.data, packet.time_ns, packet.original, int(from_server))
        out += enhanced(moved, resolution=9 if from_server else 6)
    return out


def two_sections(packets: list[Packet]) -> bytes:
    """A section of each byte order, as when two files are put one behind the other."""
    middle = len(packets) // 2
    return pcapng(packets[:middle]) + pcapng(packets[middle:], order=">", resolution=9)


def other_blocks(packets: list[Packet]) -> bytes:
    """A name resolution block and a secrets block before the packets; they say nothing about TLS without keys."""
    record = (1).to_bytes(2, "little") + (20).to_bytes(2, "little") + bytes((192, 0, 2, 20)) + b"sip.example.com\0"
    names = block(NAME_RESOLUTION, record + bytes(4))
    log = b"# no keys\n"
    secrets = block(DECRYPTION_SECRETS, TLS_KEY_LOG[::-1] + len(log).to_bytes(4, "little") + log.ljust(12, b"\0"))
    return section() + interface() + names + secrets + b"".join(enhanced(packet) for packet in packets)


def simple_packets(packets: list[Packet]) -> bytes:
    """Simple Packet Blocks: no times at all."""
    return section() + interface() + b"".join(simple(packet) for packet in packets)


WRITERS: dict[str, tuple[str, Write]] = {
    "pcap-us-little.pcap": ("pcap, microseconds, little-endian", pcap),
    "pcap-us-big.pcap": ("pcap, microseconds, big-endian", lambda packets: pcap(packets, order=">")),
    "pcap-ns-little.pcap": ("pcap, nanoseconds, little-endian", lambda packets: pcap(packets, nanoseconds=True)),
    "pcap-ns-big.pcap": (
        "pcap, nanoseconds, big-endian",
        lambda packets: pcap(packets, nanoseconds=True, order=">"),
    ),
    "pcap-modified.pcap": ("pcap in its modified form (a1b2cd34)", lambda packets: pcap(packets, modified=True)),
    "pcap-gzip.pcap.gz": ("pcap, compressed", lambda packets: gzip.compress(pcap(packets), mtime=0)),
    "pcapng.pcapng": ("pcapng", pcapng),
    "pcapng-big.pcapng": ("pcapng, big-endian", lambda packets: pcapng(packets, order=">", resolution=9)),
    "pcapng-interfaces.pcapng": ("pcapng with two interfaces", several_interfaces),
    "pcapng-sections.pcapng": ("pcapng with two sections of different byte order", two_sections),
    "pcapng-blocks.pcapng": ("pcapng with name resolution and secrets blocks", other_blocks),
    "pcapng-gzip.pcapng.gz": ("pcapng, compressed", lambda packets: gzip.compress(pcapng(packets), mtime=0)),
    "netmon-2.1.cap": ("Network Monitor 2.1", lambda packets: netmon(packets, version=(2, 1))),
    "netmon-2.2.cap": ("Network Monitor 2.2", lambda packets: netmon(packets, version=(2, 2))),
    "netmon-2.3.cap": ("Network Monitor 2.3", lambda packets: netmon(packets, version=(2, 3))),
    "netmon-2.3-gzip.cap.gz": (
        "Network Monitor 2.3, compressed",
        lambda packets: gzip.compress(netmon(packets), mtime=0),
    ),
}
EDITCAP = {"netmon-1.1.cap": ("Network Monitor 1.1", "netmon1"), "netmon-2.0.cap": ("Network Monitor 2.0", "netmon2")}


def original(lab: Lab) -> None:
    """The connection of client-chain-incomplete, as tcpdump writes it."""
    lab.openssl_server(lab.ours, "-tls1_2", ask="required")
    with lab.capture():
        lab.openssl_client(lab.pki.leaf("edge.example.net", lab.pki.partner_issuing, chain=()))


def packets_of(lab: Lab) -> list[Packet]:
    """Of a pcap, for the writers of tests/build."""
    packets = [Packet(item.data, item.time_us * 1000, item.length) for item in read_pcap(lab.path)]
    if any(later.time_ns < earlier.time_ns for earlier, later in pairwise(packets)):
        raise ValueError("times go backwards")
    return packets


def written(write: Write) -> Callable[[Lab], None]:
    """A maker that rewrites the original with one of the writers."""

    def make(lab: Lab) -> None:
        original(lab)
        lab.path.write_bytes(write(packets_of(lab)))

    return make


def converted(kind: str) -> Callable[[Lab], None]:
    """A maker that lets editcap convert the original."""

    def make(lab: Lab) -> None:
        original(lab)
        plain = lab.path.with_suffix(".pcap")
        lab.path.rename(plain)
        command("editcap", "-F", kind, str(plain), str(lab.path))

    return make


def register() -> None:
    """All of them."""
    for name, (title, write) in WRITERS.items():
        _register(name, title, "then written by the writers of tests/build", written(write))
    _register(
        "pcapng-simple.pcapng",
        "pcapng with Simple Packet Blocks",
        "then written by tests/build",
        written(simple_packets),
    )
    for name, (title, kind) in EDITCAP.items():
        _register(name, title, f"then converted by editcap -F {kind}", converted(kind))


def _register(name: str, title: str, how: str, make: Callable[[Lab], None]) -> None:
    make.__module__ = __name__
    make.__doc__ = f"The connection of client-chain-incomplete in a file of another format: {title}."
    how = f"as client-chain-incomplete, {how}"
    case(f"formats/{name}", f"{title}: client chain incomplete", REFUSED, stacks=["openssl"], how=how)(make)


register()
