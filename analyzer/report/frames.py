"""Frame numbers as a user finds them: within the file of the connection's first packet; in later files of a ring `FILE#N`."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.connection import Connection
from analyzer.findings import Finding


def labels(conn: Connection, frames: Iterable[int]) -> list[int | str]:
    """What to write for these frames."""
    return [conn.frame_label(frame) for frame in frames] if conn.files else list(frames)


def label(conn: Connection, frame: int | None) -> int | str | None:
    """What to write for this frame; None for none."""
    return frame if frame is None or not conn.files else conn.frame_label(frame)


def in_first_file(conn: Connection, frames: Iterable[int]) -> tuple[int, ...]:
    """Those of these frames that are in `conn.capture`, as numbers in that file."""
    return tuple(number for number in labels(conn, frames) if isinstance(number, int))


def place(conn: Connection, frame: int) -> tuple[str, int]:
    """The file ("" for the first one) and the number in it."""
    told = label(conn, frame)
    if not isinstance(told, str):
        return "", frame if told is None else told
    file, _, number = told.rpartition("#")
    return file, int(number)


def culprits(conn: Connection) -> list[int]:
    """Frames to look at, that of the likeliest cause first: where each finding has come true, then the end."""
    told = [*(finding.frames[-1] for finding in conn.findings if finding.frames), conn.closed.frame]
    return [frame for frame in told if frame is not None]


def connection_filter(conn: Connection) -> str:
    """A display filter for the connection. In a ring Wireshark numbers streams anew in each file: there by addresses."""
    if not conn.files:
        return conn.display_filter()
    ip = "ipv6" if ":" in conn.client_ip else "ip"
    ends = ((conn.client_ip, conn.client_port), (conn.server_ip, conn.server_port))
    return " && ".join(f"{ip}.addr == {address} && tcp.port == {port}" for address, port in ends)


def finding_filter(conn: Connection, finding: Finding) -> str:
    """The finding's filter; in a ring, where its frames would be others, by the frames in the first file."""
    if not conn.files or not finding.filter.startswith("frame.number"):
        return finding.filter
    own = in_first_file(conn, finding.frames)
    return conn.display_filter(own) if own else connection_filter(conn)
