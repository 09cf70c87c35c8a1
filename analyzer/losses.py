"""Packets that the capture lost, and the connections that were going on then: silence is not held against them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from analyzer.capture.source import Loss
from analyzer.connection import Connection
from analyzer.folding.presence import hidden_facts, seen_facts

SILENCE_NS = 60_000_000_000
"""A handshake in which nothing has happened for so long has hung, whatever is lost afterwards. A live run reports it then and
not at the end of the capture."""


def note_losses(conn: Connection, losses: Iterable[Loss]) -> None:
    """Note in a fresh record how many packets were lost while the connection went on."""
    if lost := sum(loss.packets for loss in losses if _touches(loss, conn)):
        object.__setattr__(conn, "visibility", replace(conn.visibility, lost_packets=lost))
        seen = seen_facts(conn)
        object.__setattr__(conn, "seen", seen)
        object.__setattr__(conn, "hidden", hidden_facts(conn, seen))


def _touches(loss: Loss, conn: Connection) -> bool:
    """Was the connection going on then? One without an end may have gone on unseen."""
    if conn.ts_ns > loss.end_ns:
        return False
    if conn.closed.how == "open":
        return True
    return loss.begin_ns <= conn.end_ns + (SILENCE_NS if conn.closed.how == "timeout" else 0)
