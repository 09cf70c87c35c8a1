"""What the capture lost is told soon, not too often, and to the last packet."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture.source import MAX_LOSSES, Loss
from analyzer.losses import LossLog

SECOND_NS = 1_000_000_000


def loss(second: float, packets: int = 1) -> Loss:
    """Lost in the second before."""
    return Loss(int((second - 1) * SECOND_NS), int(second * SECOND_NS), packets)


def log_of(seconds: Iterable[float]) -> LossLog:
    log = LossLog()
    for second in seconds:
        log.append(loss(second))
    return log


def spans(losses: Iterable[Loss]) -> list[tuple[int, int, int]]:
    return [(one.begin_ns // SECOND_NS, one.end_ns // SECOND_NS, one.packets) for one in losses]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        pytest.param([], [], id="nothing was lost"),
        pytest.param([100], [(99, 100, 1)], id="one loss"),
        pytest.param([100, 101, 159], [(99, 100, 1), (100, 159, 2)], id="the first, and the minute after it"),
        pytest.param([100, 160], [(99, 100, 1), (159, 160, 1)], id="a minute apart: each for itself"),
        pytest.param(
            [100, 110, 165, 170, 300],
            [(99, 100, 1), (109, 110, 1), (164, 170, 2), (299, 300, 1)],
            id="minute after minute, and one much later",
        ),
        pytest.param([100, 99.5, 100], [(99, 100, 1), (98, 100, 2)], id="a clock that was set back a little"),
        pytest.param([9000, 100, 101], [(8999, 9000, 1), (99, 100, 1), (100, 101, 1)], id="and by hours"),
    ],
)
def test_sums(seconds: list[float], told: list[tuple[int, int, int]]) -> None:
    assert spans(log_of(seconds).rest()) == told


def test_overload_for_an_hour_is_one_sum_a_minute() -> None:
    told = log_of(100 + number / 20 for number in range(20 * 3600)).rest()
    assert (len(told), sum(one.packets for one in told)) == (61, 20 * 3600)


def test_the_first_loss_waits_for_nobody_and_the_next_for_a_minute() -> None:
    log = log_of([100])
    assert spans(log.take()) == [(99, 100, 1)]
    log.append(loss(101, 5))
    assert log.take(159 * SECOND_NS) == []
    assert spans(log.take(160 * SECOND_NS)) == [(100, 101, 5)]
    assert log.rest() == []


@given(
    st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=40).map(sorted),
    st.integers(1, 2**64),
)
def test_what_is_told_does_not_depend_on_when_it_is_asked_for(steps: list[tuple[int, bool]], packets: int) -> None:
    """Without asking, as of a file; and asking again and again while time goes on."""
    file, live, asked = LossLog(), LossLog(), list[Loss]()
    for second, lost in steps:
        if lost:
            for log in (file, live):
                log.append(loss(second, packets))
        asked += live.take(second * SECOND_NS)
    told = file.rest()
    assert told == asked + live.rest()
    assert sum(one.packets for one in told) == packets * sum(lost for _, lost in steps)


def test_more_losses_than_are_remembered_are_still_all_told() -> None:
    log = log_of(number / 10 for number in range(3 * MAX_LOSSES))
    assert len(log) == MAX_LOSSES
    assert sum(one.packets for one in log.rest()) == 3 * MAX_LOSSES
