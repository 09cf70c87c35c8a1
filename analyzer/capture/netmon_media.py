"""Network Monitor's media types (NDIS, and its own) as LINKTYPE_* numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import NOT_A_PACKET, Facts
from analyzer.capture.window import note

UNKNOWN_MEDIA = 0xFFFE
"""Link type of a frame of a media type that has no LINKTYPE_* number."""

ATM, WIFI = 4, 6
LINK_TYPES: dict[int, int] = {
    0: 1,  # some captures of VPN adapters say 0 and hold Ethernet
    1: 1,
    2: 6,  # token ring
    3: 10,  # FDDI
    ATM: 100,
    WIFI: 105,  # 802.11 after a header of Network Monitor's own
    7: 101,  # tunnels
    8: 101,  # wireless WAN
    9: 101,  # raw IP
    0xE080: 105,
    0xFFE0: NOT_A_PACKET,  # event of Event Tracing for Windows
    0xFFFB: NOT_A_PACKET,  # network adapters
    0xFFFF: NOT_A_PACKET,  # filter text
}
"""Media type -> LINKTYPE_* number. 0xE000 + n is LINKTYPE n, from a converted pcap file."""


def link_types(media: NDArray[np.int64], facts: Facts) -> NDArray[np.uint16]:
    """LINKTYPE_* numbers of media types; unknown ones are told in the notes."""
    result = np.full(len(media), UNKNOWN_MEDIA, np.uint16)
    for code in np.unique(media).tolist():
        link = LINK_TYPES.get(code)
        if link is None and code & 0xF000 == 0xE000 and not 0xE080 <= code <= 0xE08A:
            link = code & 0x0FFF
        if link is None:
            note(facts, f"frames of media type {code:#06x} are not decoded: no link type is known for it")
        else:
            result[media == code] = link
    return result
