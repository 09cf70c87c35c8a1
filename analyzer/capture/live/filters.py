"""Filters for the packet socket: our own bytecode for the default, libpcap's or tcpdump's compiler for others.

Classic BPF (bpf(4), linux/filter.h): (code, jump if true, jump if false, k) of 8 bytes an instruction.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import subprocess
from struct import Struct

from analyzer.capture.live.source import DEFAULT_FILTER
from analyzer.dataclass import dataclass
from analyzer.errors import LiveError, UsageError

ETHERNET = 1
"""LINKTYPE_ETHERNET and DLT_EN10MB."""
LOAD_HALF, LOAD_BYTE, LOAD_HALF_AT_X, LOAD_HEADER_LENGTH = 0x28, 0x30, 0x48, 0xB1
JUMP_EQUAL, JUMP_ANY_BIT, RETURN = 0x15, 0x45, 0x06
TAGS = (0x8100, 0x88A8)
"""Ethernet types of a VLAN tag (IEEE 802.1Q, 802.1ad) that the kernel left in the frame: it takes out the outermost."""
MAX_TAGS = 2
IPV4, IPV6, TCP, FRAGMENT = 0x0800, 0x86DD, 6, 44
OFFSET_BITS = 0x1FFF
ALL, NONE = 0x7FFFFFFF, 0
INSTRUCTION = Struct("=HBBI")
WAIT = 10
PORTS = (5061, 443)


@dataclass(frozen=True, slots=True)
class _Line:
    """One instruction; `yes` and `no` are labels, "" is the next line. `label`: its own name."""

    code: int
    k: int
    yes: str = ""
    no: str = ""
    label: str = ""


def program(expression: str, snap_length: int) -> bytes:
    """The bytecode of a filter. Raise UsageError for one that is wrong, LiveError if nobody here can compile it."""
    if expression == DEFAULT_FILTER:
        return default_program(snap_length)
    if not expression:
        return INSTRUCTION.pack(RETURN, 0, 0, snap_length)
    compiled = _by_libpcap(expression, snap_length)
    return compiled if compiled is not None else _by_tcpdump(expression, snap_length)


def default_program(snap_length: int = ALL, ports: tuple[int, ...] = PORTS) -> bytes:
    """TCP from or to one of the ports, in IPv4 or IPv6, behind up to two VLAN tags; and fragments of TCP, of which only the
    first has ports."""
    lines: list[_Line] = []
    for depth in range(MAX_TAGS + 1):
        lines += _after_tags(depth, ports)
    lines += [_Line(RETURN, NONE, label="none"), _Line(RETURN, snap_length, label="all")]
    return _assembled(lines)


def _after_tags(depth: int, ports: tuple[int, ...]) -> list[_Line]:
    """The test of a frame with that many tags; goes on to the next depth where there is one tag more."""
    at = 14 + 4 * depth
    name = f"d{depth}"
    more = f"d{depth + 1}" if depth < MAX_TAGS else "none"
    lines = [
        _Line(LOAD_HALF, at - 2, label=name),
        *(_Line(JUMP_EQUAL, tag, more) for tag in TAGS),
        _Line(JUMP_EQUAL, IPV6, f"{name}v6"),
        _Line(JUMP_EQUAL, IPV4, "", "none"),
        _Line(LOAD_BYTE, at + 9),
        _Line(JUMP_EQUAL, TCP, "", "none"),
        _Line(LOAD_HALF, at + 6),
        _Line(JUMP_ANY_BIT, OFFSET_BITS, "all"),
        _Line(LOAD_HEADER_LENGTH, at),
    ]
    for offset in (0, 2):
        lines.append(_Line(LOAD_HALF_AT_X, at + offset))
        lines += [_Line(JUMP_EQUAL, port, "all") for port in ports]
    lines += [
        _Line(RETURN, NONE),
        _Line(LOAD_BYTE, at + 6, label=f"{name}v6"),
        _Line(JUMP_EQUAL, TCP, f"{name}v6tcp"),
        _Line(JUMP_EQUAL, FRAGMENT, "", "none"),
        _Line(LOAD_BYTE, at + 40),
        _Line(JUMP_EQUAL, TCP, "all", "none"),
    ]
    for offset in (0, 2):
        lines.append(_Line(LOAD_HALF, at + 40 + offset, label=f"{name}v6tcp" if not offset else ""))
        lines += [_Line(JUMP_EQUAL, port, "all") for port in ports]
    return [*lines, _Line(RETURN, NONE)]


def _assembled(lines: list[_Line]) -> bytes:
    places = {line.label: at for at, line in enumerate(lines) if line.label}
    out = bytearray()
    for at, line in enumerate(lines):
        yes, no = ((places[to] - at - 1) if to else 0 for to in (line.yes, line.no))
        out += INSTRUCTION.pack(line.code, yes, no, line.k)
    return bytes(out)


class _Program(ctypes.Structure):
    """libpcap's `struct bpf_program`."""

    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.c_void_p))


def _by_libpcap(expression: str, snap_length: int) -> bytes | None:
    """None if there is no libpcap here. Raise UsageError with its words if it does not like the filter."""
    path = ctypes.util.find_library("pcap")
    if path is None:
        return None
    try:
        pcap = ctypes.CDLL(path)
    except OSError:
        return None
    pcap.pcap_open_dead.restype = ctypes.c_void_p
    pcap.pcap_geterr.restype = ctypes.c_char_p
    handle = ctypes.c_void_p(pcap.pcap_open_dead(ETHERNET, snap_length))
    compiled = _Program()
    try:
        if pcap.pcap_compile(handle, ctypes.byref(compiled), expression.encode(), 1, ctypes.c_uint(0xFFFFFFFF)) != 0:
            raise wrong(expression, pcap.pcap_geterr(handle).decode(errors="replace"))
        code = ctypes.string_at(compiled.instructions, compiled.length * INSTRUCTION.size)
        pcap.pcap_freecode(ctypes.byref(compiled))
    finally:
        pcap.pcap_close(handle)
    return code


def _by_tcpdump(expression: str, snap_length: int) -> bytes:
    words = ["tcpdump", "-y", "EN10MB", "-s", str(snap_length), "-ddd", "--", expression]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=WAIT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise LiveError(
            f"the filter {expression!r} cannot be compiled here: install libpcap (Debian: libpcap0.8) or tcpdump, or leave "
            f"out -f for the default, {DEFAULT_FILTER!r}"
        ) from None
    if done.returncode:
        raise wrong(expression, done.stderr.strip().rpartition("\n")[2])
    rows = [tuple(map(int, line.split())) for line in done.stdout.splitlines()[1:]]
    return b"".join(INSTRUCTION.pack(*row) for row in rows)


def wrong(expression: str, why: str) -> UsageError:
    """What to raise for it: to try again, as with a cable that is out, changes nothing."""
    return UsageError(f"the filter {expression!r} is wrong: {why}; see pcap-filter(7)")
