"""Which role an address has: as somebody said, else a guess from the ports on which it answers."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from analyzer.dataclass import dataclass
from analyzer.judgement.capture_view import CaptureView
from analyzer.knowledge import services

if TYPE_CHECKING:
    from analyzer.topology.model import Topology

EDGE = "edge"


@dataclass(frozen=True, slots=True)
class Position:
    """What an address is for. `why`: how that is known. `certain`: somebody said so; else it is a guess."""

    role: str
    why: str
    certain: bool = False

    def differs(self, other: Position) -> bool:
        """Is it surely another role? A guess is rough: "edge" may be "edge external"."""
        if self.certain and other.certain:
            return self.role != other.role
        return self.role not in other.role and other.role not in self.role


Said = Callable[[str, int], Position | None]
"""Who knows what is at an address and a port (0: at any), for certain."""


def nobody(ip: str, port: int) -> Position | None:
    """Nobody said anything."""
    return None


def said_by(topology: Topology | None) -> Said:
    """What the user's topology says."""
    if topology is None:
        return nobody

    def said(ip: str, port: int) -> Position | None:
        place = topology.place(ip, port)
        return Position(place.position, "the topology says so", certain=True) if place is not None else None

    return said


def positions(view: CaptureView, sip_ports: frozenset[int], said: Said = nobody) -> dict[str, Position]:
    """Address -> its role; those of which nothing, or something contradictory, is known are left out."""
    ports: dict[str, set[int]] = {}
    for one in view.everybody():
        ports.setdefault(one.ip, set()).add(one.port)
    found: dict[str, Position] = {}
    for ip, shown in ports.items():
        known = {position for port in sorted(shown) if (position := said(ip, port)) is not None}
        position = known.pop() if len(known) == 1 else None if known else _guess(ip, shown, sip_ports)
        if position is not None:
            found[ip] = position
    return found


def _guess(ip: str, ports: set[int], sip_ports: frozenset[int]) -> Position | None:
    placed = services.placed_ports()
    roles = {placed[port]: port for port in sorted(ports) if port in placed}
    if len(roles) == 1:
        ((role, port),) = roles.items()
        return Position(role, f"it listens on {port}")
    sip = sorted(ports & sip_ports)
    if not roles and sip and ip_address(ip).is_global:
        return Position(EDGE, f"a public address that listens on {sip[0]}")
    return None
