"""Tunnels on the fast path: where the inner packets of many frames start. tunnels.py does the same for one packet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.packets import links, tunnels, udp
from analyzer.packets.headers import Rows
from analyzer.packets.layers import IP_GRE, IP_IPV4, IP_IPV6, IP_UDP, IPV4_TYPE, IPV6_TYPE, Layer

RAW, BRIDGED = 101, 0x6558
OUTER = 16
"""Bytes that UDP and VXLAN or GENEVE have at least, and GRE with every field at most."""

Mask = NDArray[np.bool_]
Opened = tuple[Mask, NDArray[np.int64], int]
"""Which rows are a tunnel, how many bytes its headers have (of every row), and the link type of what is inside."""


def open_tunnels(rows: Rows, whole: Mask, have: NDArray[np.int64]) -> Iterator[Opened]:
    """The plain tunnels among unfragmented IP packets; what is not plain is left for the walk.

    `have`: captured bytes after the IP header. An inner IP header must still be checked for its version.
    """
    protocol = rows["protocol"]
    for number in (IP_IPV4, IP_IPV6):
        yield whole & (protocol == number) & (have > 0), np.zeros(len(rows), np.int64), RAW
    deep = whole & (have >= OUTER)
    if (gre := deep & (protocol == IP_GRE)).any():
        yield from _gre(rows, gre, have)
    datagram = deep & (protocol == IP_UDP)
    if datagram.any():
        yield from _datagrams(rows, datagram, have)


def versions(data: NDArray[np.uint8], at: NDArray[np.int64], rows: Rows) -> Mask:
    """True where the IP version at `at` is the one that the outer header announces."""
    announced = np.where(rows["protocol"] == IP_IPV4, 4, 6)
    gre = rows["protocol"] == IP_GRE
    announced[gre] = np.where(rows["dst_port"][gre] == IPV4_TYPE, 4, 6)
    fits: Mask = data[at] >> 4 == announced
    return fits


def _gre(rows: Rows, gre: Mask, have: NDArray[np.int64]) -> Iterator[Opened]:
    """Flags and protocol of GRE are where UDP has its ports."""
    flags, inner = rows["src_port"], rows["dst_port"]
    gre &= (flags & (tunnels.ROUTING | 7)) == 0
    size = np.full(len(rows), 4, np.int64)
    for bit in (tunnels.CHECKSUM, tunnels.KEY, tunnels.SEQUENCE):
        size[(flags & bit) != 0] += 4
    mirrored = inner == tunnels.ERSPAN
    size[mirrored & ((flags & tunnels.SEQUENCE) != 0)] += 8
    gre &= have > size
    yield gre & ((inner == IPV4_TYPE) | (inner == IPV6_TYPE)), size, RAW
    yield gre & (mirrored | (inner == BRIDGED)), size, links.ETHERNET


def _datagrams(rows: Rows, datagram: Mask, have: NDArray[np.int64]) -> Iterator[Opened]:
    src, dst = rows["src_port"], rows["dst_port"]
    first, word = rows["udp_first"], rows["udp_word"]

    def is_for(layer: Layer) -> Mask:
        ports = [port for port, inside in udp.TUNNELS.items() if inside is layer]
        known: Any = np.isin(dst, list(udp.TUNNELS))
        mask: Mask = np.isin(dst, ports) | (np.isin(src, ports) & ~known)
        return mask

    vxlan = datagram & is_for(Layer.VXLAN) & ((first & 0x08) != 0)
    yield vxlan, np.full(len(rows), OUTER, np.int64), links.ETHERNET
    size = OUTER + 4 * (first & 0x3F).astype(np.int64)
    geneve = datagram & is_for(Layer.GENEVE) & (first >> 6 == 0) & ((word >> 8) & 0xFFFF == BRIDGED)
    yield geneve & (have >= size), size, links.ETHERNET
