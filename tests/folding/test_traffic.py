"""What each side sent, on TCP level."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.connection import Connection
from tests.build.frames import ACK, PSH
from tests.build.tcp import CLIENT, MILLISECOND, MSS, SERVER, Tcp
from tests.scenarios import STORIES, Story
from tests.scenarios.following import only


def told(script: Callable[[Story], object], size: int | None = None, **how: int | None) -> Connection:
    story = Story(**how)  # type: ignore[arg-type]
    story.open()
    script(story)
    return only(story, size)


def test_counters_of_a_whole_connection() -> None:
    story = Story()
    STORIES["mutual"](story)
    conn = only(story)
    assert conn.client.packets + conn.server.packets == len(story.packets)
    assert conn.client.bytes == conn.client.sent_bytes == conn.client.acked_bytes == conn.visibility.client_bytes
    assert (conn.client.first_frame, conn.client.syn_frame, conn.server.syn_frame) == (1, 1, 2)
    assert (conn.client.mss, conn.server.mss, conn.client.syn_count) == (MSS, MSS, 1)
    assert (conn.client.app_records, conn.server.app_records) == (1, 1)
    assert conn.server.app_bytes == 6 + 45 + 305 and (conn.client.ttl, conn.client.ip_id) == (64, 7)
    assert conn.client.retransmitted == 0 and not conn.client.unacked_full_size
    assert (conn.ts_ns, conn.end_ns) == (story.packets[0].time_ns, story.packets[-1].time_ns)


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_ttl_of_the_first_payload_is_kept_beside_that_of_the_opening(batch: int | None) -> None:
    def script(story: Story) -> None:
        for index, ttl in enumerate((57, 58, 59)):
            story.put(SERVER, b"x" * 10, seq=story.seq[SERVER] + 10 * index, flags=ACK | PSH, ttl=ttl)

    conn = told(script, batch)
    assert (conn.server.ttl, conn.server.data_ttl, conn.server.data_ip_id) == (64, 57, 7)
    assert (conn.client.ttl, conn.client.data_ttl, conn.client.data_ip_id) == (64, 0, 0)


def test_a_side_that_never_spoke_has_nothing() -> None:
    server = only("nobody_answers").server
    assert (server.packets, server.first_frame, server.last_ns, server.acked_bytes, server.mss) == (
        0,
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("mss", "size", "full"),
    [
        pytest.param(1_460, 1_460, 1, id="as large as announced"),
        pytest.param(1_460, 1_420, 1, id="with room for options"),
        pytest.param(1_460, 1_419, 0, id="smaller"),
        pytest.param(536, 536, 1, id="a small path"),
        pytest.param(None, 1_460, 1, id="nothing announced: as large as any seen"),
        pytest.param(None, 1_100, 0, id="nothing announced, and too small for any path"),
    ],
)
@pytest.mark.parametrize("batch", [None, 1])
def test_full_size_segments_sent_again(mss: int | None, size: int, full: int, batch: int | None) -> None:
    def script(story: Story) -> None:
        story.hello()
        story.put(SERVER, bytes([22, 3, 3, 60, 0]) + bytes(size - 5), flags=ACK | PSH)
        story.wait(0.3).again(len(story.packets) - 1)

    conn = told(script, batch, mss=mss)
    assert (conn.server.retransmitted, conn.server.retransmitted_full) == (1, full)


@pytest.mark.parametrize("batch", [None, 1])
def test_a_window_that_closes_and_opens(batch: int | None) -> None:
    conn = only("window_closed", batch)
    assert (conn.server.zero_window_frame, conn.client.zero_window_frame) == (6, None)
    assert conn.server.zero_window_ns == 4_001 * MILLISECOND


def test_a_window_that_stays_closed_until_the_capture_ends() -> None:
    def script(story: Story) -> None:
        story.hello()
        story.put(SERVER, window=0)
        for _ in range(3):
            story.wait(1)
            story.put(SERVER, window=0)

    assert told(script).server.zero_window_ns == 3_003 * MILLISECOND


def test_window_0_of_a_reset_or_after_the_handshake_says_nothing() -> None:
    assert only("refused").server.zero_window_frame is None

    def late(story: Story) -> None:
        story.hello().answer().certificate().finished()
        for _ in range(20):
            story.talk()
        story.put(SERVER, window=0)

    assert told(late).server.zero_window_frame is None


def test_payload_after_the_peers_end_is_counted() -> None:
    conn = told(lambda s: s.hello().answer().fin(SERVER).send(CLIENT, bytes(100)).rst(SERVER))
    assert (conn.client.after_close_bytes, conn.server.after_close_bytes) == (100, 0)


def test_more_syns_are_counted() -> None:
    conn = only("nobody_answers")
    assert (conn.client.syn_count, conn.steps[0].frames, conn.steps[0].count) == (3, (1, 2, 3), 3)


@pytest.mark.parametrize(
    ("syn_ms", "ack_ms", "rtt_ms"),
    [
        pytest.param(30, 1, 30, id="captured near the client"),
        pytest.param(1, 30, 30, id="captured near the server"),
        pytest.param(15, 16, 16, id="in the middle"),
    ],
)
@pytest.mark.parametrize("batch", [None, 1])
def test_round_trip(syn_ms: int, ack_ms: int, rtt_ms: int, batch: int | None) -> None:
    talk = Tcp().syn().wait((syn_ms - 1) / 1_000).syn_ack().wait((ack_ms - 1) / 1_000).ack(CLIENT)
    assert only(talk, batch).rtt_ns == rtt_ms * MILLISECOND


def test_round_trip_of_a_syn_sent_again_counts_only_its_second_half() -> None:
    talk = Tcp().syn().wait(1).syn().wait(1).syn_ack().ack(CLIENT)
    assert only(talk).rtt_ns == MILLISECOND


def test_round_trip_is_unknown_without_the_beginning() -> None:
    assert only("starts_inside").rtt_ns is None and only("nobody_answers").rtt_ns is None
