"""The filter for the packet socket: what passes, and what others compile."""

from __future__ import annotations

import ctypes.util
import struct

import pytest

from analyzer.capture.live import filters
from analyzer.capture.live.source import DEFAULT_FILTER
from analyzer.errors import LiveError, UsageError
from tests.build.bpf import passes
from tests.build.frames import ethernet, ipv4, ipv6, tcp

OURS = filters.default_program(512)
TO_5061, FROM_443, OTHER = tcp(dport=5061), tcp(sport=443, dport=40000), tcp(sport=40000, dport=80)


def tagged(frame: bytes, *types: int) -> bytes:
    """The frame behind VLAN tags, the outermost first."""
    tags = b"".join(struct.pack(">HH", kind, 7) for kind in types)
    return frame[:12] + tags + frame[12:]


def fragment(offset: int) -> bytes:
    packet = bytearray(ipv4(OTHER))
    packet[6:8] = struct.pack(">H", offset)
    return ethernet(bytes(packet))


@pytest.mark.parametrize(
    ("frame", "kept"),
    [
        pytest.param(ethernet(ipv4(TO_5061)), 512, id="to 5061"),
        pytest.param(ethernet(ipv4(FROM_443)), 512, id="from 443"),
        pytest.param(ethernet(ipv4(OTHER)), 0, id="another port"),
        pytest.param(tagged(ethernet(ipv4(TO_5061)), 0x8100), 512, id="behind a VLAN tag"),
        pytest.param(tagged(ethernet(ipv4(FROM_443)), 0x88A8, 0x8100), 512, id="behind two"),
        pytest.param(tagged(ethernet(ipv4(OTHER)), 0x8100), 0, id="another port behind a VLAN tag"),
        pytest.param(tagged(ethernet(ipv4(TO_5061)), 0x8100, 0x8100, 0x8100), 0, id="behind three, which nobody uses"),
        pytest.param(ethernet(ipv6(TO_5061), 0x86DD), 512, id="IPv6 to 5061"),
        pytest.param(ethernet(ipv6(FROM_443), 0x86DD), 512, id="IPv6 from 443"),
        pytest.param(ethernet(ipv6(OTHER), 0x86DD), 0, id="IPv6, another port"),
        pytest.param(tagged(ethernet(ipv6(TO_5061), 0x86DD), 0x8100), 512, id="IPv6 behind a VLAN tag"),
        pytest.param(fragment(100), 512, id="a later fragment has no ports"),
        pytest.param(fragment(0x2000), 0, id="the first fragment has"),
        pytest.param(bytes(14), 0, id="no IP"),
        pytest.param(b"", 0, id="nothing at all"),
    ],
)
def test_the_default_filter(frame: bytes, kept: int) -> None:
    assert passes(OURS, frame) == kept


def test_the_default_is_not_compiled_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    assert filters.program(DEFAULT_FILTER, 512) == OURS


def test_an_empty_filter_passes_everything() -> None:
    assert passes(filters.program("", 96), b"") == 96


@pytest.mark.skipif(ctypes.util.find_library("pcap") is None, reason="libpcap is not installed")
def test_another_filter_is_compiled_by_libpcap() -> None:
    code = filters.program("ether[0] == 2", 96)
    assert code and len(code) % filters.INSTRUCTION.size == 0


@pytest.mark.skipif(ctypes.util.find_library("pcap") is None, reason="libpcap is not installed")
def test_a_wrong_filter_is_told_in_libpcaps_words() -> None:
    with pytest.raises(UsageError, match=r"'tcp porty 3' is wrong: .*syntax error"):
        filters.program("tcp porty 3", 96)


def test_without_libpcap_and_tcpdump_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LiveError, match=r"install libpcap .* or tcpdump, or leave out -f"):
        filters.program("udp", 96)
