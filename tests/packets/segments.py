"""Helpers of these tests: decode, and look at the segments as rows."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np

from analyzer.capture.source import Frames
from analyzer.packets import shapes
from analyzer.packets.addresses import address_text
from analyzer.packets.columns import Decoded, Segments
from analyzer.packets.decode import Decoder
from tests.build import frames as build

Row = dict[str, Any]


def rows(segments: Segments) -> list[Row]:
    """Each segment with its addresses as text and its captured payload, without what depends on the encapsulation."""
    found = []
    for i in range(len(segments)):
        v4, at, size = bool(segments.v4[i]), int(segments.payload_at[i]), int(segments.payload[i])
        row: Row = {
            "frame": int(segments.frame[i]),
            "src": address_text(v4, int(segments.src_hi[i]), int(segments.src_lo[i])),
            "dst": address_text(v4, int(segments.dst_hi[i]), int(segments.dst_lo[i])),
            "payload": segments.data[at : at + size].tobytes(),
        }
        for name in ("src_port", "dst_port", "seq", "ack", "flags", "window", "wire_payload", "ttl", "ip_id"):
            row[name] = int(getattr(segments, name)[i])
        found.append(row)
    return found


def decode(*frames: bytes, link_type: int = 1, snap: int | None = None) -> Decoded:
    return Decoder().feed(build.batch(frames, link_type, snap))


def walk_all(frames: Frames) -> Decoded:
    """Decode without the fast path."""
    with (
        patch.object(shapes, "common", lambda batch: ([], np.arange(len(batch)))),
        patch.object(shapes, "others", lambda _batch, left, _decoded: ([], left)),
    ):
        return Decoder().feed(frames)


def check_conserved(frames: Frames, decoded: Decoded) -> None:
    assert len(frames) == decoded.tcp + decoded.icmp_frames + sum(decoded.reasons.values())
    assert decoded.tcp == len(decoded.segments)
    assert len(decoded.icmp) <= decoded.icmp_frames
    assert all(count > 0 for count in (*decoded.reasons.values(), *decoded.ports.values()))
