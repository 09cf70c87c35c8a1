"""Live traffic through the pipeline: played sources instead of an interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.capture.live import blocks
from analyzer.capture.live.stream import Limits, LiveStream
from analyzer.capture.source import open_capture
from analyzer.connection import Connection
from analyzer.live.run import LiveRun
from analyzer.pipeline import Run
from analyzer.report import find, outputs
from analyzer.report.mapping import connection_object, loss_object
from analyzer.summary import CaptureSummary, LostPackets, Repeated
from tests.build.pcap import START_NS
from tests.build.tcp import SERVER, Tcp
from tests.capture.live.sources import HEADER, Clock, Played

CAPTURES = Path(__file__).parent.parent.parent / "captures"
CAPTURE = CAPTURES / "auth12-openssl.pcap"


def packets(path: Path) -> Iterator[tuple[int, bytes]]:
    """Time stamp and block of each packet of a file."""
    with open_capture(str(path)) as capture:
        for batch in capture:
            for start, size, when in zip(batch.start, batch.captured, batch.time_ns, strict=True):
                data = batch.data[start : start + size].tobytes()
                yield int(when), blocks.packet(int(when), data, len(data))


class Told:
    """The time of the last packet, or what a test says."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


def live(
    pieces: list[bytes], now: Told, losses: list[tuple[int, int]] | None = None, failure: str | None = None
) -> LiveRun:
    clock = Clock()
    stream = LiveStream(Played([HEADER, *pieces], failure=failure), Limits(seconds=1000), clock, clock.sleep)
    noted = losses if losses is not None else []
    return LiveRun(["test0"], stream=stream, now_ns=now, on_loss=lambda lost, total: noted.append((lost, total)))


def told(run: Run) -> list[dict[str, object]]:
    """Connections without the name of the capture."""
    items = [item for item in run if isinstance(item, Connection)]
    return [{**connection_object(item), "capture": None} for item in items]


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*-openssl.pcap"))[:8], ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_live_run_says_what_a_file_run_says(path: Path, size: int, tmp_path: Path) -> None:
    every = [block for _, block in packets(path)]
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(HEADER + b"".join(every))
    pieces = [b"".join(every[at : at + size]) for at in range(0, len(every), size)]
    assert told(live(pieces, Told(0))) == told(Run([str(copy)]))


def test_a_connection_is_decided_while_nothing_comes() -> None:
    every = list(packets(CAPTURE))
    now = Told(every[-1][0])
    run = live([block for _, block in every], now)
    items = iter(run)
    first = None
    for item in _with_time(items, now):
        first = item
        break
    assert isinstance(first, Connection)
    assert not first.visibility.open_end
    run.stream.stop()


