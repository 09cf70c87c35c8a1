"""ICMP errors, and the TCP connections that they quote."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.packets.columns import IcmpError
from tests.build import frames as build
from tests.build.frames import ethernet, fragments_v4, icmp, ipv4, ipv6, tcp, udp
from tests.packets.segments import check_conserved, decode

QUOTED = ipv4(tcp(b"data", sport=40000, dport=5061, seq=1234))
QUOTED_6 = ipv6(tcp(b"data", sport=40000, dport=5061, seq=1234))
ROUTER, ROUTER_6 = "203.0.113.9", "2001:db8::9"
DESTINATION = (60, bytes([0, 1, 4, 0, 0, 0, 0]))


def error(kind: int, code: int, quoted: bytes = QUOTED, word: int = 0) -> bytes:
    return ethernet(ipv4(icmp(kind, code, quoted, word), 1, src=ROUTER, dst=build.ALICE))


def error_6(kind: int, code: int, quoted: bytes = QUOTED_6, word: int = 0) -> bytes:
    return ethernet(ipv6(icmp(kind, code, quoted, word), 58, src=ROUTER_6, dst=build.ALICE_6))


def expected(kind: int, code: int, mtu: int | None = None, v4: bool = True) -> IcmpError:
    ends = (build.ALICE, 40000, build.BOB, 5061) if v4 else (build.ALICE_6, 40000, build.BOB_6, 5061)
    return IcmpError(1, 10**18, ROUTER if v4 else ROUTER_6, v4, kind, code, mtu, ends, 1234)


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        pytest.param(error(3, 1), expected(3, 1), id="host unreachable"),
        pytest.param(error(3, 4, word=1400), expected(3, 4, 1400), id="fragmentation needed"),
        pytest.param(error(3, 4), expected(3, 4), id="fragmentation needed, an old router does not say the MTU"),
        pytest.param(error(3, 13, QUOTED[:28]), expected(3, 13), id="eight bytes of TCP are enough"),
        pytest.param(error(4, 0), expected(4, 0), id="source quench"),
        pytest.param(error(5, 1), expected(5, 1), id="redirect"),
        pytest.param(error(11, 0), expected(11, 0), id="time exceeded"),
        pytest.param(error(12, 0), expected(12, 0), id="parameter problem"),
        pytest.param(error(3, 1, fragments_v4(QUOTED, 16)[0]), expected(3, 1), id="quotes a first fragment"),
        pytest.param(error(3, 1, ipv4(QUOTED[20:], options=bytes(8))), expected(3, 1), id="quotes IP options"),
        pytest.param(ethernet(ipv4(build.gre(error(3, 1)[14:]), 47)), expected(3, 1), id="in a tunnel"),
        pytest.param(error_6(1, 4), expected(1, 4, v4=False), id="ICMPv6 port unreachable"),
        pytest.param(error_6(2, 0, word=1280), expected(2, 0, 1280, v4=False), id="packet too big"),
        pytest.param(
            error_6(3, 0, ipv6(QUOTED_6[40:], extensions=[DESTINATION])),
            expected(3, 0, v4=False),
            id="quotes extension headers",
        ),
        pytest.param(
            error_6(1, 4, ipv6(QUOTED_6[40:], extensions=[(44, bytes([0, 0, 1, 0, 0, 0, 9]))])),
            expected(1, 4, v4=False),
            id="quotes a first IPv6 fragment",
        ),
    ],
)
def test_errors_name_the_connection(frame: bytes, found: IcmpError) -> None:
    decoded = decode(frame)
    assert decoded.icmp == [found]
    assert (decoded.icmp_frames, decoded.tcp, decoded.reasons) == (1, 0, {})


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(error(8, 0), id="echo"),
        pytest.param(error(0, 0), id="echo reply"),
        pytest.param(error(3, 3, ipv4(udp(b"x"), 17)), id="quotes UDP"),
        pytest.param(error(3, 1, QUOTED[:27]), id="seven bytes of TCP are not enough"),
        pytest.param(error(3, 1, QUOTED[:10]), id="quotes half a header"),
        pytest.param(error(3, 1, b""), id="quotes nothing"),
        pytest.param(error(3, 1, fragments_v4(QUOTED, 8)[1]), id="quotes a later fragment: no ports"),
        pytest.param(error(3, 1, b"\x41" + QUOTED[1:]), id="quotes an IP header of four bytes"),
        pytest.param(error(3, 1, QUOTED_6), id="ICMP quotes IPv6"),
        pytest.param(error(1, 4), id="ICMPv6's number in ICMP"),
        pytest.param(error_6(135, 0), id="neighbour solicitation"),
        pytest.param(error_6(1, 4, QUOTED), id="ICMPv6 quotes IPv4"),
        pytest.param(error_6(1, 4, QUOTED_6[:47]), id="seven bytes of TCP, IPv6"),
        pytest.param(error_6(1, 4, ipv6(b"\x06\0", 60)), id="quotes the start of an extension header"),
        pytest.param(error_6(1, 4, ipv6(b"x" * 20, 50)), id="quotes ESP"),
        pytest.param(error_6(1, 4, ipv6(b"", extensions=[DESTINATION])), id="quotes an extension header, no more"),
        pytest.param(
            error_6(1, 4, ipv6(QUOTED_6[40:], extensions=[(44, bytes([0, 0, 9, 0, 0, 0, 9]))])),
            id="quotes a later IPv6 fragment",
        ),
        pytest.param(ethernet(ipv4(icmp(3, 1, b"")[:6], 1)), id="an error without a whole header"),
    ],
)
def test_other_icmp_is_only_counted(frame: bytes) -> None:
    decoded = decode(frame)
    assert (decoded.icmp, decoded.icmp_frames, decoded.reasons) == ([], 1, {})


@settings(max_examples=150, deadline=None)
@given(st.booleans(), st.integers(0, 15), st.binary(max_size=80), st.booleans(), st.integers(20, 140))
def test_any_quoted_bytes_never_raise(v4: bool, kind: int, junk: bytes, good: bool, snap: int) -> None:
    quoted = (QUOTED if v4 else QUOTED_6)[:40] + junk if good else junk
    batch = build.batch([(error if v4 else error_6)(kind, 0, quoted)], snap=snap)
    decoded = decode(error(kind, 0, quoted) if v4 else error_6(kind, 0, quoted), snap=snap)
    check_conserved(batch, decoded)


def test_a_fragmented_error_is_put_together() -> None:
    whole = error(3, 1)[14:]
    decoded = decode(*(ethernet(piece) for piece in fragments_v4(whole, 24)))
    assert [(found.quoted, found.frame) for found in decoded.icmp] == [
        (expected(3, 1).quoted, len(fragments_v4(whole, 24)))
    ]
