"""Ctrl-C: what was read is told, and that there is more; nothing looks complete that is not."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from analyzer.capture.inputs import Input
from analyzer.cli.interruption import Interruption
from analyzer.connection import Connection
from analyzer.pipeline import Run
from analyzer.report.output import Item
from analyzer.summary import INTERRUPTED, CaptureSummary
from tests.report.records import failed, summary

pytestmark = pytest.mark.usefixtures("heeds_control_c")

NOT_READ = (Input("b.pcap", ("b.pcap",)), Input("c.pcap", ("c.pcap",)))


class Given(Run):
    """Gives these items; None is a signal that comes while it reads."""

    items: tuple[Item | None, ...] = ()

    def __iter__(self) -> Iterator[Item]:
        for item in self.items:
            if item is None:
                signal.raise_signal(signal.SIGINT)
            else:
                yield item


def run(*items: Item | None, left: tuple[Input, ...] = NOT_READ[:1]) -> Given:
    """A run with these items, and these inputs that are not read to their end."""
    made = Given([])
    made.items, made.left = items, list(left)
    return made


def until_stopped(reading: Interruption, signal_at: int | None = None) -> list[Item]:
    """The items until KeyboardInterrupt; the signal comes while the item of this place is written."""
    seen: list[Item] = []
    with pytest.raises(KeyboardInterrupt):
        for item in reading:
            seen.append(item)
            if len(seen) == signal_at:
                signal.raise_signal(signal.SIGINT)
                seen.append(item)  # what was begun is brought to its end
    return seen


def test_without_a_signal_the_items_pass() -> None:
    reading = Interruption(run(failed(), summary()))
    assert [type(item) for item in reading] == [Connection, CaptureSummary]
    assert not reading.stopped


def test_a_signal_while_it_reads_ends_with_a_summary_that_says_so() -> None:
    reading = Interruption(run(failed(), None, failed()))
    conn, last = until_stopped(reading)
    assert isinstance(conn, Connection)
    assert isinstance(last, CaptureSummary)
    assert (last.capture, last.error) == ("b.pcap", INTERRUPTED)
    assert reading.stopped


def test_a_signal_while_an_item_is_written_waits_for_it() -> None:
    seen = until_stopped(Interruption(run(failed(), failed())), signal_at=1)
    assert [type(item) for item in seen] == [Connection, Connection, CaptureSummary]
    assert seen[0] is seen[1]


def test_a_second_signal_does_not_wait() -> None:
    reading = iter(Interruption(run(failed(), failed())))
    next(reading)
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_inputs_that_were_not_begun_are_counted() -> None:
    last = until_stopped(Interruption(run(None, left=NOT_READ)))[-1]
    assert isinstance(last, CaptureSummary)
    assert last.error == f"{INTERRUPTED}; 1 more not read"


def test_a_signal_behind_the_last_item_takes_nothing_back() -> None:
    reading = Interruption(run(summary(), left=()))
    assert [type(item) for item in until_stopped(reading, signal_at=1)] == [CaptureSummary, CaptureSummary]
    assert not reading.stopped


def test_a_signal_while_the_output_is_ended_waits_for_that() -> None:
    reading = Interruption(run(summary(), left=()))
    list(reading)
    signal.raise_signal(signal.SIGINT)  # a page is written when all items are there
    with pytest.raises(KeyboardInterrupt):
        reading.end()


def test_the_signal_is_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    until_stopped(Interruption(run(None)))
    assert signal.getsignal(signal.SIGINT) is before
    reading = Interruption(run(failed()))
    list(reading)
    reading.end()
    assert signal.getsignal(signal.SIGINT) is before
    reading = Interruption(run(failed()))
    next(iter(reading))
    reading.close()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert len(list(Interruption(run(failed(), None, failed())))) == 2
    finally:
        signal.signal(signal.SIGINT, before)
