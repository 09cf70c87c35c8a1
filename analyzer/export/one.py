"""One connection as an annotated pcapng file, from packets that were kept in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analyzer.connection import Connection, Side
from analyzer.export import blocks
from analyzer.export.marks import SIGN, Marks
from analyzer.report import safe

Packet = tuple[int, int, int, int, bytes]
"""Frame number, time in ns, link type, bytes on the wire, bytes captured. A plain tuple: there is one for every packet."""
_MESSAGES = tuple(f"{side}: " for side in Side)
_FRAME = re.compile(r"\bframe (\d{1,15})\b")


def annotated(
    conn: Connection, first: Sequence[Packet], last: Sequence[Packet], aside: Sequence[Packet] = ()
) -> Iterator[bytes]:
    """The blocks of a file with these packets, of which there is at least one. `conn` has their frame numbers, so each
    comment goes where it belongs; a finding about a packet that was left out goes to the packet before. `last` begins behind
    what was left out; `aside` belongs to other conversations."""
    packets, marks = sorted({*first, *last, *aside}), Marks()
    marks.add(conn)
    if left_out := missing(conn, (*first, *last)):
        place = last[0][0] if last else first[-1][0]
        where = "before this one" if last else "of the connection"
        marks.say(place, f"{left_out:,} packets {where} were not kept")
    numbers = {packet[0]: number for number, packet in enumerate(packets, 1)}
    comments = _placed(marks.comments, list(numbers))
    about = (safe.line(text, unicode=False) for text in _about(conn, len(first) + len(last), left_out))
    yield blocks.section([SIGN + _renumbered(text, numbers) for text in about])
    interfaces, digits = blocks.Interfaces(), conn.time_digits
    for frame, time_ns, link, original, data in packets:
        texts = [SIGN + _renumbered(text, numbers) for text in comments[frame]]
        yield from interfaces.packet(link, digits, time_ns, data, original, texts)
    if lost := conn.visibility.lost_packets:
        for time_ns, dropped in ((conn.ts_ns, 0), (conn.end_ns, lost)):
            yield blocks.statistics(0, max(0, time_ns) // 10 ** (9 - digits), dropped)


def missing(conn: Connection, packets: Sequence[Packet]) -> int:
    """How many packets of the connection are not among these."""
    beside = {error.frame for error in conn.icmp}
    kept = sum(packet[0] not in beside for packet in packets)
    return max(0, conn.client.packets + conn.server.packets - kept)


def _placed(comments: dict[int, list[str]], frames: Sequence[int]) -> dict[int, list[str]]:
    """The comments, each at one of these frames. What messages of other frames say is left out with them."""
    placed: dict[int, list[str]] = {frame: comments.get(frame, []) for frame in frames}
    for frame in sorted(comments.keys() - placed.keys()):
        at = max((one for one in frames if one <= frame), default=frames[0])
        placed[at] = [*placed[at], *(text for text in comments[frame] if not text.startswith(_MESSAGES))]
    return placed


def _renumbered(text: str, numbers: dict[int, int]) -> str:
    """A sentence with frame numbers of the file; a frame of another connection is not in it."""

    def here(found: re.Match[str]) -> str:
        frame = int(found[1])
        return f"frame {numbers[frame]}" if frame in numbers else f"{found[0]} of the live capture"

    return _FRAME.sub(here, text)


def _about(conn: Connection, kept: int, left_out: int) -> Iterator[str]:
    """What the file is, for its properties."""
    yield f"VERDICT: {conn.diagnosis}" if conn.diagnosis else f"outcome: {conn.outcome}"
    yield f"{kept:,} packets of one connection of a live capture; {left_out:,} were not kept"
    if lost := conn.visibility.lost_packets:
        yield f"the capture lost {lost:,} packets, of whatever connection, meanwhile"