@pytest.mark.parametrize(
    ("seconds", "kept", "reported"),
    [
        pytest.param(30, 4, False, id="not silent for long enough"),
        pytest.param(100, 4, True, id="the server never answers the hello"),
        pytest.param(100, 1, True, id="nobody answers the SYN"),
        pytest.param(100, 15, False, id="idle after the handshake, and still open"),
    ],
)
def test_a_handshake_that_hangs_is_reported_before_the_end(
    seconds: int, kept: int, reported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.live.run.LOOK_NS", 0)
    every = list(packets(CAPTURE))[:kept]
    now = Told(every[-1][0])
    now.now_ns += seconds * 1_000_000_000
    run = live([b"".join(block for _, block in every), b"", b"", blocks.statistics(0, 0, 1), b""], now)
    order: list[str] = []
    run.on_loss = lambda lost, total: order.append("loss")
    for item in run:
        order.append(type(item).__name__)  # noqa: PERF401 - on_loss writes there meanwhile
    before = order[: order.index("loss")]
    assert (before.count("Connection"), order.count("Connection")) == (int(reported), 1)


def _with_time(items: Iterator[object], now: Told) -> Iterator[object]:
    """Time goes on by ten seconds before the first item is asked for."""
    now.now_ns += 10_000_000_000
    yield from items


def test_losses_are_told_and_mark_who_was_there() -> None:
    every = list(packets(CAPTURE))
    half = len(every) // 2
    losses: list[tuple[int, int]] = []
    now = Told(every[half][0])
    pieces = [b"".join(block for _, block in every[:half])]
    lost = blocks.loss(every[half][0], every[half][0] + 1, (half, 0), (half, 3))
    pieces += [lost + every[half][1], b"".join(block for _, block in every[half + 1 :])]
    items = list(live(pieces, now, losses))
    (conn,) = (item for item in items if isinstance(item, Connection))
    assert losses == [(3, 3)]
    assert conn.visibility.lost_packets == 3
    assert "lost 3 packets" in conn.visibility.limited
    assert isinstance(items[-1], CaptureSummary)
    assert items[-1].dropped == 3


def test_losses_before_a_connection_do_not_touch_it() -> None:
    every = list(packets(CAPTURE))
    now = Told(every[0][0] - 1_000_000_000)
    lost = blocks.loss(now() - 1, now(), (0, 0), (0, 3))
    items = list(live([lost, *(block for _, block in every)], now))
    (conn,) = (item for item in items if isinstance(item, Connection))
    assert conn.visibility.lost_packets == 0


class Summed:
    """A tap that wants what is said of the whole capture."""

    name = "summed"

    def __init__(self) -> None:
        self.ends: list[Repeated | CaptureSummary] = []

    def see(self, conn: Connection) -> None: ...
    def tick(self, now_ns: int) -> None: ...
    def lost(self, packets: int) -> None: ...
    def close(self) -> None: ...

    def end(self, item: Repeated | CaptureSummary) -> None:
        self.ends.append(item)


def test_a_tap_that_wants_it_gets_the_summary_and_packets_are_counted() -> None:
    every = [block for _, block in packets(CAPTURE)]
    run, tap = live(every, Told(0)), Summed()
    run.taps.add(tap)
    last = list(run)[-1]
    assert tap.ends == [last]
    assert run.taps.traffic.packets == len(every)


@pytest.mark.parametrize(
    ("after_s", "sooner_s", "marked"),
    [
        pytest.param(0, 1, True, id="while it went on"),
        pytest.param(-9, 1, False, id="before"),
        pytest.param(9, 1, False, id="after its end"),
        pytest.param(9, 20, True, id="some time from before it to after it"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 1000])
def test_a_file_run_over_the_copy_knows_of_the_loss(
    after_s: int, sooner_s: int, marked: bool, at_once: int, tmp_path: Path
) -> None:
    every = list(packets(CAPTURE))
    end_ns = every[len(every) // 2][0] + after_s * 1_000_000_000
    lost = blocks.loss(end_ns - sooner_s * 1_000_000_000, end_ns, (5, 0), (9, 7))
    all_blocks = [block for _, block in every]
    all_blocks.insert(len(every) // 2, lost)
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(HEADER + b"".join(all_blocks))
    pieces = [b"".join(all_blocks[at : at + at_once]) for at in range(0, len(all_blocks), at_once)]
    seen = told(live(pieces, Told(every[0][0])))
    assert seen == told(Run([str(copy)]))
    visibility = seen[0]["visibility"]
    assert isinstance(visibility, dict)
    assert visibility["lost_packets"] == (7 if marked else 0)


def losses_told(run: Run) -> tuple[list[dict[str, object]], int | None]:
    """Objects of type `loss` without the name of the capture, and how many packets the summary says were lost."""
    items = list(run)
    assert isinstance(items[-1], CaptureSummary)
    return [{**loss_object(item), "capture": None} for item in items if isinstance(item, LostPackets)], items[
        -1
    ].dropped


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
@pytest.mark.parametrize("step_ms", [50, 999, 61_000])
def test_a_live_run_and_its_copy_tell_the_same_losses_and_all_of_them(
    step_ms: int, at_once: int, tmp_path: Path
) -> None:
    """Two hundred losses, one after the other, while packets come; time goes on with them."""
    now, pieces, lost = Told(START_NS), [HEADER], 0
    for number in range(200):
        end = START_NS + (number + 1) * step_ms * 1_000_000
        pieces += [blocks.loss(end - step_ms * 1_000_000, end, (number, lost), (number + 1, lost + number))]
        pieces += [refused(number, end)] if number % 3 else [b""]
        lost += number
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(b"".join(pieces))
    read = losses_told(Run([str(copy)]))
    run = live([], now)
    clock = Clock()
    batches = [b"".join(pieces[at : at + at_once]) for at in range(0, len(pieces), at_once)]
    run.stream = LiveStream(Passing(batches, now, step_ms * at_once), Limits(seconds=10_000), clock, clock.sleep)
    assert losses_told(run) == read
    assert sum(int(str(one["packets"])) for one in read[0]) == read[1] == lost
    assert len(read[0]) <= 200 * step_ms // 60_000 + 2


class Passing(Played):
    """Time goes on with each piece."""

    def __init__(self, pieces: list[bytes], now: Told, step_ms: int) -> None:
        super().__init__(pieces)
        self._now, self._step_ms = now, step_ms

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        self._now.now_ns += self._step_ms * 1_000_000 // 2
        return super().read(timeout)


def test_a_file_tells_a_loss_where_it_is_stated_and_not_at_its_end(tmp_path: Path) -> None:
    every = [block for _, block in packets(CAPTURE)]
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(HEADER + blocks.loss(START_NS - 2, START_NS - 1, (0, 0), (0, 3)) + b"".join(every))
    assert [type(item) for item in Run([str(copy)])] == [LostPackets, Connection, CaptureSummary]


def test_a_loss_is_told_at_once_though_no_connection_ends() -> None:
    every = list(packets(CAPTURE))[:4]
    lost = blocks.loss(every[3][0], every[3][0] + 1, (4, 0), (4, 3))
    run = live([*(block for _, block in every), lost], Told(every[3][0]))
    first = next(iter(run))
    assert isinstance(first, LostPackets)
    assert (first.capture, first.begin_ns, first.end_ns, first.packets) == ("test0", every[3][0], every[3][0] + 1, 3)
    run.stream.stop()


def test_an_interface_that_goes_away_ends_the_run_with_what_was_seen() -> None:
    run = live([block for _, block in packets(CAPTURE)], Told(0), failure="the interface test0 is gone")
    items = list(run)
    assert any(isinstance(item, Connection) for item in items)
    assert run.errors == ["test0: the interface test0 is gone"]


MINUTE_NS = 60_000_000_000


def refused(number: int, time_ns: int) -> bytes:
    """A SYN and its RST, as blocks."""
    talk = Tcp("192.0.2.1", 10_000 + number).syn().rst(SERVER)
    return b"".join(blocks.packet(time_ns, packet.data, len(packet.data)) for packet in talk.packets)


class Refusals(Played):
    """One refused connection every six seconds for ten minutes, and then nothing for five. Time goes on with each read."""

    def __init__(self, now: Told) -> None:
        super().__init__([HEADER])
        self._now, self._second = now, 0

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        if self._pieces or self.stopped:
            return super().read(timeout)
        self._second += 1
        self._now.now_ns = START_NS + self._second * 1_000_000_000
        self.stopped = self._second > 900
        number, beside = divmod(self._second, 6)
        return refused(number, self._now.now_ns) if beside == 1 and number < 100 else b""


def test_counts_of_what_repeats_come_each_minute_and_add_up() -> None:
    now, clock = Told(START_NS), Clock()
    stream = LiveStream(Refusals(now), Limits(), clock, clock.sleep)
    listed, told = 0, list[tuple[int, int]]()
    for item in LiveRun(["test0"], stream=stream, now_ns=now):
        listed += isinstance(item, Connection)
        if isinstance(item, Repeated):
            told.append(((now.now_ns - START_NS) // MINUTE_NS, item.count))
            assert now.now_ns - item.first_ns < MINUTE_NS * 3 // 2, "what was told before is not told again"
    assert (listed, sum(count for _, count in told)) == (25, 75)
    assert [minute for minute, _ in told] == list(range(3, 11)), "each minute, and at last no more"
    assert all(count == 10 for _, count in told[1:-1])


def test_an_output_that_is_written_at_the_end_gets_the_counts_once() -> None:
    now, clock = Told(START_NS), Clock()
    stream = LiveStream(Refusals(now), Limits(), clock, clock.sleep)
    run = LiveRun(["test0"], stream=stream, now_ns=now, tell_ns=None)
    assert [item.count for item in run if isinstance(item, Repeated)] == [75]
    assert {name for name in outputs() if (output := find(name)) is not None and output.whole} == {"html", "md"}


class Syns(Refusals):
    """Ten SYNs a second, each from another address, for 100 seconds; then silence for 50. Nobody answers."""

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        if self._pieces or self.stopped:
            return Played.read(self, timeout)
        self._second += 1
        self._now.now_ns = START_NS + self._second * 1_000_000_000
        self.stopped = self._second > 150
        if self._second > 100:
            return b""
        talks = [Tcp(f"10.0.{self._second}.{number}", 1_024).syn().packets[0].data for number in range(10)]
        self._pieces.append(b"")
        return b"".join(blocks.packet(self._now.now_ns, data, len(data)) for data in talks)


def test_a_flood_is_told_in_parts_that_add_up_and_taps_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.tracker.MAX_CONNECTIONS", 50)
    now, clock = Told(START_NS), Clock()
    stream = LiveStream(Syns(now), Limits(), clock, clock.sleep)
    run = LiveRun(["test0"], stream=stream, now_ns=now)
    run.taps.add(tap := Summed())
    traffic, followed = run.taps.traffic, 0
    items: list[object] = []
    for item in run:
        items.append(item)
        followed = max(followed, traffic.followed)
    told = [item.count for item in items if isinstance(item, Repeated)]
    listed = sum(isinstance(item, Connection) for item in items)
    assert len(told) >= 2
    assert listed + sum(told) == 1_000
    assert (traffic.packets, traffic.counted) == (1_000, sum(told))
    assert [end.count for end in tap.ends if isinstance(end, Repeated)] == told
    assert traffic.bytes > 40 * 1_000
    assert 0 < followed <= 60


@pytest.mark.parametrize(
    ("relayed", "reported"),
    [
        pytest.param(False, 1, id="of this machine: the handshake is silent for ten minutes"),
        pytest.param(True, 0, id="of another machine, whose clock is ten minutes behind: it was read just now"),
    ],
)
def test_silence_is_counted_from_when_a_packet_was_read(
    relayed: bool, reported: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.live.run.LOOK_NS", 0)
    every = list(packets(CAPTURE))[:4]
    now = Told(every[-1][0] + 600_000_000_000)
    run = live([b"".join(block for _, block in every), b"", b"", blocks.statistics(0, 0, 1), b""], now)
    run.relayed = relayed
    order: list[str] = []
    run.on_loss = lambda lost, total: order.append("loss")
    for item in run:
        order.append(type(item).__name__)  # noqa: PERF401 - on_loss writes there meanwhile
    assert order[: order.index("loss")].count("Connection") == reported


def test_a_loss_that_another_program_tells_late_touches_who_was_there_before() -> None:
    every = list(packets(CAPTURE))
    pieces = [
        b"".join(block for _, block in every[:-4]),
        every[-4][1],
        every[-3][1],
        blocks.statistics(every[-1][0], None, 3),
    ]
    run = live(pieces, Told(every[-1][0] + 3_600_000_000_000))
    run.relayed = True
    (conn,) = (item for item in run if isinstance(item, Connection))
    assert conn.visibility.lost_packets == 3
