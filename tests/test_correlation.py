"""One connection in two captures: what happened in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from analyzer.between import NOTHING_SEEN, Happened, Joined
from analyzer.correlation import Correlation, correlate
from tests.build import handshake as tls
from tests.build import records
from tests.build.frames import ACK, RST
from tests.build.pcap import START_NS, Packet
from tests.build.tcp import CLIENT, MSS, SERVER, merged
from tests.build.travel import ends_of, travel
from tests.rules.cast import CLIENT as EDGE
from tests.rules.cast import OTHER, SUB
from tests.scenarios import Story
from tests.scenarios.following import follow

MS = 1_000_000
SECOND = 1_000 * MS
NAT = {("192.0.2.10", 50_000): ("203.0.113.7", 61_000)}


def hello(random: bytes) -> bytes:
    """A record with a ClientHello of this random."""
    body = tls.client_hello(random=random, extensions=[tls.server_name_extension(b"sip.example.com")])
    return records.record(body, version=0x0301)


def whole(number: int = 0) -> Story:
    """A healthy mutual handshake, as the client's side shows it; each number has its port, its second, and its hello."""
    story = Story(sport=50_000 + number, start_ns=START_NS + number * SECOND)
    story.open()
    story.send(CLIENT, hello(bytes([number + 1]) * 32))
    story.answer().certificate((EDGE.der, SUB.der)).finished().talk().close()
    return story


def joined(a: Sequence[Packet], b: Sequence[Packet]) -> Correlation:
    return correlate(follow(list(a)), follow(list(b)))


def happened(found: Correlation) -> list[list[str]]:
    """What happened to each pair."""
    return [[one.happened.value for one in pair.statements] for pair in found.pairs]


@pytest.mark.parametrize("clock_ns", [0, 90 * SECOND, -3_600 * SECOND])
@pytest.mark.parametrize("way_ns", [0, 300_000])
def test_clocks_are_aligned(clock_ns: int, way_ns: int) -> None:
    story = whole()
    found = joined(story.packets, travel(story.packets, clock_ns=clock_ns, way_ns=way_ns))
    assert found.clock_ns is not None and abs(found.clock_ns - clock_ns) <= MS // 10
    assert found.way_ns is not None and abs(found.way_ns - way_ns) <= MS // 10
    assert found.nearer_client == "A"
    assert happened(found) == [[]]
    assert found.pairs[0].verdict == NOTHING_SEEN


def test_the_other_way_round() -> None:
    story = whole()
    found = joined(travel(story.packets, clock_ns=SECOND), story.packets)
    assert found.nearer_client == "B"
    assert found.clock_ns is not None and abs(found.clock_ns + SECOND) <= MS


def test_without_routers_in_between_the_time_tells_where_they_stand() -> None:
    story = whole()
    assert joined(story.packets, travel(story.packets, hops=0)).nearer_client == "A"
    assert joined(story.packets, travel(story.packets, hops=0, way_ns=0)).nearer_client == ""


def test_address_translation() -> None:
    story = whole()
    found = joined(story.packets, travel(story.packets, nat=NAT))
    (pair,) = found.pairs
    assert pair.joined is Joined.RANDOM
    assert happened(found) == [["translated"]]
    assert "the client 192.0.2.10:50000 in A is 203.0.113.7:61000 in B" in pair.statements[0].text


def test_a_device_that_changes_the_segment_size() -> None:
    story = whole()
    found = joined(story.packets, travel(story.packets, mss=1_300))
    assert happened(found) == [["segment-size", "segment-size"]]


# ---- resets ----------------------------------------------------------------------------------------------------------


def begun() -> Story:
    """Up to the client's flight."""
    story = Story()
    story.open()
    story.send(CLIENT, hello(b"\1" * 32))
    story.answer().certificate((EDGE.der, SUB.der))
    return story


def reset_of_the_server() -> tuple[Story, int]:
    """Seen on the client's side. The index of the RST."""
    story = begun()
    story.put(SERVER, flags=RST | ACK, ttl=61)
    return story, len(story.packets) - 1


def test_a_reset_that_both_have_was_sent() -> None:
    story, _ = reset_of_the_server()
    assert happened(joined(story.packets, travel(story.packets))) == [[]]


def later(packets: Sequence[Packet]) -> list[Packet]:
    """Another connection a second later: both captures run on."""
    return merged(packets, whole(1).packets)


def test_a_reset_that_was_made_in_between() -> None:
    story, at = reset_of_the_server()
    a = later(story.packets)
    found = joined(a, travel(a, lose={at}))
    assert happened(found) == [["injected"], []]
    (one,) = found.pairs[0].statements
    assert (
        "the reset in the server's name was made between A and B: A has it, B, nearer to the server, does not"
        in one.text
    )
    assert (one.frames_a, one.frames_b) == ((at + 1,), ())


