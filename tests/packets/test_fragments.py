"""IP fragments: any order, duplicates, overlaps, losses, limits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.packets import fragments
from analyzer.packets.decode import Decoder
from tests.build import frames as build
from tests.build.frames import ethernet, fragments_v4, fragments_v6, ipv4, ipv6, tcp, udp
from tests.packets.segments import check_conserved, decode, rows

SECOND = 10**9
LOSER = b"\xfe"  # not in the body
BODY = tcp(bytes(range(200)) * 5, seq=77)
V4, V6 = fragments_v4(ipv4(BODY), 400), fragments_v6(ipv6(BODY), 400)


@pytest.mark.parametrize("pieces", [pytest.param(V4, id="IPv4"), pytest.param(V6, id="IPv6")])
def test_the_last_fragment_to_come_gives_the_segment(pieces: list[bytes]) -> None:
    frames = [ethernet(piece) for piece in (pieces[2], pieces[0], pieces[1])]
    decoded = Decoder().feed(build.batch([*frames, ethernet(ipv4(tcp(b"next")))], first_frame=10))
    first, following = rows(decoded.segments)
    assert (first["frame"], first["payload"], first["seq"]) == (12, BODY[20:], 77)
    assert (following["frame"], following["payload"]) == (13, b"next")
    assert decoded.reasons == {"fragment": 2}
    at = int(decoded.segments.ip_at[0])
    assert decoded.segments.data[at] >> 4 == (4 if decoded.segments.v4[0] else 6)
    assert decoded.segments.tcp_at[0] - at == (20 if decoded.segments.v4[0] else 40)


def test_fragments_may_come_in_different_batches() -> None:
    decoder = Decoder()
    assert decoder.feed(build.batch([ethernet(V4[0])])).reasons == {"fragment": 1}
    assert decoder.feed(build.batch([ethernet(V4[1])])).reasons == {"fragment": 1}
    assert rows(decoder.feed(build.batch([ethernet(V4[2])])).segments)[0]["payload"] == BODY[20:]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 8).map(lambda words: words * 8),
    st.randoms(use_true_random=False),
    st.booleans(),
    st.binary(min_size=1, max_size=200),
    st.integers(0, 3),
)
def test_fragments_in_any_order_give_the_same_segment(
    size: int, random: object, v4: bool, payload: bytes, doubled: int
) -> None:
    body = tcp(payload, seq=5)
    packet = ipv4(body) if v4 else ipv6(body)
    pieces = fragments_v4(packet, size) if v4 else fragments_v6(packet, size)
    pieces += pieces[:doubled]
    random.shuffle(pieces)  # type: ignore[attr-defined]
    batch = build.batch([ethernet(piece) for piece in pieces])
    decoded = Decoder().feed(batch)
    check_conserved(batch, decoded)
    plain, found = rows(decode(ethernet(packet)).segments)[0], rows(decoded.segments)
    for row in found:
        del row["frame"]
    del plain["frame"]
    if size >= len(body):
        assert found == [plain] * len(pieces)  # never fragmented
    else:
        assert found == [plain]


def other(piece: bytes, start: int) -> bytes:
    """The fragment with other bytes from `start` of its data on."""
    return piece[: 20 + start] + LOSER * (len(piece) - 20 - start)


@pytest.mark.parametrize(
    ("pieces", "reasons", "segments", "overlaps"),
    [
        pytest.param([V4[0], V4[1]], {"fragment": 2}, 0, 0, id="the last one is lost"),
        pytest.param([V4[1], V4[2]], {"fragment": 2}, 0, 0, id="the first one is lost"),
        pytest.param([V4[0], V4[2]], {"fragment": 2}, 0, 0, id="the middle is lost"),
        pytest.param([*V4, *V4], {"fragment": 5}, 1, 0, id="a mirror port sends all again"),
        pytest.param([V4[0], V4[0], V4[1], V4[1], V4[2], V4[2]], {"fragment": 5}, 1, 2, id="each comes twice"),
        pytest.param([V4[0], other(V4[0], 40), V4[1], V4[2]], {"fragment": 3}, 1, 1, id="of overlaps the first wins"),
        pytest.param(
            [*V4, *fragments_v4(ipv4(tcp(b"z" * 900)), 400)], {"fragment": 4}, 2, 0, id="the id is used again"
        ),
        pytest.param(
            [*V4[:2], *fragments_v4(ipv4(BODY, ident=8), 400), V4[2]], {"fragment": 4}, 2, 0, id="two datagrams mixed"
        ),
        pytest.param(
            fragments_v4(ipv4(udp(bytes(900)), 17), 400), {"fragment": 2, "udp": 1}, 0, 0, id="a UDP datagram"
        ),
        pytest.param(fragments_v4(ipv4(ipv4(BODY), 4), 400), {"fragment": 2}, 1, 0, id="a tunnel's packet"),
        pytest.param(fragments_v4(ipv4(build.vxlan(ethernet(V4[0])), 17), 200), {"fragment": 3}, 0, 0, id="in VXLAN"),
        pytest.param([ipv4(b"x" * 9, more=True)], {"malformed-ip": 1}, 0, 0, id="not a multiple of eight"),
        pytest.param([ipv6(b"", 44)], {"malformed-ip": 1}, 0, 0, id="a fragment header that is not there"),
        pytest.param([ipv4(b"", more=True)], {"malformed-ip": 1}, 0, 0, id="an empty fragment"),
        pytest.param([ipv4(b"x" * 16, offset=65528)], {"malformed-ip": 1}, 0, 0, id="beyond the largest datagram"),
        pytest.param(
            [ipv6(BODY, extensions=[(44, bytes([0, 0, 0, 0, 0, 0, 9]))])], {}, 1, 0, id="an atomic fragment is whole"
        ),
    ],
)
def test_odd_fragments(pieces: list[bytes], reasons: dict[str, int], segments: int, overlaps: int) -> None:
    decoder = Decoder()
    decoded = decoder.feed(build.batch([ethernet(piece) for piece in pieces]))
    assert (decoded.reasons, decoded.tcp, decoder.fragments.overlaps) == (reasons, segments, overlaps)
    assert all(LOSER not in row["payload"] for row in rows(decoded.segments))


SHORT, LONG = ipv4(BODY[:64], more=True), ipv4(bytes(600), offset=800, more=True)
END_AT_400 = ipv4(BODY[392:400], offset=392)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([SHORT, LONG, END_AT_400], id="a hole, and as many bytes behind the end"),
        pytest.param([SHORT, END_AT_400, LONG], id="the end came before them"),
        pytest.param([V4[0], V4[1], LONG, END_AT_400], id="no hole, but bytes behind the end"),
        pytest.param([V4[0], V4[2], END_AT_400, V4[1]], id="two ends"),
    ],
)
def test_fragments_that_contradict_each_other_give_nothing(pieces: list[bytes]) -> None:
    decoder = Decoder()
    decoded = decoder.feed(build.batch([ethernet(piece) for piece in pieces]))
    assert (decoded.tcp, decoded.reasons) == (0, {"fragment": len(pieces)})
    assert decoder.fragments.given_up == 1


def test_a_datagram_that_was_given_up_costs_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MAX_BYTES", 10_000)
    decoder = Decoder()
    decoder.feed(build.batch([ethernet(piece) for _ in range(50) for piece in (SHORT, LONG, END_AT_400)]))
    assert decoder.fragments.given_up == 50
    assert decoder.feed(build.batch([ethernet(piece) for piece in V4])).tcp == 1


def test_a_cut_fragment_is_not_used() -> None:
    batch = build.batch([ethernet(piece) for piece in V4], snap=300)
    assert Decoder().feed(batch).reasons == {"truncated": 2, "fragment": 1}


def test_a_wide_fragment_fills_the_holes_between_narrow_ones() -> None:
    narrow = fragments_v4(ipv4(BODY), 8)
    wide = ethernet(ipv4(BODY[:-4], more=True))  # 1016 bytes, all but the last piece
    decoder = Decoder()
    frames = [ethernet(piece) for piece in (*narrow[2:60:3], narrow[-1])]
    (row,) = rows(decoder.feed(build.batch([*frames, wide])).segments)
    assert row["payload"] == BODY[20:]
    assert decoder.fragments.overlaps == 1


def test_fragments_that_come_too_late_find_nothing() -> None:
    times = [0, SECOND, 31 * SECOND]
    decoder = Decoder()
    decoded = decoder.feed(build.batch([ethernet(piece) for piece in V4], times=times))
    assert (decoded.reasons, decoded.tcp, decoder.fragments.given_up) == ({"fragment": 3}, 0, 1)


@pytest.mark.parametrize(
    ("datagrams", "limit", "value"),
    [
        pytest.param(100, "MAX_DATAGRAMS", 10, id="too many datagrams"),
        pytest.param(100, "MAX_BYTES", 10_000, id="too many bytes"),
    ],
)
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, datagrams: int, limit: str, value: int) -> None:
    monkeypatch.setattr(fragments, limit, value)
    decoder = Decoder()
    flood = [ethernet(ipv4(bytes(800), more=True, ident=ident)) for ident in range(datagrams)]
    assert decoder.feed(build.batch(flood)).reasons == {"fragment": datagrams}
    assert decoder.fragments.given_up >= datagrams - 10
    newest = ethernet(ipv4(bytes(8), offset=800, ident=datagrams - 1))
    assert "fragment" not in decoder.feed(build.batch([newest])).reasons


def test_duplicates_of_one_fragment_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MAX_BYTES", 20_000)
    decoder = Decoder()
    flood = [ethernet(other(V4[0], place)) for place in range(20, 380)]
    assert decoder.feed(build.batch(flood)).reasons == {"fragment": len(flood)}
    assert decoder.fragments.given_up
