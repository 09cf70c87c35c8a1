"""A middlebox that ends connections of others: it forges a RST to both sides when it sees a certain segment."""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from captures.makers.hosts import Host

ETHERNET, IPV4, RST_ACK, SYN = 14, b"\x08\x00", 0x14, 0x02
FORGED_TTL, FORGED_ID = 255, 0x4242
DATA = 23
CLIENT_MACS = bytes.fromhex("02000000010a 020000000114")
SERVER_MACS = bytes.fromhex("02000000020a 020000000214")
"""Who gets it, and who sends it: the router's, as `Lab` wires them."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One that was overheard. `pair`: source and destination address; `end`: the sequence number after its payload."""

    pair: bytes
    ports: bytes
    end: int
    acknowledged: int
    payload: bytes

    def backwards(self) -> Segment:
        """As if the other side were to send next."""
        pair, ports = self.pair[4:] + self.pair[:4], self.ports[2:] + self.ports[:2]
        return Segment(pair, ports, self.acknowledged, self.end, b"")


Trigger = Callable[[Segment], bool]


def client_hello(segment: Segment) -> bool:
    """The first record of a handshake, and a ClientHello in it."""
    return segment.payload[:2] == b"\x16\x03" and segment.payload[5:6] == b"\x01"


def data_from(port: int) -> Trigger:
    """Application data from this port."""
    return lambda segment: segment.payload[:1] == bytes([DATA]) and segment.ports[:2] == port.to_bytes(2, "big")


def inject(
    host: Host, device: str, trigger: Trigger, *, after: float = 0.0, ttl: int = FORGED_TTL, number: int = FORGED_ID
) -> None:
    """Watch a device of `host`; when a segment triggers, `after` seconds later, forge a RST from each side to the other.

    ttl, number: time to live and IP identification of the forged packets.
    """
    frames, sender = host.listener_of_frames(device), host.raw_socket()

    def loop() -> None:
        with contextlib.suppress(OSError), frames, sender:
            while (segment := _segment(frames.recv(65536))) is None or not trigger(segment):
                pass
            time.sleep(after)
            for forged in (segment.backwards(), segment):
                _send(sender, forged, RST_ACK, ttl, number)

    threading.Thread(target=loop, daemon=True).start()


def far_away(router: Host, seconds: float) -> None:
    """The way from the client to the server takes `seconds` longer: the router forwards by hand."""
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    _forward(router, ("left", "right"), SERVER_MACS, seconds)
    _forward(router, ("right", "left"), CLIENT_MACS, 0)


def _forward(router: Host, devices: tuple[str, str], macs: bytes, seconds: float) -> None:
    heard, sender = (router.listener_of_frames(device) for device in devices)
    waiting: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def take() -> None:
        with contextlib.suppress(OSError), heard:
            while True:
                frame, (_, _, kind, *_) = heard.recvfrom(65536)
                if kind == socket.PACKET_HOST and frame[12:14] == IPV4:
                    waiting.put((time.monotonic() + seconds, frame))

    def give() -> None:
        with contextlib.suppress(OSError), sender:
            while True:
                due, frame = waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))
                sender.send(macs + _one_hop_further(frame[12:]))

    for loop in (take, give):
        threading.Thread(target=loop, daemon=True).start()


def _one_hop_further(rest: bytes) -> bytes:
    """From the type field on: the time to live is one less."""
    header = rest[2 : 2 + (rest[2] & 15) * 4]
    lower = header[:8] + bytes([header[8] - 1, header[9], 0, 0]) + header[12:]
    fixed = lower[:10] + _checksum(lower).to_bytes(2, "big") + lower[12:]
    return rest[:2] + fixed + rest[2 + len(header) :]


def knock(host: Host, source: str, address: str, ports: tuple[int, ...]) -> None:
    """SYN to some ports by hand: the kernel knows nothing of it and answers each SYN-ACK with RST (a half-open scan)."""
    pair = socket.inet_aton(source) + socket.inet_aton(address)
    with host.raw_socket() as sender:
        for number, port in enumerate(ports):
            segment = Segment(pair, (52000 + number).to_bytes(2, "big") + port.to_bytes(2, "big"), 1000, 0, b"")
            _send(sender, segment, SYN, 64, number + 1)
            time.sleep(0.2)


def _segment(frame: bytes) -> Segment | None:
    """None for anything but TCP over IPv4."""
    if frame[12:14] != IPV4 or frame[ETHERNET + 9] != socket.IPPROTO_TCP:
        return None
    packet = frame[ETHERNET:]
    header = (packet[0] & 15) * 4
    tcp = packet[header : int.from_bytes(packet[2:4], "big")]
    payload = tcp[(tcp[12] >> 4) * 4 :]
    sequence, acknowledged = struct.unpack_from(">II", tcp, 4)
    return Segment(packet[12:20], tcp[:4], (sequence + len(payload)) % 2**32, acknowledged, payload)


def _send(sender: socket.socket, segment: Segment, flags: int, ttl: int, number: int) -> None:
    tcp = segment.ports + struct.pack(">IIBBHHH", segment.end, segment.acknowledged, 5 << 4, flags, 1024, 0, 0)
    summed = _checksum(segment.pair + struct.pack(">HH", socket.IPPROTO_TCP, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack(">H", summed) + tcp[18:]
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), number, 0, ttl, socket.IPPROTO_TCP, 0) + segment.pair
    sender.sendto(header + tcp, (socket.inet_ntoa(segment.pair[4:]), 0))


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
