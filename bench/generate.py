"""Makes the captures of the benchmark: real OpenSSL handshakes (over loopback), wrapped into packets of 1,448 bytes.

    bulk:  mutual TLS 1.2 handshakes with 1 MB of application data each, 1 GiB for 1,000 of them
    dense: 20,000 mutual TLS 1.2 handshakes with a few bytes of application data

Chains of three RSA certificates on both sides, 101 names in the CertificateRequest.
"""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from tests.build.pki import root

SEGMENT = 1_448
FIN, SYN, PSH, ACK = 1, 2, 8, 16
MAGIC = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
START = 1_790_000_000  # seconds; the time of the first packet
NAMES = 100  # CA names besides the one that counts
CHUNK = 2_500  # handshakes that one worker makes at a time


class Peers:
    """An `openssl s_server` on loopback that asks for a client certificate and names 101 CAs, and a client for it.

    The server serves files of its folder, so that application data comes from it as well.
    """

    def __init__(self, folder: Path, size: int) -> None:
        ours = root("CN=Bench Root,O=Example", key="rsa2048")
        policy = ours.issue("CN=Bench Policy CA,O=Example", ca=True, key="rsa2048")
        issuing = policy.issue("CN=Bench Issuing CA,O=Example", ca=True, key="rsa2048")
        others = [root(f"CN=Other Root {n:03d} Certification Authority,O=Example {n}") for n in range(NAMES)]
        (folder / "roots.pem").write_text("".join(identity.pem for identity in [ours, *others]))
        (folder / "above.pem").write_text(issuing.pem + policy.pem)
        for name in ("server", "client"):
            fqdn = f"{name}.example.com"
            leaf = issuing.issue(f"CN={fqdn}", san=[fqdn], eku=["serverAuth", "clientAuth"], key="rsa2048")
            (folder / f"{name}.pem").write_text(leaf.key_pem + leaf.pem + issuing.pem + policy.pem)
        (folder / "data").write_bytes(bytes(size))
        self._size = size
        self._port = _free_port()
        command = (
            f"openssl s_server -accept 127.0.0.1:{self._port} -cert server.pem -key server.pem -cert_chain above.pem"
        )
        command += " -CAfile roots.pem -Verify 4 -tls1_2 -no_ticket -WWW -quiet"
        self._server = subprocess.Popen(
            command.split(), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client.load_cert_chain(folder / "client.pem")
        self._client.load_verify_locations(folder / "roots.pem")
        self._client.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")

    def stop(self) -> None:
        """End the server."""
        self._server.kill()
        self._server.wait()

    def converse(self) -> list[tuple[int, bytes]]:
        """The flights of one connection: (0 = client, 1 = server), bytes."""
        flights: list[tuple[int, bytes]] = []
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self._client.wrap_bio(inward, outward, server_hostname="server.example.com")
        with self._connect() as connection:
            wanted, request = self._size, b"GET /data HTTP/1.0\r\n\r\n"
            step: Callable[[], object] = client.do_handshake
            while wanted > 0:
                try:
                    done = step()
                    if request:
                        client.write(request)
                        request, step = b"", partial(client.read, 1 << 20)
                    elif isinstance(done, bytes):
                        wanted -= len(done)
                        continue
                except ssl.SSLWantReadError:
                    pass
                if outward.pending:
                    sent = outward.read()
                    connection.sendall(sent)
                    _note(flights, 0, sent)
                if not inward.pending:
                    received = connection.recv(1 << 20)
                    inward.write(received)
                    _note(flights, 1, received)
            with suppress(ssl.SSLWantReadError):
                client.unwrap()
            _note(flights, 0, outward.read())
            return flights

    def _connect(self) -> socket.socket:
        for _ in range(100):
            with suppress(ConnectionRefusedError):
                return socket.create_connection(("127.0.0.1", self._port))
            time.sleep(0.05)
        raise SystemExit("bench: openssl s_server does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _note(flights: list[tuple[int, bytes]], side: int, data: bytes) -> None:
    if not data:
        return
    if flights and flights[-1][0] == side:
        flights[-1] = (side, flights[-1][1] + data)
    else:
        flights.append((side, data))


class Capture:
    """Packets of one connection after the other, a millisecond apart, as pcap records."""

    def __init__(self) -> None:
        self._clock = 0
        self.out = bytearray()
        self.packets = 0

    def connection(self, number: int, flights: list[tuple[int, bytes]], data: bytes = b"", more: int = 0) -> None:
        """SYN to FIN. Every connection has a second for itself. `more`: packets of `data` for each one of the flights."""
        self._clock = number * 1_000_000
        host = 0x0A000001 + number // 50_000
        ends = ((host, 10_000 + number % 50_000), (0xC0000201, 5061))
        seq = [number * 7919 & 0xFFFFFFFF, number * 104_729 & 0xFFFFFFFF]
        self._packet(ends, 0, seq[0], 0, SYN)
        seq[0] += 1
        self._packet(ends, 1, seq[1], seq[0], SYN | ACK)
        seq[1] += 1
        self._packet(ends, 0, seq[0], seq[1], ACK)
        for side, flight in flights:
            for count, at in enumerate(range(0, len(flight), SEGMENT), 1):
                part = flight[at : at + SEGMENT]
                self._packet(ends, side, seq[side], seq[1 - side], PSH | ACK, part)
                seq[side] = seq[side] + len(part) & 0xFFFFFFFF
                if count % 16 == 0:
                    self._packet(ends, 1 - side, seq[1 - side], seq[side], ACK)
        for _ in range(self.packets * more):
            self._packet(ends, 1, seq[1], seq[0], PSH | ACK, data)
            seq[1] = seq[1] + len(data) & 0xFFFFFFFF
        for side in (0, 1):
            self._packet(ends, side, seq[side], seq[1 - side], FIN | ACK)
            seq[side] = seq[side] + 1 & 0xFFFFFFFF
        self._packet(ends, 0, seq[0], seq[1], ACK)

    def _packet(
        self,
        ends: tuple[tuple[int, int], tuple[int, int]],
        side: int,
        seq: int,
        ack: int,
        flags: int,
        data: bytes = b"",
    ) -> None:
        (source, port), (target, target_port) = ends[side], ends[1 - side]
        size = 54 + 12 + len(data)
        self.packets += 1
        self._clock += 1_000
        seconds, micros = divmod(self._clock, 1_000_000)
        self.out += struct.pack("<IIII", START + seconds, micros, size, size)
        self.out += b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" if side == 0 else b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0"
        self.out += struct.pack(">BBHHHBBHII", 0x45, 0, size - 14, 0, 0x4000, 64, 6, 0, source, target)
        self.out += struct.pack(
            ">HHIIBBHHH", port, target_port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x80, flags, 64_240, 0, 0
        )
        self.out += b"\1\1\x08\x0a\0\0\0\1\0\0\0\1" + data


def _chunk(job: tuple[int, int, int]) -> bytes:
    first, count, size = job
    capture = Capture()
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(Path(folder), size)
        try:
            for number in range(first, first + count):
                capture.connection(number, peers.converse())
        finally:
            peers.stop()
    return bytes(capture.out)


def write(path: Path, connections: int, size: int) -> None:
    """A capture of so many connections with `size` bytes of application data each. Whole or not at all."""
    part = path.with_suffix(".part")
    chunk = max(1, min(CHUNK, 50_000_000 // max(size, 1)))
    jobs = [(first, min(chunk, connections - first), size) for first in range(0, connections, chunk)]
    with part.open("wb") as out, ProcessPoolExecutor() as pool:
        out.write(MAGIC)
        for packets in _in_order(pool, jobs):
            out.write(packets)
    part.rename(path)


def write_flood(path: Path, flows: int, handshakes: int) -> None:
    """A flood of SYNs, each of another address and port, and handshakes inside it. Whole or not at all."""
    part = path.with_suffix(".part")
    with tempfile.TemporaryDirectory() as folder, part.open("wb") as out:
        peers = Peers(Path(folder), 200)
        try:
            flights = peers.converse()
        finally:
            peers.stop()
        out.write(MAGIC)
        each = flows // handshakes
        for number in range(handshakes):
            real = Capture()
            real.connection(number, flights)
            first, rest = _first_packets(real.out, 3)
            out.write(first + _syns(number, each) + rest)
    part.rename(path)


def _first_packets(records: bytearray, count: int) -> tuple[bytes, bytes]:
    at = 0
    for _ in range(count):
        at += 16 + struct.unpack_from("<I", records, at + 8)[0]
    return bytes(records[:at]), bytes(records[at:])


def _syns(second: int, count: int) -> bytes:
    """SYNs of one second, before the handshake goes on."""
    numbers = np.arange(second * count, (second + 1) * count, dtype=np.uint64)
    packets = Capture()
    packets._packet(((0, 0), (0xC0000201, 5061)), 0, 0, 0, SYN)
    rows = np.tile(np.frombuffer(bytes(packets.out), np.uint8), (count, 1))
    for at, kind, values in (
        (0, "<u4", np.full(count, START + second)),
        (4, "<u4", np.full(count, 5)),
        (16 + 26, ">u4", 0x0B000000 + numbers // 50_000 * 65_537 % 0x0F000000),
        (16 + 34, ">u2", 10_000 + numbers % 50_000),
        (16 + 38, ">u4", numbers * 7919 % 2**32),
    ):
        width = np.dtype(kind).itemsize
        rows[:, at : at + width] = np.asarray(values).astype(kind).view(np.uint8).reshape(count, width)
    return rows.tobytes()


def _in_order(pool: ProcessPoolExecutor, jobs: list[tuple[int, int, int]]) -> Iterator[bytes]:
    """Results in order, few of them in memory at a time."""
    for at in range(0, len(jobs), 4):
        yield from pool.map(_chunk, jobs[at : at + 4])
