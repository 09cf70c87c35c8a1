"""The fast path: frames of one shape are decoded together, as columns.

A shape is a link header of fixed length, then IPv4 (options or not) or IPv6 without extension headers, then TCP or UDP,
whole and unfragmented; in a plain tunnel the same again. What does not fit, or is not all there, is left for `walk`,
which gives the same answers one frame at a time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import Frames
from analyzer.packets import datagrams, links, peel, udp
from analyzer.packets.columns import Decoded, Segments
from analyzer.packets.headers import TCP_HEADER, Rows, choose, distinct, gather, row_type, segments
from analyzer.packets.layers import ARP_TYPES, IP_TCP, IP_UDP, IPV4_TYPE, IPV6_TYPE

Index = NDArray[np.intp]
Found = tuple[list[Segments], Index]
"""The segments found, and the frames left over."""

ETHERNET, IPV4_HEADER, IPV6_HEADER = 14, 20, 40
MAX_DEPTH = 3
"""Tunnels in each other that are looked into here; the walk looks deeper."""
FEW = 32
"""So many frames of one tunnel are not worth a group: hostile ones could make each frame a group of its own."""
# The twelve bytes that tell the commonest shape, as three numbers: ethertype and IP version; fragment, protocol.
_COMMON: Any = {"names": ["kind", "rest"], "formats": ["<u4", "<u4"], "offsets": [12, 20], "itemsize": 54}
COMMON = np.dtype(_COMMON)
COMMON_ROW = row_type(ETHERNET, ETHERNET + IPV4_HEADER, True)
KIND, KIND_MASK = 0x00450008, 0x00FFFFFF  # 08 00 45: IPv4, five words of header
REST, REST_MASK = 0x06000000, 0xFF00FF3F  # no offset, no more-fragments, any TTL, TCP


def common(frames: Frames) -> Found:
    """Ethernet, IPv4 without options, TCP: nearly everything in most captures."""
    if not (frames.link_type == links.ETHERNET).all():
        return [], np.arange(len(frames))
    rows = gather(frames.data, frames.start, COMMON_ROW)
    tests = rows.view(COMMON)
    fits = ((tests["kind"] & KIND_MASK) == KIND) & ((tests["rest"] & REST_MASK) == REST)
    fits &= frames.captured >= ETHERNET + IPV4_HEADER + TCP_HEADER
    fits &= rows["offset"] >= 5 << 4
    wire = rows["length"].astype(np.int64)
    if not wire.all():
        # Segmentation offload leaves the length to the hardware: the frame's counts.
        wire = np.where(wire == 0, frames.original - ETHERNET, wire)
    wire -= IPV4_HEADER
    fits &= wire >= TCP_HEADER
    if fits.all():
        return [_tcp(frames, slice(None), rows, True, frames.start + ETHERNET, IPV4_HEADER, wire)], np.arange(0)
    chosen, left = np.flatnonzero(fits), np.flatnonzero(~fits)
    ip_at = frames.start[chosen] + ETHERNET
    return [_tcp(frames, chosen, choose(rows, fits), True, ip_at, IPV4_HEADER, wire[chosen])], left


def others(frames: Frames, left: Index, decoded: Decoded, depth: int = 0) -> Found:
    """Every other shape among the frames `left`, `depth` tunnels deep; UDP and ARP are counted right here."""
    parts: list[Segments] = []
    kept: list[Index] = []
    kinds = frames.link_type[left]
    for kind in distinct(kinds):
        index = left[kinds == kind]
        if kind not in links.START:
            count(decoded.reasons, links.reason_of(kind), len(index))
            continue
        offset, protocol = links.find_ip(frames, index, kind)
        fits = frames.captured[index] >= offset + IPV4_HEADER
        found = np.isin(protocol, ARP_TYPES) & fits
        count(decoded.reasons, "arp", int(found.sum()))
        for v4, ethertype in ((True, IPV4_TYPE), (False, IPV6_TYPE)):
            mask = fits & ((protocol == ethertype) | (protocol == links.BY_NIBBLE))
            if not mask.any():
                continue
            more, done = _ip(frames, index[mask], offset[mask], v4, decoded, depth)
            parts += more
            found[np.flatnonzero(mask)[done]] = True
        kept.append(index[~found])
    return parts, np.sort(np.concatenate([left[:0], *kept]))


def count(reasons: dict[str, int], name: str, packets: int) -> None:
    if packets:
        reasons[name] = reasons.get(name, 0) + packets


def count_ports(decoded: Decoded, protocol: str, src: NDArray[Any], dst: NDArray[Any]) -> None:
    """Add each packet's lower port to `decoded.ports`."""
    if not len(src):
        return
    packets = np.bincount(np.minimum(src, dst))
    for port in np.flatnonzero(packets).tolist():
        key = (protocol, port)
        decoded.ports[key] = decoded.ports.get(key, 0) + int(packets[port])


