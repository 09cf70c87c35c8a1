"""Packets inside events: what `netsh trace` captured, in a trace that Network Monitor saved as .cap.

Such a frame is an event of Event Tracing for Windows: an EVENT_HEADER (evntcons.h), Network Monitor's own nine bytes, and the
data of event 1001 of Microsoft-Windows-NDIS-PacketCapture: two interface numbers, a length, and the packet.
"""

from __future__ import annotations

from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.window import gather

EVENT_MEDIA = 0xFFE0
NDIS_CAPTURE = np.frombuffer(UUID("2ed6006e-4729-4609-b423-3ee7bcd678ef").bytes_le, "<u8")
PACKET_FRAGMENT = 1001
EVENT = np.dtype(
    {
        "names": ["provider_lo", "provider_hi", "id", "keyword", "extended", "size"],
        "formats": ["<u8", "<u8", "<u2", "<u8", "<u2", "<u4"],
        "offsets": [24, 32, 40, 48, 84, 97],
    }
)
PACKET_AT = 101
WHOLE = 0x4000_0000 | 0x8000_0000
"""Keywords: the packet begins and ends in this event. One that is spread over several is left as an event."""
LINKS = ((0x1, 1), (0x200, 101), (0x1_0000, 105))
"""(keyword, LINKTYPE_* number): Ethernet, wireless WAN (raw IP), 802.11. Other media stay events, as in Wireshark."""


def packets_in_events(
    data: NDArray[np.uint8], starts: NDArray[np.int64], captured: NDArray[np.int64], media: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint16]]:
    """Which frames are events that hold a whole packet: their places in the columns, the packets' lengths and link types."""
    rows = np.flatnonzero((media == EVENT_MEDIA) & (captured >= PACKET_AT))
    events = gather(data, starts[rows], EVENT)
    keyword, size = events["keyword"], events["size"].astype(np.int64)
    link = np.zeros(len(rows), np.uint16)
    for medium, number in LINKS:
        link[keyword & np.uint64(medium) != 0] = number
    holds = (
        (events["provider_lo"] == NDIS_CAPTURE[0])
        & (events["provider_hi"] == NDIS_CAPTURE[1])
        & (events["id"] == PACKET_FRAGMENT)
        & (events["extended"] == 0)
        & (keyword & np.uint64(WHOLE) == WHOLE)
        & (link != 0)
        & (size <= captured[rows] - PACKET_AT)
    )
    return rows[holds], size[holds], link[holds]
