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
WIRELESS_WAN, NATIVE_WIFI = 0x200, 0x1_0000
LINK_ETHERNET, LINK_RAW, LINK_WIFI = 1, 101, 105


def packets_in_events(
    data: NDArray[np.uint8], starts: NDArray[np.int64], captured: NDArray[np.int64], media: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint16]]:
    """Which frames are events that hold a whole packet: their places in the columns, the packets' lengths and link types."""
    rows = np.flatnonzero((media == EVENT_MEDIA) & (captured >= PACKET_AT))
    events = gather(data, starts[rows], EVENT)
    keyword, size = events["keyword"], events["size"].astype(np.int64)
    holds = (
        (events["provider_lo"] == NDIS_CAPTURE[0])
        & (events["provider_hi"] == NDIS_CAPTURE[1])
        & (events["id"] == PACKET_FRAGMENT)
        & (events["extended"] == 0)
        & (keyword & np.uint64(WHOLE) == WHOLE)
        & (size <= captured[rows] - PACKET_AT)
    )
    link = np.full(len(rows), LINK_ETHERNET, np.uint16)
    link[keyword & np.uint64(WIRELESS_WAN) != 0] = LINK_RAW
    link[keyword & np.uint64(NATIVE_WIFI) != 0] = LINK_WIFI
    return rows[holds], size[holds], link[holds]