def _ip(
    frames: Frames, index: Index, offset: NDArray[np.int64], v4: bool, decoded: Decoded, depth: int
) -> tuple[list[Segments], NDArray[np.bool_]]:
    """Decode IP at `offset` of each frame. Also returns which of the frames are done with."""
    ip_at = frames.start[index] + offset
    versions = frames.data[ip_at]
    parts: list[Segments] = []
    done = np.zeros(len(index), np.bool_)
    for version in distinct(versions):
        header = (version & 15) * 4 if v4 else IPV6_HEADER
        if version >> 4 != (4 if v4 else 6) or header < IPV4_HEADER:
            continue
        of_shape = np.flatnonzero(versions == version)
        more, taken = _one_shape(frames, index[of_shape], ip_at[of_shape], v4, header, decoded, depth)
        parts += more
        done[of_shape] = taken
    return parts, done


def _one_shape(
    frames: Frames, index: Index, ip_at: NDArray[np.int64], v4: bool, header: int, decoded: Decoded, depth: int
) -> tuple[list[Segments], NDArray[np.bool_]]:
    """Frames whose IP header has the same version and length."""
    rows = gather(frames.data, ip_at, row_type(0, header, v4))
    length = rows["length"].astype(np.int64)
    on_wire = frames.start[index] + frames.original[index] - ip_at
    wire = np.where(length == 0, on_wire, length if v4 else length + IPV6_HEADER) - header
    have = np.minimum(frames.start[index] + frames.captured[index] - ip_at - header, wire)
    whole = (rows["fragment"] & 0x3FFF) == 0 if v4 else np.ones(len(index), np.bool_)

    tcp = whole & (rows["protocol"] == IP_TCP) & (have >= TCP_HEADER) & (rows["offset"] >= 5 << 4)
    parts = []
    if tcp.any():
        parts.append(_tcp(frames, index[tcp], choose(rows, tcp), v4, ip_at[tcp], header, wire[tcp]))

    datagram = whole & (rows["protocol"] == IP_UDP) & (have >= udp.HEADER)
    datagram &= ~(udp.is_tunnel(rows["src_port"], rows["dst_port"]))
    if datagram.any():
        _udp(choose(rows, datagram), have[datagram] - udp.HEADER, decoded)
        datagrams.keep_dns(frames, index, rows, datagram, ip_at + header, have, v4, decoded)
    done = tcp | datagram
    if not done.all() and depth < MAX_DEPTH:
        for mask, size, kind in peel.open_tunnels(rows, whole & ~done, have):
            if kind == peel.RAW:
                mask &= peel.versions(frames.data, ip_at + header + size, rows)
            if mask.sum() < FEW:
                continue
            inner = _inside(frames, index[mask], (ip_at + header + size)[mask], (have - size)[mask], kind)
            inner.original[index[mask]] = (wire - size)[mask]
            more, left = others(inner, index[mask], decoded, depth + 1)
            parts += more
            done[mask] = ~np.isin(index[mask], left)
    return parts, done


def _inside(
    frames: Frames, index: Index, start: NDArray[np.int64], captured: NDArray[np.int64], link_type: int
) -> Frames:
    """The same batch, where the frames `index` begin with a tunnel's inner packet. `original` is a copy, to be set."""
    starts, sizes = frames.start.copy(), frames.captured.copy()
    starts[index], sizes[index] = start, captured
    kinds = np.full(len(frames), link_type, np.uint16)
    return replace(frames, start=starts, captured=sizes, original=frames.original.copy(), link_type=kinds)


def _tcp(
    frames: Frames,
    index: Index | slice,
    rows: Rows,
    v4: bool,
    ip_at: NDArray[np.int64],
    header: int,
    wire: NDArray[np.int64],
) -> Segments:
    end = frames.start[index] + frames.captured[index]
    return segments(frames, index, rows, v4, ip_at, ip_at + header, wire, end)


def _udp(rows: Rows, payload: NDArray[np.int64], decoded: Decoded) -> None:
    src, dst = rows["src_port"].astype(np.uint16), rows["dst_port"].astype(np.uint16)
    count_ports(decoded, "udp", src, dst)
    left = np.ones(len(rows), np.bool_)
    for name, hits in udp.names(src, dst, payload, rows["udp_first"], rows["udp_word"].astype(np.uint32)):
        count(decoded.reasons, name, int((hits & left).sum()))
        left &= ~hits
    count(decoded.reasons, "udp", int(left.sum()))
