"""One frame made safe to be given away: other addresses, no application data, checksums as right as they were."""

from __future__ import annotations

from collections.abc import Callable

from analyzer.dataclass import dataclass
from analyzer.export.addresses import Addresses
from analyzer.packets import links
from analyzer.packets.checksums import ONES, ones_sum
from analyzer.packets.columns import SYN
from analyzer.packets.fragments import Reassembler
from analyzer.packets.ip import DESTINATION, EXTENSIONS, HOP_BY_HOP
from analyzer.packets.layers import IP_ICMPV6, IP_TCP, IP_UDP, Layer, Packet
from analyzer.packets.tunnels import CHECKSUM
from analyzer.packets.walk import STEPS

RAW = 101
"""LINKTYPE_RAW: what a datagram put together from fragments becomes."""
LOOKUP = "dns"
"""How a walk ends that came to a UDP datagram of port 53."""
_MACS = {
    Layer.ETHERNET: (0, 6),
    Layer.TOKEN_RING: (2, 8),
    Layer.FDDI: (1, 7),
    Layer.COOKED: (6,),
    Layer.COOKED_2: (12,),
}
"""Where hardware addresses are."""
_KNOWN_OPTIONS = frozenset((2, 3, 4, 5, 8))
"""TCP options that tell nothing of anybody: MSS, window scale, SACK, time stamps. Others may hold addresses (RFC 8684)."""
_END, _NOP = 0, 1

Clean = Callable[[Packet, int, bytes], bytes]
"""(the packet, TCP sequence number or 0, payload of TCP or DNS) -> the payload without application data."""


@dataclass(slots=True)
class Check:
    """A checksum: where it is, what it covers, the addresses of the pseudo-header (None: none), and the sum as it was.

    Attributes:
        right: it must come out right, whatever it was: the sender left it to the hardware.
        rest: length and protocol, of the pseudo-header as well.
    """

    at: int
    start: int
    end: int
    pseudo: tuple[int, int] | None
    rest: int
    old: int
    right: bool = False
    udp: bool = False


