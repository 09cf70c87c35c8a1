"""Every encapsulation gives the same segment; every frame is counted once; nothing raises."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture.source import NOT_A_PACKET
from analyzer.packets import links, reasons, shapes
from analyzer.packets.decode import Decoder
from analyzer.packets.headers import COLUMNS
from tests.build import frames as build
from tests.build.frames import ethernet, ipv4, ipv6, tcp, udp
from tests.packets.segments import check_conserved, decode, rows, walk_all

Wrap = Callable[[bytes], bytes]
SEGMENT = tcp(b"hello", sport=40000, dport=5061, seq=2**32 - 2, ack=7, flags=build.ACK, window=512, options=b"\1\1\1\1")
PACKET = ipv4(SEGMENT, ttl=61, ident=9)
PACKET_6 = ipv6(SEGMENT, hops=61)
LLC_SNAP = bytes.fromhex("aaaa030000000800")
OPTION = (60, bytes([0, 1, 4, 0, 0, 0, 0]))  # a destination options header with padding
ROUTING = (43, bytes([2, 4, 0]) + bytes(20))
HOP = (0, bytes([0, 1, 4, 0, 0, 0, 0]))
AUTHENTICATION = (51, bytes([4, 0, 0]) + bytes(20))

ENCAPSULATED = [
    pytest.param(ethernet(PACKET), 1, id="Ethernet, IPv4"),
    pytest.param(ethernet(PACKET_6), 1, id="Ethernet, IPv6"),
    pytest.param(ethernet(PACKET, pad=True), 1, id="padding is no payload"),
    pytest.param(ethernet(PACKET + b"\xee" * 40), 1, id="a long trailer is no payload"),
    pytest.param(ethernet(PACKET, tags=[0x8100]), 1, id="VLAN"),
    pytest.param(ethernet(PACKET_6, tags=[0x88A8, 0x8100]), 1, id="QinQ, IPv6"),
    pytest.param(ethernet(PACKET, tags=[0x9100, 0x9100, 0x8100, 0x8100]), 1, id="four tags"),
    pytest.param(ethernet(ipv4(SEGMENT, ttl=61, ident=9, options=b"\1" * 4)), 1, id="one word of IPv4 options"),
    pytest.param(ethernet(ipv4(SEGMENT, ttl=61, ident=9, options=b"\1" * 40)), 1, id="ten words of IPv4 options"),
    pytest.param(ethernet(ipv4(SEGMENT, ttl=61, ident=9, total=0)), 1, id="IPv4 length left to the hardware"),
    pytest.param(ethernet(ipv4(SEGMENT, ttl=61, ident=9, good=False)), 1, id="the checksum is not our matter"),
    pytest.param(ethernet(ipv6(SEGMENT, hops=61, length=0)), 1, id="IPv6 length left to the hardware"),
    pytest.param(ethernet(ipv6(SEGMENT, hops=61, extensions=[HOP, ROUTING, OPTION])), 1, id="extension headers"),
    pytest.param(
        ethernet(ipv6(SEGMENT, hops=61, length=0, extensions=[HOP])), 1, id="length left to the hardware, options"
    ),
    pytest.param(ethernet(ipv6(SEGMENT, hops=61, extensions=[AUTHENTICATION])), 1, id="authentication header"),
    pytest.param(
        ethernet(
            ipv6(SEGMENT, hops=61, length=0, extensions=[(0, struct.pack(">BBBI", 0, 0xC2, 4, 8 + len(SEGMENT)))])
            + b"trailer"
        ),
        1,
        id="jumbo length option",
    ),
    pytest.param(ethernet(build.mpls(PACKET, (16, 17)), 0x8847), 1, id="MPLS, two labels"),
    pytest.param(ethernet(build.mpls(PACKET_6), 0x8848), 1, id="MPLS, IPv6"),
    pytest.param(ethernet(build.mpls(bytes(4) + ethernet(PACKET)), 0x8847), 1, id="pseudo-wire with control word"),
    pytest.param(
        ethernet(build.mpls(b"\0" + ethernet(PACKET)[1:]), 0x8847), 1, id="pseudo-wire to an address with zeros"
    ),
    pytest.param(ethernet(build.pppoe(PACKET), 0x8864), 1, id="PPPoE"),
    pytest.param(ethernet(build.pppoe(PACKET_6), 0x8864, tags=[0x8100]), 1, id="PPPoE in a VLAN"),
    pytest.param(build.pppoe(PACKET), 51, id="PPPoE alone"),
    pytest.param(build.pppoe(PACKET_6), 51, id="PPPoE alone, IPv6"),
    pytest.param(ethernet(LLC_SNAP + PACKET, len(PACKET) + 8), 1, id="802.3 with SNAP"),
    pytest.param(ethernet(b"\x06\x06\x03" + PACKET, len(PACKET) + 3), 1, id="802.3 with LLC for IP"),
    pytest.param(ethernet(bytes.fromhex("010100010064") + b"\x08\0" + PACKET, 0x8909), 1, id="Cisco metadata tag"),
    pytest.param(build.cooked(PACKET), 113, id="Linux cooked"),
    pytest.param(build.cooked_2(PACKET_6), 276, id="Linux cooked 2"),
    pytest.param(build.cooked(b"\0\x64\x08\0" + PACKET, 0x8100), 113, id="Linux cooked, VLAN"),
    pytest.param(build.cooked(LLC_SNAP + PACKET, 4), 113, id="Linux cooked, SNAP"),
    pytest.param(build.loopback(PACKET), 0, id="NULL, little-endian writer"),
    pytest.param(build.loopback(PACKET, order=">"), 0, id="NULL, big-endian writer"),
    pytest.param(build.loopback(PACKET_6, 30), 0, id="NULL, IPv6 of macOS"),
    pytest.param(build.loopback(PACKET_6, 24, ">"), 108, id="LOOP, IPv6 of OpenBSD"),
    pytest.param(PACKET, 101, id="raw"),
    pytest.param(PACKET_6, 101, id="raw, IPv6"),
    pytest.param(PACKET, 12, id="raw, BSD's number"),
    pytest.param(PACKET, 228, id="raw IPv4"),
    pytest.param(PACKET_6, 229, id="raw IPv6"),
    pytest.param(b"\0\x21" + PACKET, 9, id="PPP"),
    pytest.param(b"\xff\x03\0\x57" + PACKET_6, 9, id="PPP with address and control"),
    pytest.param(b"\x21" + PACKET, 9, id="PPP with a short protocol"),
    pytest.param(b"\xff\x03\0\x21" + PACKET, 50, id="PPP on a serial line"),
    pytest.param(b"\x0f\0\x08\0" + PACKET, 50, id="Cisco HDLC on a serial line"),
    pytest.param(b"\x0f\0\x08\0" + PACKET, 104, id="Cisco HDLC"),
    pytest.param(b"\x10\x40" + build.MACS + LLC_SNAP + PACKET, 6, id="token ring"),
    pytest.param(
        b"\x10\x40" + build.MACS[:6] + b"\x82" + build.MACS[7:] + b"\x04\0\x12\x34" + LLC_SNAP + PACKET,
        6,
        id="token ring with a route",
    ),
    pytest.param(b"\x50" + build.MACS + LLC_SNAP + PACKET, 10, id="FDDI"),
    pytest.param(LLC_SNAP + PACKET, 100, id="classical IP over ATM"),
    pytest.param(ethernet(ipv4(build.gre(PACKET), 47)), 1, id="GRE"),
    pytest.param(ethernet(ipv4(build.gre(PACKET_6, 0x86DD, 0xB000), 47)), 1, id="GRE with every field, IPv6"),
    pytest.param(ethernet(ipv4(build.gre(ethernet(PACKET), 0x6558, 0x2000), 47)), 1, id="GRE, Ethernet"),
    pytest.param(ethernet(ipv4(build.gre(ethernet(PACKET), 0x88BE), 47)), 1, id="ERSPAN I"),
    pytest.param(ethernet(ipv4(build.gre(bytes(8) + ethernet(PACKET), 0x88BE, 0x1000), 47)), 1, id="ERSPAN II"),
    pytest.param(ethernet(ipv4(build.gre(bytes(12) + ethernet(PACKET), 0x22EB, 0x1000), 47)), 1, id="ERSPAN III"),
    pytest.param(
        ethernet(ipv4(struct.pack(">HHIII", 0x3081, 0x880B, 9, 1, 1) + b"\xff\x03\0\x21" + PACKET, 47)), 1, id="PPTP"
    ),
    pytest.param(ethernet(ipv4(build.vxlan(ethernet(PACKET)), 17)), 1, id="VXLAN"),
    pytest.param(ethernet(ipv6(build.vxlan(ethernet(PACKET), 8472), 17)), 1, id="VXLAN, old port, over IPv6"),
    pytest.param(ethernet(ipv4(build.geneve(ethernet(PACKET), options=bytes(8)), 17)), 1, id="GENEVE with options"),
    pytest.param(ethernet(ipv4(build.geneve(PACKET_6, 0x86DD), 17)), 1, id="GENEVE, plain IP"),
    pytest.param(
        ethernet(ipv4(udp(struct.pack(">BBHI", 0x30, 255, len(PACKET), 1) + PACKET, 2152, 2152), 17)), 1, id="GTP-U"
    ),
    pytest.param(
        ethernet(ipv4(udp(struct.pack(">BBHIHBBBHB", 0x34, 255, 0, 1, 0, 0, 0x85, 1, 0, 0) + PACKET, 9, 2152), 17)),
        1,
        id="GTP-U with an extension header",
    ),
    pytest.param(
        ethernet(ipv4(build.vxlan(ethernet(PACKET, tags=[0x8100] * 3)), 17), tags=[0x8100] * 3),
        1,
        id="three tags outside, three inside",
    ),
    pytest.param(ethernet(ipv4(PACKET, 4)), 1, id="IPv4 in IPv4"),
    pytest.param(ethernet(ipv4(PACKET_6, 41)), 1, id="6in4"),
    pytest.param(ethernet(ipv6(PACKET, 4)), 1, id="4in6"),
    pytest.param(
        ethernet(ipv4(ipv4(ipv4(build.vxlan(ethernet(ipv4(ipv4(PACKET, 4), 4))), 17), 4), 4)),
        1,
        id="six tunnels in each other",
    ),
]


@pytest.mark.parametrize(("frame", "link_type"), ENCAPSULATED)
def test_every_encapsulation_gives_the_same_segment(frame: bytes, link_type: int) -> None:
    batch = build.batch([frame], link_type)
    decoded = Decoder().feed(batch)
    check_conserved(batch, decoded)
    (row,) = rows(decoded.segments)
    v4 = bool(decoded.segments.v4[0])
    assert row == {
        "frame": 1,
        "src": build.ALICE if v4 else build.ALICE_6,
        "dst": build.BOB if v4 else build.BOB_6,
        "payload": b"hello",
        "src_port": 40000,
        "dst_port": 5061,
        "seq": 2**32 - 2,
        "ack": 7,
        "flags": build.ACK,
        "window": 512,
        "wire_payload": 5,
        "ttl": 61,
        "ip_id": 9 if v4 else 0,
    }
    assert decoded.ports == {("tcp", 5061): 1}


@pytest.mark.parametrize(("frame", "link_type"), ENCAPSULATED)
def test_a_cut_frame_is_a_shorter_segment_or_truncated(frame: bytes, link_type: int) -> None:
    whole = rows(decode(frame, link_type=link_type).segments)[0]
    for snap in range(len(frame)):
        batch = build.batch([frame], link_type, snap=snap, junk=0x45)
        decoded = Decoder().feed(batch)
        check_conserved(batch, decoded)
        for row in rows(decoded.segments):
            assert row | {"payload": b""} == whole | {"payload": b""}
            assert b"hello".startswith(row["payload"])
        assert decoded.tcp or list(decoded.reasons) in (["truncated"], ["udp"])
        same = walk_all(batch)
        assert (rows(same.segments), same.reasons) == (rows(decoded.segments), decoded.reasons)


@pytest.fixture(scope="module", autouse=True)
def _no_group_is_too_small() -> Iterator[None]:
    """Single frames take the fast path through tunnels, too."""
    with patch.object(shapes, "FEW", 1):
        yield


def bad_tcp(words: int) -> bytes:
    return tcp(b"hello", words=words)


NOT_TCP = [
    pytest.param(b"", 1, "malformed-link", id="an empty frame"),
    pytest.param(build.MACS, 1, "malformed-link", id="half an Ethernet header"),
    pytest.param(ethernet(b"", 0x0800), 1, "malformed-ip", id="Ethernet and nothing"),
    pytest.param(ethernet(bytes(28), 0x0806), 1, "arp", id="ARP"),
    pytest.param(ethernet(bytes(28), 0x0806, tags=[0x8100]), 1, "arp", id="ARP in a VLAN"),
    pytest.param(ethernet(bytes(28), 0x88CC), 1, "non-ip", id="LLDP"),
    pytest.param(ethernet(b"\x42\x42\x03" + bytes(35), 38), 1, "non-ip", id="spanning tree"),
    pytest.param(ethernet(PACKET, tags=[0x8100] * 5), 1, "tunnel-depth", id="five tags"),
    pytest.param(ethernet(ipv4(build.gre(PACKET_6), 47)), 1, "malformed-ip", id="GRE says IPv4, and has IPv6"),
    pytest.param(
        ethernet(build.mpls(bytes(4) + ethernet(PACKET), (16,))[:8], 0x8847), 1, "malformed-link", id="MPLS only"
    ),
    pytest.param(
        ethernet(build.mpls(b"\x10" + bytes(30), range(16, 22)), 0x8847), 1, "non-ip", id="pseudo-wire, not IP"
    ),
    pytest.param(ethernet(ipv4(b"", 4)), 1, "malformed-ip", id="a tunnel with nothing in it"),
    pytest.param(build.loopback(bytes(20), 7), 0, "non-ip", id="NULL, another family"),
    pytest.param(b"\xc0\x21" + bytes(8), 9, "non-ip", id="PPP, link control"),
    pytest.param(PACKET, 105, "wifi", id="802.11"),
    pytest.param(PACKET, 127, "wifi", id="802.11 with radiotap"),
    pytest.param(PACKET, NOT_A_PACKET, "not-a-packet", id="an event of Network Monitor"),
    pytest.param(PACKET, links.UNKNOWN_LINK, "link-unknown", id="a medium that nobody knows"),
    pytest.param(PACKET, 147, "link-type-147", id="a private link type"),
    pytest.param(b"\x10" + PACKET, 101, "malformed-ip", id="raw, but no IP version"),
    pytest.param(ethernet(b"\x44" + PACKET[1:]), 1, "malformed-ip", id="IPv4 header of 16 bytes"),
    pytest.param(ethernet(ipv4(SEGMENT, total=19)), 1, "malformed-ip", id="IPv4 packet shorter than its header"),
    pytest.param(ethernet(b"\x65" + PACKET[1:], 0x0800), 1, "malformed-ip", id="ethertype and version disagree"),
    pytest.param(ethernet(ipv4(SEGMENT, total=39)), 1, "malformed-tcp", id="19 bytes of TCP"),
    pytest.param(ethernet(ipv4(bad_tcp(4))), 1, "malformed-tcp", id="TCP header of 16 bytes"),
    pytest.param(ethernet(ipv6(bad_tcp(0))), 1, "malformed-tcp", id="TCP header of no bytes, IPv6"),
    pytest.param(ethernet(ipv6(b"", 60)), 1, "malformed-ip", id="an extension header that is not there"),
    pytest.param(ethernet(ipv6(b"", 51)), 1, "malformed-ip", id="an authentication header that is not there"),
    pytest.param(ethernet(ipv6(b"\6\0\1\2" + bytes(4), 60)), 1, "malformed-tcp", id="options and no more"),
    pytest.param(ethernet(ipv4(PACKET, 41)), 1, "malformed-ip", id="6in4 with IPv4 in it"),
    pytest.param(ethernet(ipv4(bytes(30), 50)), 1, "esp", id="ESP"),
    pytest.param(ethernet(ipv4(bytes(30), 132)), 1, "sctp", id="SCTP"),
    pytest.param(ethernet(ipv4(bytes(8), 2)), 1, "igmp", id="IGMP"),
    pytest.param(ethernet(ipv4(bytes(8), 89)), 1, "ip-protocol-89", id="OSPF"),
    pytest.param(ethernet(ipv6(b"", 59)), 1, "ip-protocol-59", id="IPv6, no next header"),
    pytest.param(ethernet(ipv4(bytes(3), 1)), 1, "malformed-icmp", id="three bytes of ICMP"),
    pytest.param(ethernet(ipv4(bytes(7), 17)), 1, "malformed-udp", id="seven bytes of UDP"),
    pytest.param(ethernet(ipv4(udp(b"x" * 20), 17)), 1, "udp", id="UDP"),
    pytest.param(ethernet(ipv6(udp(b"x" * 20), 17)), 1, "udp", id="UDP over IPv6"),
    pytest.param(ethernet(ipv4(udp(b"x" * 20, dport=53), 17)), 1, "dns", id="DNS"),
    pytest.param(ethernet(ipv4(udp(b"\x16\xfe\xfd" + bytes(20)), 17)), 1, "dtls", id="DTLS 1.2 handshake"),
    pytest.param(ethernet(ipv6(udp(b"\x17\xfe\xff" + bytes(20)), 17)), 1, "dtls", id="DTLS 1.0 data over IPv6"),
    pytest.param(ethernet(ipv4(udp(b"\x1a\xfe\xfd" + bytes(20)), 17)), 1, "udp", id="a content type beyond DTLS"),
    pytest.param(ethernet(ipv4(udp(b"\x16\xfe\xfd"), 17)), 1, "udp", id="too short for a DTLS record"),
    pytest.param(ethernet(ipv4(udp(b"\xc3\0\0\0\1" + bytes(20)), 17)), 1, "quic", id="QUIC 1 on any port"),
    pytest.param(ethernet(ipv4(udp(b"\xd3\x6b\x33\x43\xcf" + bytes(20)), 17)), 1, "quic", id="QUIC 2 on any port"),
    pytest.param(ethernet(ipv4(udp(b"\x80\0\0\0\1" + bytes(20)), 17)), 1, "udp", id="RTP is no QUIC"),
    pytest.param(ethernet(ipv4(udp(b"\x45" + bytes(30), dport=443), 17)), 1, "quic", id="a short header on port 443"),
    pytest.param(ethernet(ipv4(udp(b"\x80" + bytes(30), sport=443), 17)), 1, "quic", id="QUIC version negotiation"),
    pytest.param(ethernet(ipv4(udp(b"\0\1" + bytes(30), dport=443), 17)), 1, "udp", id="STUN on port 443"),
    pytest.param(ethernet(ipv4(udp(bytes(30), dport=4789), 17)), 1, "udp", id="VXLAN's port, no VXLAN"),
    pytest.param(ethernet(ipv4(udp(b"\xff" + bytes(30), dport=6081), 17)), 1, "udp", id="GENEVE's port, no GENEVE"),
    pytest.param(ethernet(ipv4(udp(bytes(30), dport=2152), 17)), 1, "udp", id="GTP's port, no GTP"),
    pytest.param(ethernet(ipv4(build.vxlan(ethernet(bytes(28), 0x0806)), 17)), 1, "arp", id="ARP in VXLAN"),
    pytest.param(ethernet(ipv4(build.gre(PACKET, flags=7), 47)), 1, "malformed-tunnel", id="GRE of an unknown version"),
    pytest.param(ethernet(ipv4(build.gre(PACKET, flags=0x4000), 47)), 1, "malformed-tunnel", id="GRE with routing"),
]


@pytest.mark.parametrize(("frame", "link_type", "reason"), NOT_TCP)
def test_what_is_not_decoded_has_a_reason(frame: bytes, link_type: int, reason: str) -> None:
    decoded = decode(frame, link_type=link_type)
    assert (decoded.reasons, decoded.tcp, decoded.icmp_frames) == ({reason: 1}, 0, 0)
    assert walk_all(build.batch([frame], link_type)).reasons == {reason: 1}
    assert reasons.meaning(reason)


@pytest.mark.parametrize(
    ("wrap", "packet", "times"),
    [
        pytest.param(lambda packet: ipv4(packet, 4), PACKET, 7, id="IPv4"),
        pytest.param(lambda packet: ipv6(packet, 41), PACKET_6, 7, id="IPv6"),
        pytest.param(lambda packet: build.mpls(bytes(4) + ethernet(packet, 0x8847)), build.mpls(PACKET), 5, id="MPLS"),
    ],
)
def test_too_many_tunnels_in_each_other(wrap: Wrap, packet: bytes, times: int) -> None:
    ethertype = 0x8847 if packet[0] == 0 else None
    assert decode(ethernet(wrap(packet), ethertype)).tcp == 1
    for _ in range(times):
        packet = wrap(packet)
    assert decode(ethernet(packet, ethertype)).reasons == {"tunnel-depth": 1}


@pytest.mark.parametrize(
    ("frame", "payload", "wire"),
    [
        pytest.param(ethernet(ipv4(tcp(b"hello", words=15))), b"", 0, id="options run past the end"),
        pytest.param(ethernet(ipv4(tcp(words=6))), b"", 0, id="options, but no bytes for them"),
        pytest.param(ethernet(ipv6(tcp(b"hello", words=15))), b"", 0, id="options run past the end, IPv6"),
        pytest.param(ethernet(ipv4(SEGMENT, total=1000)), b"hello", 956, id="the frame is shorter than IP says"),
    ],
)
def test_lengths_that_lie_are_clamped(frame: bytes, payload: bytes, wire: int) -> None:
    batch = build.batch([frame])
    for decoded in (Decoder().feed(batch), walk_all(batch)):
        (row,) = rows(decoded.segments)
        assert (row["payload"], row["wire_payload"]) == (payload, wire)


def test_frames_of_all_shapes_stay_in_order() -> None:
    made = [
        ethernet(ipv4(udp(b"x"), 17)) if i % 7 == 5 else wrap(tcp(b"x", seq=i)) for i, wrap in enumerate([*WRAPS] * 4)
    ]
    batch = build.batch(made, first_frame=1001)
    decoded = Decoder().feed(batch)
    check_conserved(batch, decoded)
    assert decoded.segments.frame.tolist() == [1001 + i for i in range(len(made)) if i % 7 != 5]
    assert (decoded.segments.seq == decoded.segments.frame - 1001).all()
    assert decoded.segments.time_ns.tolist() == batch.time_ns[decoded.segments.frame - 1001].tolist()
    assert decoded.ports == {("tcp", 443): decoded.tcp, ("udp", 9999): len(made) - decoded.tcp}


def test_no_frames_give_empty_columns_of_the_same_types() -> None:
    none, some = Decoder().feed(build.batch([])).segments, decode(ethernet(PACKET)).segments
    assert len(none) == 0
    for name in COLUMNS:
        assert getattr(none, name).dtype == getattr(some, name).dtype, name


WRAPS: list[Wrap] = [
    lambda body: ethernet(ipv4(body)),
    lambda body: ethernet(ipv6(body)),
    lambda body: ethernet(ipv4(body), tags=[0x8100]),
    lambda body: ethernet(ipv6(body), tags=[0x88A8, 0x8100]),
    lambda body: ethernet(ipv4(body, options=bytes(8))),
    lambda body: ethernet(ipv4(build.gre(ipv4(body)), 47)),
    lambda body: ethernet(ipv6(body, extensions=[HOP])),
]
link_types = st.sampled_from([*links.START, 105, 147])
raw_frames = st.lists(st.binary(max_size=90), max_size=6)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[list[bytes], int]:
    """Frames that began as good ones: a few bytes changed, the end cut off or made longer."""
    made = []
    kind = draw(st.sampled_from([param.values[1] for param in ENCAPSULATED + NOT_TCP]))
    good = [param.values[0] for param in ENCAPSULATED + NOT_TCP if param.values[1] == kind]
    for frame in draw(st.lists(st.sampled_from(good), max_size=8)):
        assert isinstance(frame, bytes)
        changed = bytearray(frame)
        for _ in range(draw(st.integers(0, 3))):
            if changed:
                changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
        made.append(bytes(changed[: draw(st.integers(0, 120))]) if draw(st.booleans()) else bytes(changed))
    assert isinstance(kind, int)
    return made, kind


@settings(max_examples=150, deadline=None)
@given(raw_frames, st.lists(link_types, min_size=6, max_size=6), st.one_of(st.none(), st.integers(0, 80)))
def test_any_bytes_never_raise_and_are_conserved(frames: list[bytes], kinds: list[int], snap: int | None) -> None:
    batch = build.batch(frames, kinds[: len(frames)], snap)
    decoded = Decoder().feed(batch)
    check_conserved(batch, decoded)
    assert all(reasons.meaning(reason) for reason in decoded.reasons)


@settings(max_examples=300, deadline=None)
@given(damaged(), st.one_of(st.none(), st.integers(20, 120)), st.integers(0, 255))
def test_the_fast_path_and_the_walk_agree(frames: tuple[list[bytes], int], snap: int | None, junk: int) -> None:
    batch = build.batch(*frames, snap=snap, junk=junk)
    fast, slow = Decoder().feed(batch), walk_all(batch)
    check_conserved(batch, fast)
    assert (fast.reasons, fast.ports, fast.icmp) == (slow.reasons, slow.ports, slow.icmp)
    for name in COLUMNS:
        # Datagrams that were put together stand after the data in both: the offsets are the same, too.
        assert np.array_equal(getattr(fast.segments, name), getattr(slow.segments, name)), name
    for row in range(fast.tcp):
        end = fast.segments.payload_at[row] + fast.segments.payload[row]
        assert 0 <= fast.segments.payload[row] <= fast.segments.wire_payload[row]
        assert end <= len(fast.segments.data)


@settings(max_examples=100, deadline=None)
@given(
    wraps=st.lists(st.sampled_from(["ipv4", "ipv6", "gre", "vxlan", "geneve", "vlan-vxlan", "mpls-gre"]), max_size=4),
    v4=st.booleans(),
    payload=st.binary(max_size=40),
    seq=st.integers(0, 2**32 - 1),
    ports=st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
    options=st.binary(max_size=40),
)
def test_a_segment_is_found_in_any_encapsulation(
    wraps: list[str], v4: bool, payload: bytes, seq: int, ports: tuple[int, int], options: bytes
) -> None:
    body = tcp(payload, *ports, seq=seq, options=options)
    packet = ipv4(body) if v4 else ipv6(body)
    plain = rows(decode(ethernet(packet)).segments)
    for wrap in wraps:
        packet = {
            "ipv4": lambda p: ipv4(p, 4 if p[:1] < b"\x60" else 41),
            "ipv6": lambda p: ipv6(p, 4 if p[:1] < b"\x60" else 41),
            "gre": lambda p: ipv4(build.gre(p, build.type_of(p), 0x2000), 47),
            "vxlan": lambda p: ipv4(build.vxlan(ethernet(p)), 17),
            "geneve": lambda p: ipv6(build.geneve(ethernet(p)), 17),
            "vlan-vxlan": lambda p: ipv4(build.vxlan(ethernet(p, tags=[0x8100])), 17),
            "mpls-gre": lambda p: ipv4(build.gre(build.mpls(p), 0x8847), 47),
        }[wrap](packet)
    assert rows(decode(ethernet(packet)).segments) == plain
    assert plain[0]["payload"] == payload
    assert plain[0]["seq"] == seq
