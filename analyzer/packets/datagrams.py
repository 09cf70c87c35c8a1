"""UDP datagrams of port 53, kept for whoever reads DNS. Of other UDP nobody reads more than its name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import Frames
from analyzer.packets import udp
from analyzer.packets.addresses import address_text, packed_text
from analyzer.packets.columns import Datagram, Decoded
from analyzer.packets.headers import Rows
from analyzer.packets.layers import Packet


def keep_dns(
    frames: Frames,
    index: NDArray[np.intp],
    rows: Rows,
    datagram: NDArray[np.bool_],
    udp_at: NDArray[np.int64],
    have: NDArray[np.int64],
    v4: bool,
    decoded: Decoded,
) -> None:
    """Those of port 53 among the rows that are a `datagram`. `have`: captured bytes from the UDP header on."""
    hit = datagram & ((rows["src_port"] == udp.DNS_PORT) | (rows["dst_port"] == udp.DNS_PORT))
    for i in np.flatnonzero(hit).tolist():
        row, start, at = rows[i], int(index[i]), int(udp_at[i])
        halves = (0, 0) if v4 else (int(row["src_hi"]), int(row["dst_hi"]))
        decoded.dns.append(
            Datagram(
                frames.first_frame + start,
                int(frames.time_ns[start]),
                (address_text(v4, halves[0], int(row["src_lo"])), int(row["src_port"])),
                (address_text(v4, halves[1], int(row["dst_lo"])), int(row["dst_port"])),
                frames.data[at + udp.HEADER : at + int(have[i])].tobytes(),
            )
        )


def keep_packet(packet: Packet, frame: int, decoded: Decoded) -> None:
    """The same of one packet that was walked through; `packet.at` is behind the UDP header."""
    source, target = packed_text(packet.source), packed_text(packet.target)
    ports, payload = packet.ports, packet.data[packet.at : packet.end]
    if ports is not None:
        decoded.dns.append(Datagram(frame, packet.time_ns, (source, ports[0]), (target, ports[1]), payload))
