"""A second handshake inside the first one's encryption (RFC 5246 section 7.4.1.1): TLS 1.2 and older.

Its messages are handshake records behind both Finished messages. TLS 1.3 has none: what looks alike there are tickets.
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.connection import Connection, Side, Step, Steps
from analyzer.dataclass import dataclass
from analyzer.tls.names import TLS13

ENCRYPTED = "EncryptedHandshake"
BEYOND = 2
"""Both sides' Finished."""
SHORTEST = 6
"""Steps of the shortest handshake, a resumed one without what TCP does: two hellos, and twice ChangeCipherSpec, Finished."""


@dataclass(frozen=True, slots=True)
class SecondHandshake:
    """Handshake records after the handshake, each side's in order; one of them may be ()."""

    client: tuple[Step, ...]
    server: tuple[Step, ...]

    @property
    def frames(self) -> tuple[int, ...]:
        """First and last frame of it."""
        steps = sorted((*self.client, *self.server), key=lambda step: step.frames)
        return (steps[0].frames[0], steps[-1].frames[-1])

    @property
    def largest_answer(self) -> int:
        """Bytes of the client's largest record there, its hello apart; 0 if there is none."""
        return max((step.size for step in self.client[1:]), default=0)


def second_handshake(conn: Connection) -> SecondHandshake | None:
    """The handshake records behind the handshake; None if there are none, or if they cannot be told from it."""
    if (conn.version_code or TLS13) >= TLS13 or not _has_any(conn.steps):
        return None
    done = 0
    later: dict[Side, list[Step]] = {Side.CLIENT: [], Side.SERVER: []}
    for step in conn.steps:
        if step.name == "Finished":
            done += 1
        elif step.name == ENCRYPTED and done >= BEYOND:
            later[step.side].append(step)
    if not later[Side.CLIENT] and not later[Side.SERVER]:
        return None
    return SecondHandshake(tuple(later[Side.CLIENT]), tuple(later[Side.SERVER]))


def _has_any(steps: Sequence[Step]) -> bool:
    """Without making objects: nearly no connection has one."""
    if isinstance(steps, Steps):
        return ENCRYPTED in [row[4] for row in steps.rows[SHORTEST:]]
    return any(step.name == ENCRYPTED for step in steps)