class Disguise:
    """Rewrites the frames of one capture, in order."""

    def __init__(self, addresses: Addresses, clean: Clean) -> None:
        self._addresses, self._clean = addresses, clean
        self._fragments = Reassembler()

    def rewrite(self, data: bytes, original: int, link: int, time_ns: int) -> tuple[int, bytes, int] | None:
        """Link type, bytes and original length of the new frame; None for what must not be given away as it is, and for
        fragments before the last one."""
        packet = Packet(data, len(data), original, time_ns)
        passed, end, stop = self._walk(packet, link)
        if end not in (Layer.FOUND_TCP, Layer.FOUND_ICMP, LOOKUP):
            return None
        if packet.assembled:
            link, original = RAW, len(packet.data)
        out = bytearray(packet.data)
        checks = self._checks(packet, passed, end)
        for layer, at in passed:
            self._replace(out, layer, at)
        if end is Layer.FOUND_TCP:
            self._tcp(out, packet)
        elif end == LOOKUP:
            out[packet.at : packet.end] = self._clean(packet, 0, bytes(out[packet.at : packet.end]))
        else:
            self._quote(out, packet)
        if not packet.assembled:
            out[stop:] = bytes(len(out) - stop)  # padding may hold anything
        for check in reversed(checks):
            _mend(out, check)
        return link, bytes(out), original

    def _walk(self, packet: Packet, link: int) -> tuple[list[tuple[Layer, int]], object, int]:
        """packets/walk.py, noting the layers passed; also how it ended, and where the outermost IP packet ends."""
        passed: list[tuple[Layer, int]] = []
        layer: Layer | str | None = links.START.get(link)
        stop = len(packet.data)
        while isinstance(layer, Layer):
            if layer is Layer.FRAGMENT:
                layer = self._fragments.step(packet)
                if packet.assembled:
                    passed = [(Layer.IPV4 if packet.v4 else Layer.IPV6, 0)]
                continue
            step = STEPS.get(layer)
            if step is None:
                break
            passed.append((layer, packet.at))
            first = not packet.ip_headers
            layer = step(packet)
            if first and packet.ip_headers:
                stop = packet.end
        return passed, layer, stop

    # ---- checksums ---------------------------------------------------------------------------------------------------

    def _checks(self, packet: Packet, passed: list[tuple[Layer, int]], end: object) -> list[Check]:
        """All checksums of the frame, from the outside in, as they are before anything is changed."""
        data, checks = packet.data, list[Check]()
        pseudo: tuple[int, int] = (0, 0)
        for layer, at in passed:
            if layer is Layer.IPV4:
                pseudo = (at + 12, at + 20)
                checks.append(_check(data, at + 10, at, at + (data[at] & 15) * 4))
                checks[-1].right = checks[-1].old != 0 and data[at + 10 : at + 12] == b"\0\0"
            elif layer is Layer.IPV6:
                pseudo = (at + 8, at + 40)
            elif layer is Layer.UDP and data[at + 6 : at + 8] != b"\0\0":
                size = data[at + 4] << 8 | data[at + 5]
                checks.append(_check(data, at + 6, at, min(len(data), at + size), pseudo, IP_UDP + size))
                checks[-1].udp = True
            elif layer is Layer.GRE and data[at] & CHECKSUM >> 8:
                checks.append(_check(data, at + 4, at, packet.end))
        size = packet.wire - packet.at
        if end is Layer.FOUND_TCP:
            check = _check(data, packet.at + 16, packet.at, packet.end, pseudo, IP_TCP + size)
            check.right = packet.end == packet.wire and check.old != 0 and _left_to_hardware(data, check, size)
            checks.append(check)
        elif end is Layer.FOUND_ICMP:
            over = () if packet.v4 else (pseudo, IP_ICMPV6 + size)
            checks += [_check(data, packet.at + 2, packet.at, packet.end, *over), *_quoted_checks(packet)]
        return checks

    # ---- contents ----------------------------------------------------------------------------------------------------

    def _replace(self, out: bytearray, layer: Layer, at: int) -> None:
        """Addresses of one layer, and options that may hold some."""
        for place in _MACS.get(layer, ()):
            out[at + place : at + place + 6] = self._addresses.mac(bytes(out[at + place : at + place + 6]))
        if layer is Layer.COOKED:
            out[at + 12 : at + 14] = b"\0\0"
        elif layer is Layer.COOKED_2:
            out[at + 18 : at + 20] = b"\0\0"
        elif layer is Layer.IPV4:
            self._ips(out, at + 12, 4)
            end = at + (out[at] & 15) * 4
            out[at + 20 : end] = bytes((_NOP,)) * (end - at - 20)
        elif layer is Layer.IPV6:
            self._ips(out, at + 8, 16)
            _clear_extensions(out, at)

    def _ips(self, out: bytearray, at: int, size: int) -> None:
        for place in (at, at + size):
            out[place : place + size] = self._addresses.ip(bytes(out[place : place + size]))

    def _tcp(self, out: bytearray, packet: Packet) -> None:
        at, end = packet.at, packet.end
        payload = min(at + (out[at + 12] >> 4) * 4, end)
        _clear_options(out, at + 20, payload)
        if payload < end:
            seq = int.from_bytes(out[at + 4 : at + 8], "big") + bool(out[at + 13] & SYN)  # RFC 7413: data on a SYN
            packet.ports = (int.from_bytes(out[at : at + 2], "big"), int.from_bytes(out[at + 2 : at + 4], "big"))
            out[payload:end] = self._clean(packet, seq, bytes(out[payload:end]))

    def _quote(self, out: bytearray, packet: Packet) -> None:
        """The packet that an ICMP error quotes: its addresses, and no more of it than the headers."""
        at, tcp = _quoted(packet)
        if tcp and packet.v4:
            self._ips(out, at + 12, 4)
            out[at + 20 : tcp] = bytes((_NOP,)) * (tcp - at - 20)
        elif tcp:
            self._ips(out, at + 8, 16)
            _clear_extensions(out, at)
        else:
            tcp = at
        size = (out[tcp + 12] >> 4) * 4 if tcp + 12 < packet.end else 20
        behind = min(packet.end, tcp + size)
        _clear_options(out, tcp + 20, behind)
        out[behind : packet.end] = bytes(packet.end - behind)