def test_a_reset_that_was_kept_back() -> None:
    story, at = reset_of_the_server()
    a = later(story.packets)
    without = [packet for index, packet in enumerate(a) if index != at]
    assert happened(joined(without, travel(a))) == [["swallowed"], []]


def test_both_sides_reset_by_a_device() -> None:
    story, at = reset_of_the_server()
    a = later(story.packets)
    b = travel(a, lose={at})
    cut = begun()
    cut.put(CLIENT, flags=RST | ACK, ttl=250)
    b = merged(b, travel(cut.packets)[-1:])
    found = joined(a, b)
    assert happened(found) == [["injected"], []]
    assert "reset both sides" in found.pairs[0].verdict


def test_without_a_direction_only_what_is_seen_is_said() -> None:
    story, at = reset_of_the_server()
    a = later(story.packets)
    found = joined(a, travel(a, lose={at}, hops=0, way_ns=0))
    assert happened(found) == [["seen-once"], []]
    assert found.pairs[0].verdict.startswith("only A has the reset in the server's name")


def test_a_capture_that_had_ended_says_nothing() -> None:
    story, at = reset_of_the_server()
    assert happened(joined(story.packets, travel(story.packets, lose={at}))) == [[]]


def of_one_side(packets: Sequence[Packet], sender_port: int) -> list[int]:
    """Indexes of the packets of the first connection that come from this port."""
    return [index for index, packet in enumerate(packets) if ends_of(packet)[0][1] == sender_port and index < 10]


def test_a_capture_of_one_side_says_nothing_of_the_other() -> None:
    story, _ = reset_of_the_server()
    a = later(story.packets)
    found = joined(a, travel(a, lose=of_one_side(a, 5061)))
    assert found.clock_ns is not None
    assert happened(found) == [[], []]


# ---- loss ------------------------------------------------------------------------------------------------------------


def lost_flight(sent_again: bool) -> tuple[Story, set[int]]:
    """The client's flight gets past A and no further."""
    story = Story()
    story.open()
    story.hello().answer()
    first = len(story.packets)
    story.certificate((EDGE.der, SUB.der), heard=False)
    flight = range(first, len(story.packets))
    if sent_again:
        for seconds in (1, 3):
            story.wait(seconds)
            for index in flight:
                story.again(index)
    story.wait(1).fin(CLIENT)
    return story, set(range(first, len(story.packets) - 1))


@pytest.mark.parametrize("sent_again", [False, True])
def test_bytes_that_never_arrive(sent_again: bool) -> None:
    story, lost = lost_flight(sent_again)
    found = joined(story.packets, travel(story.packets, lose=lost))
    assert [one for one in happened(found)[0] if one == "lost"] == ["lost"]
    verdict = found.pairs[0].verdict
    assert "bytes of the client, beginning with its Certificate, get past A and never reach B" in verdict
    assert ("sent again" in verdict) is sent_again


def test_bytes_that_one_capture_has_where_nothing_tells_a_direction() -> None:
    story, lost = lost_flight(sent_again=False)
    found = joined(story.packets, travel(story.packets, lose=lost, hops=0, way_ns=0))
    assert (found.nearer_client, happened(found)) == ("", [["seen-once"]])
    verdict = found.pairs[0].verdict
    assert verdict.startswith("only A has ")
    assert verdict.endswith("bytes of the client, beginning with its Certificate: lost or made in between")


def test_bytes_that_only_the_capture_lacks() -> None:
    """The server acknowledged them."""
    story = begun()
    story.rst(SERVER)
    found = joined(story.packets, travel(story.packets, lose={8, 9}))
    assert "lost" not in happened(found)[0]


def test_a_side_that_the_capture_does_not_have_is_not_lost() -> None:
    story, _ = lost_flight(sent_again=False)
    a = later(story.packets)
    found = joined(a, travel(a, lose=of_one_side(a, 50_000)))
    assert found.pairs[0].joined is Joined.ADDRESSES
    assert found.nearer_client == "A"
    assert happened(found) == [[], []]


def test_a_capture_that_shows_only_the_answers_tells_of_no_loss() -> None:
    story = Story()
    story.open()
    story.send(CLIENT, hello(b"\1" * 32), heard=False)
    story.wait(0.1).fin(CLIENT)
    a = later(story.packets)
    assert happened(joined(a, travel(a, lose={3}))) == [["lost"], []]
    assert happened(joined(a, travel(a, lose={0, 2, 3, 4, 5}))) == [[], []]


def test_a_hello_that_never_arrives() -> None:
    story = Story()
    story.open()
    story.send(CLIENT, hello(b"\1" * 32), heard=False)
    story.wait(1).again(3).wait(3)
    story.again(3).wait(3)
    story.fin(CLIENT)
    lost = {3, 4, 5}
    found = joined(story.packets, travel(story.packets, lose=lost))
    assert found.pairs[0].joined is Joined.ADDRESSES
    assert "beginning with its ClientHello" in found.pairs[0].verdict


