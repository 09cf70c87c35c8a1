"""Addresses as text."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.packets.addresses import address_text, packed_text


@pytest.mark.parametrize(
    ("address", "text"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", id="IPv4 in dots"),
        pytest.param("0.0.0.0", "0.0.0.0", id="IPv4, all zero"),
        pytest.param("2001:0DB8:0:0:0:0:0:1", "2001:db8::1", id="lower case, zeros left out"),
        pytest.param("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", id="a single zero group is not shortened"),
        pytest.param("2001:0:0:1:0:0:0:1", "2001:0:0:1::1", id="the longest run is shortened"),
        pytest.param("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", id="of equal runs the first is shortened"),
        pytest.param("::", "::", id="the unspecified address"),
        pytest.param("::1", "::1", id="loopback"),
        pytest.param("1::", "1::", id="zeros at the end"),
        pytest.param("::ffff:192.0.2.1", "::ffff:192.0.2.1", id="an IPv4-mapped address keeps its dots"),
    ],
)
def test_text(address: str, text: str) -> None:
    assert packed_text(ipaddress.ip_address(address).packed) == text


@given(st.integers(0, 2**32 - 1))
def test_every_ipv4_address_as_the_standard_library_writes_it(value: int) -> None:
    assert address_text(True, 0, value) == str(ipaddress.IPv4Address(value))


@given(st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0xDB8]), min_size=8, max_size=8))
def test_every_ipv6_address_as_the_c_library_writes_it(groups: list[int]) -> None:
    raw = b"".join(group.to_bytes(2) for group in groups)
    text = address_text(False, int.from_bytes(raw[:8]), int.from_bytes(raw[8:]))
    assert text == socket.inet_ntop(socket.AF_INET6, raw)
    assert ipaddress.IPv6Address(text).packed == raw
