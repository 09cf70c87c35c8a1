"""One connection while it is followed: what it asks for, when it has seen enough, and where its bytes begin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.flows import Flow, FlowTable
from analyzer.folding import conversation as module
from analyzer.folding import settling
from analyzer.folding.conversation import Conversation
from analyzer.picking import Wants
from tests.build.frames import ACK, PSH, SYN
from tests.build.pcap import Packet
from tests.build.records import application_data, record
from tests.build.tcp import CLIENT, MSS, SERVER, Tcp
from tests.scenarios import STORIES, Story
from tests.scenarios.following import decoded, only, packets_of


def followed(packets: list[Packet], size: int | None = None) -> tuple[Conversation, Flow]:
    """The only conversation, still open."""
    table = FlowTable()
    found: dict[Flow, Conversation] = {}
    for batch, _ in decoded(packets, size):
        for rows in table.feed(batch.segments):
            found.setdefault(rows.flow, Conversation(rows.flow)).feed(rows)
    ((flow, conversation),) = found.items()
    return conversation, flow


def story_of(script: Callable[[Story], object]) -> list[Packet]:
    story = Story()
    story.open()
    script(story)
    return story.packets


def much(rounds: int, size: int = 300) -> Callable[[Story], object]:
    def script(story: Story) -> None:
        story.hello().answer().certificate().finished()
        for _ in range(rounds):
            story.talk(size)

    return script


def much_13(rounds: int) -> Callable[[Story], object]:
    def script(story: Story) -> None:
        story.hello_13().answer_13().client_13(700, 281, 53)
        for _ in range(rounds):
            story.talk()

    return script


def text(story: Story) -> None:
    for _ in range(20):
        story.send(CLIENT, b"SSH-2.0-x\r\n").send(SERVER, b"SSH-2.0-y\r\n")


def one_side(story: Story) -> None:
    """A download of which only the server's encrypted bytes keep coming."""
    story.hello().answer().certificate().finished()
    story.send(SERVER, application_data(16_000) * 20)


@pytest.mark.parametrize("size", [None, 1, 7])
@pytest.mark.parametrize(
    ("script", "settled", "wants"),
    [
        pytest.param(much(1), False, Wants.ALL, id="the handshake and a little data"),
        pytest.param(much(30), True, Wants.LIGHT, id="data of both sides"),
        pytest.param(much_13(5), False, Wants.ALL, id="TLS 1.3 and a little data"),
        pytest.param(much_13(60), True, Wants.LIGHT, id="TLS 1.3 and much data"),
        pytest.param(text, True, Wants.ENDS, id="no TLS"),
        pytest.param(one_side, True, Wants.LIGHT, id="much data of one side"),
        pytest.param(STORIES["window_closed"], False, Wants.ALL, id="a window that opened again"),
    ],
)
def test_when_enough_has_been_seen(
    script: Callable[[Story], object], settled: bool, wants: Wants, size: int | None
) -> None:
    conversation, flow = followed(story_of(script), size)
    assert (conversation.settled, flow.wants) == (settled, wants)


def test_what_is_settled_does_not_depend_on_batches() -> None:
    packets = story_of(much(30))
    whole, single = followed(packets)[0], followed(packets, 1)[0]
    assert [half.events for half in whole.halves] == [half.events for half in single.halves]
    assert whole.carried == single.carried and whole.carried % module.CHECK_ROWS == 0


def test_a_closed_window_asks_for_everything() -> None:
    story = Story()
    story.open()
    story.hello()
    story.put(SERVER, window=0)
    assert followed(story.packets)[1].wants is Wants.EVERYTHING
    story.put(CLIENT, window=0)
    story.put(SERVER)
    assert followed(story.packets)[1].wants is Wants.EVERYTHING  # the other one is still closed
    story.put(CLIENT)
    assert followed(story.packets)[1].wants is Wants.ALL


def test_endless_tiny_records_are_followed_no_further() -> None:
    story = Story()
    story.open()
    story.hello().answer()
    conversation, _ = followed(story.send(SERVER, application_data(0) * 40_000).packets)
    assert conversation.settled
    assert max(len(half.events) for half in conversation.halves) < settling.MAX_EVENTS + module.CHECK_ROWS * MSS // 5


