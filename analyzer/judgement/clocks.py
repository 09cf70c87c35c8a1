"""What time a host believes it is, told from the first four bytes of its hellos' randoms (RFC 5246 section 7.4.1.2).

Many stacks fill them with random bytes. So a host has a clock for us only if several of its hellos, with different randoms,
agree about how far it is off, and those are more than half of all that were looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass
from analyzer.sightings.facts import Stated

SECOND_NS = 1_000_000_000
YEAR_S = 366 * 86_400
"""A clock further off than this is none (random bytes fall inside once in 68 hellos)."""
AGREE_S = 2
"""Statements that differ by no more agree: whole seconds, and the time between SYN and hello."""
LEAST_VOTES = 2
MAX_SAMPLES = 32
"""Hellos of one host that are looked at."""
MAX_HOSTS = 4_096
FRAMES_KEPT = 4


@dataclass(slots=True)
class HostClock:
    """What is known of one host's clock.

    Attributes:
        samples: statements looked at. votes: those that agree with `offset_s`.
        offset_s: how far it is ahead of the capture's clock, in seconds.
        frames: where it says so. sources: "hello", "HTTP Date".
    """

    samples: int = 0
    votes: int = 0
    offset_s: int = 0
    frames: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    last: bytes = b""

    @property
    def credible(self) -> bool:
        """Enough statements agree."""
        return self.votes >= LEAST_VOTES and self.votes * 2 > self.samples

    def vote(self, offset_s: int, frame: int | None, source: str) -> None:
        """A plausible statement; a majority finds itself in one pass (Boyer and Moore), at most a few seconds wide."""
        if self.votes <= 0 or abs(offset_s - self.offset_s) <= AGREE_S:
            if self.votes <= 0:
                self.offset_s, self.votes, self.frames, self.sources = offset_s, 0, (), ()
            self.votes += 1
            if frame is not None and len(self.frames) < FRAMES_KEPT:
                self.frames = (*self.frames, frame)
            if source not in self.sources:
                self.sources = (*self.sources, source)
        else:
            self.votes -= 1


class HostClocks:
    """The clocks of all hosts, bounded.

    Attributes:
        heard: hosts of which enough was heard; `hear` has no use for more.
    """

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self._hosts: dict[str, HostClock] = {}

    def hear(self, ip: str, random: bytes, conn: Connection, side: Side) -> None:
        """The random of one hello."""
        clock = self._hosts.get(ip)
        if clock is None:
            if len(self._hosts) >= MAX_HOSTS:
                return
            clock = self._hosts[ip] = HostClock()
        elif clock.samples >= MAX_SAMPLES:
            self.heard.add(ip)
            return
        offset = int.from_bytes(random[:4]) - conn.ts_ns // SECOND_NS
        clock.samples += 1
        if -YEAR_S < offset < YEAR_S and len(random) >= 4:
            self._plausible(clock, offset, random, conn, side)

    def _plausible(self, clock: HostClock, offset: int, random: bytes, conn: Connection, side: Side) -> None:
        hello = conn.client_hello if side is Side.CLIENT else conn.server_hello
        if random == clock.last or (hello is not None and hello.fixed_pattern is not None):
            clock.samples -= 1  # the same hello once more, or one that is always the same
            return
        clock.last = random
        frames = conn.frames_of("ClientHello" if side is Side.CLIENT else "ServerHello", side)
        clock.vote(offset, frames[0] if frames else None, "hello")

    def with_dates(self, stated: Iterator[Stated]) -> dict[str, HostClock]:
        """The credible clocks of hosts, HTTP dates counted too; the same date once more may be an old copy and does not."""
        clocks = {ip: replace(clock) for ip, clock in self._hosts.items()}
        counted = set()
        for said in stated:
            if (said.host, said.clock_s) in counted:
                continue
            counted.add((said.host, said.clock_s))
            clock = clocks.setdefault(said.host, HostClock())
            offset = said.clock_s - said.time_ns // SECOND_NS
            clock.samples += 1
            if -YEAR_S < offset < YEAR_S:
                clock.vote(offset, said.frame, "HTTP Date")
        return {ip: clock for ip, clock in clocks.items() if clock.credible}
