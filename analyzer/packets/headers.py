"""Header bytes of many packets at once: gather them as rows, read fields as columns, make `Segments` of them."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import Frames
from analyzer.packets.columns import Segments

Rows = NDArray[np.void]
TCP_HEADER = 20

IPV4 = {
    "version": ("u1", 0),
    "length": (">u2", 2),
    "ip_id": (">u2", 4),
    "fragment": (">u2", 6),
    "ttl": ("u1", 8),
    "protocol": ("u1", 9),
    "src_lo": (">u4", 12),
    "dst_lo": (">u4", 16),
}
"""Field -> type and offset in the header, RFC 791 section 3.1."""
IPV6 = {
    "version": ("u1", 0),
    "length": (">u2", 4),
    "protocol": ("u1", 6),
    "ttl": ("u1", 7),
    "src_hi": (">u8", 8),
    "src_lo": (">u8", 16),
    "dst_hi": (">u8", 24),
    "dst_lo": (">u8", 32),
}
"""RFC 8200 section 3."""
TCP = {
    "src_port": (">u2", 0),
    "dst_port": (">u2", 2),
    "seq": (">u4", 4),
    "ack": (">u4", 8),
    "offset": ("u1", 12),
    "flags": ("u1", 13),
    "window": (">u2", 14),
}
"""RFC 9293 section 3.1."""
UDP = {"udp_first": ("u1", 8), "udp_word": (">u4", 9)}
"""The ports are where TCP has them. The first payload byte, and the four after it, name QUIC and DTLS."""


@lru_cache(maxsize=256)
def row_type(ip: int, transport: int, v4: bool) -> np.dtype[np.void]:
    """Layout of a row whose IP header starts at byte `ip` and whose TCP or UDP header starts at byte `transport`."""
    places = {name: (kind, ip + at) for name, (kind, at) in (IPV4 if v4 else IPV6).items()}
    places |= {name: (kind, transport + at) for name, (kind, at) in (TCP | UDP).items()}
    layout: Any = {
        "names": list(places),
        "formats": [kind for kind, _ in places.values()],
        "offsets": [at for _, at in places.values()],
        "itemsize": transport + TCP_HEADER,
    }
    made: np.dtype[np.void] = np.dtype(layout)
    return made


def gather(data: NDArray[np.uint8], at: NDArray[np.int64], layout: np.dtype[np.void]) -> Rows:
    """One row of `layout.itemsize` bytes for each offset in `at`, copied. `data` must have that many bytes behind each.

    Copying items of an opaque type is twice as fast as copying rows of a two-dimensional byte array.
    """
    windows: Rows = np.ndarray((len(data) - layout.itemsize + 1,), f"V{layout.itemsize}", buffer=data, strides=(1,))
    return windows[at].view(layout)


def choose(rows: Rows, wanted: NDArray[np.bool_]) -> Rows:
    """The wanted rows. Copied as opaque items: numpy would copy each field of each row on its own."""
    opaque: Rows = rows.view(f"V{rows.itemsize}")
    return opaque[wanted].view(rows.dtype)


def distinct(values: NDArray[Any]) -> list[int]:
    """Each value once, sorted: numpy.unique, which loads all of numpy's masked arrays for it (10 ms at every start)."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    found: list[int] = ordered[first].tolist()
    return found


def segments(
    frames: Frames,
    index: NDArray[np.intp] | slice,
    rows: Rows,
    v4: bool,
    ip_at: NDArray[np.int64],
    tcp_at: NDArray[np.int64],
    wire: NDArray[np.int64],
    end: NDArray[np.int64],
) -> Segments:
    """The segments of the frames `index`, whose headers are in `rows`.

    `wire`: bytes of TCP header and payload on the wire. `end`: where the captured bytes of each packet end in the data.
    """
    size = len(rows)
    header = (rows["offset"] >> 4).astype(np.int64) << 2
    end = np.minimum(end, tcp_at + wire)
    # Options that claim to run past the end leave no payload.
    wire_payload = np.maximum(wire - header, 0)
    payload_at = np.minimum(tcp_at + header, end)
    if v4:
        src_hi = dst_hi = np.zeros(size, np.uint64)
    else:
        src_hi, dst_hi = rows["src_hi"].astype(np.uint64), rows["dst_hi"].astype(np.uint64)
    numbers = np.arange(frames.first_frame, frames.first_frame + len(frames), dtype=np.int64)
    return Segments(
        frame=numbers[index],
        time_ns=frames.time_ns[index],
        v4=np.full(size, v4),
        src_hi=src_hi,
        src_lo=rows["src_lo"].astype(np.uint64),
        dst_hi=dst_hi,
        dst_lo=rows["dst_lo"].astype(np.uint64),
        src_port=rows["src_port"].astype(np.uint16),
        dst_port=rows["dst_port"].astype(np.uint16),
        seq=rows["seq"].astype(np.uint32),
        ack=rows["ack"].astype(np.uint32),
        flags=rows["flags"].copy(),
        window=rows["window"].astype(np.uint16),
        tcp_at=tcp_at,
        payload_at=payload_at,
        payload=np.minimum(wire_payload, end - payload_at),
        wire_payload=wire_payload,
        ttl=rows["ttl"].copy(),
        ip_id=rows["ip_id"].astype(np.uint16) if v4 else np.zeros(size, np.uint16),
        ip_at=ip_at,
        data=frames.data,
    )


COLUMNS = tuple(f.name for f in fields(Segments) if f.init and f.name != "data")


def empty(data: NDArray[np.uint8]) -> Segments:
    """No segments."""
    kinds = {"time_ns": np.int64, "v4": np.bool_, "src_port": np.uint16, "dst_port": np.uint16, "seq": np.uint32}
    kinds |= {"ack": np.uint32, "flags": np.uint8, "window": np.uint16, "ttl": np.uint8, "ip_id": np.uint16}
    kinds |= dict.fromkeys(("src_hi", "src_lo", "dst_hi", "dst_lo"), np.uint64)
    columns: dict[str, Any] = {name: np.zeros(0, kinds.get(name, np.int64)) for name in COLUMNS}
    return Segments(**columns, data=data)


def join(parts: list[Segments], data: NDArray[np.uint8]) -> Segments:
    """All parts as one, in the order of their frames. `data`: what the offsets of every part point into."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty(data)
    if len(parts) == 1:
        parts[0].data = data
        return parts[0]
    order = np.argsort(np.concatenate([part.frame for part in parts]), kind="stable")
    columns: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts])[order] for name in COLUMNS}
    return Segments(**columns, data=data)
