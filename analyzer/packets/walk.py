"""One frame, layer by layer: for everything that is not of a plain shape (shapes.py). Gives the same answers."""

from __future__ import annotations

from collections.abc import Callable

from analyzer.packets import ip, links, tunnels, udp
from analyzer.packets.fragments import Reassembler
from analyzer.packets.layers import Layer, Next, Packet

STEPS: dict[Layer, Callable[[Packet], Next]] = {
    Layer.ETHERNET: links.ethernet,
    Layer.TYPED: links.typed,
    Layer.TOKEN_RING: links.token_ring,
    Layer.FDDI: links.fddi,
    Layer.LLC: links.llc,
    Layer.MPLS: links.mpls,
    Layer.PPPOE: links.pppoe,
    Layer.PPP: links.ppp,
    Layer.SERIAL: links.serial,
    Layer.HDLC: links.hdlc,
    Layer.COOKED: links.cooked,
    Layer.COOKED_2: links.cooked_2,
    Layer.LOOPBACK: links.loopback,
    Layer.IP: ip.by_version,
    Layer.IPV4: ip.ipv4,
    Layer.IPV6: ip.ipv6,
    Layer.PROTOCOL: ip.protocol,
    Layer.GRE: tunnels.gre,
    Layer.UDP: udp.step,
    Layer.VXLAN: tunnels.vxlan,
    Layer.GENEVE: tunnels.geneve,
    Layer.GTP_U: tunnels.gtp_u,
    Layer.TCP: ip.tcp,
    Layer.ICMP: ip.icmp,
}
"""Each step reads one header and moves past it. FRAGMENT is missing here: it needs the memory of the Reassembler."""


def walk(packet: Packet, link_type: int, fragments: Reassembler) -> Next:
    """Where the walk ends: FOUND_TCP, FOUND_ICMP, or the reason why neither was found.

    Every step moves on or ends, and IP headers and tags are counted, so the walk is short.
    """
    layer: Next | None = links.START.get(link_type)
    if layer is None:
        return links.reason_of(link_type)
    while isinstance(layer, Layer):
        if layer is Layer.FRAGMENT:
            layer = fragments.step(packet)
        elif (step := STEPS.get(layer)) is not None:
            layer = step(packet)
        else:
            break
    return layer
