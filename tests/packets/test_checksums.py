"""Internet checksums."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.packets.checksums import ONES, ones_sum, tcp_fits
from tests.build.frames import checksum


def test_the_example_of_rfc_1071() -> None:
    assert ones_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2


@given(st.binary(max_size=64))
def test_what_a_sender_puts_in_makes_the_sum_zero(data: bytes) -> None:
    even = data + b"\0" * (len(data) % 2)
    assert ones_sum(even + checksum(data).to_bytes(2, "big")) == 0
    assert ones_sum(data) in range(ONES)


@pytest.mark.parametrize("headers", [b"", bytes(60), b"\x60" + bytes(5) + b"\x2c" + bytes(53)])
def test_what_cannot_be_computed_fits(headers: bytes) -> None:
    assert tcp_fits(headers, b"payload"), "no headers, no IP, an extension header before TCP"
