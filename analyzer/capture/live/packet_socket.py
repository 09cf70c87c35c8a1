"""The AF_PACKET engine (Linux): a raw socket with a large buffer, time stamps of the kernel, and its count of drops.

See packet(7). The kernel takes the outermost VLAN tag out of the frame and tells it beside the data: it is put back here.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
from pathlib import Path
from struct import Struct

from analyzer.capture.live import blocks, filters
from analyzer.capture.live.source import Engine, LiveError, Rung, Settings, Source

AF_PACKET, SOL_PACKET, ETH_P_ALL = 17, 263, 3
PACKET_STATISTICS, PACKET_AUXDATA = 6, 8
SO_ATTACH_FILTER, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 26, 33, 35
VLAN_VALID, TPID_VALID = 0x10, 0x40
DEFAULT_TPID = 0x8100
OUTGOING = 4
"""sll_pkttype of a frame that this machine sends; on the loopback interface each of them comes in once more."""
ETHERNET_HARDWARE, LOOPBACK_HARDWARE = 1, 772  # ARPHRD_ETHER, ARPHRD_LOOPBACK
BATCH = 4096
"""Packets given out at once, at most."""
MAX_BATCH_BYTES = 4 * 1024 * 1024
GONE = (errno.ENODEV, errno.ENXIO)
_AUXILIARY = Struct("=IIIHHHH")
_TIMESPEC = Struct("@ll")
_STATISTICS = Struct("=II")
REMEDY = "run it as root, or grant the right: setcap cap_net_raw,cap_net_admin+ep on the Python interpreter"


class PacketSocket:
    """An open packet socket as a Source; see there for the methods.

    Attributes:
        seen, dropped: packets that passed the filter and were given to us, and that the kernel had no room for; since `renew`.
    """

    def __init__(self, handle: socket.socket, settings: Settings, notes: list[str]) -> None:
        self._socket, self._settings = handle, settings
        self._loopback = handle.getsockname()[3] == LOOPBACK_HARDWARE
        self._buffer = bytearray(settings.snap_length)
        self._view = memoryview(self._buffer)
        self._started = self._stopping = self._finished = False
        self._last_ns = 0
        self.notes = notes
        self.seen = self.dropped = 0
        self._counted_ns = settings.now_ns()

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        if not self._started:
            self._started = True
            return self._header()
        if not self._stopping:
            select.select([self._socket], [], [], timeout)
        parts = self._batch()
        if parts or self._stopping:
            lost = self._count()
            if self._stopping and not parts and not lost:
                if self._finished:
                    return None
                self._finished = True
                lost = blocks.statistics(self._counted_ns, self.seen, self.dropped)
            parts.append(lost)
        return b"".join(parts)

    def _header(self) -> bytes:
        return blocks.header(self._settings.interface, filters.ETHERNET, self._settings.snap_length)

    def renew(self) -> tuple[bytes, bytes]:
        """See Source."""
        lost = self._count()
        said = blocks.statistics(self._counted_ns, self.seen, self.dropped)
        self.seen = self.dropped = 0
        return lost + said, self._header()

    def _batch(self) -> list[bytes]:
        """What is there now, as blocks."""
        parts: list[bytes] = []
        size = 0
        while len(parts) < BATCH and size < MAX_BATCH_BYTES:
            try:
                got, beside, _flags, sender = self._socket.recvmsg_into([self._buffer], 128)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno == errno.ENETDOWN:
                    self._note(f"{self._settings.interface} was down for a while")
                    break
                if error.errno in GONE:
                    raise LiveError(f"the interface {self._settings.interface} is gone") from None
                raise
            if self._loopback and sender[2] == OUTGOING:
                continue
            parts.append(self._one(got, beside))
            size += got
        return parts

    def _one(self, got: int, beside: list[tuple[int, int, bytes]]) -> bytes:
        original, tag, time_ns = got, b"", self._last_ns
        for level, kind, value in beside:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, original, _captured, _mac, _net, tci, tpid = _AUXILIARY.unpack_from(value)
                if status & VLAN_VALID:
                    tag = Struct(">HH").pack(tpid if status & TPID_VALID else DEFAULT_TPID, tci)
            elif level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack_from(value)
                time_ns = seconds * blocks.SECOND_NS + nanoseconds
        self._last_ns = time_ns
        if not tag:
            return blocks.packet(time_ns, self._view[:got], max(original, got))
        data = b"".join((self._view[:12], tag, self._view[12:got]))
        return blocks.packet(time_ns, data, max(original, got) + len(tag))

    def _count(self) -> bytes:
        """Packets lost since the last time, as blocks. The kernel counts from when it was asked, and drops what comes last,
        while we read what came first: whatever the time stamps of the packets just read, it was between then and now."""
        since_ns, self._counted_ns = self._counted_ns, self._settings.now_ns()
        before = self.seen, self.dropped
        total, dropped = _STATISTICS.unpack(self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size))
        self.seen += total - dropped
        self.dropped += dropped
        return blocks.loss(since_ns, self._counted_ns, before, (self.seen, self.dropped)) if dropped else b""

    def _note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)

    def stop(self) -> None:
        """Let nothing more in; what is in the buffer is still read."""
        self._stopping = True
        attach(self._socket, nothing())

    def close(self) -> None:
        """See Source."""
        self._socket.close()


def nothing() -> bytes:
    """A filter that lets nothing pass."""
    return filters.INSTRUCTION.pack(filters.RETURN, 0, 0, filters.NONE)


def attach(handle: socket.socket, code: bytes) -> None:
    """Set the filter; the kernel reads a `struct sock_fprog`, which points to the instructions."""
    import ctypes

    instructions = ctypes.create_string_buffer(code, len(code))
    fprog = Struct("@HP").pack(len(code) // filters.INSTRUCTION.size, ctypes.addressof(instructions))
    handle.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, fprog)


def open_socket(settings: Settings) -> Source:
    """Open it and begin. Raise LiveError, which says what to do."""
    hardware(settings.interface)
    code = filters.program(settings.filter, settings.snap_length)
    try:
        handle = socket.socket(AF_PACKET, socket.SOCK_RAW, 0)  # protocol 0: nothing comes before the filter is set
    except (OSError, AttributeError) as error:
        raise LiveError(f"no packet socket: {reason(error)}; {REMEDY}") from None
    notes: list[str] = []
    try:
        attach(handle, code)
        enlarge(handle, settings.buffer_mib, notes)
        handle.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        handle.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        handle.setblocking(False)
        handle.bind((settings.interface, ETH_P_ALL))
    except OSError as error:
        handle.close()
        raise LiveError(f"{settings.interface}: the packet socket does not start: {reason(error)}") from None
    return PacketSocket(handle, settings, notes)


def enlarge(handle: socket.socket, mib: int, notes: list[str]) -> None:
    """The buffer's size; beyond the system's limit only with CAP_NET_ADMIN. The kernel doubles what is asked for."""
    wanted = min(mib * 1024 * 1024, 2**30)
    try:
        handle.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, wanted)
    except OSError:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)
        got = handle.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        if got < wanted:
            notes.append(
                f"the buffer has {got // 1024:,} KiB instead of {wanted // 1024:,} (net.core.rmem_max; CAP_NET_ADMIN lifts it)"
            )


def hardware(interface: str) -> int:
    """The interface's hardware type. Raise LiveError if it does not exist or is no Ethernet."""
    try:
        socket.if_nametoindex(interface)
        kind = int(Path("/sys/class/net", interface, "type").read_text(encoding="ascii"))
    except (OSError, ValueError):
        raise LiveError(f"there is no interface {interface!r} here; mtlscope live -D lists them") from None
    if kind not in (ETHERNET_HARDWARE, LOOPBACK_HARDWARE):
        raise LiveError(f"{interface} is no Ethernet (hardware type {kind}): install dumpcap, which reads it")
    return kind


def reason(error: Exception) -> str:
    """Why it failed, for people."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def check() -> Rung:
    """Whether a packet socket can be opened."""
    if sys.platform != "linux":
        return Rung("af-packet", False, "only Linux has it")
    try:
        socket.socket(AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError as error:
        return Rung("af-packet", False, f"{reason(error)} for user {os.geteuid()}", REMEDY)
    return Rung("af-packet", True, "a packet socket opens")


ENGINE = Engine("af-packet", check, open_socket)
