"""What became of one connection between the two places where it was captured: lost, changed, injected, swallowed.

A statement needs to know which capture was taken on the sender's side: what only the far one has was made in between, what
only the near one has was lost. Where that is not known, it only says which capture has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from analyzer.addresses import endpoint
from analyzer.comparison import Sample, differences, sample_of
from analyzer.connection import Connection, Ending, Side, SideTraffic
from analyzer.dataclass import dataclass
from analyzer.judgement.phrases import brief, counted
from analyzer.judgement.story import READABLE

ANCHORS = 24
"""Messages of one connection whose times are kept."""
NOT_ANCHORS = frozenset({"FIN", "RST", "ApplicationData", "PlainText", "Preamble", "Heartbeat"})
IN_MESSAGES = frozenset(
    {
        "server-name",
        "offered-versions",
        "version",
        "server-certificates",
        "certificate-request",
        "ca-list",
        "client-certificates",
        "cipher-suites",
        "cipher",
        "groups",
        "signature-schemes",
        "alpn",
        "extensions",
    }
)
"""What stands in handshake messages (keys of comparison.WHATS): nobody but the two peers may change it."""

NOTHING_SEEN = "nothing was seen to be lost, changed, injected or swallowed in between"
"""Not more than that: parts may be missing from both captures, and of what was established only the beginning is followed."""

Key = tuple[Side, str, int]


class Joined(StrEnum):
    """How the two were recognised as one connection."""

    RANDOM = "random"
    ADDRESSES = "addresses"
    NAME_AND_TIME = "name-and-time"


class Happened(StrEnum):
    """What can happen in between, the gravest first."""

    RE_ORIGINATED = "re-originated"
    CHANGED = "changed"
    INJECTED = "injected"
    SWALLOWED = "swallowed"
    LOST = "lost"
    SEEN_ONCE = "seen-once"
    SEGMENT_SIZE = "segment-size"
    TRANSLATED = "translated"


@dataclass(slots=True)
class Sight:
    """One connection as one capture shows it.

    Attributes:
        sample: see comparison.Sample. random: of the first ClientHello, b"" without one; server_random likewise.
        ends: the two addresses and ports. end_ns: last packet.
        times: (side, message, how many of them before) -> when it was seen whole.
        endings: FINs and RSTs. client, server: TCP facts.
        established, capture, outcome, diagnosis: as in Connection.
        blind: the capture has only one side of it, or begins inside.
    """

    sample: Sample
    random: bytes
    server_random: bytes
    ends: tuple[str, int, str, int]
    end_ns: int
    times: dict[Key, int]
    endings: tuple[Ending, ...]
    client: SideTraffic
    server: SideTraffic
    established: bool
    blind: bool
    capture: str
    outcome: str
    diagnosis: str | None

    @property
    def stream(self) -> int:
        """Its number in its capture."""
        return self.sample.stream

    @property
    def client_end(self) -> str:
        """Address and port of the client."""
        return endpoint(*self.ends[:2])

    @property
    def server_end(self) -> str:
        """Address and port of the server."""
        return endpoint(*self.ends[2:])

    def traffic(self, side: Side) -> SideTraffic:
        """TCP facts of one side."""
        return self.client if side is Side.CLIENT else self.server

    def reset(self, side: Side) -> Ending | None:
        """The first RST of this side."""
        return next((end for end in self.endings if end.how == "rst" and end.side is side), None)


@dataclass(frozen=True, slots=True)
class View:
    """Where the two captures stand to each other; see Correlation. until_a, until_b: their last packets."""

    clock_ns: int | None
    way_ns: int | None
    nearer_client: str
    until_a: int
    until_b: int

    def nearer(self, side: Side) -> str:
        """The capture that was taken on this side; "" if nothing tells."""
        if not self.nearer_client:
            return ""
        return self.nearer_client if side is Side.CLIENT else "AB".replace(self.nearer_client, "")

    def ran(self, letter: str, time_ns: int) -> bool:
        """Did this capture still run when the other one's clock showed this time?"""
        if self.clock_ns is None:
            return False
        return time_ns + self.clock_ns <= self.until_b if letter == "B" else time_ns - self.clock_ns <= self.until_a


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that happened in between. `frames_a`, `frames_b`: where each capture shows it."""

    happened: Happened
    text: str
    frames_a: tuple[int, ...] = ()
    frames_b: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """One connection in both captures. `statements`: the gravest first; () if nothing that can be seen tells of a change."""

    a: Sight
    b: Sight
    joined: Joined
    statements: tuple[Statement, ...]

    @property
    def verdict(self) -> str:
        """In plain words, one sentence."""
        grave = [one.text for one in self.statements if one.happened is not Happened.TRANSLATED]
        return grave[0] if grave else NOTHING_SEEN


def sight_of(conn: Connection) -> Sight:
    """The slim copy of a record."""
    hello, answer = conn.first_client_hello or conn.client_hello, conn.hello_retry_request or conn.server_hello
    return Sight(
        sample=sample_of(conn),
        random=hello.random if hello else b"",
        server_random=answer.random if answer else b"",
        ends=(conn.client_ip, conn.client_port, conn.server_ip, conn.server_port),
        end_ns=conn.end_ns,
        times=_times(conn),
        endings=conn.endings,
        client=conn.client,
        server=conn.server,
        established=conn.established,
        blind=conn.visibility.one_sided is not None or conn.visibility.mid_stream,
        capture=conn.capture,
        outcome=conn.outcome.value,
        diagnosis=conn.diagnosis,
    )


def _times(conn: Connection) -> dict[Key, int]:
    times: dict[Key, int] = {}
    before: dict[tuple[Side, str], int] = {}
    for step in conn.steps:
        if len(times) == ANCHORS:
            break
        if step.name in NOT_ANCHORS or step.count > 1 or (step.name in ("SYN", "SYN-ACK") and len(step.frames) > 1):
            continue
        nth = before.get((step.side, step.name), 0)
        before[step.side, step.name] = nth + 1
        times[step.side, step.name, nth] = step.time_ns
    return times


def statements(a: Sight, b: Sight, joined: Joined, view: View) -> tuple[Statement, ...]:
    """What happened between the two, the gravest first."""
    found = [*_hellos(a, b, joined), *_ends(a, b, view), *_translation(a, b)]
    if not any(one.happened is Happened.RE_ORIGINATED for one in found):
        found += _losses(a, b, view)
    order = list(Happened)
    return tuple(sorted(found, key=lambda one: order.index(one.happened)))


# ---- changed ---------------------------------------------------------------------------------------------------------


def _hellos(a: Sight, b: Sight, joined: Joined) -> Iterator[Statement]:
    one, other = a.sample, replace(b.sample, client_ip=a.sample.client_ip, server_ip=a.sample.server_ip)
    changes = [change for change in differences(one, other) if change.what in IN_MESSAGES]
    if a.random and b.random and a.random != b.random:
        likely = "most likely " if joined is Joined.NAME_AND_TIME else ""
        told = [change.text("A", "B") for change in changes if "certificate" in change.what]
        why = f"; {told[0]}" if told else ""
        yield Statement(
            Happened.RE_ORIGINATED,
            f"TLS {likely}ends between A and B and begins anew (inspection, a proxy or a load balancer): the hello of the client "
            f"is another one{why}. A client certificate cannot pass such a device",
        )
        return
    if a.server_random and b.server_random and a.server_random != b.server_random:
        yield Statement(Happened.CHANGED, "the ServerHello was changed between A and B: its random is another one")
    for change in changes:
        yield Statement(Happened.CHANGED, f"changed between A and B: {change.text('A', 'B')}")


def _translation(a: Sight, b: Sight) -> Iterator[Statement]:
    parts = [
        f"{side} {endpoint(*one)} in A is {endpoint(*other)} in B"
        for side, one, other in (
            (Side.CLIENT, a.ends[:2], b.ends[:2]),
            (Side.SERVER, a.ends[2:], b.ends[2:]),
        )
        if one != other
    ]
    if parts:
        same = not (a.random and b.random) or a.random == b.random
        what = "addresses are translated" if same else "the device has addresses of its own"
        yield Statement(Happened.TRANSLATED, f"{what}: the {', the '.join(parts)}")
    sizes = [(s, a.traffic(s).mss, b.traffic(s).mss) for s in Side]
    for side, one_mss, other_mss in sizes:
        if one_mss and other_mss and one_mss != other_mss:
            yield Statement(
                Happened.SEGMENT_SIZE,
                f"a device between A and B changes the segment size: the {side} announces {one_mss} bytes in A, {other_mss} in B",
            )


# ---- injected and swallowed ------------------------------------------------------------------------------------------


def _ends(a: Sight, b: Sight, view: View) -> Iterator[Statement]:
    """Resets that only one capture has."""
    once = [found for side in Side if (found := _once(a, b, side, view)) is not None]
    made = [found for found in once if found.happened is Happened.INJECTED]
    if len(made) == len(Side):
        yield Statement(
            Happened.INJECTED,
            "a device between A and B reset both sides: each got a reset in the other's name that the other did not send",
            tuple(frame for one in made for frame in one.frames_a),
            tuple(frame for one in made for frame in one.frames_b),
        )
        return
    yield from once


def _once(a: Sight, b: Sight, side: Side, view: View) -> Statement | None:
    in_a, in_b = a.reset(side), b.reset(side)
    if (in_a is None) == (in_b is None):
        return None
    reset, has, lacks, blind = (in_a, "A", "B", b) if in_a is not None else (in_b, "B", "A", a)
    assert reset is not None
    if not blind.sample.whole or not view.ran(lacks, reset.time_ns):
        return None
    frames = ((reset.frame,), ()) if has == "A" else ((), (reset.frame,))
    near = view.nearer(side)
    if not near:
        text = f"only {has} has the reset in the {side}'s name: it was made or swallowed in between"
        return Statement(Happened.SEEN_ONCE, text, *frames)
    if near == has:
        text = f"the reset of the {side} did not get from {has} to {lacks}: a device in between keeps it back, or it was lost"
        return Statement(Happened.SWALLOWED, text, *frames)
    return Statement(
        Happened.INJECTED,
        f"the reset in the {side}'s name was made between A and B: {has} has it, {lacks}, nearer to the {side}, does not",
        *frames,
    )


# ---- lost ------------------------------------------------------------------------------------------------------------


def _losses(a: Sight, b: Sight, view: View) -> Iterator[Statement]:
    """Bytes of handshakes that did not complete. Of the others only the beginning is followed."""
    if a.established or b.established:
        return
    for side in Side:
        near = view.nearer(side)
        for here, there, has, lacks in ((a, b, "A", "B"), (b, a, "B", "A")):
            if near in (has, ""):
                yield from _missing(here, there, side, has, lacks, sure=bool(near))


def _missing(here: Sight, there: Sight, side: Side, near: str, far: str, sure: bool) -> Iterator[Statement]:
    sent, got = here.traffic(side), there.traffic(side)
    missing = sent.bytes - got.bytes
    if missing <= 0 or not here.sample.whole or there.blind:
        return
    if got.bytes < max(got.acked_bytes or 0, sent.acked_bytes or 0):
        return  # the peer has more than the far capture shows: it is the capture that lacks them
    name, frames = _first_missing(here, there, side), sent.retransmitted_frames
    again = f"; it was sent again {counted(sent.retransmitted, 'time')}" if sent.retransmitted else ""
    where = (frames, ()) if near == "A" else ((), frames)
    if not sure:
        text = f"only {near} has {counted(missing, 'byte')} of the {side}{name.rstrip(',')}{again}: lost or made in between"
        yield Statement(Happened.SEEN_ONCE, text, *where)
        return
    full = ". Only full-size segments are lost: a path MTU black hole" if sent.unacked_full_size else ""
    text = f"{counted(missing, 'byte')} of the {side}{name} get past {near} and never reach {far}{again}{full}"
    yield Statement(Happened.LOST, text, *where)


def _first_missing(here: Sight, there: Sight, side: Side) -> str:
    for key in here.times:
        if key[0] is side and key not in there.times:
            return f", beginning with its {brief(READABLE.get(key[1], key[1]))},"
    return ""