# ---- inspection ------------------------------------------------------------------------------------------------------


def inspected(sport: int, random: bytes) -> Story:
    """The device's own handshake with the server, a little later."""
    story = Story(client="203.0.113.7", sport=sport, start_ns=START_NS + 5 * MS)
    story.open()
    story.send(CLIENT, hello(random))
    story.answer((OTHER.issue("sip.example.com", san=["sip.example.com"]).der,))
    story.certificate(()).finished().talk().close()
    return story


def test_tls_that_ends_in_between() -> None:
    a = whole().packets
    found = joined(a, inspected(40_000, b"\7" * 32).packets)
    (pair,) = found.pairs
    assert pair.joined is Joined.NAME_AND_TIME
    assert pair.statements[0].happened is Happened.RE_ORIGINATED
    assert "TLS most likely ends between A and B and begins anew" in pair.verdict
    assert (
        "the server sent 1 certificate (sip.example.com; sip.example.com valid until 2035-01-01, sha256" in pair.verdict
    )


def test_tls_that_ends_in_a_device_with_the_addresses_of_the_peers() -> None:
    a = whole().packets
    b = inspected(40_000, b"\7" * 32).packets
    b = travel(b, hops=0, way_ns=0, nat={("203.0.113.7", 40_000): ("192.0.2.10", 50_000)})
    found = joined(a, b)
    assert found.pairs[0].joined is Joined.ADDRESSES
    assert found.pairs[0].verdict.startswith("TLS ends between A and B")


def test_a_second_try_is_no_device() -> None:
    again = travel(inspected(50_001, b"\7" * 32).packets, hops=0, nat={("203.0.113.7", 50_001): ("192.0.2.10", 50_001)})
    assert joined(whole().packets, again).pairs == ()


def test_another_client_of_the_same_kind_is_no_device() -> None:
    other = travel(whole(2).packets, hops=0, nat={("192.0.2.10", 50_002): ("192.0.2.11", 50_002)}, clock_ns=-2 * SECOND)
    assert joined(whole().packets, other).pairs == ()


def test_one_that_was_over_is_not_the_same() -> None:
    late = inspected(40_000, b"\7" * 32)
    moved = travel(late.packets, hops=0, clock_ns=SECOND)
    assert joined(whole().packets, moved).pairs == ()


def test_the_same_ports_an_hour_later_are_another_connection() -> None:
    b = inspected(40_000, b"\7" * 32).packets
    b = travel(b, hops=0, clock_ns=3_600 * SECOND, nat={("203.0.113.7", 40_000): ("192.0.2.10", 50_000)})
    assert joined(whole().packets, b).pairs == ()


def test_two_that_fit_are_not_guessed() -> None:
    a = whole().packets
    b = merged(inspected(40_000, b"\7" * 32), inspected(40_001, b"\6" * 32))
    assert joined(a, b).pairs == ()


def test_a_certificate_that_was_exchanged() -> None:
    a, b = whole(), Story()
    b.open()
    b.send(CLIENT, hello(b"\1" * 32))
    b.answer((OTHER.issue("sip.example.com", san=["sip.example.com"]).der,))
    b.certificate((EDGE.der, SUB.der)).finished().talk().close()
    found = joined(a.packets, travel(b.packets))
    assert happened(found) == [["changed"]]
    assert found.pairs[0].verdict.startswith("changed between A and B: the server sent")


# ---- joining ---------------------------------------------------------------------------------------------------------


def test_connections_that_only_one_has() -> None:
    first, second, third = map(whole, range(3))
    a = merged(first, second, third)
    found = joined(a, travel(merged(first, third)))
    assert [pair.a.stream for pair in found.pairs] == [0, 2]
    assert [sight.stream for sight in found.only_a] == [1]
    assert found.only_b == ()
    outside = joined(a, travel(first.packets))
    assert [sight.stream for sight in outside.only_a] == [], "B had ended by then"


def probe() -> list[Packet]:
    story = Story(dport=443)
    story.open().close()
    return story.packets


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(list, id="nothing at all"),
        pytest.param(probe, id="a probe"),
    ],
)
def test_nothing_to_join(make: Callable[[], list[Packet]]) -> None:
    found = joined(whole().packets, make())
    assert (found.pairs, found.clock_ns, found.nearer_client, found.only_a) == ((), None, "", ())


def test_captures_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.correlation.MAX_SIGHTS", 1)
    a = merged(whole(0), whole(1))
    assert joined(a, a).left_out == 2


def test_segments_of_another_size_are_the_same_bytes() -> None:
    small = Story()
    small.open()
    small.send(CLIENT, hello(b"\1" * 32), cut=(40, 41))
    small.answer(cut=range(0, 3_000, 500)).certificate((EDGE.der, SUB.der), cut=(MSS // 2,))
    small.finished().talk().close()
    assert happened(joined(whole().packets, travel(small.packets))) == [[]]