# ---- where the bytes begin -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "gap"),
    [
        pytest.param(1, 1, id="the first byte"),
        pytest.param(400, 400, id="the first segment"),
        pytest.param((1 << 20) + 1, 0, id="so much that it must be another connection"),
    ],
)
def test_bytes_missing_after_the_syn_are_a_hole(lost: int, gap: int) -> None:
    story = Story()
    story.open()
    story.hello().lose(SERVER, lost).answer()
    assert only(story).visibility.gap_bytes == gap


def test_payload_on_the_syn_itself_begins_the_stream() -> None:
    story = Story()
    hello = packets_of("mutual")[3].data[54:]
    story.put(CLIENT, hello, seq=story.isn[CLIENT], flags=SYN)
    story.seq[CLIENT] = story.isn[CLIENT] + 1 + len(hello)
    story.heard[SERVER] = story.seq[CLIENT]
    story.syn_ack().ack(CLIENT)
    assert only(story.answer()).ssl_history.startswith("Csx")


@pytest.mark.parametrize("isn", [(2**32 - 100, 2**32 - 700), (0, 2**31 - 5)], ids=["wraps soon", "around the middle"])
def test_sequence_numbers_wrap_during_the_handshake(isn: tuple[int, int]) -> None:
    story = Story(isn=isn)
    STORIES["mutual"](story)
    assert only(story).ssl_history == only("mutual").ssl_history


def test_a_keep_alive_probe_changes_nothing() -> None:
    story = Story()
    story.open()
    story.hello().answer()
    for _ in range(3):
        story.wait(45)
        story.put(CLIENT, b"\0", seq=story.seq[CLIENT] - 1)
        story.ack(SERVER)
    conn = only(story.certificate().finished().talk())
    assert conn.established and conn.client.retransmitted == 0 and conn.visibility.conflicts == 0


@pytest.mark.parametrize(
    ("mss", "options", "found"),
    [
        pytest.param(1_460, b"", 1_460, id="the option alone"),
        pytest.param(None, b"", None, id="no option"),
        pytest.param(None, b"\1\1\4\2\2\4\5\xb4", 1_460, id="behind others"),
        pytest.param(None, b"\0\2\4\5\xb4", None, id="behind the end of the list"),
        pytest.param(None, b"\3\0\2\4\5\xb4", 1_460, id="behind an option that claims no length"),
        pytest.param(None, b"\1\1\1\2", None, id="cut"),
        pytest.param(None, b"\2\3\5\xb4", None, id="of a wrong length"),
    ],
)
def test_announced_mss(mss: int | None, options: bytes, found: int | None) -> None:
    talk = Tcp(mss=mss)
    if options:
        talk.put(CLIENT, seq=talk.isn[CLIENT], flags=SYN, options=options)
    else:
        talk.syn()
    assert followed(talk.packets)[0].halves[0].mss == found


def test_acknowledged_counts_a_fin_as_no_byte() -> None:
    conversation, _ = followed(story_of(lambda s: s.hello().answer().close()))
    assembler = conversation.halves[CLIENT].assembler
    assert assembler is not None and conversation.acknowledged(CLIENT) == assembler.high


def test_nothing_is_acknowledged_by_a_peer_that_is_not_there() -> None:
    packets = [packet for packet in packets_of("mutual") if packet.data[26:30] == bytes((192, 0, 2, 10))]
    assert followed(packets)[0].acknowledged(0) is None


def test_a_refused_syn_tried_again_forgets_the_refusal() -> None:
    story = Story()
    story.syn()
    story.put(SERVER, seq=0, ack=story.seq[CLIENT], flags=4 | ACK)
    story.wait(0.5).open()
    conn = only(story.hello().answer().certificate().finished().talk())
    assert conn.established and conn.endings == () and conn.closed.how == "open"


def test_a_record_longer_than_a_batch_is_read_all_the_same() -> None:
    story = Story()
    story.open()
    story.put(CLIENT, record(bytes(3)), flags=ACK | PSH)
    assert only(story, 1).tls == only(story).tls


def test_a_capture_that_starts_with_a_keep_alive_probe_misses_no_byte() -> None:
    """Inside a connection: the probe's sequence number is that of a byte already acknowledged."""
    story = Tcp()
    story.put(CLIENT, seq=story.seq[CLIENT] - 1, ack=story.seq[SERVER], flags=ACK)
    story.send(CLIENT, application_data(40))
    conversation, _ = followed(story.packets)
    (assembler,) = [half.assembler for half in conversation.halves if half.assembler is not None]
    assert (assembler.waiting, assembler.next) == (None, 45)
