"""A live run and its clock: set back, set forward, and out of time at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analyzer.capture.live import blocks
from analyzer.capture.live.stream import Limits, LiveStream
from analyzer.connection import Connection
from analyzer.live.run import LiveRun
from analyzer.live.taps import Taps
from analyzer.summary import CaptureSummary
from tests.capture.live.sources import HEADER, Clock, Played
from tests.live.test_run import CAPTURE, Told, live, packets
from tests.live.test_taps import Noting

SECOND = 1_000_000_000
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND


def played(jumps: list[int]) -> Iterator[tuple[int, bytes]]:
    """The capture again and again from other ports, some seconds apart; from then on the clock is set by so much."""
    shift = 0
    for number, jump in enumerate(jumps):
        shift += jump + 30 * SECOND
        for when, block in packets(CAPTURE):
            data = bytearray(block[28 : 28 + int.from_bytes(block[20:24], "little")])
            at = 36 if int.from_bytes(data[34:36], "big") == 443 else 34
            data[at : at + 2] = (50_000 + number).to_bytes(2, "big")
            yield when + shift, blocks.packet(when + shift, bytes(data), len(data))


class Timed(Played):
    """A source that sets the machine's clock with each piece."""

    def __init__(self, now: Told) -> None:
        super().__init__([HEADER])
        self._now, self._times = now, [0]

    def plays(self, now_ns: int, piece: bytes) -> None:
        """One more piece, and the time at which it comes."""
        self._pieces.append(piece)
        self._times.append(now_ns)

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        if self._times:
            self._now.now_ns = self._times.pop(0)
        return super().read(timeout)


@pytest.mark.parametrize(
    "jumps",
    [
        pytest.param([0, 0, -HOUR, 0, 0], id="an hour back"),
        pytest.param([0, 0, DAY, 0, 0], id="a day forward"),
        pytest.param([0, DAY, 0, -DAY, 0], id="a day forward and back again"),
        pytest.param([0, -HOUR, DAY, -HOUR, 0], id="back and forth"),
        pytest.param([0, -(50 * 365 * DAY), 0, 0, 0], id="to before 1980"),
    ],
)
def test_a_clock_that_jumps_is_survived(jumps: list[int]) -> None:
    """Between two connections; the machine's clock and the packets' are the same one."""
    every, now = list(played(jumps)), Told(0)
    per = len(every) // len(jumps)
    source = Timed(now)
    for at in range(0, len(every), per):
        group = every[at : at + per]
        source.plays(group[-1][0], b"".join(block for _, block in group))
        source.plays(group[-1][0] + 2 * SECOND, b"")
        source.plays(group[-1][0] + 10 * SECOND, b"")
    clock, ticks = Clock(), Noting("ticks")
    stream = LiveStream(source, Limits(seconds=1000), clock, clock.sleep)
    run = LiveRun(["test0"], stream=stream, now_ns=now, taps=Taps((ticks,)))
    items = list(run)
    found = [item for item in items if isinstance(item, Connection)]
    assert [conn.outcome for conn in found] == ["established"] * len(jumps)
    assert all(0 <= conn.end_ns - conn.ts_ns < 60 * SECOND for conn in found)
    assert not any(conn.visibility.open_end for conn in found), "each was decided by its end, none by the run's"
    assert isinstance(items[-1], CaptureSummary)
    assert (run.errors, run.crashes) == ([], [])
    assert 5 <= ticks.heard.count("tick") <= 3 * len(jumps) + 1


@pytest.mark.parametrize("jump", [pytest.param(-HOUR, id="back"), pytest.param(DAY, id="forward")])
def test_a_jump_in_the_middle_of_a_connection_makes_no_negative_duration(jump: int) -> None:
    every = list(packets(CAPTURE))
    half = len(every) // 2
    later = []
    for when, block in every[half:]:
        data = block[28 : 28 + int.from_bytes(block[20:24], "little")]
        later.append(blocks.packet(when + jump, data, len(data)))
    run = live([b"".join(block for _, block in every[:half]), b"", *later, b""], Told(every[-1][0] + jump))
    found = [item for item in run if isinstance(item, Connection)]
    assert len(found) >= 1
    assert all(conn.end_ns >= conn.ts_ns for conn in found)
    assert run.crashes == []


def timed_run(source: Timed, now: Told) -> LiveRun:
    clock = Clock()
    return LiveRun(["test0"], stream=LiveStream(source, Limits(seconds=30), clock, clock.sleep), now_ns=now)


def test_a_loss_while_the_clock_is_set_back_marks_who_was_there() -> None:
    every, now = list(packets(CAPTURE)), Told(0)
    begin, source = every[0][0], Timed(now)
    source.plays(begin + 30 * SECOND, every[0][1])
    source.plays(begin - SECOND, blocks.loss(begin + 30 * SECOND, begin - SECOND, (1, 0), (1, 3)))
    source.plays(begin, b"".join(block for _, block in every[1:]))
    (conn,) = (item for item in timed_run(source, now) if isinstance(item, Connection))
    assert conn.visibility.lost_packets == 3


def test_what_hangs_is_reported_after_the_clock_was_set_back_though_traffic_never_rests() -> None:
    every, now = list(played([0, -HOUR, 0, 0])), Told(0)
    per, source = len(every) // 4, Timed(now)
    source.plays(every[per - 1][0], b"".join(block for _, block in every[:per]))
    hung_ns, hello = every[per][0], b"".join(block for _, block in every[per : per + 4])
    source.plays(hung_ns, hello)
    for seconds in (100, 110, 120):
        source.plays(hung_ns + seconds * SECOND, every[2 * per][1])
    source.plays(hung_ns + 130 * SECOND, blocks.statistics(1, 0, 3))
    run, order = timed_run(source, now), list[object]()
    run.on_loss = lambda lost, total: order.append("loss")
    for item in run:
        order.append(item.client_port if isinstance(item, Connection) else "summary")
    assert 50_001 in order[: order.index("loss")]


@pytest.mark.parametrize(
    ("left", "told"),
    [
        pytest.param(100, 3, id="time for all"),
        pytest.param(2, 2, id="time for some"),
        pytest.param(0, 0, id="no time at all"),
    ],
)
def test_out_of_time_the_rest_is_counted_and_the_summary_comes(left: int, told: int) -> None:
    others = list(played([0, 0, 0]))
    per = len(others) // 3
    pieces = [b"".join(block for at in range(3) for _, block in others[at * per : at * per + 6])]
    run = live(pieces, Told(0))
    seen: list[Connection] = []
    run.late = lambda: run.stream._over and len(seen) >= left
    items = []
    for item in run:
        items.append(item)
        if isinstance(item, Connection):
            seen.append(item)
    assert (len(seen), run.untold) == (told, 3 - told)
    assert isinstance(items[-1], CaptureSummary)
    assert items[-1].packets == 18