def _quoted(packet: Packet) -> tuple[int, int]:
    """Where the packet that an ICMP error quotes begins, and where its TCP header; 0 if its IP header is not whole."""
    at = packet.at + 8
    if not packet.v4:
        return at, _behind_extensions(packet.data, at) if at + 40 <= packet.end else 0
    tcp = at + (packet.data[at] & 15) * 4 if at + 20 <= packet.end else 0
    return at, tcp if at + 20 <= tcp <= packet.end else 0


def _quoted_checks(packet: Packet) -> list[Check]:
    """The checksums of a quoted packet. The sum over what is quoted stays what it was, also where that is not all of it."""
    data, (at, tcp) = packet.data, _quoted(packet)
    if not tcp:
        return []
    if not packet.v4:
        return [_check(data, tcp + 16, tcp, packet.end, (at + 8, at + 40))]
    return [_check(data, at + 10, at, tcp), _check(data, tcp + 16, tcp, packet.end, (at + 12, at + 20))]


def _check(
    data: bytes | bytearray, at: int, start: int, end: int, pseudo: tuple[int, int] | None = None, rest: int = 0
) -> Check:
    check = Check(at, start, end, pseudo, rest, 0)
    check.old = _total(data, check)
    return check


def _total(data: bytes | bytearray, check: Check) -> int:
    """Zero if all is captured and the checksum fits."""
    pseudo = ones_sum(bytes(data[check.pseudo[0] : check.pseudo[1]])) if check.pseudo else 0
    return (ones_sum(bytes(data[check.start : check.end])) + pseudo + check.rest) % ONES


def _left_to_hardware(data: bytes, check: Check, size: int) -> bool:
    """A checksum that the sender's network card would have filled in: nothing, or the pseudo-header's sum alone."""
    found = int.from_bytes(data[check.at : check.at + 2], "big")
    pseudo = ones_sum(data[check.pseudo[0] : check.pseudo[1]]) if check.pseudo else 0
    return found in (0, (pseudo + check.rest) % ONES, (pseudo + check.rest - size) % ONES)


def _mend(out: bytearray, check: Check) -> None:
    """Let the sum be what it was: what was right is right, and what a receiver would have dropped is still wrong."""
    if check.at + 2 > len(out) or check.at + 2 > max(check.end, check.start):
        return
    wanted = 0 if check.right else check.old
    field = int.from_bytes(out[check.at : check.at + 2], "big")
    field = (field + wanted - _total(out, check)) % ONES
    out[check.at : check.at + 2] = (field or (ONES if check.udp else 0)).to_bytes(2, "big")


def _clear_options(out: bytearray, at: int, end: int) -> None:
    """TCP options that are not known become padding."""
    while at < end and out[at] != _END:
        kind = out[at]
        size = 1 if kind == _NOP else out[at + 1] if at + 1 < end else 0
        if not size or at + size > end or (kind != _NOP and size < 2):
            break
        if kind != _NOP and kind not in _KNOWN_OPTIONS:
            out[at : at + size] = bytes((_NOP,)) * size
        at += size
    else:
        if at < end:
            out[at:end] = bytes(end - at)


def _extensions(out: bytes | bytearray, ip_at: int) -> list[tuple[int, int, int]]:
    """(type, offset, size) of the extension headers behind an IPv6 header, as far as they are there."""
    found, kind, at = list[tuple[int, int, int]](), out[ip_at + 6], ip_at + 40
    while kind in EXTENSIONS and at + 8 <= len(out):
        size = 8 * (out[at + 1] + 1)
        found.append((kind, at, min(size, len(out) - at)))
        kind, at = out[at], at + size
    return found


def _clear_extensions(out: bytearray, ip_at: int) -> None:
    """Options become padding, routes zero. A jumbo length stays: without it the packet has no end."""
    jumbo = out[ip_at + 4 : ip_at + 6] == b"\0\0"
    for kind, at, size in _extensions(out, ip_at):
        if kind in (HOP_BY_HOP, DESTINATION):
            if not jumbo:
                out[at + 2 : at + size] = bytes(size - 2)  # zero is an option of its own: one byte of padding
        else:
            out[at + 4 : at + size] = bytes(size - 4)


def _behind_extensions(out: bytes | bytearray, ip_at: int) -> int:
    found = _extensions(out, ip_at)
    return found[-1][1] + found[-1][2] if found else ip_at + 40
